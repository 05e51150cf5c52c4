import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
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

/** A message written by hand, as other exporters might. */
type Body = (writer: BinaryWriter) => unknown;
const bytesOf = (body: Body): Uint8Array => {
  const writer = new BinaryWriter();
  body(writer);
  return writer.finish();
};
const sub = (w: BinaryWriter, field: number, body: Body) =>
  w.tag(field, WireType.LengthDelimited).bytes(bytesOf(body));
const str = (w: BinaryWriter, field: number, value: string) =>
  w.tag(field, WireType.LengthDelimited).string(value);
const num = (w: BinaryWriter, field: number, value: number | bigint) =>
  w.tag(field, WireType.Varint).int64(`${value}`);
/** A whole model around the contents of its graph. */
const modelOf = (graph: Body): Uint8Array =>
  bytesOf((w) => {
    sub(w, 7, graph);
    sub(w, 8, (w) => num(w, 2, 17));
  });
const decodeInitializer = (body: Body): Tensor =>
  decodeModel(
    'foreign.onnx',
    modelOf((w) =>
      sub(w, 5, (w) => {
        str(w, 8, 't');
        body(w);
      }),
    ),
  ).initializers.t!;

describe('files of other exporters', () => {
  test('numbers in fields of their own type, packed or one by one', () => {
    const packedFloats: Body = (w) => {
      sub(w, 1, (w) => w.int64(1).int64(3)); // dims, packed
      num(w, 2, 1);
      sub(w, 4, (w) => w.float(1.5).float(-2).float(0.25));
    };
    expect(decodeInitializer(packedFloats)).toEqual(float32([1, 3], [1.5, -2, 0.25]));
    const singleFloats: Body = (w) => {
      num(w, 1, 2);
      num(w, 2, 1);
      w.tag(4, WireType.Bit32).float(1.5);
      sub(w, 4, (w) => w.float(-2));
    };
    expect(decodeInitializer(singleFloats)).toEqual(float32([2], [1.5, -2]));
    const int64s: Body = (w) => {
      num(w, 1, 2);
      num(w, 2, 7);
      sub(w, 7, (w) => w.int64(-1).int64(`${2n ** 63n - 1n}`));
    };
    expect(decodeInitializer(int64s)).toEqual(tensor('int64', [2], BigInt64Array.of(-1n, 2n ** 63n - 1n)));
    const narrow = (code: number, ...values: number[]) =>
      decodeInitializer((w) => {
        num(w, 1, values.length);
        num(w, 2, code);
        for (const value of values) num(w, 5, value);
      });
    expect(narrow(2, 0, 255)).toEqual(tensor('uint8', [2], Uint8Array.of(0, 255)));
    expect(narrow(6, -5, 7)).toEqual(tensor('int32', [2], Int32Array.of(-5, 7)));
    expect(narrow(9, 0, 1)).toEqual(tensor('bool', [2], Uint8Array.of(0, 1)));
    expect(() => narrow(2, 0, 256)).toThrow('int32_data: expected values of uint8. Received: 256.');
    expect(() => narrow(6, 2 ** 31)).toThrow('int32_data: expected values of int32. Received: 2147483648.');
    expect(() => narrow(9, 2)).toThrow('data_type: expected bytes 0 and 1 for bool. Received: others.');
  });

  test('fields that we have no place for are skipped, an absent one is its default', () => {
    const decoded = decodeModel(
      'foreign.onnx',
      bytesOf((w) => {
        num(w, 1, 10); // IR version
        str(w, 6, 'documentation of the model');
        sub(w, 7, (w) => {
          sub(w, 1, (w) => {
            str(w, 6, 'documentation of the node');
            sub(w, 5, (w) => {
              str(w, 1, 'axis');
              num(w, 20, 2); // an int whose value is absent: 0
            });
          });
          sub(w, 11, (w) => {
            str(w, 1, 'x');
            sub(w, 2, (w) => {
              sub(w, 1, (w) => {
                num(w, 1, 1);
                sub(w, 2, (w) => {
                  sub(w, 1, () => {}); // an axis of which nothing is known
                  sub(w, 1, (w) => num(w, 1, 0));
                });
              });
            });
          });
          sub(w, 13, (w) => str(w, 1, 'value info'));
          w.tag(99, WireType.Bit64).double(1);
          w.tag(98, WireType.StartGroup).tag(1, WireType.Bit32).float(1).tag(98, WireType.EndGroup);
        });
        sub(w, 8, (w) => num(w, 2, 21));
        sub(w, 8, (w) => str(w, 1, 'ai.onnx.ml'));
      }),
    );
    expect(decoded).toEqual({
      name: '',
      nodes: [{ name: '', opType: '', domain: '', inputs: [], outputs: [], attributes: { axis: int(0) } }],
      initializers: {},
      inputs: [{ name: 'x', dtype: 'float32', shape: ['', 0] }],
      outputs: [],
      metadata: {},
    } satisfies OnnxModel);
  });
});

describe('decodeModel refuses', () => {
  const refusal = (bytes: Uint8Array): QuarterturnError => {
    try {
      decodeModel('m.onnx', bytes);
    } catch (error) {
      if (error instanceof QuarterturnError) return error;
      throw error;
    }
    throw new Error('expected a QuarterturnError');
  };
  const refusalOf = (graph: Body) => refusal(modelOf(graph)).message;
  const initializer = (body: Body) => refusalOf((w) => sub(w, 5, body));
  const attribute = (body: Body) => refusalOf((w) => sub(w, 1, (w) => sub(w, 5, body)));

  test('what is no model, with a hint', () => {
    expect(refusal(new Uint8Array(0))).toMatchObject({
      code: 'data',
      message: 'm.onnx, graph: expected a graph. Received: none.',
      hint: 'Is it an ONNX file? Copy or download it again.',
    });
    expect(refusal(new TextEncoder().encode('{"format": "json"}')).code).toBe('data');
    expect(refusal(bytesOf((w) => sub(w, 7, () => {}))).message).toBe(
      'm.onnx, opset_import: expected at least one operator set. Received: none.',
    );
  });

  test('a message that is cut off, naming it', () => {
    const whole = encodeModel(base);
    expect(refusal(whole.subarray(0, whole.length - 1)).message).toBe(
      'm.onnx, model: expected a complete protobuf message. Received: bytes that end too early.',
    );
    // The node's name claims ten bytes and has one.
    const node = bytesOf((w) => w.tag(3, WireType.LengthDelimited).uint32(10).uint32(1));
    expect(refusalOf((w) => w.tag(1, WireType.LengthDelimited).bytes(node))).toBe(
      'm.onnx, graph.node[0]: expected a complete protobuf message. Received: bytes that end too early.',
    );
  });

  test('a field of another wire type, text that is none, a number too large', () => {
    expect(refusalOf((w) => sub(w, 1, (w) => num(w, 3, 5)))).toBe(
      'm.onnx, graph.node[0].name: expected wire type length-delimited. Received: varint.',
    );
    const invalid = bytesOf((w) => w.tag(3, WireType.LengthDelimited).bytes(Uint8Array.of(0xff)));
    expect(refusalOf((w) => w.tag(1, WireType.LengthDelimited).bytes(invalid))).toContain(
      'm.onnx, graph.node[0].name: expected UTF-8 text. Received: other bytes.',
    );
    const huge: Body = (w) => {
      num(w, 3, 2n ** 53n);
      num(w, 20, 2);
    };
    expect(attribute(huge)).toBe(
      'm.onnx, graph.node[0].attribute[0].i: expected an integer below 2^53. Received: 9007199254740992.',
    );
  });

  test('types that it has no place for', () => {
    expect(attribute((w) => num(w, 20, 4))).toBe(
      'm.onnx, graph.node[0].attribute[0].type: ' +
        'expected one of 1 (float), 2 (int), 3 (string), 6 (floats), 7 (ints). Received: 4.',
    );
    expect(initializer((w) => num(w, 2, 10))).toBe(
      'm.onnx, graph.initializer[0].data_type: ' +
        'expected one of 1 (float32), 2 (uint8), 6 (int32), 7 (int64), 9 (bool). Received: 10.',
    );
    const external: Body = (w) => {
      num(w, 2, 1);
      num(w, 14, 1);
    };
    expect(initializer(external)).toContain(
      'data_location: expected data within the file. Received: external data.',
    );
    expect(refusalOf((w) => sub(w, 11, () => {}))).toBe(
      'm.onnx, graph.input[0].type: expected a tensor type. Received: none.',
    );
    const unranked: Body = (w) => sub(w, 2, (w) => sub(w, 1, (w) => num(w, 1, 1)));
    expect(refusalOf((w) => sub(w, 12, unranked))).toBe(
      'm.onnx, graph.output[0].type.tensor_type.shape: expected a known number of axes. Received: none.',
    );
  });

  test('tensors whose data does not fill their shape, without allocating what they claim', () => {
    const claiming = (dims: readonly number[], data: Body) =>
      initializer((w) => {
        for (const n of dims) num(w, 1, n);
        num(w, 2, 1);
        data(w);
      });
    const raw: Body = (w) => w.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(8));
    expect(claiming([3], raw)).toBe(
      'm.onnx, graph.initializer[0].raw_data: expected 12 bytes for float32 [3]. Received: 8 bytes.',
    );
    expect(claiming([2 ** 20, 2 ** 20, 2 ** 20], raw)).toContain(
      'raw_data: expected 4611686018427388000 bytes',
    );
    expect(claiming([2 ** 40], () => {})).toBe(
      'm.onnx, graph.initializer[0].float_data: ' +
        'expected 1099511627776 elements for float32 [1099511627776]. Received: 0 elements.',
    );
    expect(claiming([-1, -2], raw)).toContain('dims: expected sizes. Received: [-1, -2].');
  });

  test('two of one name', () => {
    const twice = (field: number, body: Body) =>
      refusalOf((w) => {
        sub(w, field, body);
        sub(w, field, body);
      });
    const named: Body = (w) => {
      num(w, 1, 0);
      num(w, 2, 1);
      str(w, 8, 'w');
    };
    expect(twice(5, named)).toBe(
      'm.onnx, graph.initializer[1].name: expected a name of its own. Received: "w" again.',
    );
  });

  test('a size below zero', () => {
    const negative: Body = (w) =>
      sub(w, 2, (w) =>
        sub(w, 1, (w) => {
          num(w, 1, 1);
          sub(w, 2, (w) => sub(w, 1, (w) => num(w, 1, -1)));
        }),
      );
    expect(refusalOf((w) => sub(w, 11, negative))).toContain(
      'dim[0].dim_value: expected a size. Received: -1.',
    );
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
