import { constant, type Graph, graph, input, type Value } from '../../../src/graph/graph.js';
import { reluGrad } from '../../../src/graph/ops/arithmetic.js';
import { conv } from '../../../src/graph/ops/conv.js';
import type { Runtime } from '../../../src/runtime/runtime.js';
import { float32, type Tensor } from '../../../src/tensor/tensor.js';
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

/** The same map, as a convolution with the identity puts it out. */
function throughConv(x: Value): Value {
  const channels = x.shape[1]!;
  const identity = float32(
    [channels, channels, 1, 1],
    Array.from({ length: channels ** 2 }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0)),
  );
  return conv(x, constant(identity), { pads: [0, 0, 0, 0] });
}

const isMap = ({ dtype, shape }: Value) => dtype === 'float32' && shape.length === 4;

/** The graph of a case in its setting, with inputs `x0`, `x1`, … and outputs `y0`, `y1`, … (and `backward`). */
export function caseGraph({ inputs, build }: LoweringCase, setting: Setting): Graph {
  const values = inputs.map(({ dtype, shape }, i) => input(`x${i}`, dtype, shape));
  const built = build(...values.map((v) => (setting === 'maps' && isMap(v) ? throughConv(v) : v)));
  const outputs = Array.isArray(built) ? (built as readonly Value[]) : [built as Value];
  const named = Object.fromEntries(outputs.map((value, i) => [`y${i}`, value]));
  if (setting === 'forward') return graph(named);
  const ones = constant(float32([2], [1, -1]));
  return graph({ ...named, backward: reluGrad(ones, ones) });
}

/** What a case feeds, by the names of {@link caseGraph}. */
export function caseInputs({ inputs }: LoweringCase): Record<string, Tensor> {
  return Object.fromEntries(inputs.map((t, i) => [`x${i}`, t]));
}

/**
 * Compile and run a graph and compare every output with the interpreter's, in value, dtype and shape.
 * @throws Error naming the output and its worst element
 */
export async function expectLowered(
  runtime: Runtime,
  tested: Graph,
  inputs: Readonly<Record<string, Tensor>>,
  allowed: Tolerance = tolerance,
): Promise<void> {
  const program = await runtime.compile(tested);
  try {
    const results = await program.run(inputs);
    const expected = interpret(tested, inputs);
    for (const [name, value] of Object.entries(tested.outputs)) {
      const result = results[name]!;
      if (result.dtype !== value.dtype) {
        throw new Error(`${name}: expected ${value.dtype}. Received: ${result.dtype}.`);
      }
      expectClose(result, expected[name]!, allowed, name);
    }
  } finally {
    await program.release();
  }
}
