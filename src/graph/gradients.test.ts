import { describe, expect, test } from 'vitest';
import { interpret } from '../../test/support/interpreter.js';
import { QuarterturnError } from '../errors.js';
import { gradients } from './gradients.js';
import { applyOne, graph, input, type One, type OpDefinition, type Value } from './graph.js';
import { add, exp, mul, neg, negOp, reduceSum, sub } from './ops/arithmetic.js';
import { conv } from './ops/conv.js';
import { argMax, cast, oneHot } from './ops/discrete.js';
import { batchNormTrain } from './ops/normalize.js';
import { maxPool } from './ops/pool.js';

const scalarInput = (name: string) => input(name, 'float32', []);

/** Numbers of the gradients of `loss`, at given values of the inputs. */
function evaluate(loss: Value, wrt: readonly Value[], at: Readonly<Record<string, readonly number[]>>) {
  const derived = gradients(loss, wrt);
  const closed = graph(Object.fromEntries(derived.map((g, i) => [`${i}`, g])));
  const fed = Object.fromEntries(Object.keys(closed.inputs).map((name) => [name, at[name]!]));
  const results = interpret(closed, fed);
  return derived.map((_, i) => [...results[`${i}`]!.data]);
}

/** −x, counting how often its gradient rule is asked. */
function countingNeg() {
  let asked = 0;
  const op: OpDefinition<object, One, One> = {
    ...negOp,
    gradient: (node, outputGradients) => {
      asked++;
      return typeof negOp.gradient === 'string' ? [] : negOp.gradient(node, outputGradients);
    },
  };
  return { build: (v: Value) => applyOne(op, [v], {}), asked: () => asked };
}

describe('gradients', () => {
  test('a value that is used several times gets the sum', () => {
    const x = scalarInput('x');
    // d(x² + 3x + x) = 2x + 4
    const loss = add(add(mul(x, x), mul(3, x)), x);
    expect(evaluate(loss, [x], { x: [5] })).toEqual([[14]]);
  });

  test('paths that meet again are each followed once', () => {
    const x = scalarInput('x');
    const { build, asked } = countingNeg();
    const middle = build(x);
    // d(m² − m·x) with m = −x is d(2x²) = 4x
    const loss = sub(mul(middle, middle), mul(middle, x));
    expect(evaluate(loss, [x], { x: [3] })).toEqual([[12]]);
    expect(asked()).toBe(1);
  });

  test('with respect to an intermediate value stops there', () => {
    const x = scalarInput('x');
    const { build, asked } = countingNeg();
    const middle = build(x);
    expect(evaluate(mul(middle, middle), [middle], { x: [3] })).toEqual([[-6]]);
    expect(asked()).toBe(0);
  });

  test('with respect to an intermediate value and what it is made of', () => {
    const x = scalarInput('x');
    const square = mul(x, x);
    expect(evaluate(mul(square, square), [square, x], { x: [3] })).toEqual([[18], [108]]);
  });

  test('with respect to the loss itself is 1, and one value may be asked for twice', () => {
    const x = scalarInput('x');
    const loss = mul(x, 2);
    expect(evaluate(loss, [loss, x, x], { x: [3] })).toEqual([[1], [2], [2]]);
  });

  test('takes a loss with one element of any rank', () => {
    const x = input('x', 'float32', [1, 1]);
    expect(evaluate(mul(x, x), [x], { x: [4] })).toEqual([[8]]);
  });

  test('what is frozen is not visited, and nothing is computed for it', () => {
    const x = input('x', 'float32', [1, 2, 4, 4]);
    const frozen = input('frozen', 'float32', [3, 2, 3, 3]);
    const trained = input('trained', 'float32', [5, 3, 1, 1]);
    const { build, asked } = countingNeg();
    const features = build(conv(x, frozen, { pads: [1, 1, 1, 1] }));
    const y = conv(features, trained, { pads: [0, 0, 0, 0] });
    const [gradient] = gradients(reduceSum(y, [0, 1, 2, 3]), [trained]);
    expect(asked()).toBe(0);
    const names = graph({ gradient: gradient! }).nodes.map((node) => node.op.name);
    expect(names.filter((name) => name.startsWith('conv'))).toEqual(['conv', 'convWeightGrad']);
  });

  test('a chain longer than the call stack', () => {
    const x = scalarInput('x');
    let deep = x;
    for (let i = 0; i < 20_001; i++) deep = neg(deep);
    expect(evaluate(deep, [x], { x: [1] })).toEqual([[-1]]);
  });
});

describe('gradients refuses', () => {
  const x = input('x', 'float32', [2, 3]);
  const sum = (v: Value) => reduceSum(v, [...v.shape.keys()]);
  const refusal = (loss: Value, wrt: readonly Value[]): QuarterturnError => {
    try {
      gradients(loss, wrt);
    } catch (error) {
      if (error instanceof QuarterturnError) return error;
    }
    throw new Error('expected a QuarterturnError');
  };

  test('a loss that is no scalar', () => {
    expect(refusal(exp(x), [x])).toMatchObject({
      code: 'shape',
      message: 'gradients: expected a float32 scalar loss. Received: float32 [2, 3].',
      hint: 'Reduce it with reduceMean or reduceSum.',
    });
  });

  test('a loss of whole numbers', () => {
    expect(refusal(cast(sum(x), 'int32'), [x]).message).toBe(
      'gradients: expected a float32 scalar loss. Received: int32 [].',
    );
  });

  test('a value that the loss does not depend on, naming which', () => {
    const other = input('other', 'float32', [4, 1]);
    expect(refusal(sum(x), [x, other])).toMatchObject({
      code: 'shape',
      message:
        'gradients: expected a loss that depends on wrt[1] (float32 [4, 1]). Received: one that does not.',
      hint: expect.stringContaining('Leave frozen values out'),
    });
  });

  test('an op in between that has no gradient', () => {
    expect(refusal(sum(cast(cast(x, 'int32'), 'float32')), [x])).toMatchObject({
      code: 'shape',
      message: 'gradients: expected differentiable ops up to the loss. Received: cast.',
    });
  });

  test('a loss that depends only through what is flat', () => {
    const chosen = oneHot(argMax(x), 3);
    expect(refusal(sum(chosen), [x]).message).toContain('a loss that depends on wrt[0]');
    // Σ x·[x is its row's maximum]: the gradient is the choice, as if it were constant.
    expect(evaluate(sum(mul(chosen, x)), [x], { x: [1, 2, 3, 6, 5, 4] })).toEqual([[0, 0, 1, 1, 0, 0]]);
  });

  test('but not an op without gradient beside the path', () => {
    const labels = input('labels', 'int32', [2]);
    const weighted = mul(oneHot(cast(cast(labels, 'float32'), 'int32'), 3), x);
    expect(evaluate(sum(weighted), [x], { x: [1, 2, 3, 4, 5, 6], labels: [2, 0] })).toEqual([
      [0, 0, 1, 1, 0, 0],
    ]);
  });

  test('a second derivative of max-pooling', () => {
    const image = input('image', 'float32', [1, 1, 4, 4]);
    const y = maxPool(image, { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
    const [first] = gradients(sum(mul(y, y)), [image]);
    expect(refusal(sum(first!), [image]).message).toContain('Received: maxPoolGrad.');
  });

  test('a loss that depends on the batch statistics', () => {
    const image = input('image', 'float32', [1, 2, 4, 4]);
    const channel = input('channel', 'float32', [2]);
    const { mean } = batchNormTrain(image, channel, channel, { epsilon: 1e-3 });
    expect(refusal(sum(mean), [image]).message).toBe(
      'batchNormTrain: expected a loss that depends on y alone. Received: one that depends on the statistics.',
    );
  });
});
