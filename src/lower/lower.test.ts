import { describe, expect, test } from 'vitest';
import { applyOne } from '../graph/graph.js';
import {
  add,
  avgPool,
  batchNormInference,
  batchNormTrain,
  conv,
  convWeightGrad,
  gradients,
  graph,
  input,
  matMul,
  maxPool,
  type OpDefinition,
  reduceMean,
  reduceSum,
  relu,
  samePads,
  transpose,
  type Value,
} from '../graph/index.js';
import type { OnnxNode } from '../onnx/model.js';
import type { Shape } from '../tensor/tensor.js';
import { lower } from './lower.js';
import type { Target } from './lowering.js';
import { poolingMatrix } from './pool.js';

/*
 * That lowered graphs compute the right numbers is the matter of test/conformance/lowering.test.ts. Here: that they do
 * it the fast way, which numbers do not show.
 */

const value = (name: string, ...shape: number[]) => input(name, 'float32', shape);

function lowered(outputs: Readonly<Record<string, Value>>, target: Target = 'cpu'): readonly OnnxNode[] {
  return lower(graph(outputs), target).nodes;
}

/** Operators by type, without views: a Reshape moves nothing. */
const operators = (nodes: readonly OnnxNode[]): string[] =>
  nodes.map((node) => node.opType).filter((opType) => opType !== 'Reshape');

const count = (nodes: readonly OnnxNode[], opType: string): number =>
  nodes.filter((node) => node.opType === opType).length;

const pool = { kernel: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] } as const;
const statistics = { scale: value('scale', 4), shift: value('shift', 4), mean: value('mean', 4) };
const variance = value('variance', 4);

/** conv 3×3, norm, ReLU, max-pool, conv 1×1, ReLU, average pool, global mean, dense. */
function network(x: Value, norm: (y: Value) => Value): Value {
  const y = relu(norm(conv(x, value('w1', 4, x.shape[1]!, 3, 3), { pads: samePads(3, 3) })));
  const z = relu(conv(maxPool(y, pool), value('w2', 5, 4, 1, 1), { pads: [0, 0, 0, 0] }));
  return matMul(reduceMean(avgPool(z, pool), [2, 3]), value('dense', 5, 3));
}

describe('a graph that only runs forward', () => {
  const x = value('x', 2, 3, 8, 8);
  const logits = network(x, (y) => batchNormInference(y, { ...statistics, variance }, { epsilon: 1e-3 }));

  const operatorsOfMaps = ['Conv', 'BatchNormalization', 'Relu', 'MaxPool', 'Conv', 'Relu', 'AveragePool'];

  test('is ONNX’s own operators in ONNX’s own layout, for ONNX Runtime to fuse', () => {
    const nodes = lowered({ logits });
    expect(nodes.map((node) => node.opType)).toEqual([...operatorsOfMaps, 'ReduceMean', 'Gemm']);
  });

  test('that leaves the house has operators that other libraries read', () => {
    const nodes = lowered({ logits }, 'anywhere');
    const last = ['GlobalAveragePool', 'Flatten', 'MatMul'];
    expect(nodes.map((node) => node.opType)).toEqual([...operatorsOfMaps, ...last]);
  });
});

describe('a training step', () => {
  const x = value('x', 2, 3, 8, 8);
  const norm = (y: Value) => batchNormTrain(y, statistics.scale, statistics.shift, { epsilon: 1e-3 }).y;
  const loss = reduceSum(network(x, norm), [0, 1]);
  const wrt = graph({ loss }).inputs;
  const params = ['w1', 'w2', 'dense', 'scale', 'shift'].map((name) => wrt[name]!);
  const step = Object.fromEntries(gradients(loss, params).map((g, i) => [`g${i}`, g]));

  test('moves maps only where they come in', () => {
    const moved = lowered({ loss, ...step }).filter(({ opType }) => opType === 'Transpose');
    // Beside the images only what is small: kernels, the features [C, N], and their gradient before it spreads.
    const maps = moved.filter(({ attributes: { perm } }) => perm?.kind === 'ints' && perm.value.length === 4);
    expect(maps.map((node) => node.inputs[0])).toEqual(['x', expect.stringMatching(/^qt:Div_/), 'w2']);
  });

  test('pools without indices: once for the value, once for the maxima of the rows', () => {
    const pools = lowered({ loss, ...step }).filter(({ opType }) => opType === 'MaxPool');
    expect(pools.map(({ outputs }) => outputs.length)).toEqual([1, 1]);
  });

  test('a gradient passes BatchNorm in one pass over the map, whose scale the convolutions take', () => {
    const nodes = lowered({ ...step });
    const passes = nodes.filter(
      ({ opType, domain, inputs }) => opType === 'FusedConv' && domain !== '' && inputs.length === 4,
    );
    expect(passes.length).toBe(1);
    const result = passes[0]!.outputs[0]!;
    const readers = (name: string): readonly string[] =>
      nodes
        .filter(({ inputs }) => inputs.includes(name))
        .flatMap(({ opType, outputs }) => (opType === 'Reshape' ? readers(outputs[0]!) : [opType]));
    expect(readers(result)).toEqual(['Gemm']);
  });

  test('ReLU’s mask is taken behind the max-pool, where the map is smaller', () => {
    const nodes = lowered({ ...step });
    const source = (name: string): string => {
      const node = nodes.find(({ outputs }) => outputs.includes(name))!;
      return node.opType === 'Reshape' ? source(node.inputs[0]!) : node.opType;
    };
    const masks = nodes.filter(
      ({ opType, attributes: { beta } }) =>
        opType === 'HardSigmoid' && beta?.kind === 'float' && beta.value === 0,
    );
    expect(masks.map(({ inputs }) => source(inputs[0]!)).sort()).toEqual(['MaxPool', 'Relu']);
  });

  test('uses no operator of ONNX Runtime’s own on WebGPU', () => {
    const nodes = lowered({ loss, ...step }, 'webgpu');
    expect(nodes.filter((node) => node.domain !== '')).toEqual([]);
    const missing = ['LogSoftmax', 'OneHot', 'Sign', 'Max', 'Min', 'ConstantOfShape', 'Where', 'Greater'];
    expect(operators(nodes).filter((opType) => missing.includes(opType))).toEqual([]);
  });
});

describe('convolution with few multiplications', () => {
  const gradient = (shape: Shape, outChannels: number, target?: Target) => {
    const [x, w] = [value('x', ...shape), value('w', outChannels, shape[1]!, 5, 5)];
    const y = conv(x, w, { pads: samePads(5, 5) });
    const [dx, dw] = gradients(reduceSum(y, [0, 1, 2, 3]), [x, w]);
    return lowered({ y, dx: dx!, dw: dw! }, target);
  };
  const products = (nodes: readonly OnnxNode[]) => nodes.filter(({ opType }) => opType === 'FusedMatMul');
  const usesOf = (nodes: readonly OnnxNode[], name: string) =>
    nodes.filter(({ inputs }) => inputs.includes(name)).length;

  test('on small maps by the Fourier transform: three products, which share what they multiply', () => {
    const nodes = gradient([16, 16, 14, 14], 16);
    expect(count(nodes, 'Conv')).toBe(0);
    expect(products(nodes).length).toBe(3);
    const points = products(nodes).flatMap(({ inputs }) => inputs);
    // Of x, of the kernel and of dy, each in two of the products.
    expect(new Set(points).size).toBe(3);
  });

  test('on large maps by Winograd: three products, and x is spread once for two of them', () => {
    const nodes = gradient([16, 16, 18, 18], 16);
    expect(count(nodes, 'Conv')).toBe(0);
    expect(products(nodes).length).toBe(3);
    expect(usesOf(nodes, products(nodes)[0]!.inputs[1]!)).toBe(2);
  });

  test.each<[what: string, shape: Shape, outChannels: number, target?: Target]>([
    ['few channels in', [16, 15, 14, 14], 16],
    ['few channels out', [16, 16, 14, 14], 15],
    ['few images', [15, 16, 14, 14], 16],
    ['few images, large maps', [12, 16, 18, 18], 16],
    ['WebGPU', [16, 16, 14, 14], 16, 'webgpu'],
  ])('is not for %s', (_, shape, outChannels, target) => {
    expect(count(gradient(shape, outChannels, target), 'Conv')).toBe(2);
  });

  test('is not for kernels of which most taps lie beside the map', () => {
    const [x, dy] = [value('x', 64, 16, 2, 2), value('dy', 64, 16, 2, 2)];
    const dw = convWeightGrad(x, dy, [16, 16, 1, 3], { pads: samePads(1, 3) });
    expect(products(lowered({ dw })).length).toBe(0);
  });
});

describe('convolution', () => {
  const gradientProducts = (channels: number) => {
    const [x, dy] = [value('x', 2, channels, 6, 6), value('dy', 2, 8, 6, 6)];
    const dw = convWeightGrad(x, dy, [8, channels, 5, 5], { pads: samePads(5, 5) });
    return count(lowered({ dw }), 'Gemm');
  };

  test.each([
    [1, 1],
    [3, 1],
    [4, 2], // 24 taps, then 1
    [40, 9], // 3 taps each
    [96, 25],
    [100, 25], // a tap each
  ])('the gradient of a 5×5 kernel over %i channels takes %i products', (channels, products) => {
    expect(gradientProducts(channels)).toBe(products);
  });

  test('1×1 is one matrix product in a training step, without a move', () => {
    const [x, w] = [value('x', 1, 3, 4, 4), value('w', 5, 3, 1, 1)];
    const y = conv(x, w, { pads: [0, 0, 0, 0] });
    const g = batchNormTrain(y, value('scale', 5), value('shift', 5), { epsilon: 1e-3 });
    const before = operators(lowered({ mean: g.mean }));
    expect(before.slice(0, 2)).toEqual(['MatMul', 'ReduceMean']);
  });
});

describe('transposes', () => {
  test('that move only axes of size 1 are views', () => {
    const bytes = input('images', 'uint8', [2, 8, 8, 1]);
    expect(lowered({ maps: transpose(bytes, [0, 3, 1, 2]) }).map((n) => n.opType)).toEqual(['Reshape']);
    expect(operators(lowered({ y: transpose(value('x', 2, 8, 8, 3), [0, 3, 1, 2]) }))).toEqual(['Transpose']);
  });
});

describe('poolingMatrix', () => {
  test('windows over the edge count what is inside', () => {
    // Size 4, windows of 3 every 2 from 0: {0, 1, 2}, {2, 3}.
    expect(poolingMatrix(4, 2, 3, 2, 0)).toEqual([
      [1 / 3, 1 / 3, 1 / 3, 0],
      [0, 0, 1 / 2, 1 / 2],
    ]);
    // One of padding before: {0, 1}, {1, 2, 3}.
    expect(poolingMatrix(4, 2, 3, 2, 1)).toEqual([
      [1 / 2, 1 / 2, 0, 0],
      [0, 1 / 3, 1 / 3, 1 / 3],
    ]);
  });

  test('every window has a weight of 1 in all', () => {
    for (const row of poolingMatrix(7, 4, 3, 2, 1)) {
      expect(row.reduce((sum, w) => sum + w)).toBeCloseTo(1, 12);
    }
  });
});

describe('lower', () => {
  test('refuses an op without a rule, naming it', () => {
    const mystery: OpDefinition = {
      ...value('x').node.op,
      name: 'mystery',
      types: () => [{ dtype: 'float32', shape: [] }],
    };
    expect(() => lowered({ y: applyOne(mystery, [], {}) })).toThrow(
      'lower: expected a lowering rule. Received: op "mystery".',
    );
  });

  test('passes name, metadata, and the types of inputs and outputs on', () => {
    const model = lower(graph({ sum: add(value('a', 2, 3), value('b', 3)) }), 'cpu', {
      name: 'classifier',
      metadata: { classes: 'cat,dog' },
    });
    expect(model).toMatchObject({
      name: 'classifier',
      metadata: { classes: 'cat,dog' },
      inputs: [
        { name: 'a', dtype: 'float32', shape: [2, 3] },
        { name: 'b', dtype: 'float32', shape: [3] },
      ],
      outputs: [{ name: 'sum', dtype: 'float32', shape: [2, 3] }],
    });
  });
});
