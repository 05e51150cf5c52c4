import { QuarterturnError } from '../errors.js';
import type { Tensor, Tensors } from '../tensor/tensor.js';

/** The state that a training step changes, part by part; a leaf is a tensor, a value of the step's graph, or a shape. */
export interface StateOf<Leaf> {
  /** What is trained by gradients, by the names of the network's specs. */
  readonly params: Readonly<Record<string, Leaf>>;
  /** Running statistics, by the names of the network's specs. */
  readonly buffers: Readonly<Record<string, Leaf>>;
  /** What the optimizer remembers of each param: by the name of the slot, then by that of the param. */
  readonly slots: Readonly<Record<string, Readonly<Record<string, Leaf>>>>;
  /** What the optimizer remembers once. */
  readonly scalars: Readonly<Record<string, Leaf>>;
  /** Moving averages of params and buffers, by their names; empty where none are kept. */
  readonly averages: Readonly<Record<string, Leaf>>;
}

/**
 * Everything that a training step changes. In graphs and files its tensors stand under one name each, which
 * {@link flattenState} gives them.
 */
export type TrainState = StateOf<Tensor>;

/** Params and buffers are called as in the network; what else a state holds begins with one of these. */
const optimizerPrefix = 'optimizer.';
const averagePrefix = 'average.';
const slotName = (slot: string, param: string): string => `${optimizerPrefix}${slot}/${param}`;
const scalarName = (scalar: string): string => `${optimizerPrefix}${scalar}`;
const averageName = (param: string): string => `${averagePrefix}${param}`;

/** Prefix of a step's outputs: ONNX wants inputs and outputs to have different names. */
export const nextPrefix = 'next.';

/**
 * The leaves of a state under the names that they have in graphs and checkpoints: `block1.conv1.kernel`,
 * `optimizer.velocity/block1.conv1.kernel`, `optimizer.beta1Power`, `average.block1.conv1.kernel`.
 */
export function flattenState<Leaf>({
  params,
  buffers,
  slots,
  scalars,
  averages,
}: StateOf<Leaf>): Record<string, Leaf> {
  const flat: [string, Leaf][] = [...Object.entries(buffers)];
  for (const [name, leaf] of Object.entries(scalars)) flat.push([scalarName(name), leaf]);
  for (const [name, leaf] of Object.entries(params)) {
    flat.push([name, leaf]);
    for (const [slot, leaves] of Object.entries(slots)) {
      const memory = leaves[name];
      if (memory !== undefined) flat.push([slotName(slot, name), memory]);
    }
  }
  for (const [name, leaf] of Object.entries(averages)) flat.push([averageName(name), leaf]);
  return Object.fromEntries(flat);
}

/** A state of the same parts and names with other leaves; `name` is that of {@link flattenState}. */
export function mapState<Leaf, Other>(
  state: StateOf<Leaf>,
  map: (leaf: Leaf, name: string) => Other,
): StateOf<Other> {
  const each = (
    leaves: Readonly<Record<string, Leaf>>,
    nameOf: (name: string) => string,
  ): Record<string, Other> =>
    Object.fromEntries(Object.entries(leaves).map(([name, leaf]) => [name, map(leaf, nameOf(name))]));
  return {
    params: each(state.params, (name) => name),
    buffers: each(state.buffers, (name) => name),
    slots: Object.fromEntries(
      Object.entries(state.slots).map(([slot, leaves]) => [
        slot,
        each(leaves, (param) => slotName(slot, param)),
      ]),
    ),
    scalars: each(state.scalars, scalarName),
    averages: each(state.averages, averageName),
  };
}

/**
 * The inverse of {@link flattenState}.
 * @param like a state of the same parts and names
 * @param prefix what the names begin with beside; default: nothing
 * @throws QuarterturnError `usage` naming the first tensor that is missing
 */
export function readState(like: StateOf<unknown>, tensors: Tensors, prefix = ''): TrainState {
  return mapState(like, (_, name) => {
    const found = tensors[prefix + name];
    if (found) return found;
    throw new QuarterturnError(
      'usage',
      `state: expected a tensor "${prefix}${name}". Received: ${Object.keys(tensors).length} tensors without it.`,
    );
  });
}

/** The state after a step. @param outputs what the step's graph gave */
export function nextState(before: StateOf<unknown>, outputs: Tensors): TrainState {
  return readState(before, outputs, nextPrefix);
}

/** The network's tensors in a state, or their moving averages if the state has any. */
export function weightsOf({ params, buffers, averages }: TrainState): Tensors {
  return { ...params, ...buffers, ...averages };
}

/** {@link weightsOf} of a flattened state of whatever network: for a checkpoint that is read by itself. */
export function readWeights(tensors: Tensors): Tensors {
  const own = Object.entries(tensors).filter(
    ([name]) => !name.startsWith(optimizerPrefix) && !name.startsWith(averagePrefix),
  );
  return Object.fromEntries(own.map(([name, tensor]) => [name, tensors[averageName(name)] ?? tensor]));
}
