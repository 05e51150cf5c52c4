import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, test } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { float32, type Tensor, tensor } from '../tensor/tensor.js';
import { decodeModel } from './decode.js';
import { int, type OnnxModel } from './model.js';

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
    const whole = modelOf((w) => str(w, 2, 'graph'));
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
