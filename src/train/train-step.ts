import { add, type Graph, gradients, graph, input, mul, scoped, type Value } from '../graph/index.js';
import { Bindings, initialTensors, type ParamSpec, specsOf } from '../nn/block.js';
import { imagesToMaps } from '../nn/images.js';
import { countCorrect, rowsOf } from '../nn/losses.js';
import { applyBlocks, type Network } from '../nn/network.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Random } from '../random/random.js';
import { scalar, type Tensor, zeros } from '../tensor/tensor.js';
import { type Objective, supervised } from './objective.js';

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
  /** Default: cross-entropy on the targets, one for each image. */
  readonly objective?: Objective;
  /**
   * Keep a moving average of every trained tensor, a ← d·a + (1 − d)·w (Polyak & Juditsky 1992; Tarvainen & Valpola
   * 2017): the d to keep it with. Absent: none is kept.
   */
  readonly averageDecay?: number;
}

/** Everything that a training step changes, by name; exactly what a checkpoint holds. */
export type TrainState = Readonly<Record<string, Tensor>>;

/** Name of a parameter's optimizer state in a {@link TrainState}. */
const slotName = (slot: string, param: string): string => `optimizer.${slot}/${param}`;
const scalarName = (name: string): string => `optimizer.${name}`;
/** Name of a tensor's moving average in a {@link TrainState}. */
const averagePrefix = 'average.';

/** Prefix of the step's outputs: ONNX wants inputs and outputs to have different names. */
export const nextPrefix = 'next.';

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
 * `learningRate` float32 [], each tensor of the state, and the frozen blocks' tensors where the batch holds images.
 * Outputs: `loss` (the objective, nats), `correct` (of the M), and `next.<name>` for each tensor of the state.
 */
export function buildTrainStep(settings: TrainStepSettings): Graph {
  const { network, optimizer, batchSize, frozenBlocks, batch, averageDecay } = settings;
  const { objective = supervised() } = settings;
  const { height, imageWidth, channels } = network.settings;
  const trained = trainedSpecs(settings);
  const needed = batch === 'images' ? network.specs : trained;
  const values = Object.fromEntries(needed.map(({ name, shape }) => [name, input(name, 'float32', shape)]));
  const bindings = new Bindings(values);

  const x =
    batch === 'images'
      ? imagesToMaps(input(stepNames.images, 'uint8', [batchSize, height, imageWidth, channels]))
      : input(stepNames.features, 'float32', [batchSize, ...network.blocks[frozenBlocks - 1]!.outputShape]);
  const from = batch === 'images' ? 0 : frozenBlocks;
  const features = applyBlocks(network, x, bindings, { from, frozen: frozenBlocks, norm: 'batch' });
  const logits = network.head.apply(features, bindings, 'batch');
  const labelled = objective.labelled(batchSize);
  const targets = input(stepNames.targets, 'int32', [labelled]);
  const loss = scoped('loss', () => objective.loss(logits, targets));

  const learningRate = input(stepNames.learningRate, 'float32', []);
  const params = trained.filter(({ kind }) => kind === 'param');
  const grads = gradients(
    loss,
    params.map(({ name }) => values[name]!),
  );
  const scalars = optimizer.advance(
    Object.fromEntries(Object.keys(optimizer.scalars).map((s) => [s, input(scalarName(s), 'float32', [])])),
  );
  const next: Record<string, Value> = { ...bindings.updates };
  for (const [name, value] of Object.entries(scalars)) next[scalarName(name)] = value;
  params.forEach((spec, i) => {
    const slots = Object.fromEntries(
      optimizer.slots.map((slot) => [slot, input(slotName(slot, spec.name), 'float32', spec.shape)]),
    );
    const updated = scoped('optimizer', () =>
      optimizer.update({ param: values[spec.name]!, gradient: grads[i]!, slots, scalars, learningRate }),
    );
    next[spec.name] = updated.param;
    for (const [slot, value] of Object.entries(updated.slots)) next[slotName(slot, spec.name)] = value;
  });

  if (averageDecay !== undefined) {
    for (const { name, shape } of trained) {
      const average = input(averagePrefix + name, 'float32', shape);
      next[averagePrefix + name] = add(mul(average, averageDecay), mul(next[name]!, 1 - averageDecay));
    }
  }

  return graph({
    loss,
    correct: countCorrect(rowsOf(logits, 0, labelled), targets),
    ...Object.fromEntries(Object.entries(next).map(([name, value]) => [`${nextPrefix}${name}`, value])),
  });
}

/** The state before the first step: trained tensors as given (or freshly drawn), optimizer memory at its start. */
export function initialState(settings: TrainStepSettings, tensors: TrainState): TrainState {
  const { optimizer, averageDecay } = settings;
  const trained = trainedSpecs(settings);
  const state: Record<string, Tensor> = {};
  for (const { name } of trained) state[name] = tensors[name]!;
  for (const [name, value] of Object.entries(optimizer.scalars)) state[scalarName(name)] = scalar(value);
  for (const { name, shape, kind } of trained) {
    if (kind !== 'param') continue;
    for (const slot of optimizer.slots) state[slotName(slot, name)] = zeros('float32', shape);
  }
  if (averageDecay !== undefined)
    for (const { name } of trained) state[averagePrefix + name] = tensors[name]!;
  return state;
}

/** The network's own tensors out of a state, their moving averages where it holds any: what the step has learned. */
export function weightsOf(state: TrainState): Record<string, Tensor> {
  const weights: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(state)) {
    if (name.startsWith('optimizer.') || name.startsWith(averagePrefix)) continue;
    weights[name] = state[averagePrefix + name] ?? value;
  }
  return weights;
}

/** All tensors of a network, freshly drawn. */
export function freshWeights(network: Network, random: Random): Record<string, Tensor> {
  return initialTensors(network.specs, random);
}
