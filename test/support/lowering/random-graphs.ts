import fc from 'fast-check';
import { graph, input, type Value } from '../../../src/graph/graph.js';
import {
  add,
  broadcastTo,
  mul,
  neg,
  reduceMean,
  reduceSum,
  relu,
  reluGrad,
  reshape,
  sub,
  transpose,
} from '../../../src/graph/ops/arithmetic.js';
import { conv, convInputGrad, convWeightGrad, samePads } from '../../../src/graph/ops/conv.js';
import { matMul } from '../../../src/graph/ops/matmul.js';
import { batchNormTrain } from '../../../src/graph/ops/normalize.js';
import { avgPool, avgPoolGrad, maxPool, samePoolPads } from '../../../src/graph/ops/pool.js';
import { softmax } from '../../../src/graph/ops/softmax.js';
import { type Shape, sizeOf, type Tensor } from '../../../src/tensor/tensor.js';
import { randomAwayFromZero } from '../numeric.js';
import type { Trial } from './case.js';

/**
 * Graphs of a few random ops on random shapes. Steps (the sign of a ReLU, the position of a maximum) are only taken of
 * inputs: on a computed value that should be 0, float32 and float64 may stand on either side of it.
 */

/** One op on values chosen by `pick`; undefined where nothing fits. `draw` makes further inputs. */
type Step = (
  pick: (fits: (v: Value) => boolean) => Value | undefined,
  draw: (shape: Shape) => Value,
  dice: number,
) => Value | undefined;

const anything = () => true;
const isMap = ({ shape }: Value) => shape.length === 4;
const isMatrix = ({ shape }: Value) => shape.length === 2;

/** An operand for x: with some of its axes 1, some of the leading ones missing. */
function partnerShape(shape: Shape, dice: number): Shape {
  return shape.slice(dice % (shape.length + 1)).map((n, axis) => ((dice >> axis) & 8 ? 1 : n));
}

const subset = (rank: number, dice: number) =>
  Array.from({ length: rank }, (_, axis) => axis).filter((axis) => (dice >> axis) & 1);

function unary(build: (x: Value, dice: number) => Value, fits: (v: Value) => boolean = anything): Step {
  return (pick, _draw, dice) => {
    const x = pick(fits);
    return x && build(x, dice);
  };
}

const elementwise =
  (build: (a: Value, b: Value) => Value): Step =>
  (pick, draw, dice) => {
    const a = pick(anything)!;
    const b = pick((v) => v !== a && v.shape.join() === a.shape.join()) ?? draw(partnerShape(a.shape, dice));
    return dice & 1 ? build(a, b) : build(b, a);
  };

const pooled = (x: Value) => ({
  kernel: [3, 2] as const,
  strides: [2, 2] as const,
  pads: samePoolPads([x.shape[2]!, x.shape[3]!], [3, 2], [2, 2]),
});

const steps: Readonly<Record<string, Step>> = {
  add: elementwise(add),
  sub: elementwise(sub),
  mul: elementwise(mul),
  neg: unary(neg),
  relu: unary(relu),
  reluGrad: (pick, draw) => {
    const dy = pick(anything)!;
    return reluGrad(draw(dy.shape), dy);
  },
  reduceSum: unary((x, dice) => reduceSum(x, subset(x.shape.length, dice), { keepDims: (dice & 16) > 0 })),
  reduceMean: unary((x, dice) => reduceMean(x, subset(x.shape.length, dice), { keepDims: (dice & 16) > 0 })),
  flatten: unary((x, dice) =>
    reshape(x, dice & 1 ? [x.shape[0] ?? 1, sizeOf(x.shape.slice(1))] : [sizeOf(x.shape)]),
  ),
  toMap: unary((x, dice) => reshape(x, dice & 1 ? [1, sizeOf(x.shape), 1, 1] : [sizeOf(x.shape), 1, 1, 1])),
  transpose: unary((x, dice) => {
    const axes = [...x.shape.keys()];
    const turns = dice % Math.max(axes.length, 1);
    const turned = [...axes.slice(turns), ...axes.slice(0, turns)];
    return transpose(x, dice & 8 ? turned.reverse() : turned);
  }),
  broadcastTo: unary(
    (x, dice) => broadcastTo(x, [...(dice & 1 ? [2] : []), ...x.shape.map((n) => (n === 1 ? 2 : n))]),
    (v) => v.shape.length < 4,
  ),
  conv: (pick, draw, dice) => {
    const x = pick(isMap);
    const [kh, kw] = dice & 1 ? [3, 2] : [1, 1];
    return x && conv(x, draw([1 + (dice & 2), x.shape[1]!, kh!, kw!]), { pads: samePads(kh!, kw!) });
  },
  convInputGrad: (pick, draw, dice) => {
    const dy = pick(isMap);
    if (!dy) return undefined;
    const [n, o, h, w] = dy.shape;
    const kernel = dice & 1 ? [2, 3] : [1, 1];
    return convInputGrad(dy, draw([o!, 2, ...kernel]), [n!, 2, h!, w!], {
      pads: samePads(kernel[0]!, kernel[1]!),
    });
  },
  convWeightGrad: (pick, draw, dice) => {
    const x = pick(isMap);
    if (!x) return undefined;
    const [n, c, h, w] = x.shape;
    const kernel = dice & 1 ? [3, 3] : [1, 1];
    return convWeightGrad(x, draw([n!, 2, h!, w!]), [2, c!, ...kernel], {
      pads: samePads(kernel[0]!, kernel[1]!),
    });
  },
  maxPool: unary((x) => maxPool(x, pooled(x)), isMap),
  avgPool: unary((x) => avgPool(x, pooled(x)), isMap),
  avgPoolGrad: (pick, draw) => {
    const x = pick(isMap);
    return x && avgPoolGrad(draw(avgPool(x, pooled(x)).shape), x.shape, pooled(x));
  },
  batchNorm: (pick, draw) => {
    const x = pick(isMap);
    return x && batchNormTrain(x, draw([x.shape[1]!]), draw([x.shape[1]!]), { epsilon: 0.1 }).y;
  },
  matMul: (pick, draw) => {
    const a = pick(isMatrix);
    return a && matMul(a, draw([a.shape[1]!, 3]));
  },
  softmax: unary((x) => softmax(x), isMatrix),
};

/** Larger values are left alone, so that a run stays quick. */
const largestSize = 400;

/** One step: the op, which of the fitting values it takes, and bits for its other choices. */
interface Instruction {
  readonly op: string;
  readonly choice: number;
  readonly dice: number;
}

/** What a random graph is made by: plain data, so that a counterexample can be read. */
export interface Recipe {
  /** Of the map that it begins with. */
  readonly shape: Shape;
  readonly instructions: readonly Instruction[];
  /** Whether all values come out, or those alone that nothing else uses, so that a lowering may fuse the others. */
  readonly allOutputs: boolean;
}

const size = fc.integer({ min: 1, max: 4 });

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  shape: fc.tuple(size, size, size, size),
  instructions: fc.array(
    fc.record({ op: fc.constantFrom(...Object.keys(steps)), choice: fc.nat(1000), dice: fc.nat(255) }),
    { minLength: 1, maxLength: 8 },
  ),
  allOutputs: fc.boolean(),
});

/** The graph that a recipe makes, and inputs for it. */
export function trialFrom({ shape, instructions, allOutputs }: Recipe): Trial {
  const drawn: Record<string, Tensor> = {};
  const draw = (shape: Shape): Value => {
    const count = Object.keys(drawn).length;
    drawn[`x${count}`] = randomAwayFromZero(count, shape);
    return input(`x${count}`, 'float32', shape);
  };
  const values = [draw(shape)];
  for (const { op, choice, dice } of instructions) {
    const pick = (fits: (v: Value) => boolean) => {
      const fitting = values.filter(fits);
      return fitting[choice % fitting.length];
    };
    const made = steps[op]!(pick, draw, dice);
    if (made && sizeOf(made.shape) <= largestSize) values.push(made);
  }
  const used = new Set(values.flatMap((value) => value.node.inputs));
  const outputs = allOutputs ? values : values.filter((value) => !used.has(value));
  const closed = graph(Object.fromEntries(outputs.map((value, i) => [`y${i}`, value])));
  const inputs = Object.entries(drawn).filter(([name]) => name in closed.inputs);
  return { graph: closed, inputs: Object.fromEntries(inputs) };
}
