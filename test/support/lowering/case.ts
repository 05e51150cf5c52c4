import { constant, type Graph, graph, input, type Value } from '../../../src/graph/graph.js';
import { reluGrad } from '../../../src/graph/ops/arithmetic.js';
import { conv } from '../../../src/graph/ops/conv.js';
import type { Runtime } from '../../../src/runtime/runtime.js';
import { float32, type Tensor, type Tensors } from '../../../src/tensor/tensor.js';
import { interpret } from '../interpreter.js';
import { expectClose, type Tolerance } from '../numeric.js';

/** A function whose lowered form must compute what the interpreter computes. */
export interface LoweringCase {
  /** The op that it is about. */
  readonly op: string;
  /** What is particular about it. */
  readonly what: string;
  readonly inputs: readonly Tensor[];
  readonly build: (...inputs: readonly Value[]) => Value | readonly Value[];
  /** Where {@link tolerance} is not met for a reason. */
  readonly tolerance?: Tolerance;
}

/**
 * float32 has 24 bits, 6e-8 relative; results here are sums of up to a few thousand products of magnitude 1. An index
 * off by one, a lost tap or a swapped axis is off by 0.1 and more.
 */
export const tolerance: Tolerance = { relative: 2e-5, absolute: 2e-5 };

/**
 * Where a case stands: the layout in which a lowering puts maps depends on the rest of the graph.
 *
 * - `forward`: the case alone, with plain inputs.
 * - `training`: beside a backward op, with plain inputs.
 * - `maps`: the same, and each rank-4 input is a map that a convolution has just put out.
 */
export const settings = ['forward', 'training', 'maps'] as const;
export type Setting = (typeof settings)[number];

const isMap = ({ dtype, shape }: Value) => dtype === 'float32' && shape.length === 4;

/** The same map, as a convolution with the identity puts it out. */
function throughConv(x: Value): Value {
  const channels = x.shape[1]!;
  const identity = float32(
    [channels, channels, 1, 1],
    Array.from({ length: channels ** 2 }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0)),
  );
  return conv(x, constant(identity), { pads: [0, 0, 0, 0] });
}

/** A graph to judge, and what to feed it. */
export interface Trial {
  readonly graph: Graph;
  readonly inputs: Tensors;
  /** Of outputs that have one of their own. */
  readonly tolerances?: Readonly<Record<string, Tolerance>>;
}

/** Cases in their setting, as one graph; each output is named after its case. */
export function trialOf(cases: readonly LoweringCase[], setting: Setting): Trial {
  const inputs: Record<string, Tensor> = {};
  const outputs: Record<string, Value> = {};
  const tolerances: Record<string, Tolerance> = {};
  cases.forEach(({ op, what, inputs: fed, build, tolerance: own }, k) => {
    const values = fed.map((t, i) => {
      const name = `case ${k} input ${i}`;
      inputs[name] = t;
      const value = input(name, t.dtype, t.shape);
      return setting === 'maps' && isMap(value) ? throughConv(value) : value;
    });
    const built = build(...values);
    const results = Array.isArray(built) ? (built as readonly Value[]) : [built as Value];
    results.forEach((value, i) => {
      const name = `${op}, ${what}: output ${i}`;
      outputs[name] = value;
      if (own) tolerances[name] = own;
    });
  });
  if (setting !== 'forward') {
    const signs = constant(float32([2], [1, -1]));
    outputs.backward = reluGrad(signs, signs);
  }
  return { graph: graph(outputs), inputs, tolerances };
}

/** Compile and run a graph; what is off in its outputs, by dtype, shape or value against the interpreter. */
export async function differences(
  runtime: Runtime,
  { graph, inputs, tolerances = {} }: Trial,
  allowed: Tolerance = tolerance,
): Promise<string[]> {
  const program = await runtime.compile(graph);
  try {
    const results = await program.run(inputs);
    const expected = interpret(graph, inputs);
    return Object.entries(graph.outputs).flatMap(([name, { dtype }]) => {
      const result = results[name]!;
      if (result.dtype !== dtype) return [`${name}: expected ${dtype}. Received: ${result.dtype}.`];
      try {
        expectClose(result, expected[name]!, tolerances[name] ?? allowed, name);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    });
  } finally {
    await program.release();
  }
}
