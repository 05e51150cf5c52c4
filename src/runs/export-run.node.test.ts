import { beforeAll, expect, test } from 'vitest';
import { tinyPictures, tinySettings } from '../../test/support/tiny-run.js';
import { openEncoder } from '../features/onnx-encoder.js';
import { networkFor } from '../recipes/context.js';
import { run } from '../recipes/run.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { MemoryStore } from '../store/checkpoint.js';
import { computeFeatures } from '../train/evaluate.js';
import { readWeights } from '../train/state.js';
import { encoderStages, exportRunEncoder } from './export-run.node.js';

const data = { train: tinyPictures('train', 60), origin: 'made for this test', checksums: { images: 'a' } };
const settings = { ...tinySettings, draws: 1 };

let runtime: Runtime;
const store = new MemoryStore('pretrained');
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const { labels: _, ...pile } = data.train;
  await run({ settings, data: { ...data, train: pile }, runtime, store }, { stages: ['pretrain'] });
});

test('the pretrained backbone of a run without a classifier describes images as it does itself', async () => {
  const { images } = data.train;
  const network = networkFor(settings.network, images, 4);
  const weights = readWeights((await store.loadCheckpoint('pretrain'))?.tensors ?? {});
  for (const blocks of [undefined, 1, 3]) {
    const bytes = await exportRunEncoder(store, { blocks });
    await using encoder = await openEncoder('own.onnx', bytes, { runtime });
    expect(encoder.input).toEqual({ height: 12, width: 12, channels: 1 });
    const used = blocks ?? 2;
    const set = { title: 'features', images };
    const { shape, data: maps } = await computeFeatures(network, weights, used, set, { runtime });
    const d = network.blocks[used - 1]?.outputShape[0] ?? 0;
    expect(encoder.dimensions).toBe(d);
    const rows = await encoder.describe(images);
    const area = maps.length / (images.count * d);
    expect(shape.slice(0, 2)).toEqual([images.count, d]);
    for (const n of [0, 2, 59]) {
      const means = Array.from({ length: d }, (_, i) => {
        const from = (n * d + i) * area;
        return maps.subarray(from, from + area).reduce((sum, value) => sum + value, 0) / area;
      });
      const length = Math.hypot(...means);
      for (const [i, mean] of means.entries()) expect(rows.data[n * d + i]).toBeCloseTo(mean / length, 4);
    }
  }
});

test('the backbone of another stage has to be trained to its end', async () => {
  for (const stage of encoderStages.filter((name) => name !== 'pretrain')) {
    await expect(exportRunEncoder(store, { stage })).rejects.toMatchObject({
      code: 'checkpoint',
      message: expect.stringMatching(
        /^pretrained: expected a run that has finished .*\. Received: one without it\.$/,
      ),
    });
  }
  await expect(exportRunEncoder(store, { blocks: 4 })).rejects.toThrow(/^blocks: expected 1 to 3, /);
});

test('a run of an earlier version tells the size of its images by its classifier alone', async () => {
  const { imageSize: _, ...config } = (await store.readJson('config')) as Record<string, unknown>;
  await store.writeJson('config', config);
  await expect(exportRunEncoder(store)).rejects.toThrow(
    /config\.json: expected imageSize, .* Received: none\.$/,
  );
});
