import { type Graph, gradients, graph, input, scoped, type Value } from '../graph/index.js';
import { imagesToMaps } from '../nn/images.js';
import { countCorrect, crossEntropy } from '../nn/losses.js';
import { Bindings, initialTensors, type ParamSpec, specsOf } from '../nn/network.js';
import { applyBlocks, type Network } from '../nn/rotnet.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Random } from '../random/random.js';
import { scalar, type Tensor, zeros } from '../tensor/tensor.js';

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
  readonly labelSmoothing?: number;
}

/** Everything that a training step changes, by name; exactly what a checkpoint holds. */
export type TrainState = Readonly<Record<string, Tensor>>;

/** Name of a parameter's optimizer state in a {@link TrainState}. */
const slotName = (slot: string, param: string): string => `optimizer.${slot}/${param}`;
const scalarName = (name: string): string => `optimizer.${name}`;

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
 * Inputs: `images` or `features`, `targets` int32 [N], `learningRate` float32 [], each tensor of the state, and the
 * frozen blocks' tensors where the batch holds images. Outputs: `loss` (mean of the batch, nats), `correct` (count), and
 * `next.<name>` for each tensor of the state.
 */
export function buildTrainStep(settings: TrainStepSettings): Graph {
  const { network, optimizer, batchSize, frozenBlocks, batch, labelSmoothing } = settings;
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
  const targets = input(stepNames.targets, 'int32', [batchSize]);
  const loss = scoped('loss', () =>
    crossEntropy(logits, targets, labelSmoothing === undefined ? {} : { labelSmoothing }),
  );

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
      optimizer.update(values[spec.name]!, grads[i]!, slots, scalars, learningRate),
    );
    next[spec.name] = updated.param;
    for (const [slot, value] of Object.entries(updated.slots)) next[slotName(slot, spec.name)] = value;
  });

  return graph({
    loss,
    correct: countCorrect(logits, targets),
    ...Object.fromEntries(Object.entries(next).map(([name, value]) => [`${nextPrefix}${name}`, value])),
  });
}

/** The state before the first step: trained tensors as given (or freshly drawn), optimizer memory at its start. */
export function initialState(settings: TrainStepSettings, tensors: TrainState): TrainState {
  const { optimizer } = settings;
  const trained = trainedSpecs(settings);
  const state: Record<string, Tensor> = {};
  for (const { name } of trained) state[name] = tensors[name]!;
  for (const [name, value] of Object.entries(optimizer.scalars)) state[scalarName(name)] = scalar(value);
  for (const { name, shape, kind } of trained) {
    if (kind !== 'param') continue;
    for (const slot of optimizer.slots) state[slotName(slot, name)] = zeros('float32', shape);
  }
  return state;
}

/** The network's own tensors out of a state: without the optimizer's memory. */
export function weightsOf(state: TrainState): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('optimizer.')));
}

/** All tensors of a network, freshly drawn. */
export function freshWeights(network: Network, random: Random): Record<string, Tensor> {
  return initialTensors(network.specs, random);
}
