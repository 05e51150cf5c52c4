import { describe, expect, test } from 'vitest';
import { at, fourAxes } from './elements.js';
import { scalar, tensorNamed } from './tensor.js';

describe('what is known to be there', () => {
  test('is given, a 0 included', () => {
    expect([at([3, 0], 1), at(Uint8Array.of(7), 0)]).toEqual([0, 7]);
    expect(fourAxes([128, 0, 28, 27])).toEqual([128, 0, 28, 27]);
    const tensors = { loss: scalar(2) };
    expect(tensorNamed(tensors, 'loss')).toBe(tensors.loss);
  });

  test('is an error where it is not', () => {
    expect(() => at([3], 1)).toThrow('expected an element at 1. Received: a list of 1.');
    expect(() => at([3], -1)).toThrow(RangeError);
    for (const shape of [[], [1, 2, 3], [1, 2, 3, 4, 5]]) {
      expect(() => fourAxes(shape)).toThrow(`expected four axes. Received: [${shape.join(', ')}].`);
    }
    expect(() => tensorNamed({ a: scalar(1), b: scalar(2) }, 'c')).toThrow(
      'tensors: expected one named "c". Received: a, b.',
    );
    expect(() => tensorNamed({}, 'toString')).toThrow('expected one named "toString". Received: none.');
  });
});
