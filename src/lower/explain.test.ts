import { describe, expect, test } from 'vitest';
import {
  batchNormInference,
  batchNormTrain,
  conv,
  gradients,
  graph,
  input,
  reduceSum,
  relu,
  scoped,
  type Value,
} from '../graph/index.js';
import { explainGraph, type KernelTime } from './explain.js';
import { lowerTraced } from './lower.js';

const machine = { flopsPerSecond: 1e9, bytesPerSecond: 1e9, callMs: 0 };
const value = (name: string, ...shape: number[]) => input(name, 'float32', shape);
const [scale, shift] = [value('scale', 5), value('shift', 5)];

/** conv 1×1, norm, ReLU as one layer. */
function layer(x: Value, norm: (y: Value) => Value): Value {
  return scoped('layer', () => relu(norm(conv(x, value('w', 5, 3, 1, 1), { pads: [0, 0, 0, 0] }))));
}

describe('a training step explained', () => {
  const y = layer(value('x', 2, 3, 4, 4), (z) => batchNormTrain(z, scale, shift, { epsilon: 1e-3 }).y);
  const loss = reduceSum(y, [0, 1, 2, 3]);
  const { w } = graph({ loss }).inputs;
  const step = graph({ loss, same: loss, g: gradients(loss, [w!])[0]! });
  const traced = lowerTraced(step, 'cpu');
  const explain = (kernels?: readonly KernelTime[]) => explainGraph(step, traced, machine, kernels);
  const nodesOf = (op: string, kernels?: readonly KernelTime[]) =>
    explain(kernels).nodes.filter(({ node }) => node.op.name === op);

  test('every operator belongs to one node of the graph', () => {
    const { model, origins } = traced;
    expect([...origins.keys()].sort()).toEqual(model.nodes.map((node) => node.name).sort());
    for (const node of origins.values()) expect(step.nodes).toContain(node);
    // The copy that names the loss once more.
    expect(origins.get('output/same')).toBe(loss.node);
  });

  test('tells operators, work and time of a node', () => {
    const [product] = nodesOf('conv');
    expect(product).toMatchObject({
      node: { scope: 'layer' },
      // x is brought into the order of channel-major maps; 2·3 for each of 5·4·4·2 numbers.
      operators: [
        { what: 'Transpose', count: 1 },
        { what: 'MatMul', count: 1 },
      ],
      work: { flops: 2 * 3 * 160, bytes: 4 * (96 + 96) + 4 * (15 + 96 + 160) },
      measuredMs: undefined,
    });
    // At a flop and a byte a nanosecond bytes take longer.
    expect(product!.predictedMs).toBeCloseTo(1e-6 * (4 * 192 + 4 * 271), 12);
  });

  test('gradients carry the layer’s name', () => {
    for (const op of ['reluGrad', 'batchNormGrad', 'convWeightGrad']) {
      expect(nodesOf(op).map(({ node }) => node.scope)).toEqual(['layer']);
    }
  });

  test('a node that another one took along has no operators', () => {
    expect(nodesOf('relu')).toMatchObject([{ operators: [], work: { flops: 0 }, predictedMs: 0 }]);
    const fused = { what: 'FusedConv 1-D (1) depthwise + Relu', count: 1 };
    expect(nodesOf('batchNormTrain')[0]!.operators).toContainEqual(fused);
  });

  test('kernels are added to the node whose operator they name, under whatever name the runtime gave', () => {
    const product = traced.model.nodes.find((node) => node.opType === 'MatMul')!.name;
    const kernels = [
      { name: product, opType: 'MatMul', durationMs: 1 },
      { name: `fused ${product}`, opType: 'MatMul', durationMs: 20 },
      { name: `${product}/MatmulTransposeFusion/`, opType: 'MatMul', durationMs: 300 },
      { name: `${product}7`, opType: 'MatMul', durationMs: 4000 }, // another number, another operator
      { name: 'Reorder', opType: 'ReorderInput', durationMs: 50000 },
    ];
    expect(nodesOf('conv', kernels)[0]!.measuredMs).toBe(321);
    expect(nodesOf('relu', kernels)[0]!.measuredMs).toBe(0);
    expect(explain(kernels).inserted.map(({ durationMs }) => durationMs)).toEqual([4000, 50000]);
  });
});

test('a kernel named after the last of the operators fused in it belongs to the first', () => {
  const stored = { scale, shift, mean: value('mean', 5), variance: value('variance', 5) };
  const y = layer(value('x', 2, 3, 4, 4), (z) => batchNormInference(z, stored, { epsilon: 1e-3 }));
  const forward = graph({ y: reduceSum(y, [0]) });
  const traced = lowerTraced(forward, 'cpu');
  const last = traced.model.nodes.find((node) => node.opType === 'Relu')!;
  const timesOf = (opType: string) => {
    const kernel = { name: `${last.outputs[0]!}_nchwc`, opType, durationMs: 1 };
    const { nodes } = explainGraph(forward, traced, machine, [kernel]);
    return Object.fromEntries(nodes.map(({ node, measuredMs }) => [node.op.name, measuredMs]));
  };
  expect(timesOf('Conv')).toMatchObject({ conv: 1, batchNormInference: 0, relu: 0 });
  expect(timesOf('Relu')).toMatchObject({ conv: 0, batchNormInference: 0, relu: 1 });
  expect(timesOf('SomethingElse')).toMatchObject({ conv: 0, batchNormInference: 0, relu: 1 });
});
