import { beforeAll, describe, expect, it } from 'vitest';
import { pixelsOf } from '../../test/support/pixels.js';
import { tinyPictures, tinySettings } from '../../test/support/tiny-run.js';
import { renderReport } from '../report/render-report.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { MemoryStore } from '../store/checkpoint.js';
import { exhibitsSchema } from '../store/exhibits-record.js';
import { evaluateRun, run } from './run.js';
import { stageFacts } from './stages/registry.js';

const { labels, classNames, images } = tinyPictures('pile', 200);
const pile = { train: { images, classNames: [] }, origin: 'made for this test', checksums: {} };

describe('a pile of which nobody knows the classes, and no test set', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });

  it('is pretrained on', async () => {
    const store = new MemoryStore('turns');
    const context = { settings: tinySettings, data: pile, runtime, store, emit: () => {} };
    const result = await run(context, { stages: ['pretrain'] });
    expect(result.pretext!.val.accuracy).toBeGreaterThan(0.9);
    expect(result).toMatchObject({ pretext: { test: null }, final: null, ladder: [], draws: [] });
  });

  it('is learned from with the labels that are given, whose names are the classes', async () => {
    const store = new MemoryStore('given');
    const given = Array.from({ length: 12 }, (_, index) => ({ index, label: classNames[labels![index]!]! }));
    const settings = { ...tinySettings, draws: 1, labels: { data: null, images: given } };
    const context = { settings, data: pile, runtime, store, emit: () => {} };
    const result = await run(context);
    expect(result).toMatchObject({
      fineTune: { test: null },
      scratch: { test: null },
      final: { test: null },
      ladder: [],
    });
    expect(result.evidence).toHaveLength(3);
    expect(result.evidence.every(({ of }) => of === 12)).toBe(true);
    expect((await evaluateRun(context)).final).toEqual(result.final);

    const exhibits = exhibitsSchema.parse(await store.readJson('exhibits'));
    expect(exhibits.classCounts).toMatchObject(
      ['corner', 'edge'].map((name) => ({ name, train: null, labelled: 6 })),
    );
    // Of the 188 images without a label, half show each; the classifier below is right about 90 % of them.
    const found = exhibits.classCounts.map((counts) => counts.found ?? 0);
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(188);
    for (const count of found) expect(count).toBeGreaterThan(70);
    const [, , pileGrid] = exhibits.grids;
    expect(pileGrid).toMatchObject({ columns: 8, height: 12, width: 12 });
    expect(pileGrid?.title).toMatch(/^Images of the pile, each with the class/);
    expect(pileGrid?.tiles).toHaveLength(64);
    expect(
      pileGrid?.tiles.every(({ wrong, caption }) => !wrong && /^(corner|edge) \d+ %$/.test(caption)),
    ).toBe(true);
    const config = (await store.readJson('config')) as Record<string, unknown>;
    const page = renderReport({
      stages: stageFacts,
      config,
      epochs: await store.readEpochs(),
      result,
      exhibits,
    });
    expect(page).toContain('How the classifier was chosen');
    expect(page).not.toMatch(/\b(NaN|undefined|null)\b/);

    const model = await runtime.load((await store.readModel('classifier'))!);
    const out = await model.run({
      images: { dtype: 'uint8', shape: [100, 12, 12, 1], data: await pixelsOf(images, 100) },
    });
    const rows = out.probabilities!.data as Float32Array;
    const right = Array.from({ length: 100 }, (_, i) => (rows[2 * i]! > 0.5 ? 0 : 1) === labels![i]);
    expect(right.filter(Boolean).length).toBeGreaterThan(90);
  });

  it.each([
    ['no labels', tinySettings, 'pile: expected labels. Received: images alone.'],
    [
      'labels of one class',
      {
        ...tinySettings,
        draws: 1,
        labels: {
          data: null,
          images: [
            { index: 0, label: 'cat' },
            { index: 3, label: 'cat' },
          ],
        },
      },
      'pile: expected labels of at least two classes. Received: every label is "cat".',
    ],
  ])('is refused with %s before anything is trained or written', async (_, settings, message) => {
    const store = new MemoryStore('refused');
    const context = { settings, data: pile, runtime, store, emit: () => {} };
    await expect(run(context)).rejects.toMatchObject({ code: 'data', message });
    expect(await store.readJson('config')).toBeUndefined();
  });
});
