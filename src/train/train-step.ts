import { add, type Graph, gradients, graph, input, mul, scoped, type Value } from '../graph/index.js';
import { Bindings, initialTensors, type ParamSpec, specsOf } from '../nn/block.js';
import { countCorrect, rowsOf } from '../nn/losses.js';
import { applyBlocks, imagesInput, type Network } from '../nn/network.js';
import { type Optimizer, type Values, valueNamed } from '../optim/optimizer.js';
import type { Random } from '../random/random.js';
import { at } from '../tensor/elements.js';
import { type Shape, scalar, type Tensor, type Tensors, tensorNamed, zeros } from '../tensor/tensor.js';
import { type Objective, supervised } from './objective.js';
import { flattenState, mapState, nextPrefix, type StateOf, type TrainState } from './state.js';

export interface TrainStepSettings {
  readonly network: Network;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /** Blocks 0 … frozenBlocks − 1 are not trained and run with their stored statistics. */
  readonly frozenBlocks: number;
  /**
   * What a batch holds: `images` (uint8 [N, H, W, C]), or `features`, the frozen blocks' output computed beforehand
   * (float32 [N, C', H', W']).
   */
  readonly batch: 'images' | 'features';
  /** Of the moving statistics of what is trained (see `BatchStatistics`). */
  readonly batchNormMomentum: number;
  /** Default: cross-entropy on the targets, one for each image. */
  readonly objective?: Objective;
  /**
   * Keep a moving average of every trained tensor, a ← d·a + (1 − d)·w (Polyak & Juditsky 1992; Tarvainen & Valpola
   * 2017): the d to keep it with. Absent: none is kept.
   */
  readonly averageDecay?: number;
}

/** Names of a step's own inputs and outputs, beside the state. */
export const stepNames = {
  images: 'images',
  features: 'features',
  targets: 'targets',
  learningRate: 'learningRate',
  loss: 'loss',
  correct: 'correct',
} as const;

/** The tensors that the step trains or updates, in the part that is not frozen. */
function trainedSpecs({ network, frozenBlocks }: TrainStepSettings): ParamSpec[] {
  return specsOf([...network.blocks.slice(frozenBlocks), network.head]);
}

/**
 * One training step as a pure function:
 *
 *   (batch, targets, learningRate, state, frozen params) → (loss, correct, next.state)
 *
 * Inputs: `images` or `features` of N images, `targets` int32 [M] of those that the objective has targets for,
 * `learningRate` float32 [], each tensor of the state ({@link flattenState}), and the frozen blocks' tensors if the batch holds images.
 * Outputs: `loss` (the objective, nats), `correct` (of the M), and `next.<name>` for each tensor of the state.
 */
export function buildTrainStep(settings: TrainStepSettings): Graph {
  const { network, batchSize, frozenBlocks, batch, batchNormMomentum } = settings;
  const { objective = supervised() } = settings;
  const state = mapState(stateShapes(settings), (shape, name) => input(name, 'float32', shape));
  const frozen = batch === 'images' ? specsOf(network.blocks.slice(0, frozenBlocks)) : [];
  const bindings = new Bindings({
    ...Object.fromEntries(frozen.map(({ name, shape }) => [name, input(name, 'float32', shape)])),
    ...state.params,
    ...state.buffers,
  });

  const x =
    batch === 'images'
      ? imagesInput(network, batchSize)
      : input(stepNames.features, 'float32', [
          batchSize,
          ...at(network.blocks, frozenBlocks - 1).outputShape,
        ]);
  const from = batch === 'images' ? 0 : frozenBlocks;
  const norm = { momentum: batchNormMomentum };
  const features = applyBlocks(network, x, bindings, { from, frozen: frozenBlocks, norm });
  const logits = network.head.apply(features, bindings, norm);
  const labelled = objective.labelled(batchSize);
  const targets = input(stepNames.targets, 'int32', [labelled]);
  const loss = scoped('loss', () => objective.loss(logits, targets));

  const next = updateOf(settings, state, loss, bindings.updates);
  return graph({
    loss,
    correct: countCorrect(rowsOf(logits, 0, labelled), targets),
    ...Object.fromEntries(
      Object.entries(flattenState(next)).map(([name, value]) => [nextPrefix + name, value]),
    ),
  });
}

/** The state after the step. @param buffers the running statistics after it */
function updateOf(
  { optimizer, averageDecay }: TrainStepSettings,
  state: StateOf<Value>,
  loss: Value,
  buffers: Values,
): StateOf<Value> {
  const learningRate = input(stepNames.learningRate, 'float32', []);
  const scalars = optimizer.advance(state.scalars);
  const slopes = gradients(loss, Object.values(state.params));
  const params: Record<string, Value> = {};
  const slots: Record<string, Record<string, Value>> = Object.fromEntries(
    optimizer.slots.map((slot) => [slot, {}]),
  );
  Object.entries(state.params).forEach(([name, param], i) => {
    const memory = mapRecord(state.slots, (leaves) => valueNamed(leaves, name));
    const updated = scoped('optimizer', () =>
      optimizer.update({ param, gradient: at(slopes, i), slots: memory, scalars, learningRate }),
    );
    params[name] = updated.param;
    for (const [slot, leaves] of Object.entries(slots)) leaves[name] = valueNamed(updated.slots, slot);
  });
  const trained = { ...params, ...buffers };
  const averages =
    averageDecay === undefined
      ? {}
      : mapRecord(state.averages, (average, name) =>
          add(mul(average, averageDecay), mul(valueNamed(trained, name), 1 - averageDecay)),
        );
  return { params, buffers, slots, scalars, averages };
}

function mapRecord<A, B>(
  record: Readonly<Record<string, A>>,
  map: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

/** The shape of each tensor of the state. */
function stateShapes(settings: TrainStepSettings): StateOf<Shape> {
  const { optimizer, averageDecay } = settings;
  const trained = trainedSpecs(settings);
  const shapesOf = (specs: readonly ParamSpec[]) =>
    Object.fromEntries(specs.map(({ name, shape }) => [name, shape]));
  const params = shapesOf(trained.filter(({ kind }) => kind === 'param'));
  return {
    params,
    buffers: shapesOf(trained.filter(({ kind }) => kind === 'buffer')),
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, params])),
    scalars: mapRecord(optimizer.scalars, () => []),
    averages: averageDecay === undefined ? {} : shapesOf(trained),
  };
}

/**
 * The state before the first step: params, buffers and their averages as the weights have them, what the optimizer
 * remembers as it begins.
 * @throws QuarterturnError `usage` for a tensor that the weights lack
 */
export function initialState(settings: TrainStepSettings, weights: Tensors): TrainState {
  const { params, buffers, slots, averages } = stateShapes(settings);
  const given = (shapes: Readonly<Record<string, Shape>>) =>
    mapRecord(shapes, (_, name) => tensorNamed(weights, name));
  return {
    params: given(params),
    buffers: given(buffers),
    slots: mapRecord(slots, (shapes) => mapRecord(shapes, (shape) => zeros('float32', shape))),
    scalars: mapRecord(settings.optimizer.scalars, scalar),
    averages: given(averages),
  };
}

/** All tensors of a network, freshly drawn. */
export function freshWeights(network: Network, random: Random): Record<string, Tensor> {
  return initialTensors(network.specs, random);
}
