import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLabelsFile } from '../src/cli/labels-file.js';
import { chosenSettings } from '../src/cli/settings.js';
import type { ImageDataset } from '../src/data/dataset.js';
import { readIdx, readIdxLabels } from '../src/data/idx.js';
import { imagesInMemory } from '../src/data/image-source.js';
import { planEncoder } from '../src/features/encoder-plan.js';
import { placesByIndex, resolveLabels } from '../src/labels/given-labels.js';
import { exportClassifier } from '../src/model/export-model.js';
import { decodeModel } from '../src/onnx/decode.js';
import { cutAt, readGraphFile } from '../src/onnx/graph-file.js';
import { Random } from '../src/random/random.js';
import { networkFor, randomFor } from '../src/recipes/context.js';
import { presets } from '../src/recipes/presets.js';
import { optimizerOf, scheduleOf, settingsOfConfig } from '../src/recipes/settings.js';
import { renderReport } from '../src/report/render-report.js';
import { readRecord } from '../src/runs/finished-run.js';
import { decodeCheckpoint, decodeJson, encodeCheckpoint } from '../src/store/checkpoint.js';
import { notStarted, progressOf } from '../src/store/progress.js';
import { RunFolder } from '../src/store/run-folder.node.js';
import { sizeOf, tensor, zeros } from '../src/tensor/tensor.js';
import { freshWeights } from '../src/train/train-step.js';
import { encodeMobileNet } from './support/encoders.js';
import { changedBytes, changedJson, fuzzRuns, readsOrRefuses } from './support/fuzz.js';
import { sampleRecord } from './support/sample-record.js';
import { idx } from './support/tiny-data.js';

/** Nothing is as slow as the first few hundred compilations; by night there is more time. */
const timeout = 60_000 * Math.max(1, fuzzRuns / 500);

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-fuzz-'));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const random = Random.seeded(1);
const pixels = Uint8Array.from({ length: 3 * 28 * 28 }, () => random.integer(256));
const images = idx([3, 28, 28], pixels);
const labels = idx([3], Uint8Array.of(7, 7, 3));
const members = [gzipSync(images.subarray(0, 1000)), gzipSync(images.subarray(1000))];

test('IDX files of images', { timeout }, async () => {
  const originals = [images, gzipSync(images), Buffer.concat(members), gzipSync(gzipSync(images)), labels];
  await readsOrRefuses(changedBytes(originals), {
    file: 'images.gz',
    read: (bytes) => readIdx('images.gz', bytes),
    check: ({ shape, data }) => expect(data.length).toBe(shape.includes(0) ? 0 : sizeOf(shape)),
  });
});

test('IDX files of labels', { timeout }, async () => {
  const shorts = Uint8Array.of(0, 0, 11, 1, 0, 0, 0, 2, 3, 0xe8, 0, 1);
  await readsOrRefuses(changedBytes([labels, gzipSync(labels), shorts, images]), {
    file: 'labels',
    read: (bytes) => readIdxLabels('labels', bytes),
    check: (values) => expect(values.every(Number.isInteger)).toBe(true),
  });
});

test('checkpoints', { timeout }, async () => {
  const state = notStarted('finetune', 0);
  const tensors = { a: tensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)), b: zeros('int32', [5]) };
  const original = encodeCheckpoint('finetune', { tensors, state });
  const reader = {
    file: 'finetune.safetensors',
    read(bytes: Uint8Array) {
      const checkpoint = decodeCheckpoint('finetune.safetensors', bytes);
      return { ...checkpoint, progress: progressOf(checkpoint, 'finetune.safetensors') };
    },
  };
  await readsOrRefuses(changedBytes([original, encodeCheckpoint('x', { tensors: {}, state: {} })]), {
    ...reader,
    check({ tensors: read, progress }) {
      for (const { shape, data } of Object.values(read)) expect(data.length).toBe(sizeOf(shape));
      expect(Number.isInteger(progress.epoch)).toBe(true);
    },
  });
  // Liars who write a whole header: its length is right, its JSON is not.
  const headerBytes = Number(new DataView(original.buffer).getBigUint64(0, true));
  const header: unknown = JSON.parse(new TextDecoder().decode(original.subarray(8, 8 + headerBytes)));
  const files = changedJson([header]).map((text) => {
    const encoded = new TextEncoder().encode(text);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(encoded.length), true);
    return Uint8Array.from([...length, ...encoded, ...original.subarray(8 + headerBytes)]);
  });
  await readsOrRefuses(files, reader);
});

test('ONNX files', { timeout }, async () => {
  const context = { settings: presets.quick };
  const network = networkFor(
    { ...presets.quick.network, width: 1 / 16 },
    { height: 28, width: 28, channels: 1 },
    10,
  );
  const weights = freshWeights(network, randomFor(context, 'fuzz'));
  const model = exportClassifier({
    network,
    weights,
    classNames: Array.from({ length: 10 }, (_, k) => `${k}`),
  });
  await readsOrRefuses(changedBytes([model, model.subarray(0, 400)]), {
    file: 'classifier.onnx',
    read: (bytes) => decodeModel('classifier.onnx', bytes),
  });
});

test('a frozen network, and what is found out of it', { timeout }, async () => {
  const exported = new Uint8Array(
    await fs.readFile(new URL('golden/exported-encoder.onnx', import.meta.url)),
  );
  await readsOrRefuses(changedBytes([exported, encodeMobileNet()]), {
    file: 'encoder.onnx',
    read(bytes) {
      const graph = readGraphFile('encoder.onnx', bytes);
      return cutAt(graph, planEncoder('encoder.onnx', graph, {}).output);
    },
  });
});

test('config.json of a run, and what is made of its settings', { timeout }, async () => {
  const documents = Object.values(presets).map((preset) => ({ startedAt: 'today', ...preset }));
  await readsOrRefuses(changedJson(documents), {
    file: 'config.json',
    read: (text) => settingsOfConfig(decodeJson('config.json', text), 'config.json'),
    check(settings) {
      const { pretrain, finetune, selfTrain, baseline } = settings;
      for (const stage of [pretrain, finetune, baseline, ...(selfTrain ? [selfTrain] : [])]) {
        expect(Number.isFinite(scheduleOf(stage, 100)(99))).toBe(true);
        expect(optimizerOf(stage)).toBeDefined();
      }
      const size = { height: 28, width: 28, channels: 1 };
      expect(networkFor(settings.network, size, 10).specs.length).toBeGreaterThan(0);
      expect(randomFor({ settings }, 'fuzz').uniform()).toBeLessThan(1);
      if (pretrain.grouped) expect(pretrain.batchSize % 4).toBe(0);
    },
  });
});

test('--config', { timeout }, async () => {
  const file = join(folder, 'settings.json');
  const documents = [
    { preset: 'notebook', pretrain: { batchSize: 64 } },
    { network: { width: 0.5 }, seed: 3 },
  ];
  await readsOrRefuses(changedJson(documents), {
    file,
    async read(text) {
      await fs.writeFile(file, text);
      return chosenSettings({ config: file }, 'pretrain');
    },
  });
});

test('labels files, and what is made of them', { timeout }, async () => {
  const file = join(folder, 'labels.json');
  const classNames = ['7', '8', 'Käfer'];
  const train: ImageDataset = {
    images: imagesInMemory({
      name: 'labels.json of train',
      pixels: new Uint8Array(9 * 4),
      ...{ height: 2, width: 2, channels: 1 },
    }),
    ...{ labels: Int32Array.from({ length: 9 }, (_, i) => i % 3), classNames },
  };
  const whole = {
    data: { origin: 'here', checksums: { 'train-images': 'aa' } },
    images: classNames.map((label, index) => ({ index, label })),
  };
  const bare = { images: [0, 1, 2, 3].map((index) => ({ index, label: index === 0 ? 7 : null })) };
  await readsOrRefuses(changedJson([whole, bare]), {
    file: 'labels',
    async read(text) {
      await fs.writeFile(file, text);
      const given = await readLabelsFile(file);
      const places = placesByIndex({ train, checksums: { 'train-images': 'aa' } }, given);
      return resolveLabels(train, { places, classNames });
    },
    check({ indices, classes }) {
      expect(classes.length).toBe(indices.length);
      expect(new Set(classes)).toEqual(new Set([0, 1, 2]));
      expect(Math.max(...indices)).toBeLessThan(9);
    },
  });
});

test('what the inputs are made by breaks most files and leaves some whole', async () => {
  // Inputs of which all are refused at their first byte, or none, would find nothing.
  const outcomes = async <T>(inputs: fc.Arbitrary<T>, read: (input: T) => unknown) => {
    const results = fc.sample(inputs, { numRuns: 300, seed: 1 }).map(async (input) => {
      await read(input);
    });
    const settled = await Promise.allSettled(results);
    return settled.filter(({ status }) => status === 'fulfilled').length / settled.length;
  };
  const whole = await outcomes(changedBytes([images, gzipSync(images)]), (bytes) => readIdx('f', bytes));
  const json = await outcomes(changedJson([presets.quick]), (text) =>
    settingsOfConfig(decodeJson('f', text), 'f'),
  );
  for (const share of [whole, json]) {
    expect(share).toBeGreaterThan(0.01);
    expect(share).toBeLessThan(0.8);
  }
});

test('what a report is made from, and the page', { timeout }, async () => {
  const path = join(folder, 'run');
  await fs.mkdir(path);
  const { config, epochs, result, exhibits } = sampleRecord();
  // Pictures are most of it, and are looked at one as the other.
  const grids = exhibits.grids.slice(0, 1).map((grid) => ({ ...grid, tiles: grid.tiles.slice(0, 1) }));
  const documents = {
    'config.json': config,
    'metrics.jsonl': epochs[0]!,
    'result.json': result,
    'exhibits.json': { ...exhibits, grids },
  };
  const write = (name: string, text: string) => fs.writeFile(join(path, name), `${text}\n`);
  for (const [name, value] of Object.entries(documents)) await write(name, JSON.stringify(value));
  const run = await RunFolder.open(path, { readOnly: true });
  const changed = fc
    .constantFrom(...Object.entries(documents))
    .chain(([name, value]) => changedJson([value]).map((text) => ({ name, value, text })));
  await readsOrRefuses(changed, {
    dailyShare: 0.3,
    file: path,
    async read({ name, value, text }) {
      await write(name, text);
      const record = await readRecord(run).finally(() => write(name, JSON.stringify(value)));
      return { text, page: renderReport(record) };
    },
    // What nobody wrote there must not come about.
    check({ text, page }) {
      for (const word of ['NaN', 'undefined', '[object ']) {
        if (!text.includes(word)) expect(page).not.toContain(word);
      }
    },
  });
});
