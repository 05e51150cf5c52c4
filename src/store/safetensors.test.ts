import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DType, type Shape, sizeOf, type Tensor, tensor, zeros } from '../tensor/tensor.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

/** A file built by hand: any header text, any data. */
function file(header: unknown, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const f32 = (shape: unknown, begin: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('encodeSafetensors', () => {
  test('gives exactly these bytes', () => {
    const bytes = encodeSafetensors(
      {
        a: tensor('uint8', [3], Uint8Array.of(1, 2, 255)),
        w: tensor('float32', [1, 2], Float32Array.of(1, -2)),
        n: tensor('int64', [], BigInt64Array.of(-2n)),
      },
      { k: 'v' },
    );
    const header =
      '{"__metadata__":{"k":"v"},' +
      '"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
      '"w":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},' +
      '"a":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}}    ';
    expect(header.length).toBe(192);
    const n = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    const w = [0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0xc0];
    expect([...bytes]).toEqual([
      ...[192, 0, 0, 0, 0, 0, 0, 0],
      ...new TextEncoder().encode(header),
      ...n,
      ...w,
      ...[1, 2, 255],
    ]);
  });

  test('does not depend on the order of the tensors', () => {
    const a = zeros('float32', [2]);
    const b = zeros('int32', [3]);
    expect(encodeSafetensors({ a, b })).toEqual(encodeSafetensors({ b, a }));
  });

  test('refuses data that does not fill its shape, and the reserved name', () => {
    const short: Tensor = { dtype: 'float32', shape: [2, 3], data: new Float32Array(5) };
    expect(() => encodeSafetensors({ w: short })).toThrow(
      "tensor 'w': expected 6 elements for shape [2, 3]. Received: 5.",
    );
    expect(() => encodeSafetensors({ __metadata__: zeros('bool', []) })).toThrow("'__metadata__'");
  });
});

describe('round trip', () => {
  const arbitraryTensor = fc
    .tuple(
      fc.constantFrom<DType[]>('float32', 'uint8', 'int32', 'int64', 'bool'),
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      fc.infiniteStream(fc.nat(255)),
    )
    .map(([dtype, shape, stream]) => fill(dtype, shape, stream));
  // Random bytes cover NaN payloads, infinities and denormals too.
  function fill(dtype: DType, shape: Shape, stream: Iterator<number>): Tensor {
    const result = zeros(dtype, shape);
    const bytes = new Uint8Array(result.data.buffer);
    for (let i = 0; i < bytes.length; i++) bytes[i] = stream.next().value & (dtype === 'bool' ? 1 : 255);
    return result;
  }
  const names = fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__');

  test('any tensors and metadata come back bit for bit, from any alignment', () => {
    fc.assert(
      fc.property(
        fc.dictionary(names, arbitraryTensor, { noNullPrototype: true }),
        fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), {
          noNullPrototype: true,
        }),
        fc.nat(9),
        (tensors, metadata, shift) => {
          const encoded = encodeSafetensors(tensors, metadata);
          const shifted = new Uint8Array(encoded.length + shift).subarray(shift);
          shifted.set(encoded);
          const decoded = decodeSafetensors('f', shifted);
          shifted.fill(0); // nothing decoded may look into the file's bytes
          expect(decoded.metadata).toEqual(metadata);
          expect(Object.keys(decoded.tensors).sort()).toEqual(Object.keys(tensors).sort());
          for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
            const back = decoded.tensors[name]!;
            expect([back.dtype, back.shape]).toEqual([dtype, shape]);
            expect(back.data.constructor).toBe(data.constructor);
            expect(back.data.length).toBe(sizeOf(shape));
            expect(new Uint8Array(back.data.buffer)).toEqual(new Uint8Array(data.buffer));
          }
        },
      ),
    );
  });

  test('a tensor named __proto__ is only a name', () => {
    const tensors = Object.fromEntries([['__proto__', zeros('uint8', [1])]]);
    const { tensors: back } = decodeSafetensors('f', encodeSafetensors(tensors));
    expect(Object.keys(back)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  test('a view into a larger array is written alone', () => {
    const view = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const { tensors } = decodeSafetensors('f', encodeSafetensors({ w: tensor('float32', [2], view) }));
    expect([...tensors.w!.data]).toEqual([2, 3]);
    expect(tensors.w!.data.buffer.byteLength).toBe(8);
  });
});

describe('decodeSafetensors', () => {
  const whole = encodeSafetensors({ w: zeros('float32', [2, 3]) }, { a: 'b' });

  test('every truncation and any extra byte is refused', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors('cut.safetensors', whole.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'checkpoint', message: expect.stringContaining('cut.safetensors') }),
      );
    }
    const longer = new Uint8Array([...whole, 0]);
    expect(() => decodeSafetensors('f', longer)).toThrow('f: expected 24 bytes of data. Received: 25.');
  });

  test.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'f: expected a safetensors file, at least 8 bytes. Received: 0'],
    ['a header beyond the file', file('{}').subarray(0, 9), 'f: expected a header within the 1 bytes'],
    ['a huge header length', new Uint8Array(8).fill(255), 'Received: header length 18446744073709551615.'],
    [
      'text that is not JSON',
      file('{"w":'),
      'f, header: expected a value at line 1, column 6. Received: its end.',
    ],
    [
      'bytes that are not UTF-8',
      file('{"w":1}').map((b) => (b === 0x77 ? 0xff : b)),
      'f: expected a header of UTF-8.',
    ],
    ['a JSON array', file('[]'), 'f: expected a header that is a JSON object. Received: "[]".'],
    [
      'a value nested 20,000 deep',
      file(`{"w":${'['.repeat(20_000)}${']'.repeat(20_000)}}`),
      'f, header: expected at most 3 levels of nesting at line 1, column 8.',
    ],
    [
      'metadata nested 20,000 deep',
      file(`{"__metadata__":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_001)}`),
      'f, header: expected at most 3 levels of nesting at line 1, ',
    ],
    [
      'more axes than a product holds',
      file({ w: f32(new Array(40).fill(4e9).concat(0), 0, 0) }),
      'a list of sizes',
    ],
    ['a name of megabytes', file({ ['x'.repeat(3e6)]: 1 }), `f, tensor '${'x'.repeat(60)}': expected dtype`],
    ['space before the header', file(' {}'), 'JSON object'],
    [
      'numbers as metadata',
      file({ __metadata__: { a: 1 } }),
      'f, __metadata__: expected an object of strings',
    ],
    [
      'null as a tensor',
      file({ w: null }),
      "f, tensor 'w': expected dtype I64, F32, I32, U8, BOOL. Received: nothing.",
    ],
    ['an unknown dtype', file({ w: { ...f32([1], 0, 2), dtype: 'F16' } }, 2), 'Received: "F16".'],
    ['a negative size', file({ w: f32([-1, -1], 0, 4) }, 4), "tensor 'w': expected shape: a list of sizes"],
    ['a fraction as size', file({ w: f32([0.5], 0, 2) }, 2), 'Received: [0.5].'],
    [
      'reversed offsets',
      file({ w: f32([0], 4, 0) }, 4),
      'expected data_offsets: [begin, end]. Received: [4,0].',
    ],
    [
      'a span of another size',
      file({ w: f32([3], 0, 8) }, 8),
      "tensor 'w': expected 12 bytes for F32 [3]. Received: data_offsets [0, 8], 8 bytes.",
    ],
    [
      'offsets beyond the data',
      file({ w: f32([2], 0, 8) }, 4),
      "within the file's 4 data bytes. Received: an end at 8",
    ],
    [
      'an overlap',
      file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8),
      "tensor 'b': expected data that begins at byte 8. Received: 4, an overlap.",
    ],
    ['a hole', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), 'begins at byte 4. Received: 8, a hole.'],
    ['a hole at the start', file({ a: f32([1], 4, 8) }, 8), 'begins at byte 0. Received: 4, a hole.'],
    [
      'a name given twice',
      file(`{"w":${JSON.stringify(f32([1], 0, 4))},"\\u0077":${JSON.stringify(f32([1], 0, 4))}}`, 4),
      'f, header: expected each name once in an object at line 1, column 55.',
    ],
    [
      'a field given twice',
      file('{"w":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      'f, header: expected each name once in an object at line 1, column 20.',
    ],
    [
      'a bool of 2',
      file({ w: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, 1).fill(2, -1),
      'BOOL values',
    ],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => decodeSafetensors('f', bytes)).toThrow(message);
  });

  test('the same string as value, key of another object and escaped text is no duplicate', () => {
    const header = { __metadata__: { w: 'w', 'a"b': '{"w":1,"w":2}', shape: '\\' }, w: f32([0], 0, 0) };
    expect(decodeSafetensors('f', file(header)).metadata).toEqual(header.__metadata__);
  });

  test('tensors may lie in any order in the data, and the empty file is a file', () => {
    const bytes = file({ a: f32([1], 4, 8), b: f32([1], 0, 4), c: f32([0, 7], 4, 4) }, 8);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1.5, true);
    const { tensors } = decodeSafetensors('f', bytes);
    expect([...tensors.a!.data, ...tensors.b!.data]).toEqual([1.5, 0]);
    expect(tensors.c!.shape).toEqual([0, 7]);
    expect(decodeSafetensors('f', file('{}  '))).toEqual({ tensors: {}, metadata: {} });
  });
});
