import { describe, expect, test } from 'vitest';
import { add, conv, graph, input, relu, scoped } from '../graph/index.js';
import type { NodeExplanation } from '../lower/explain.js';
import {
  type Explained,
  explanationJson,
  formatExplanation,
  formatSubject,
  type Subject,
} from './explain-table.js';

const x = input('x', 'float32', [8, 3, 14, 14]);
const w = input('w', 'float32', [16, 3, 5, 5]);
const y = scoped('block1.conv1', () => relu(conv(x, w, { pads: [2, 2, 2, 2] })));
const { nodes } = graph({ y: add(y, 1) });
const [convolution, activation, sum] = ['conv', 'relu', 'add'].map(
  (op) => nodes.find((node) => node.op.name === op)!,
);

const row = (
  node: (typeof nodes)[number],
  [gflop, megabytes, predictedMs]: readonly [number, number, number],
  ...operators: NodeExplanation['operators']
): NodeExplanation => ({
  node,
  operators,
  work: { flops: gflop * 1e9, bytes: megabytes * 1e6 },
  predictedMs,
  measuredMs: undefined,
});
const predicted = [
  row(
    convolution!,
    [23.12, 29, 95.26],
    { what: 'Pad', count: 1 },
    { what: 'Conv 3-D (5,5,1)', count: 2 },
    { what: 'Concat', count: 1 },
  ),
  row(activation!, [0, 0, 0]),
  row(sum!, [0.01, 40, 1.7], { what: 'Add', count: 1 }),
];
const measured = predicted.map((node, i) => ({ ...node, measuredMs: [84, 0, 2.04][i]! }));

const subject: Subject = {
  step: 'train',
  preset: 'quick',
  width: 0.25,
  batchSize: 128,
  device: 'cpu',
  threads: 2,
  runtime: 'onnxruntime-node 1.30.0',
  machine: { flopsPerSecond: 275e9, bytesPerSecond: 24.3e9, callMs: 0.0031 },
};
const prediction: Explained = { subject, nodes: predicted, inserted: [], profile: undefined };
const profiled: Explained = {
  subject,
  nodes: measured,
  inserted: [{ name: 'Reorder', opType: 'ReorderInput', durationMs: 14 }],
  profile: { runMs: 100, profiledRunMs: 128 },
};
const lines = (text: string) => text.split('\n');

describe('explanation as text', () => {
  test('says what is explained and what predictions rest on', () => {
    expect(formatSubject(subject)).toBe(
      `Training step, preset quick, width 0.25, batch 128
On cpu with 2 threads of onnxruntime-node 1.30.0
Predicted with 275 GFLOP/s, 24.3 GB/s, 3.10 µs a call

`,
    );
  });

  test('narrow: times, speed, and as much of the operators as there is room for', () => {
    expect(formatExplanation(profiled, { all: true }, 60)).toBe(
      `layer         op    predicted  measured        speed  operators
block1.conv1  conv    95.3 ms   84.0 ms  275 GFLOP/s  Pad, 2 Conv 3-D (5,5,1),…
·             add     1.70 ms   2.04 ms    19.6 GB/s  Add

                             predicted    measured       share
convolutions and products      95.3 ms     84.0 ms      84.0 %
elementwise and sums           1.70 ms     2.04 ms       2.0 %
pooling                       0.000 ms    0.000 ms       0.0 %
rest                          0.000 ms    0.000 ms       0.0 %
inserted by ONNX Runtime      0.000 ms     14.0 ms      14.0 %
all nodes                      97.0 ms      100 ms     100.0 %
a whole run, profiled                       128 ms  1,000 images/s
a whole run                                 100 ms  1,280 images/s
`,
    );
  });

  test('wide: shapes and work as well', () => {
    const [head, first] = lines(formatExplanation(profiled, {}, 140));
    expect(head).toBe(
      'layer         op    shape         work                 predicted  measured        speed  operators',
    );
    expect(first).toBe(
      'block1.conv1  conv  [8,16,14,14]  23.1 GFLOP, 29.0 MB    95.3 ms   84.0 ms  275 GFLOP/s  Pad, 2 Conv 3-D (5,5,1), Concat',
    );
  });

  test('without a profile there is nothing about it', () => {
    const text = formatExplanation(prediction, { all: true }, 120);
    expect(lines(text)[0]).toBe(
      'layer         op    shape         work                 predicted  operators',
    );
    expect(text).not.toMatch(/measured|run/);
    expect(text).toContain('convolutions and products      95.3 ms      98.2 %');
  });

  test('lists what makes up 95 % of the time, and says what it left out', () => {
    const [, first, more] = lines(formatExplanation(prediction, {}));
    expect(first).toMatch(/^block1\.conv1/);
    expect(more).toBe('… and 1 more node, 1.8 % of the time (--all)');
    expect(lines(formatExplanation(prediction, { top: 2 }))[2]).toMatch(/^· +add/);
  });

  test('order: the slowest first, or that of the graph', () => {
    const swapped = { ...prediction, nodes: predicted.toReversed() };
    const layers = (order: 'time' | 'graph') =>
      lines(formatExplanation(swapped, { all: true, order }))
        .slice(1, 3)
        .map((line) => line.slice(14, 18));
    expect(layers('time')).toEqual(['conv', 'add ']);
    expect(layers('graph')).toEqual(['add ', 'conv']);
  });

  test('what ran within another kernel is called fused', () => {
    const nodes = measured.map((node) => ({ ...node, measuredMs: node.node === sum ? 0 : node.measuredMs }));
    expect(formatExplanation({ ...profiled, nodes }, { all: true })).toMatch(/add +1\.70 ms +fused +Add$/m);
  });
});

test('as JSON: every node, null where nothing was measured', () => {
  expect(explanationJson(prediction)).toMatchObject({
    preset: 'quick',
    runMs: null,
    nodes: [
      { layer: 'block1.conv1', op: 'conv', family: 'convolutions and products', measuredMs: null },
      { op: 'relu', operators: [] },
      { layer: '', op: 'add', flops: 1e7, bytes: 4e7, predictedMs: 1.7 },
    ],
  });
});
