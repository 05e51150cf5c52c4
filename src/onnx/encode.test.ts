import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { float32, tensor } from '../tensor/tensor.js';
import { encodeModel } from './encode.js';
import { float, int, ints, type OnnxModel, type OnnxNode, string } from './model.js';

const node = (
  opType: string,
  inputs: string[],
  outputs: string[],
  attributes: OnnxNode['attributes'] = {},
  domain = '',
): OnnxNode => ({ name: `${opType}_of_${inputs[0]}`, opType, domain, inputs, outputs, attributes });

const int64 = (...values: bigint[]) => tensor('int64', [values.length], BigInt64Array.from(values));

describe('encodeModel', () => {
  test('gives exactly these bytes', () => {
    const model: OnnxModel = {
      name: 'g',
      nodes: [{ ...node('Elu', ['x'], ['y'], { alpha: float(0.5), k: int(-1) }), name: 'n' }],
      initializers: { w: tensor('uint8', [2, 1], Uint8Array.of(7, 255)) },
      inputs: [{ name: 'x', dtype: 'float32', shape: [300, 'N'] }],
      outputs: [],
      metadata: { key: 'é' },
    };
    const text = (s: string) => [...new TextEncoder().encode(s)];
    const field = (tag: number, content: number[]) => [tag, content.length, ...content];
    const minusOne = [...Array<number>(9).fill(0xff), 0x01];
    const alpha = [
      ...field(0x0a, text('alpha')),
      ...[0x15, 0, 0, 0, 0x3f], // field 2, fixed32: 0.5
      ...[0xa0, 0x01, 1], // field 20: FLOAT
    ];
    const k = [...field(0x0a, text('k')), 0x18, ...minusOne, ...[0xa0, 0x01, 2]];
    const elu = [
      ...field(0x0a, text('x')),
      ...field(0x12, text('y')),
      ...field(0x1a, text('n')),
      ...field(0x22, text('Elu')),
      ...field(0x2a, alpha),
      ...field(0x2a, k),
    ];
    const w = [0x08, 2, 0x08, 1, 0x10, 2, ...field(0x42, text('w')), ...field(0x4a, [7, 255])];
    const shape = [...field(0x0a, [0x08, 0xac, 0x02]), ...field(0x0a, field(0x12, text('N')))];
    const type = field(0x0a, [0x08, 1, ...field(0x12, shape)]);
    const x = [...field(0x0a, text('x')), ...field(0x12, type)];
    const graph = [...field(0x0a, elu), ...field(0x12, text('g')), ...field(0x2a, w), ...field(0x5a, x)];
    expect([...encodeModel(model)]).toEqual([
      ...[0x08, 7], // IR version
      ...field(0x12, text('quarterturn')),
      ...field(0x3a, graph),
      ...field(0x42, [...field(0x0a, []), 0x10, 13]), // opset 13 of ONNX itself
      ...field(0x72, [...field(0x0a, text('key')), ...field(0x12, text('é'))]),
    ]);
  });

  test('gives a model that ONNX Runtime loads and runs: every attribute kind, two domains, a free axis', async () => {
    const model: OnnxModel = {
      name: 'all-kinds',
      nodes: [
        node('Cast', ['pixels'], ['numbers'], { to: int(1) }),
        node('Conv', ['numbers', 'kernel'], ['map'], { auto_pad: string('VALID'), strides: ints([1, 2]) }),
        node('LeakyRelu', ['map'], ['active'], { alpha: float(0.25) }),
        node('Reshape', ['active', 'matrix'], ['rows']),
        node('FusedMatMul', ['rows', 'weights'], ['y'], { transB: int(1), alpha: float(2) }, 'com.microsoft'),
      ],
      initializers: {
        kernel: float32([1, 1, 1, 1], [-1]),
        matrix: int64(-1n, 2n),
        weights: float32([1, 2], [10, 1]),
      },
      inputs: [{ name: 'pixels', dtype: 'uint8', shape: ['batch', 1, 2, 3] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['rows', 1] }],
      metadata: {},
    };
    const session = await InferenceSession.create(encodeModel(model), { intraOpNumThreads: 1 });
    try {
      expect(session.inputMetadata).toMatchObject([
        { name: 'pixels', type: 'uint8', shape: ['batch', 1, 2, 3] },
      ]);
      const pixels = new OrtTensor('uint8', Uint8Array.of(4, 9, 8, 12, 9, 0), [1, 1, 2, 3]);
      const { y } = await session.run({ pixels });
      // Columns 0 and 2, negated, a quarter of that, (10, 1) of each row, twice.
      expect([...(y!.data as Float32Array)]).toEqual([2 * (-10 - 2), 2 * (-30 - 0)]);
    } finally {
      await session.release();
    }
  });
});
