import { describe, expect, test } from 'vitest';
import { QuarterturnError } from '../errors.js';
import {
  broadcastTo,
  constant,
  conv,
  graph,
  input,
  mul,
  reshape,
  samePads,
  transpose,
} from '../graph/index.js';
import { float32 } from '../tensor/tensor.js';
import { lowerForAnyBatch } from './any-batch.js';

const kernel = input('kernel', 'float32', [4, 3, 3, 3]);

describe('lowerForAnyBatch', () => {
  test('frees the axis that differs, and no other', () => {
    const build = (n: number) => {
      const maps = transpose(input('images', 'float32', [n, 28, 28, 3]), [0, 3, 1, 2]);
      const y = conv(maps, kernel, { pads: samePads(3, 3) });
      return graph({ y, rows: reshape(y, [n, 4 * 28 * 28]) });
    };
    const { inputs, outputs, nodes, initializers } = lowerForAnyBatch(build, 'cpu', { name: 'any' });
    expect(inputs.map(({ shape }) => shape)).toEqual([
      ['N', 28, 28, 3],
      [4, 3, 3, 3],
    ]);
    expect(outputs.map(({ shape }) => shape)).toEqual([
      ['N', 4, 28, 28],
      ['N', 4 * 28 * 28],
    ]);
    const flat = nodes.find(({ opType }) => opType === 'Reshape')!;
    expect(Array.from(initializers[flat.inputs[1]!]!.data, Number)).toEqual([-1, 4 * 28 * 28]);
  });

  test.each([
    [
      'a shape',
      (n: number) => graph({ y: reshape(input('x', 'float32', [n, 4]), [4, n]) }),
      'a constant of Reshape_0',
    ],
    [
      'a batch that is counted in a number',
      (n: number) => graph({ y: mul(input('x', 'float32', [n, 4]), 1 / n) }),
      'a constant of Mul_0',
    ],
    [
      'a batch that is made',
      (n: number) => graph({ y: mul(broadcastTo(input('x', 'float32', [4]), [n, 4]), 2) }),
      'a constant of Expand_0',
    ],
    [
      'operators that a size chooses',
      (n: number) => {
        const x = input('x', 'float32', [n, 4]);
        return graph({ y: n > 100 ? mul(x, 2) : mul(mul(x, 2), 1) });
      },
      'a number of operators',
    ],
  ])('refuses %s made for one batch size', (_, build, received) => {
    const error = new QuarterturnError(
      'runtime',
      `lower: expected a graph that takes any number of images. Received: ${received}, which was made for one number.`,
    );
    expect(() => lowerForAnyBatch(build, 'cpu')).toThrow(error);
  });

  test('takes constants that hold NaN', () => {
    const build = (n: number) =>
      graph({ y: mul(input('x', 'float32', [n, 2]), constant(float32([2], [Number.NaN, 1]))) });
    expect(lowerForAnyBatch(build, 'cpu').outputs[0]!.shape).toEqual(['N', 2]);
  });
});
