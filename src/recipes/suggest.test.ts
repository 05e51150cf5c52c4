import { beforeAll, describe, expect, test } from 'vitest';
import { tinyClasses, tinyImage, tinySize } from '../../test/support/tiny-data.js';
import { type DataSource, type ImageDataset, subsetOf } from '../data/dataset.js';
import { imagesInMemory } from '../data/image-source.js';
import { createNodeRuntime } from '../runtime/node.js';
import { MemoryStore } from '../store/checkpoint.js';
import type { RecipeContext } from './context.js';
import { settingsFor } from './presets.js';
import { run } from './run.js';
import { suggest } from './suggest.js';

function pictures(name: string, count: number): ImageDataset {
  const size = tinySize * tinySize;
  const pixels = new Uint8Array(count * size);
  for (let n = 0; n < count; n++) pixels.set(tinyImage(n), n * size);
  const labels = Int32Array.from({ length: count }, (_, n) => n % tinyClasses);
  const classNames = ['corner', 'edge', 'column'];
  const images = imagesInMemory({ name, pixels, height: tinySize, width: tinySize, channels: 1 });
  return { images, labels, classNames };
}

const data: DataSource = {
  train: pictures('train', 240),
  test: pictures('test', 30),
  origin: 'made for this test',
  checksums: {},
};
const quick = settingsFor('quick', { width: 1 / 16, labelsPerClass: 2 });
const settings = {
  ...quick,
  pretrain: { ...quick.pretrain, epochs: 2, batchSize: 32, stepsPerEpoch: 15, valFraction: 0.1 },
  finetune: { ...quick.finetune, epochs: 3, batchSize: 6 },
};

let pretrained: RecipeContext;
let tuned: RecipeContext;
beforeAll(async () => {
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const contextOf = (name: string) => ({
    settings,
    data,
    runtime,
    store: new MemoryStore(name),
    emit: () => {},
  });
  [pretrained, tuned] = [contextOf('pretrained'), contextOf('tuned')];
  await run(pretrained, { stages: ['pretrain'] });
  await run(tuned, { stages: ['pretrain', 'finetune'] });
});

const classesOf = (indices: readonly number[]) => indices.map((index) => data.train.labels![index]!).sort();

describe('suggest', () => {
  test('one image of every kind, without any label', async () => {
    const { strategy, labelled, images } = await suggest(pretrained, { count: 3 });
    expect({ strategy, labelled: labelled.length }).toEqual({ strategy: 'typical', labelled: 0 });
    expect(classesOf(images.map(({ index }) => index))).toEqual([0, 1, 2]);
    expect(images.reduce((sum, { share }) => sum + share!, 0)).toBeCloseTo(1, 9);
    const { labels: _, ...train } = data.train;
    const again = await suggest({ ...pretrained, data: { ...data, train } }, { count: 3 });
    expect(again.images).toEqual(images);
  });

  test('kinds that have a label are passed over', async () => {
    const { images } = await suggest(pretrained, { count: 2, labelled: Uint32Array.of(4) });
    expect(classesOf(images.map(({ index }) => index))).toEqual([0, 2]);
  });

  test('labels that are wanted, not there yet, count as well', async () => {
    const labels = { data: null, images: [{ index: 4, label: null }] };
    const { images, labelled } = await suggest(
      { ...pretrained, settings: { ...settings, labels } },
      { count: 2 },
    );
    expect([...labelled]).toEqual([4]);
    expect(classesOf(images.map(({ index }) => index))).toEqual([0, 2]);
  });

  test('with a classifier of few labels: typical; asked for, uncertain, least margin first', async () => {
    expect((await suggest(tuned, { count: 1 })).strategy).toBe('typical');
    const { images, labelled, needs } = await suggest(tuned, { count: 8, strategy: 'uncertain' });
    expect([...labelled]).toEqual([0, 3, 1, 4, 2, 5]);
    expect(new Set([...images.map(({ index }) => index), ...labelled]).size).toBe(14);
    const margins = images.map(({ between }) => between![0]!.probability - between![1]!.probability);
    expect(margins).toEqual(margins.toSorted((a, b) => a - b));
    expect(needs).toMatchObject({ stage: 'finetune', heldBack: 6, first: 1 });
    expect(needs?.classes.map(({ labels }) => labels)).toEqual([2, 2, 2]);
    expect(data.train.classNames).toContain(images[0]!.between![1]!.className);
  });

  test('all that are left, where fewer are left than wanted', async () => {
    const labelled = Uint32Array.from({ length: 237 }, (_, i) => i);
    for (const strategy of ['typical', 'uncertain'] as const) {
      const { images } = await suggest(tuned, { count: 20, labelled, strategy });
      expect(images.map(({ index }) => index).sort()).toEqual([237, 238, 239]);
    }
    const all = Uint32Array.from({ length: 240 }, (_, i) => i);
    await expect(suggest(tuned, { count: 1, labelled: all })).rejects.toThrow(
      'expected images without a label',
    );
  });

  test('no copy of a labelled image, and of equal images one', async () => {
    const twice = Uint32Array.from({ length: 240 }, (_, i) => i % 120);
    const context = { ...tuned, data: { ...data, train: subsetOf(data.train, twice) } };
    const labelled = Uint32Array.from({ length: 115 }, (_, i) => i);
    for (const strategy of ['typical', 'uncertain'] as const) {
      const suggested = (await suggest(context, { count: 20, labelled, strategy })).images;
      expect(suggested.map(({ index }) => index % 120).sort()).toEqual([115, 116, 117, 118, 119]);
      expect(new Set(suggested.map(({ image }) => image)).size).toBe(5);
    }
    const all = Uint32Array.from({ length: 120 }, (_, i) => 239 - i);
    await expect(suggest(context, { count: 1, labelled: all })).rejects.toThrow(
      'expected images without a label. Received: none.',
    );
  });

  test('what a classifier learned from decides on the strategy, not the labels that are there by now', async () => {
    const { labels: _, ...bare } = data.train;
    const images = Array.from({ length: 40 }, (_, index) => ({
      index,
      label: ['corner', 'edge', 'column'][index % 3]!,
    }));
    const given = { ...settings, labels: { data: null, images } };
    const context = { ...tuned, settings: given, data: { ...data, train: { ...bare, classNames: [] } } };
    expect((await suggest(context, { count: 1 })).strategy).toBe('typical');
    expect((await suggest(pretrained, { count: 1 })).needs).toBeUndefined();
  });

  test('says what is missing', async () => {
    await expect(suggest(pretrained, { count: 1, strategy: 'uncertain' })).rejects.toThrow(
      'expected a classifier. Received: none.',
    );
  });

  test('needs no training at all for typical images', async () => {
    const empty = { ...pretrained, store: new MemoryStore('empty') };
    expect(await suggest(empty, { count: 3 })).toEqual(await suggest(pretrained, { count: 3 }));
  });

  test('can be stopped', async () => {
    const stopped = { ...tuned, signal: AbortSignal.abort() };
    for (const strategy of ['typical', 'uncertain'] as const) {
      await expect(suggest(stopped, { count: 1, strategy })).rejects.toMatchObject({ code: 'interrupted' });
    }
  });
});
