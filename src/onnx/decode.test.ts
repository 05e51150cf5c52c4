import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { type ArrayOf, type DType, float32, sizeOf, type Tensor, tensor } from '../tensor/tensor.js';
import { decodeModel } from './decode.js';
import { encodeModel } from './encode.js';
import { type Attribute, float, int, ints, type OnnxModel, string } from './model.js';

const base: OnnxModel = {
  name: 'base',
  nodes: [
    {
      name: 'conv',
      opType: 'Conv',
      domain: '',
      inputs: ['x', 'w', ''],
      outputs: ['y'],
      attributes: { pads: ints([1, 0, -1, 2 ** 40]), group: int(1), auto_pad: string('NOTSET') },
    },
    {
      name: 'gelu',
      opType: 'Gelu',
      domain: 'com.microsoft',
      inputs: ['y'],
      outputs: ['z'],
      attributes: { alpha: float(0.5), scales: { kind: 'floats', value: [1, -2.5] }, none: ints([]) },
    },
  ],
  initializers: {
    w: float32([2, 1, 1, 1], [Math.fround(0.1), -0]),
    shape: tensor('int64', [2], BigInt64Array.of(-1n, 2n ** 62n)),
    labels: tensor('int32', [], Int32Array.of(-5)),
    mask: tensor('bool', [3], Uint8Array.of(1, 0, 1)),
    empty: tensor('uint8', [0, 4], new Uint8Array(0)),
  },
  inputs: [{ name: 'x', dtype: 'uint8', shape: ['batch', 28, 28, 1] }],
  outputs: [{ name: 'z', dtype: 'float32', shape: [] }],
  metadata: { classes: '["null","eins","二"]', empty: '' },
};

describe('decodeModel is the inverse of encodeModel', () => {
  test('for a model with one of everything', () => {
    expect(decodeModel('base.onnx', encodeModel(base))).toEqual(base);
  });

  test('for any model', () => {
    const name = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.constantFrom('__proto__', ''));
    const float32Number = fc.float();
    const attribute: fc.Arbitrary<Attribute> = fc.oneof(
      fc.maxSafeInteger().map(int),
      fc.array(fc.maxSafeInteger(), { maxLength: 5 }).map(ints),
      float32Number.map(float),
      fc.array(float32Number, { maxLength: 5 }).map((value): Attribute => ({ kind: 'floats', value })),
      fc.string({ unit: 'grapheme' }).map(string),
    );
    const shape = fc.array(fc.nat({ max: 3 }), { maxLength: 3 });
    const dtypes: readonly DType[] = ['float32', 'uint8', 'int32', 'int64', 'bool'];
    const tensorOf = (dtype: DType, shape: number[], bytes: Uint8Array): Tensor => {
      const source = new Uint8Array(sizeOf(shape) * 8).map((_, i) => bytes[i % bytes.length]!);
      const make = {
        float32: () => new Float32Array(source.buffer, 0, sizeOf(shape)),
        uint8: () => source.slice(0, sizeOf(shape)),
        int32: () => new Int32Array(source.buffer, 0, sizeOf(shape)),
        int64: () => new BigInt64Array(source.buffer, 0, sizeOf(shape)),
        bool: () => source.slice(0, sizeOf(shape)).map((byte) => byte & 1),
      };
      return tensor(dtype, shape, make[dtype]() as ArrayOf[DType]);
    };
    const anyTensor = fc
      .tuple(fc.constantFrom(...dtypes), shape, fc.uint8Array({ minLength: 1, maxLength: 64 }))
      .map((parts) => tensorOf(...parts));
    const valueInfo = fc.record({
      name,
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.oneof(fc.maxSafeInteger().map(Math.abs), name), { maxLength: 4 }),
    });
    const names = fc.array(name, { maxLength: 4 });
    const model: fc.Arbitrary<OnnxModel> = fc.record({
      name,
      nodes: fc.array(
        fc.record({
          name,
          opType: name,
          domain: name,
          inputs: names,
          outputs: names,
          attributes: fc.dictionary(name, attribute, { maxKeys: 4, noNullPrototype: true }),
        }),
        { maxLength: 3 },
      ),
      initializers: fc.dictionary(name, anyTensor, { maxKeys: 3, noNullPrototype: true }),
      inputs: fc.array(valueInfo, { maxLength: 3 }),
      outputs: fc.array(valueInfo, { maxLength: 3 }),
      metadata: fc.dictionary(name, name, { maxKeys: 3, noNullPrototype: true }),
    });
    fc.assert(
      fc.property(model, (model) => {
        const bytes = encodeModel(model);
        expect(decodeModel('any.onnx', bytes)).toEqual(model);
        expect(encodeModel(decodeModel('any.onnx', bytes))).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  test('from a view into a larger buffer, without keeping hold of it', () => {
    const bytes = encodeModel(base);
    const larger = new Uint8Array(bytes.length + 10).fill(0xff);
    larger.set(bytes, 3);
    const decoded = decodeModel('base.onnx', larger.subarray(3, 3 + bytes.length));
    larger.fill(0);
    expect(decoded).toEqual(base);
  });
});

describe('whatever the bytes, decodeModel gives a model or a QuarterturnError that names the file', () => {
  const whole = encodeModel(base);
  function decodesOrRefuses(bytes: Uint8Array): boolean {
    try {
      decodeModel('fuzz.onnx', bytes);
      return true;
    } catch (error) {
      if (!(error instanceof QuarterturnError) || error.code !== 'data') throw error;
      expect(error.message).toMatch(/^fuzz\.onnx, [\w.[\]]+: expected .* Received: /s);
      return false;
    }
  }

  test('cut off anywhere', () => {
    const outcomes = Array.from(whole, (_, length) => decodesOrRefuses(whole.subarray(0, length)));
    // Only between the fields of the model itself, after all that must be there, can nothing be noticed.
    expect(outcomes.filter((decoded) => decoded).length).toBeLessThanOrEqual(3);
  });

  test('with any one bit flipped', () => {
    for (let i = 0; i < whole.length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = whole.slice();
        flipped[i]! ^= 1 << bit;
        decodesOrRefuses(flipped);
      }
    }
  });

  test('with several bytes replaced', () => {
    const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const changed = whole.slice();
        for (const [i, byte] of changes) changed[i] = byte;
        decodesOrRefuses(changed);
      }),
      { numRuns: 2000 },
    );
  });

  test('random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodesOrRefuses(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
