import {
  add,
  div,
  type Graph,
  gradients,
  graph,
  input,
  mul,
  reduceSum,
  relu,
  scoped,
  sqrt,
  sub,
  type Value,
} from '../graph/index.js';
import { Bindings, type ParamSpec } from '../nn/block.js';
import { type Optimizer, type Values, valueNamed } from '../optim/optimizer.js';
import { at } from '../tensor/elements.js';
import { type Shape, scalar, type Tensors, tensorNamed, zeros } from '../tensor/tensor.js';
import { flattenState, mapState, nextPrefix, type StateOf, type TrainState } from './state.js';

/** Of the input that every step has beside its state and its batch: float32 []. */
export const learningRateName = 'learningRate';

/** What a step tells: the loss, a float32 scalar that it minimises, and figures beside it. */
export type StepOutputs = Values & { readonly loss: Value };

/** What a training step is made of. */
export interface StepParts {
  /** The tensors that it trains or updates. */
  readonly trained: readonly ParamSpec[];
  /** The tensors that it reads and never changes. */
  readonly frozen: readonly ParamSpec[];
  readonly optimizer: Optimizer;
  /**
   * Keep a moving average of every trained tensor, a ← d·a + (1 − d)·w (Polyak & Juditsky 1992; Tarvainen & Valpola
   * 2017): the d to keep it with. Absent: none is kept.
   */
  readonly averageDecay?: number | undefined;
  /**
   * All gradients together are no longer than this: where their norm ‖g‖ is above c, g ← g · c / ‖g‖ (Pascanu, Mikolov and Bengio, "On the
   * difficulty of training recurrent neural networks", 2013, section 3.2). Absent: they stay as they are.
   */
  readonly clipNorm?: number | undefined;
  /** Builds the forward pass from the tensors and from inputs of its own, which hold a batch. */
  forward(bindings: Bindings): StepOutputs;
}

/**
 * One training step as a pure function:
 *
 *   (batch, learningRate, state, frozen tensors) → (loss, figures, next.state)
 *
 * Inputs: those of the forward pass, `learningRate` float32 [], each tensor of the state ({@link flattenState}), and the frozen tensors.
 * Outputs: those of the forward pass, and `next.<name>` for each tensor of the state.
 */
export function buildStep(parts: StepParts): Graph {
  const state = mapState(stateShapes(parts), (shape, name) => input(name, 'float32', shape));
  const frozen = parts.frozen.map(({ name, shape }) => [name, input(name, 'float32', shape)] as const);
  const bindings = new Bindings({ ...Object.fromEntries(frozen), ...state.params, ...state.buffers });
  const { loss, ...figures } = parts.forward(bindings);
  const next = flattenState(updateOf(parts, state, loss, bindings.updates));
  return graph({
    loss,
    ...figures,
    ...Object.fromEntries(Object.entries(next).map(([name, value]) => [nextPrefix + name, value])),
  });
}

/** The state after the step. @param buffers the running statistics after it */
function updateOf(
  { optimizer, averageDecay, clipNorm }: StepParts,
  state: StateOf<Value>,
  loss: Value,
  buffers: Values,
): StateOf<Value> {
  const learningRate = input(learningRateName, 'float32', []);
  const scalars = optimizer.advance(state.scalars);
  const found = gradients(loss, Object.values(state.params));
  const slopes =
    clipNorm === undefined || found.length === 0
      ? found
      : scoped('optimizer', () => clipped(found, clipNorm));
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

/** What a norm of 0 is divided by; of any other it changes nothing. */
const smallestNorm = 1e-12;

/** g · min(1, c / ‖g‖), the norm being that of all gradients together. */
function clipped(slopes: readonly Value[], clipNorm: number): readonly Value[] {
  const squares = slopes.map((g) => reduceSum(mul(g, g), [...g.shape.keys()]));
  const norm = sqrt(squares.reduce((sum, square) => add(sum, square)));
  const factor = div(clipNorm, add(norm, smallestNorm));
  // min(1, f) = 1 − max(0, 1 − f).
  const least = sub(1, relu(sub(1, factor)));
  return slopes.map((g) => mul(g, least));
}

function mapRecord<A, B>(
  record: Readonly<Record<string, A>>,
  map: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

/** The shape of each tensor of the state. */
function stateShapes({ trained, optimizer, averageDecay }: Omit<StepParts, 'forward'>): StateOf<Shape> {
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
export function firstState(parts: Omit<StepParts, 'forward'>, weights: Tensors): TrainState {
  const { params, buffers, slots, averages } = stateShapes(parts);
  const given = (shapes: Readonly<Record<string, Shape>>) =>
    mapRecord(shapes, (_, name) => tensorNamed(weights, name));
  return {
    params: given(params),
    buffers: given(buffers),
    slots: mapRecord(slots, (shapes) => mapRecord(shapes, (shape) => zeros('float32', shape))),
    scalars: mapRecord(parts.optimizer.scalars, scalar),
    averages: given(averages),
  };
}
