import { beforeAll, expect, it } from 'vitest';
import { tinyPictures, tinySettings } from '../../../test/support/tiny-run.js';
import type { DataSource, ImageDataset } from '../../data/dataset.js';
import { imagesInMemory, readRange } from '../../data/image-source.js';
import { loadClassifier } from '../../model/load-classifier.js';
import { probabilitiesAt } from '../../model/temperature.js';
import { Random } from '../../random/random.js';
import { renderReport } from '../../report/render-report.js';
import { createNodeRuntime } from '../../runtime/node.js';
import type { Runtime } from '../../runtime/runtime.js';
import { MemoryStore } from '../../store/checkpoint.js';
import { exhibitsSchema } from '../../store/exhibits-record.js';
import type { RunEvent } from '../../store/run-event.js';
import { resultSchema } from '../../store/run-record.js';
import { computeLogits } from '../../train/evaluate.js';
import { readWeights } from '../../train/state.js';
import { networkFor } from '../context.js';
import { evaluateRun, run } from '../run.js';
import { mixtureName, mixtureStage } from './mixture-stage.js';
import { stageFacts } from './registry.js';

/** The tiny pictures behind so much noise that whoever learned from a few of them is often wrong. */
async function noisyPictures(name: string, count: number): Promise<ImageDataset> {
  const { images, ...labelled } = tinyPictures(name, count);
  const { data } = await readRange(images, 0, count);
  const random = Random.seeded(4).split(name);
  const pixels = data.map((value) => 0.2 * value + random.uniform(0, 204));
  const { height, width, channels } = images;
  return { ...labelled, images: imagesInMemory({ name, pixels, height, width, channels }) };
}

let runtime: Runtime;
let data: DataSource;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const [train, test] = [await noisyPictures('train', 120), await noisyPictures('test', 60)];
  data = { train, test, origin: 'made for this test', checksums: { images: 'abc' } };
});

it('a mixture is kept, saved, evaluated and exported as any classifier is', async () => {
  const store = new MemoryStore();
  const events: RunEvent[] = [];
  const selfTrain = tinySettings.selfTrain && { ...tinySettings.selfTrain, start: 'finetune' as const };
  const settings = { ...tinySettings, draws: 1, selfTrain };
  const context = { settings, data, runtime, store, emit: (event: RunEvent) => events.push(event) };
  const result = await run(context);
  expect(result.evidence.map(({ stage }) => stage)).toEqual(['finetune', 'selfTrain', mixtureName]);
  expect(result.final?.stage).toBe(mixtureName);
  const { test, members = [] } = result.mixture ?? {};
  expect(test).toEqual(result.final?.test);
  expect(members.map(({ stage }) => stage)).toEqual(['finetune', 'selfTrain']);
  expect(members.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(result.ladder.map(({ figure }) => figure).at(-1)).toBe('mixture');

  // Its checkpoint has the weights of both and the shares; the file says what they say together.
  const checkpoint = await store.loadCheckpoint(mixtureName);
  const weights = readWeights(checkpoint?.tensors ?? {});
  const network = networkFor(settings.network, data.train.images, 2);
  const mixture = mixtureStage.networkOf?.(network) ?? network;
  expect(Object.keys(weights).sort()).toEqual(mixture.specs.map(({ name }) => name).sort());
  const { images } = data.test ?? data.train;
  const logits = await computeLogits(mixture, weights, { title: 'test', images }, { runtime });
  const expected = probabilitiesAt(logits, 2, result.calibration?.temperature ?? 1);
  const file = await store.readModel('classifier');
  await using classifier = await loadClassifier('classifier.onnx', file ?? new Uint8Array(), { runtime });
  const found = await classifier.classify(images);
  expected.forEach((p, i) => {
    expect(found[i]).toBeCloseTo(p, 4);
  });

  // A second run trains nothing, and an evaluation finds the same.
  events.length = 0;
  expect((await run(context)).final).toEqual(result.final);
  expect(events.filter(({ type }) => type === 'step')).toEqual([]);
  expect((await evaluateRun(context)).final).toEqual(result.final);
  const record = {
    config: { ...((await store.readJson('config')) as object) },
    result: resultSchema.parse(await store.readJson('result')),
    exhibits: exhibitsSchema.parse(await store.readJson('exhibits')),
    epochs: await store.readEpochs(),
  };
  expect(renderReport({ ...record, stages: stageFacts } as never)).toMatch(
    /Shares in the mixture.*Fine-tuning on the labels \d+\s%/s,
  );
});
