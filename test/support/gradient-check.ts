import { gradients } from '../../src/graph/gradients.js';
import { constant, type Graph, graph, input, type Value } from '../../src/graph/graph.js';
import { mul, reduceSum } from '../../src/graph/ops/arithmetic.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { interpret } from './interpreter.js';
import { expectClose, randomTensor } from './numeric.js';

/** Step of the central differences: truncation (step²) and rounding (1e-16 / step) both stay below 1e-9. */
const step = 1e-5;
const tolerance = { relative: 1e-6, absolute: 1e-8 };

/** A function of some operands, one value out. */
export interface DifferentiableCase {
  readonly operands: readonly Tensor<'float32'>[];
  readonly build: (...operands: readonly Value[]) => Value;
  /** Which operands are differentiated; all where it is not said. */
  readonly wrt?: readonly number[];
}

/**
 * Compare what `gradients` derives with central differences, both in float64 by the interpreter:
 *
 *   ∂L/∂x ≈ (L(x + h) − L(x − h)) / 2h, where L = Σ r·y is a random linear functional of the case's value y.
 *
 * @returns the names of the ops that y is made of
 * @throws Error naming the operand and the worst element where they differ
 */
export function checkGradients({
  operands,
  build,
  wrt = [...operands.keys()],
}: DifferentiableCase): string[] {
  const values = operands.map(({ dtype, shape }, i) => input(`operand${i}`, dtype, shape));
  const y = build(...values);
  const functional = randomTensor(7, y.shape);
  const loss = reduceSum(mul(y, constant(functional)), [...y.shape.keys()]);
  const derived = gradients(
    loss,
    wrt.map((i) => values[i]!),
  );

  const fed = Object.fromEntries(operands.map(({ data }, i) => [`operand${i}`, Float64Array.from(data)]));
  const forward = graph({ loss });
  const backward = graph(Object.fromEntries(wrt.map((i, k) => [`gradient${i}`, derived[k]!])));
  const results = interpret(backward, pick(fed, backward));
  for (const i of wrt) {
    const name = `operand${i}`;
    const differences = centralDifferences(forward, fed, name);
    expectClose(
      results[`gradient${i}`]!,
      { shape: operands[i]!.shape, data: differences },
      tolerance,
      `gradient of ${name}`,
    );
  }
  return graph({ y }).nodes.map((node) => node.op.name);
}

/** (L(x + h) − L(x − h)) / 2h for each element x of one input. */
function centralDifferences(
  forward: Graph,
  fed: Readonly<Record<string, Float64Array>>,
  name: string,
): Float64Array {
  const lossWith = (element: number, shift: number): number => {
    const moved = fed[name]!.slice();
    moved[element]! += shift;
    return interpret(forward, { ...fed, [name]: moved }).loss!.data[0]!;
  };
  return fed[name]!.map((_, i) => (lossWith(i, step) - lossWith(i, -step)) / (2 * step));
}

/** The inputs that a graph has: a gradient need not depend on every operand. */
function pick<T>(fed: Readonly<Record<string, T>>, { inputs }: Graph): Record<string, T> {
  return Object.fromEntries(Object.keys(inputs).map((name) => [name, fed[name]!]));
}
