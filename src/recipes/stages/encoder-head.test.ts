import { beforeAll, describe, expect, test } from 'vitest';
import { encodeMobileNet } from '../../../test/support/encoders.js';
import { sampleClassifier, sampleImages, sampleSizes } from '../../../test/support/sample-classifier.js';
import { tinyPictures, tinySettings } from '../../../test/support/tiny-run.js';
import type { DataSource } from '../../data/dataset.js';
import { imagesInMemory } from '../../data/image-source.js';
import { type FrozenEncoder, openEncoder } from '../../features/onnx-encoder.js';
import { exportEncoder } from '../../model/export-encoder.js';
import { loadClassifier } from '../../model/load-classifier.js';
import { renderReport } from '../../report/render-report.js';
import { createNodeRuntime } from '../../runtime/node.js';
import type { Runtime } from '../../runtime/runtime.js';
import { MemoryStore } from '../../store/checkpoint.js';
import { exhibitsSchema } from '../../store/exhibits-record.js';
import type { RunEvent } from '../../store/run-event.js';
import { resultSchema } from '../../store/run-record.js';
import { computeFeatures } from '../../train/evaluate.js';
import { Fingerprints } from '../artifacts.js';
import { evaluateRun, run } from '../run.js';
import type { RunSettings } from '../settings.js';
import { encoderHeadStage } from './encoder-head-stage.js';
import { stageFacts, stagesOf } from './registry.js';
import { selfTrainStage } from './self-train-stage.js';

const data: DataSource = {
  train: tinyPictures('train', 120),
  test: tinyPictures('test', 60),
  origin: 'made for this test',
  checksums: { images: 'abc' },
};

let runtime: Runtime;
let encoder: FrozenEncoder;
let settings: RunSettings;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  encoder = await openEncoder('net.onnx', encodeMobileNet({ channels: 1 }), { runtime });
  const { name, fingerprint, options } = encoder;
  const given = { name, file: '/net.onnx', fingerprint, options, alone: true };
  settings = { ...tinySettings, draws: 1, encoder: given };
  return () => encoder.release();
});

describe('a head on a frozen encoder', () => {
  const contextOf = (store: MemoryStore, events: RunEvent[] = []) => ({
    ...{ settings, data, runtime, store, encoder, emit: (event: RunEvent) => events.push(event) },
  });

  test('is all that is trained where the encoder stands alone; the file classifies by itself', async () => {
    const store = new MemoryStore();
    const result = await run(contextOf(store));
    expect(result.final?.stage).toBe('linearProbe');
    expect(result.final?.test?.accuracy).toBeGreaterThan(0.95);
    expect(result.linearProbe).toEqual({ test: result.final?.test });
    expect(result.draws).toMatchObject([{ linearProbe: result.final?.test, final: result.final?.test }]);
    expect(result.ladder).toMatchObject([{ figure: 'linearProbe', step: 'linear head on net' }]);
    const bytes = await store.readModel('classifier');
    await using classifier = await loadClassifier('classifier.onnx', bytes ?? new Uint8Array(), { runtime });
    expect(classifier).toMatchObject({ height: 12, width: 12, channels: 1, classNames: ['corner', 'edge'] });
    const { images, labels = new Int32Array() } = data.test ?? data.train;
    const probabilities = await classifier.classify(images);
    const right = labels.filter((label, i) => (probabilities[2 * i + label] ?? 0) > 0.5).length;
    expect(right / labels.length).toBeCloseTo(result.final?.test?.accuracy ?? 0, 5);

    const events: RunEvent[] = [];
    const again = await run(contextOf(store, events));
    expect(again.final).toEqual(result.final);
    expect(events.filter(({ type }) => type === 'step')).toEqual([]);
    expect((await evaluateRun(contextOf(store))).final).toEqual(result.final);
    const record = {
      config: { ...((await store.readJson('config')) as object) },
      result: resultSchema.parse(await store.readJson('result')),
      exhibits: exhibitsSchema.parse(await store.readJson('exhibits')),
      epochs: await store.readEpochs(),
    };
    expect(renderReport({ ...record, stages: stageFacts } as never)).toContain('</html>');
  });

  test('competes with the networks of this package by held-back labels', async () => {
    const store = new MemoryStore();
    const beside = settings.encoder && { ...settings.encoder, alone: false };
    const context = { ...contextOf(store), settings: { ...settings, encoder: beside } };
    const result = await run(context, { stages: ['scratch', 'linearProbe'] });
    const names = result.evidence.map(({ stage }) => stage);
    expect(names).toEqual(expect.arrayContaining(['scratch', 'linearProbe']));
    expect(result.evidence.find(({ stage }) => stage === 'linearProbe')).toMatchObject({ of: 8 });
  });

  test('is refused with another encoder, or none', async () => {
    await using other = await openEncoder('other.onnx', encodeMobileNet({ channels: 1, features: 16 }), {
      runtime,
    });
    for (const given of [other, undefined]) {
      const failure = run({ ...contextOf(new MemoryStore()), encoder: given });
      await expect(failure).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/^encoder: /),
      });
    }
  });

  test('is asked for by an encoder in the settings alone', () => {
    expect(stagesOf(tinySettings)).not.toContain('linearProbe');
    expect(stagesOf(settings)).toEqual(['linearProbe']);
    const beside = settings.encoder && { ...settings.encoder, alone: false };
    expect(stagesOf({ ...settings, encoder: beside })).toContain('scratch');
  });

  test('another encoder makes other outcomes, of self-training too', async () => {
    const fingerprintOf = async (fingerprint: string | undefined) => {
      const given = settings.encoder && fingerprint ? { ...settings.encoder, fingerprint } : undefined;
      const context = { settings: { ...settings, encoder: given }, data };
      const fingerprints = new Fingerprints(context, { stages: [encoderHeadStage, selfTrainStage] });
      return [await fingerprints.of(encoderHeadStage, 0), await fingerprints.of(selfTrainStage, 0)];
    };
    const [one, other, none] = [
      await fingerprintOf('a'),
      await fingerprintOf('b'),
      await fingerprintOf(undefined),
    ];
    expect(new Set([one[0], other[0]]).size).toBe(2);
    expect(new Set([one[1], other[1], none[1]]).size).toBe(3);
  });
});

describe('a backbone of this package as an encoder', () => {
  test.each(sampleSizes)('of images of %i×%i×%i: its features, of length 1', async (...size) => {
    const [height, width, channels] = size;
    const trained = sampleClassifier('compact', size);
    const images = imagesInMemory({ name: 'g', pixels: sampleImages(3, size).data, height, width, channels });
    const { blocks } = trained.network;
    const set = { title: 'features', images };
    const expected = await computeFeatures(trained.network, trained.weights, blocks.length, set, { runtime });
    const bytes = exportEncoder(trained);
    await using own = await openEncoder('own.onnx', bytes, { runtime });
    expect(own.input).toEqual({ height, width, channels });
    // A classifier that it becomes a part of has the same input as every other.
    expect(own.graphFor(images).images).toBe('images');
    const { data: rows } = await own.describe(images);
    const d = own.dimensions;
    for (let n = 0; n < 3; n++) {
      const row = expected.data.subarray(n * d, (n + 1) * d);
      const length = Math.hypot(...row);
      row.forEach((value, i) => {
        expect(rows[n * d + i]).toBeCloseTo(value / length, 4);
      });
    }
    await using part = await openEncoder('part.onnx', exportEncoder({ ...trained, blocks: 2 }), { runtime });
    expect(part.dimensions).toBe(trained.network.blocks[1]?.outputShape[0]);
  });

  test('has no more blocks than it has', () => {
    expect(() => exportEncoder({ ...sampleClassifier('compact', [28, 28, 1]), blocks: 4 })).toThrow(/1 to 3/);
  });
});
