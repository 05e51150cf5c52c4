import { describe, expect, test } from 'vitest';
import { pixelsOf } from '../../test/support/pixels.js';
import { tinyPictures, tinySettings } from '../../test/support/tiny-run.js';
import { subsetOf } from '../data/dataset.js';
import { hashImages } from '../data/image-hash.js';
import { blankLabels } from '../labels/locate-labels.js';
import { createNodeRuntime } from '../runtime/node.js';
import { MemoryStore } from '../store/checkpoint.js';
import { readLabelRecord } from '../store/label-record.js';
import type { RunEvent } from '../store/run-event.js';
import { labelledImages, labelledIndices, withLocatedLabels } from './labels.js';
import { run } from './run.js';

const train = tinyPictures('pictures', 200);
const data = { train, origin: 'made for this test', checksums: { 'train-images': 'aa' } };
/** Image i of it is image (7 i + 5) mod 200 of the pictures. */
const order = Uint32Array.from({ length: 200 }, (_, i) => (7 * i + 5) % 200);
const reordered = {
  train: subsetOf(train, order, { name: 'reordered' }),
  origin: 'elsewhere',
  checksums: { 'train-images': 'bb' },
};
const chosen = [11, 4, 150, 33, 8, 64];
const blank = await blankLabels(train.images, chosen);
const images = blank.map((label, i) => ({ ...label, label: i < 4 ? ['edge', 'corner'][i % 2]! : null }));
const settings = { ...tinySettings, draws: 1, labels: { data: null, images } };

describe('labels of a run', () => {
  test('are learned from as the same pictures in the same order, wherever these lie', async () => {
    const events: RunEvent[] = [];
    const emit = (event: RunEvent) => events.push(event);
    const here = await withLocatedLabels({ settings, data, emit });
    expect([...labelledIndices(here, 0)]).toEqual(chosen);
    expect(events).toEqual([]);
    expect(await withLocatedLabels(here)).toBe(here);

    const there = await withLocatedLabels({ settings, data: reordered, emit });
    expect([...labelledIndices(there, 0)].map((index) => order[index])).toEqual(chosen);
    expect(events.at(-1)).toEqual({
      ...{ type: 'labels-located', data: 'reordered', total: 6, moved: 6, missing: 0 },
    });
    const [a, b] = [labelledImages(here, 0), labelledImages(there, 0)];
    expect(await pixelsOf(b.images)).toEqual(await pixelsOf(a.images));
    expect(b.labels).toEqual(a.labels);
  });

  test('that a cut data set lacks are left out, and it is said', async () => {
    const cut = {
      ...data,
      train: subsetOf(
        train,
        Uint32Array.from({ length: 100 }, (_, i) => i),
        { name: 'cut' },
      ),
    };
    const events: RunEvent[] = [];
    const context = await withLocatedLabels({ settings, data: cut, emit: (event) => events.push(event) });
    expect([...labelledIndices(context, 0)]).toEqual([11, 4, 33, 8, 64]);
    expect(events).toContainEqual({
      ...{ type: 'labels-located', data: 'cut', total: 6, moved: 0, missing: 1 },
    });
  });
});

const configOf = (value: unknown) => value as Record<string, unknown>;

describe('labels.json of a run', () => {
  const recordOf = async (options: Partial<typeof settings> = {}) => {
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    const store = new MemoryStore();
    const context = { settings: { ...settings, ...options }, data, runtime, store, emit: () => {} };
    await run(context, { stages: ['baseline'] });
    return { record: await readLabelRecord(store), context };
  };

  test('tells which images have which class, and who said so', async () => {
    const { record } = await recordOf();
    const hashes = await hashImages(train.images, chosen);
    const labels = ['edge', 'corner', 'edge', 'corner', 'corner', 'corner'];
    expect(record).toEqual({
      classNames: ['corner', 'edge'],
      draws: [
        {
          draw: 0,
          images: chosen.map((index, i) => ({
            image: hashes[i],
            index,
            label: labels[i],
            by: i < 4 ? 'given' : 'own',
          })),
        },
      ],
    });
  });

  test('a run of an earlier version, whose labels are indices alone, goes on with them', async () => {
    const { context } = await recordOf();
    const old = {
      data: { origin: data.origin, checksums: data.checksums },
      images: images.map(({ index, label }) => ({ index, label })),
    };
    const config = configOf(await context.store.readJson('config'));
    expect(config.labels).toEqual(settings.labels);
    const store = new MemoryStore('old');
    await store.writeJson('config', { ...config, labels: old });
    const stages = { stages: ['baseline'] };
    await run({ ...context, store }, stages);
    await run({ ...context, store, settings: { ...settings, labels: old } }, stages);
    expect(await readLabelRecord(store)).toEqual(await readLabelRecord(context.store));
    const others = { ...settings, labels: { ...old, images: old.images.slice(1) } };
    await expect(run({ ...context, store, settings: others }, stages)).rejects.toThrow(
      'old: expected the settings that it was started with.',
    );
  });

  test('has every draw, of images that were drawn', async () => {
    const { record, context } = await recordOf({ draws: 3, labels: null as never });
    expect(record?.draws).toHaveLength(3);
    for (const { draw, images: drawn } of record?.draws ?? []) {
      expect(drawn.map(({ index }) => index)).toEqual([...labelledIndices(context, draw)]);
      expect(
        drawn.every(({ index, label, by }) => by === 'drawn' && label === ['corner', 'edge'][index % 2]),
      ).toBe(true);
    }
  });

  test('is absent where nothing is labelled, and refused where it is something else', async () => {
    expect(await readLabelRecord(new MemoryStore())).toBeUndefined();
    const store = new MemoryStore('mine');
    await store.writeJson('labels', { images: [{ index: 1, label: 'cat' }] });
    await expect(readLabelRecord(store)).rejects.toThrow('mine, labels.json: expected what a run wrote.');
  });
});
