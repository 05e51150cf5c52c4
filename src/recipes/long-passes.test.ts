import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DataSource } from '../data/dataset.js';
import { imagesInMemory } from '../data/image-source.js';
import { heldBackSplits } from '../labels/held-back.js';
import type { ProgressOptions } from '../progress.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import { kMeans } from '../similarity/cluster.js';
import { type NeighbourGraph, neighbourGraph } from '../similarity/neighbour-graph.js';
import type { Neighbours } from '../similarity/neighbours.js';
import { propagateLabels, recoverHeldBack, smoothPredictions } from '../similarity/propagate.js';
import { typicalPoints } from '../similarity/typical.js';
import { uncertainPoints } from '../similarity/uncertain.js';
import { MemoryStore } from '../store/checkpoint.js';
import type { RunEvent } from '../store/run-event.js';
import { float32 } from '../tensor/tensor.js';
import type { RecipeContext } from './context.js';
import { describeImages } from './pile-graph.js';
import { pileViews } from './pile-metrics.js';
import { settingsFor } from './presets.js';

const many = 8_000;
const classCount = 10;

/** Points without any structure, which k-means takes many rounds to group. */
const points = pointsOf(many, 16);
const margins = Array.from({ length: many }, (_, i) => i);
const known = knownOf(100, many);

let graph: NeighbourGraph;
let recipe: Omit<RecipeContext, 'emit' | 'signal'>;
beforeAll(async () => {
  graph = await neighbourGraph(neighboursOf(many, 10));
  const [count, side] = [1000, 100];
  const pixels = Uint8Array.from({ length: count * side * side }, (_, i) => (i * 2_654_435_761) >>> 24);
  const noise = imagesInMemory({ name: 'noise', pixels, height: side, width: side, channels: 1 });
  const train = { images: noise, classNames: ['0'] };
  const data: DataSource = { train, test: train, origin: 'made for this test', checksums: {} };
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  recipe = { settings: settingsFor('quick'), data, runtime, store: new MemoryStore('noise') };
});

function pointsOf(n: number, d: number) {
  const random = Random.seeded(11);
  return float32(
    [n, d],
    Array.from({ length: n * d }, () => random.normal()),
  );
}

/** Neighbours such as images have: most of them near, some anywhere. */
function neighboursOf(n: number, count: number): Neighbours {
  const random = Random.seeded(7);
  const at = (i: number) => (Math.floor(i / count) + 1 + random.integer(i % 3 > 0 ? 20 : n - 1)) % n;
  return {
    count,
    indices: Int32Array.from({ length: n * count }, (_, i) => at(i)),
    similarities: Float32Array.from({ length: n * count }, () => random.uniform(0.5, 1)),
  };
}

function knownOf(labels: number, n: number) {
  const rows = Array.from({ length: labels }, (_, i) => i * (n / labels));
  return { rows, classes: rows.map((row) => Math.floor((row / n) * classCount)) };
}

const images = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);
const passes: Record<string, (context: ProgressOptions) => Promise<unknown>> = {
  'k-means': (context) => kMeans(points, 20, Random.seeded(2), context),
  typicality: (context) => typicalPoints(points, { ...context, count: 1, random: Random.seeded(2) }),
  'clusters of doubtful images': (context) =>
    uncertainPoints(points, margins, { ...context, count: 500, taken: new Set(), random: Random.seeded(2) }),
  'connecting neighbours': (context) => neighbourGraph(neighboursOf(30_000, 10), context),
  propagation: (context) => propagateLabels(graph, known, classCount, context),
  smoothing: (context) => smoothPredictions(graph, new Float32Array(many * 40).fill(1 / 40), known, context),
  'labels held back': (context) =>
    recoverHeldBack(graph, known, classCount, heldBackSplits(known.classes), context),
  'shapes of images': (context) => describeImages({ ...recipe, ...context }, images(1000)),
  'views of the pile': (context) => pileViews({ ...recipe, ...context }, images(1000)),
};

/** Time that this process has computed, in ms: other programs do not lengthen it. */
const computedMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

describe.each(Object.entries(passes))('%s', (_name, pass) => {
  let wholeMs: number;

  test('lets timers fire meanwhile, and tells how far it is', async () => {
    let fired = 0;
    const timer = setInterval(() => fired++, 5);
    const events: RunEvent[] = [];
    const before = computedMs();
    try {
      await pass({ emit: (event) => events.push(event) });
    } finally {
      clearInterval(timer);
    }
    wholeMs = computedMs() - before;
    // One turn in 50 ms, and some ms late; half of that is enough to see that none was missed for long.
    expect(fired).toBeGreaterThanOrEqual(Math.max(1, Math.floor(wholeMs / 120) - 1));
    const told = events.filter((event) => event.type === 'pass');
    expect(told.length).toBeGreaterThan(3);
    for (const { done, total, etaMs } of told) {
      expect(done).toBeGreaterThan(0);
      expect(done).toBeLessThanOrEqual(total * (1 + 1e-9));
      expect(etaMs).toBeGreaterThanOrEqual(-1e-6);
    }
  });

  test('stops soon after it is asked to', async () => {
    const controller = new AbortController();
    const before = computedMs();
    setTimeout(() => controller.abort(), 5);
    await expect(pass({ signal: controller.signal })).rejects.toMatchObject({
      code: 'interrupted',
      message: expect.stringMatching(/: stopped after \d+/),
    });
    expect(computedMs() - before).toBeLessThan(wholeMs * 0.7);
  });
});

/** What these gave when they ran in one go: turns of the event loop change no number. */
test('gives the very numbers that computing in one go gives', async () => {
  const md5 = (...arrays: readonly (Uint32Array | Float32Array | Float64Array)[]) => {
    const hash = createHash('md5');
    for (const { buffer, byteOffset, byteLength } of arrays)
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    return hash.digest('hex');
  };
  const [n, k] = [3000, 6];
  const random = Random.seeded(11);
  const rows = float32(
    [n, 24],
    Array.from({ length: n * 24 }, () => random.normal()),
  );
  const { assignments, centroids } = await kMeans(rows, 17, Random.seeded(2));
  expect(md5(assignments, centroids)).toBe('0dc3d750d53604868dae91d579acf3b9');
  const picks = await typicalPoints(rows, { count: 12, labelled: [5, 9, 2000], random: Random.seeded(4) });
  const picked = Uint32Array.from(picks.flatMap(({ row, clusterSize }) => [row, clusterSize]));
  expect(md5(picked)).toBe('4f499f0251c618ba6b2c4b72649173ee');

  const indices = new Int32Array(n * k);
  const similarities = new Float32Array(n * k);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < k; j++) {
      indices[i * k + j] = (i + 1 + random.integer(j < 4 ? 20 : n - 1)) % n;
      similarities[i * k + j] = random.uniform(0.5, 1);
    }
  }
  const small = await neighbourGraph({ count: k, indices, similarities });
  expect(md5(small.offsets, small.targets, small.weights)).toBe('af0278ad7b95be1b2ee198a19793d27a');
  const labelled = Array.from({ length: 40 }, (_, i) => i * 70);
  const labels = { rows: labelled, classes: labelled.map((row) => Math.floor(row / 1000)) };
  expect(md5(await propagateLabels(small, labels, 3))).toBe('cba6968c09785053771d7793027c68b8');
  const said = Float32Array.from({ length: n * 3 }, () => random.uniform());
  expect(md5(await smoothPredictions(small, said, labels))).toBe('aabaea5245823e2c10b68f6f5d0be47a');
  const found = await recoverHeldBack(small, labels, 3, heldBackSplits(labels.classes, 5));
  expect([found.filter(Boolean).length, found.length]).toEqual([11, 40]);
});
