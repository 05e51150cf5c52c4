import { QuarterturnError } from '../errors.js';
import { sizeOf, tensor } from '../tensor/tensor.js';
import { constant, scoped, topologicalOrder, type Value } from './graph.js';
import { add } from './ops/arithmetic.js';

/**
 * Gradients of a scalar by reverse-mode differentiation: ∂loss/∂v for each v of `wrt`, as values of the same graph.
 *
 * One sweep from the loss backwards; each node's rule turns the gradients of its outputs into those of its inputs, and
 * a value that is used several times gets the sum (Griewank & Walther 2008, section 3.2). Only nodes between `wrt` and
 * the loss are visited, so what is frozen costs nothing, and what is flat (argMax) ends the way back.
 *
 * @param loss float32 scalar
 * @param wrt values that the loss depends on
 * @throws QuarterturnError `shape` if the loss is no scalar or does not depend on one of `wrt`
 */
export function gradients(loss: Value, wrt: readonly Value[]): Value[] {
  if (sizeOf(loss.shape) !== 1 || loss.dtype !== 'float32') {
    throw new QuarterturnError(
      'shape',
      `gradients: expected a float32 scalar loss. Received: ${loss.dtype} [${loss.shape.join(', ')}].`,
      { hint: 'Reduce it with reduceMean or reduceSum.' },
    );
  }
  const order = topologicalOrder([loss]);
  const wanted = new Set(wrt);
  const depends = new Set<Value>();
  for (const node of order) {
    const reached = node.op.gradient !== 'zero' && node.inputs.some((v) => depends.has(v));
    for (const v of node.outputs) if (reached || wanted.has(v)) depends.add(v);
  }

  const gradientOf = new Map<Value, Value>([
    [loss, constant(tensor('float32', loss.shape, new Float32Array(1).fill(1)))],
  ]);
  for (const node of order.reverse()) {
    const outputGradients = node.outputs.map((v) => gradientOf.get(v));
    if (outputGradients.every((g) => g === undefined) || !node.inputs.some((v) => depends.has(v))) continue;
    const { gradient } = node.op;
    if (gradient === 'zero') continue;
    if (gradient === 'none') {
      throw new QuarterturnError(
        'shape',
        `gradients: expected differentiable ops up to the loss. Received: ${node.op.name}.`,
      );
    }
    // A layer's backward pass carries its name too.
    scoped(node.scope, () => {
      const inputGradients = gradient(node, outputGradients);
      node.inputs.forEach((v, i) => {
        const g = inputGradients[i];
        if (!g || !depends.has(v)) return;
        const sum = gradientOf.get(v);
        gradientOf.set(v, sum ? add(sum, g) : g);
      });
    });
  }

  return wrt.map((v, i) => {
    const g = gradientOf.get(v);
    if (g) return g;
    throw new QuarterturnError(
      'shape',
      `gradients: expected a loss that depends on wrt[${i}] (${v.dtype} [${v.shape.join(', ')}]). Received: one that does not.`,
      { hint: 'Leave frozen values out, or check that every op between has a gradient.' },
    );
  });
}
