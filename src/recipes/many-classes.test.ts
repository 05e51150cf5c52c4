import { beforeAll, describe, expect, it } from 'vitest';
import { pixelsOf } from '../../test/support/pixels.js';
import type { DataSource, ImageDataset } from '../data/dataset.js';
import { imagesInMemory } from '../data/image-source.js';
import { heldBackSplits } from '../labels/held-back.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { propagateLabels, pseudoLabels, recoverHeldBack } from '../similarity/propagate.js';
import { MemoryStore } from '../store/checkpoint.js';
import { evaluate } from '../train/evaluate.js';
import { freshWeights } from '../train/train-step.js';
import { networkFor, randomFor } from './context.js';
import { collectExhibits } from './exhibits.js';
import { labelledSet } from './labelled-set.js';
import { labelledImages, labelledIndices } from './labels.js';
import { settingsFor } from './presets.js';
import { finetuneStage } from './stages/finetune-stage.js';

const side = 28;

/** Images n of class n mod `classes`, which is written into their first pixels. */
function numbered(name: string, count: number, classes: number): ImageDataset {
  const pixels = new Uint8Array(count * side * side);
  const labels = Int32Array.from({ length: count }, (_, n) => n % classes);
  for (const [n, label] of labels.entries()) pixels.set([label & 255, label >> 8], n * side * side);
  const classNames = Array.from({ length: classes }, (_, k) => `kind ${k}`);
  const images = imagesInMemory({ name, pixels, height: side, width: side, channels: 1 });
  return { images, labels, classNames };
}

// A byte counts 256 classes: beyond them, numbers began again from 0.
describe.each([300, 1000])('%i classes', (classes) => {
  const data: DataSource = {
    train: numbered('train', 2 * classes, classes),
    test: numbered('test', classes, classes),
    origin: 'made for this test',
    checksums: {},
  };
  const settings = {
    ...settingsFor('quick', { labelsPerClass: 1, width: 1 / 16 }),
    finetune: { ...settingsFor('quick').finetune, frozenBlocks: 0 },
  };
  const everyClass = Array.from({ length: classes }, (_, k) => k);
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });

  it('selection takes one of each', async () => {
    expect([...labelledIndices({ settings, data }, 0)]).toEqual(everyClass);
    const drawn = labelledImages({ settings, data }, 1);
    expect([...drawn.labels!]).toEqual(everyClass);
    const pixels = await pixelsOf(drawn.images);
    expect(Array.from(everyClass, (n) => pixels[n * side * side + 1])).toEqual(everyClass.map((k) => k >> 8));
  });

  it('given labels keep their classes', () => {
    const labels = { data: null, images: everyClass.map((k) => ({ index: k, label: `kind ${k}` })) };
    expect([...labelledImages({ settings: { ...settings, labels }, data }, 0).labels!]).toEqual(everyClass);
  });

  it('propagation reaches the neighbour of each label', async () => {
    // Image k is joined to image classes + k alone.
    const graph = {
      count: 2 * classes,
      offsets: Uint32Array.from({ length: 2 * classes + 1 }, (_, i) => i),
      targets: Uint32Array.from({ length: 2 * classes }, (_, i) => (i + classes) % (2 * classes)),
      weights: new Float32Array(2 * classes).fill(1),
    };
    const known = { rows: everyClass, classes: labelledImages({ settings, data }, 0).labels! };
    const found = pseudoLabels(await propagateLabels(graph, known, classes), classes, 0);
    expect([...found.rows]).toEqual([...everyClass, ...everyClass.map((k) => k + classes)]);
    expect([...found.classes]).toEqual([...everyClass, ...everyClass]);

    const twice = { rows: found.rows, classes: found.classes };
    const splits = heldBackSplits(twice.classes);
    expect(await recoverHeldBack(graph, twice, classes, splits)).toEqual(
      splits.flatMap(({ heldBack }) => heldBack.map(() => true)),
    );
  });

  it('evaluation and confusion tell the last class from those before it', async () => {
    const network = networkFor(settings.network, data.train.images, classes);
    const context = { settings, data, runtime, store: new MemoryStore(), emit: () => {} };
    const weights = freshWeights(network, randomFor(context, 'weights'));
    // This one takes everything for the last class.
    const bias = weights[`${network.head.name}.bias`]!;
    bias.data[classes - 1] = 1e3;
    const test = await evaluate(network, weights, labelledSet('test', data.test!), context);
    expect([...test.targets]).toEqual(everyClass);
    expect(new Set(test.predictions)).toEqual(new Set([classes - 1]));
    expect(test.metrics.accuracy).toBeCloseTo(1 / classes, 12);

    bias.data[0] = Number.NaN;
    await expect(evaluate(network, weights, labelledSet('test', data.test!), context)).rejects.toMatchObject({
      code: 'diverged',
      message: 'test: expected a finite loss of every item. Received: NaN at 0.',
    });

    const classifier = { network, weights, train: test, test };
    const tested = [{ figure: 'fineTune', step: 'fine-tuning', when: 'after fine-tuning', test }] as const;
    const outcomes = new Map([[finetuneStage, { figures: {}, tested, classifier }]]);
    const draws = [{ outcomes, evidence: new Map(), invariances: [] }];
    const all = { shared: new Map(), draws, failures: [] };
    const { confusions, classCounts } = await collectExhibits(context, all);
    expect(confusions).toHaveLength(1);
    expect(confusions[0]?.cells).toEqual(everyClass.map((k) => [k, classes - 1, 1]));
    expect(classCounts.map(({ train, labelled }) => [train, labelled])).toEqual(everyClass.map(() => [2, 1]));
  });
});
