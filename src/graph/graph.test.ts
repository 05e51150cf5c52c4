import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { float32 } from '../tensor/tensor.js';
import { constant, graph, input, inputName, scoped, topologicalOrder, type Value } from './graph.js';
import { add, exp, mul, neg } from './ops/arithmetic.js';
import { batchNormTrain } from './ops/normalize.js';

const x = () => input('x', 'float32', [2, 3]);

describe('apply', () => {
  test('gives each output its type, its node and its place', () => {
    const image = input('image', 'float32', [2, 3, 4, 5]);
    const channel = input('channel', 'float32', [3]);
    const { y, mean, variance } = batchNormTrain(image, channel, channel, { epsilon: 1e-3 });
    expect([y, mean, variance].map((v) => v.index)).toEqual([0, 1, 2]);
    expect([y, mean, variance].map((v) => v.shape)).toEqual([[2, 3, 4, 5], [3], [3]]);
    expect(y.node.outputs).toEqual([y, mean, variance]);
    expect(y.node.inputs).toEqual([image, channel, channel]);
    expect(y.node.attributes).toEqual({ epsilon: 1e-3 });
  });
});

describe('scoped', () => {
  test('nests with a dot and ends where its function ends', () => {
    const [outer, inner, after] = scoped('block1', () => {
      const before = neg(x());
      return [before, scoped('conv2', () => neg(before)), neg(before)];
    });
    expect([outer, inner, after].map((v) => v!.node.scope)).toEqual(['block1', 'block1.conv2', 'block1']);
    expect(neg(x()).node.scope).toBe('');
  });

  test('a shape error begins with the layer, and ends its scope', () => {
    const build = () => scoped('block1', () => scoped('add3', () => add(x(), input('b', 'float32', [2]))));
    expect(build).toThrow(
      new QuarterturnError(
        'shape',
        'block1.add3: add: expected shapes that broadcast. Received: [2, 3] and [2].',
      ),
    );
    expect(neg(x()).node.scope).toBe('');
  });
});

describe('graph', () => {
  test('finds the inputs that its outputs need, and no others', () => {
    const [a, b, unused] = ['a', 'b', 'unused'].map((name) => input(name, 'float32', [2]));
    const sum = add(a!, b!);
    mul(sum, unused!);
    const { inputs, outputs, nodes } = graph({ sum, again: sum, fed: b! });
    expect(inputs).toEqual({ a, b });
    expect(outputs).toEqual({ sum, again: sum, fed: b });
    expect(nodes.map((node) => node.op.name)).toEqual(['input', 'input', 'add']);
    expect(inputName(inputs.b!)).toBe('b');
  });

  test('refuses two inputs of one name, but takes one input twice', () => {
    const a = input('a', 'float32', [2]);
    expect(() => graph({ sum: add(a, input('a', 'float32', [2])) })).toThrow(
      new QuarterturnError('shape', 'graph: expected one input named "a". Received: two.'),
    );
    expect(graph({ sum: add(a, a) }).inputs).toEqual({ a });
  });

  test.each([
    ['qt:constant_0', 'an input whose name does not begin with "qt:"'],
    ['', 'an input with a name'],
  ])('refuses an input named "%s"', (name, expected) => {
    expect(() => graph({ twice: mul(input(name, 'float32', []), 2) })).toThrow(
      new QuarterturnError('usage', `graph: expected ${expected}. Received: "${name}".`, {
        hint: expect.any(String),
      }),
    );
  });

  test.each([
    ['qt:Mul_0:out', 'an output whose name does not begin with "qt:"'],
    ['', 'an output with a name'],
    ['x', 'an output that is not named like an input'],
  ])('refuses an output named "%s"', (name, expected) => {
    expect(() => graph({ [name]: mul(x(), 2) })).toThrow(
      new QuarterturnError('usage', `graph: expected ${expected}. Received: "${name}".`, {
        hint: expect.any(String),
      }),
    );
  });

  test.each(['toString', 'constructor', '__proto__'])('an input may be named %s', (name) => {
    const value = input(name, 'float32', []);
    expect(Object.entries(graph({ out: neg(value) }).inputs)).toEqual([[name, value]]);
  });
});

describe('topologicalOrder', () => {
  test('lists every node that is needed once, each after those it needs', () => {
    // A graph is a list of pairs: value k adds the values that the pair picks among those before it.
    const picks = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 40 });
    fc.assert(
      fc.property(picks, fc.nat(), (pairs, root) => {
        const values: Value[] = [x()];
        for (const [i, j] of pairs) values.push(add(values[i % values.length]!, values[j % values.length]!));
        const last = values[root % values.length]!;
        const order = topologicalOrder([last]);
        const place = new Map(order.map((node, i) => [node, i]));
        expect(place.size).toBe(order.length);
        expect(order.at(-1)).toBe(last.node);
        for (const node of order) {
          for (const { node: needed } of node.inputs) {
            expect(place.get(needed)!).toBeLessThan(place.get(node)!);
          }
        }
      }),
    );
  });

  test('is not limited by the call stack', () => {
    let deep: Value = x();
    for (let i = 0; i < 100_000; i++) deep = exp(deep);
    expect(topologicalOrder([deep]).length).toBe(100_001);
  });

  test('of nothing is nothing; a constant needs nothing', () => {
    expect(topologicalOrder([])).toEqual([]);
    const one = constant(float32([], [1]));
    expect(topologicalOrder([one, one])).toEqual([one.node]);
  });
});
