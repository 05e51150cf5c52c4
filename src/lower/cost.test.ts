import { describe, expect, test } from 'vitest';
import { float, int, ints, string } from '../onnx/model.js';
import type { DType, Shape } from '../tensor/tensor.js';
import { predictedMs, totalWork, workOf } from './cost.js';
import { Emitter, type Handle } from './emitter.js';

const handle = (name: string, shape: Shape, dtype: DType = 'float32'): Handle => ({ name, dtype, shape });
const map = handle('map', [1, 2, 5, 5]);
const kernel = handle('kernel', [3, 2, 3, 3]);
const perChannel = handle('perChannel', [2, 1, 1]);
const offset = handle('offset', [2]);
const wide = handle('wide', [4, 3]);
const tall = handle('tall', [4, 5]);
const rows = handle('rows', [6, 1, 10]);
const pixels = handle('pixels', [2, 4], 'uint8');
const labels = handle('labels', [4, 1], 'int32');
const inputs = [map, kernel, perChannel, offset, wide, tall, rows, pixels, labels];

/** The type of the last result that `emit` gave, and the work of its operator. */
function judged(emit: (emit: Emitter) => unknown) {
  const emitter = new Emitter();
  emit(emitter);
  const { model, types } = emitter.finish('cost', inputs, [], {});
  const node = model.nodes.at(-1)!;
  const results = node.outputs.map((name) => {
    const { dtype, shape } = types.get(name)!;
    return { dtype, shape };
  });
  return { types: results, work: workOf(node, types) };
}

const type = (dtype: DType, ...shape: number[]) => ({ dtype, shape });
const float32 = (...shape: number[]) => type('float32', ...shape);

describe('type and work of an operator', () => {
  test.each<[string, (emit: Emitter) => unknown, ReturnType<typeof type>, number, number]>([
    [
      'Conv: 2·9·2 for each of 3·5·5 results',
      (e) => e.node('Conv', [map, kernel], { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) }),
      float32(1, 3, 5, 5),
      2 * 18 * 75,
      4 * (50 + 54 + 75),
    ],
    [
      'Conv over the edge on one side, with strides',
      (e) => e.node('Conv', [map, kernel], { pads: ints([0, 0, 1, 0]), strides: ints([2, 1]) }),
      float32(1, 3, 2, 3),
      2 * 18 * 18,
      4 * (50 + 54 + 18),
    ],
    [
      'FusedConv of each channel by itself: a product and a sum for each number',
      (e) =>
        e.microsoft('FusedConv', [e.reshape(map, [1, 2, 25]), e.reshape(perChannel, [2, 1, 1]), offset], {
          group: int(2),
          activation: string('Relu'),
        }),
      float32(1, 2, 25),
      2 * 50,
      4 * (50 + 2 + 2 + 50),
    ],
    [
      'Gemm, the first matrix turned',
      (e) => e.node('Gemm', [wide, tall], { transA: int(1) }),
      float32(3, 5),
      2 * 15 * 4,
      4 * (12 + 20 + 15),
    ],
    [
      'MatMul of many matrices by one',
      (e) => e.node('MatMul', [e.reshape(rows, [3, 5, 4]), wide]),
      float32(3, 5, 3),
      2 * 45 * 4,
      4 * (60 + 12 + 45),
    ],
    [
      'FusedMatMul as row dots',
      (e) => e.microsoft('FusedMatMul', [rows, rows], { transB: int(1), alpha: float(1) }),
      float32(6, 1, 1),
      2 * 60,
      4 * (60 + 60 + 6),
    ],
    [
      'FusedMatMul of operands whose rows stand before the batch',
      (e) =>
        e.microsoft('FusedMatMul', [e.reshape(rows, [6, 2, 5]), e.reshape(rows, [3, 2, 2, 5])], {
          transBatchA: int(1),
          transBatchB: int(1),
          transB: int(1),
          alpha: float(1),
        }),
      float32(2, 2, 6, 3),
      2 * 72 * 5,
      4 * (60 + 60 + 72),
    ],
    ['Add by column', (e) => e.node('Add', [map, perChannel]), float32(1, 2, 5, 5), 50, 4 * 102],
    ['Sum of three', (e) => e.node('Sum', [map, map, map]), float32(1, 2, 5, 5), 100, 4 * 200],
    ['ReduceSum', (e) => e.reduceSum(map, [0, 2, 3], true), float32(1, 2, 1, 1), 50, 4 * 52 + 8 * 3],
    ['ReduceMean', (e) => e.node('ReduceMean', [wide], { keepdims: int(0) }), float32(), 12, 4 * 13],
    ['Equal gives bytes', (e) => e.node('Equal', [labels, labels]), type('bool', 4, 1), 4, 4 * 8 + 4],
    [
      'ArgMax gives int64',
      (e) => e.node('ArgMax', [wide], { axis: int(1), keepdims: int(0) }),
      type('int64', 4),
      12,
      4 * 12 + 8 * 4,
    ],
    ['Cast', (e) => e.cast(pixels, 'float32'), float32(2, 4), 0, 8 + 4 * 8],
    ['Reshape costs nothing', (e) => e.reshape(map, [0, -1, 5]), float32(1, 10, 5), 0, 0],
    ['Transpose', (e) => e.node('Transpose', [wide], { perm: ints([1, 0]) }), float32(3, 4), 0, 4 * 24],
    [
      'Slice reads what it keeps',
      (e) => e.slice(map, [2, -1], [1, -2], [4, 99]),
      float32(1, 2, 3, 2),
      0,
      2 * 4 * 12,
    ],
    [
      'Gather reads what it keeps',
      (e) => e.node('Gather', [tall, e.int64([4, 0])], { axis: int(1) }),
      float32(4, 2),
      0,
      2 * 4 * 8,
    ],
    ['Pad', (e) => e.node('Pad', [wide, e.int64([0, 1, 0, 2])]), float32(4, 6), 0, 4 * (12 + 24) + 8 * 4],
    ['Concat', (e) => e.node('Concat', [wide, tall], { axis: int(-1) }), float32(4, 8), 0, 4 * 64],
    ['Expand', (e) => e.node('Expand', [offset, e.int64([3, 2])]), float32(3, 2), 0, 4 * 8 + 8 * 2],
  ])('%s', (_, emit, expected, flops, bytes) => {
    expect(judged(emit)).toEqual({ types: [expected], work: { flops, bytes } });
  });

  test('MaxPool: a comparison for each number in a window', () => {
    const flags = { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([0, 0, 1, 1]) };
    const { types, work } = judged((e) => e.node('MaxPool', [map], flags));
    expect(types).toEqual([float32(1, 2, 2, 2)]);
    expect(work).toEqual({ flops: 9 * 8, bytes: 4 * (50 + 8) });
  });

  test('an operator without a shape rule is refused by name', () => {
    expect(() => judged((e) => e.node('Mystery', [map]))).toThrow(
      'lower: expected a shape rule. Received: Mystery.',
    );
  });
});

describe('prediction', () => {
  // 100 FLOP and 10 bytes a millisecond.
  const machine = { flopsPerSecond: 1e5, bytesPerSecond: 1e4, callMs: 0.5 };

  test.each([
    ['arithmetic rules', { flops: 1000, bytes: 20 }, 0.5 + 10],
    ['memory rules', { flops: 100, bytes: 40 }, 0.5 + 4],
    ['nothing but moving', { flops: 0, bytes: 40 }, 0.5 + 4],
    ['a view', { flops: 0, bytes: 0 }, 0],
  ])('%s', (_, work, ms) => {
    expect(predictedMs(work, machine)).toBeCloseTo(ms, 12);
  });

  test('work adds up', () => {
    const works = [
      { flops: 1, bytes: 10 },
      { flops: 2, bytes: 20 },
    ];
    expect(totalWork(works)).toEqual({ flops: 3, bytes: 30 });
    expect(totalWork([])).toEqual({ flops: 0, bytes: 0 });
  });
});
