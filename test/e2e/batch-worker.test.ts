import { describe, expect, test } from 'vitest';
import { BatchWorker } from '../../src/data/batch-worker.node.js';
import { imagesInMemory } from '../../src/data/image-source.js';
import { useBatchPrograms } from '../support/batch-programs.js';
import { byNight } from '../support/nightly.js';

const outputOf = useBatchPrograms();

describe('a worker', () => {
  test('makes the batches that are made here, bit for bit, of any source and size, in ordinary memory', async () => {
    const printed = await outputOf(`
      const some = selectImages(source, Random.seeded(1).permutation(500).subarray(0, 400), { name: 'some' });
      const makers = [source, some, rotatedCopies(some)].map((images) => [images, worker.makerFor(images)]);
      print(makers.map(([, { ahead }]) => ahead));
      const requests = [1, 3, 128].map((length, seed) => requestOf(seed, length));
      requests[2][0].indices = requests[2][0].indices.map((index) => index % 400);
      for (const [images, maker] of makers) {
        for (const request of requests) {
          const fitting = request.map((part) => ({ ...part, indices: part.indices.map((at) => at % images.count) }));
          const made = await maker.make(fitting);
          print([same(made, await makeBatch(images, fitting)), made.data.buffer instanceof ArrayBuffer]);
        }
      }
      const many = await Promise.all([1, 2, 3].map((seed) => makers[0][1].make(requestOf(seed))));
      print(await Promise.all(many.map(async (made, i) => same(made, await makeBatch(source, requestOf(i + 1))))));
      for (const [, maker] of makers) await maker.release();
      await worker.release();
      print(notes);
    `);
    expect(printed).toEqual([
      [2, 2, 2],
      ...Array.from({ length: 9 }, () => [true, true]),
      [true, true, true],
      [],
    ]);
  });

  test('keeps no process alive that waits for nothing, and every one that waits', async () => {
    const printed = await outputOf(`
      const maker = worker.makerFor(source);
      print((await maker.make(requestOf(1))).shape);
      maker.make(requestOf(2)).then(({ shape }) => print(shape));
    `);
    expect(printed).toEqual([
      [256, 28, 28, 1],
      [256, 28, 28, 1],
    ]);
    expect(await outputOf(`worker.makerFor(source); print('started and never asked');`)).toHaveLength(1);
  });

  test('hands on what is wrong with a request, and goes on', async () => {
    const printed = await outputOf(`
      const maker = worker.makerFor(source);
      await maker.make([{ indices: Uint32Array.of(500) }])
        .catch(({ name, code, message }) => print([name, code, message]));
      print((await maker.make(requestOf(1))).shape);
      await worker.release();
    `);
    expect(printed).toEqual([
      ['QuarterturnError', 'usage', 'digits: expected image indices from 0 to 499. Received: 500.'],
      [256, 28, 28, 1],
    ]);
  });

  test('that was released says so to whoever waits, and leaves no rejection unheard', async () => {
    const printed = await outputOf(`
      const maker = worker.makerFor(source);
      await maker.make(requestOf(1));
      const pending = maker.make(requestOf(2));
      pending.catch(({ name, code, message }) => print([name, code, message]));
      await new Promise(setImmediate);
      await worker.release();
      await maker.make(requestOf(3)).catch(({ code }) => print(code));
      await maker.release();
      await worker.release();
    `);
    const message = 'batches: expected a worker. Received: one that was released.';
    const [first, ...rest] = printed;
    // It may have been made before.
    if (Array.isArray(first))
      expect([first, ...rest]).toEqual([['QuarterturnError', 'runtime', message], 'runtime']);
    else expect(printed).toEqual(['runtime']);
  });

  test('that ends says so to whoever waits and whoever asks later', async () => {
    const printed = await outputOf(`
      import { Worker } from 'node:worker_threads';
      let thread;
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (...message) {
        thread = this;
        postMessage.apply(this, message);
      };
      const maker = worker.makerFor(source);
      const say = ({ name, code, message }) => print([name, code, message]);
      await maker.make(requestOf(1));
      await Promise.all([maker.make(requestOf(2)).catch(say), thread.terminate()]);
      await maker.make(requestOf(3)).catch(say);
      await maker.release();
      await worker.release();
      print(notes);
    `);
    const error = [
      'QuarterturnError',
      'runtime',
      'batches: expected a thread to make them. Received: one that ended.',
    ];
    expect(printed).toEqual([error, error, []]);
  });

  test('that cannot open a source says so to whoever asks for its batches, and goes on with others', async () => {
    const printed = await outputOf(`
      // Half an image, and a file that is not there.
      const half = () => ({ ...source.share(), pixels: new Uint8Array(new SharedArrayBuffer(392)) });
      const gone = () => ({ kind: 'packed', name: 'photos', path: './gone.u8', count: 500, height: 28, width: 28, channels: 1 });
      const whole = worker.makerFor(source);
      for (const share of [half, gone]) {
        const broken = worker.makerFor({ ...source, share });
        await broken.make(requestOf(1)).catch(({ name, code, message }) => print([name, code, message]));
        await broken.release();
      }
      print(same(await whole.make(requestOf(3)), await makeBatch(source, requestOf(3))));
      await worker.release();
      print(notes);
    `);
    expect(printed).toEqual([
      ['QuarterturnError', 'shape', 'digits: expected whole images of 28×28×1. Received: 392 bytes.'],
      ['QuarterturnError', 'io', './gone.u8: expected packed images. Received: ENOENT.'],
      true,
      [],
    ]);
  });

  test('reads images that lie in a file for itself, and lets go of it', async () => {
    const printed = await outputOf(`
      import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
      import { openPackedImages } from './src/data/cache/packed-images.node.js';
      writeFileSync('./images.u8', pixels);
      const file = { path: './images.u8', count: 500, height: 28, width: 28, channels: 1 };
      const packed = await openPackedImages(file, { name: 'packed', maxBytesInMemory: 0 });
      const some = selectImages(packed, Random.seeded(1).permutation(500).subarray(0, 300), { name: 'some' });
      const places = () => readdirSync('/proc/self/fd').filter((fd) => {
        try { return readlinkSync('/proc/self/fd/' + fd).endsWith('images.u8'); } catch { return false; }
      }).length;
      for (const images of [packed, some, rotatedCopies(some)]) {
        const maker = worker.makerFor(images);
        const results = [];
        for (const length of [1, 3, 128]) {
          const request = requestOf(length, length).map((part) => ({ ...part, indices: part.indices.map((at) => at % images.count) }));
          results.push(same(await maker.make(request), await makeBatch(images, request)));
        }
        print([maker.ahead, ...results]);
        await maker.release();
      }
      // Told to the thread in order: when this batch is there, the others are closed.
      const last = worker.makerFor(source);
      await last.make(requestOf(1));
      if (process.platform === 'linux') {
        for (let tries = 0; places() > 1 && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
        print(places());
      } else print(1);
      await worker.release();
      await packed.close();
    `);
    expect(printed).toEqual([...Array.from({ length: 3 }, () => [2, true, true, true]), 1]);
  });

  test('holds the pile once, however many sources and threads there are', async () => {
    const [megabytes] = await outputOf(`
      import { setFlagsFromString } from 'node:v8';
      import { runInNewContext } from 'node:vm';
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc');
      const held = () => {
        collect();
        return process.memoryUsage().arrayBuffers / 1e6;
      };
      const before = held();
      const size = { height: 28, width: 28, channels: 1 };
      const pile = imagesInMemory({ name: 'pile', pixels: new Uint8Array(60000 * 784), ...size });
      const part = selectImages(pile, Random.seeded(1).permutation(60000).subarray(0, 59900));
      for (const images of [pile, part, rotatedCopies(part)]) await worker.makerFor(images).make(requestOf(1));
      // Memory is given back in the background.
      for (let i = 0; i < 50 && held() - before > 50; i++) await new Promise((resolve) => setTimeout(resolve, 20));
      print(held() - before);
      await worker.release();
    `);
    // 47 MB, and some batches and indices.
    expect(megabytes).toBeLessThan(50);
    expect(megabytes).toBeGreaterThan(46);
  });

  test.runIf(byNight)(
    'leaves a whole run as it is, also one that was stopped in the middle and goes on',
    async () => {
      const printed = await outputOf(`
      import { createHash } from 'node:crypto';
      import { MemoryStore, startRun } from './src/index.js';
      import { createNodeRuntime } from './src/node.js';
      import { tinyPictures, tinySettings } from './test/support/tiny-run.js';
      const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
      const data = { train: tinyPictures('train', 200), test: tinyPictures('test', 60), origin: 'made', checksums: {} };
      const settings = { ...tinySettings, draws: 1 };
      const go = (store, batchMakerFor, { signal, emit = () => {} } = {}) =>
        startRun({ settings, data, runtime, store, emit, batchMakerFor, signal }).result;
      const hashOf = async (store) => {
        const hash = createHash('sha256');
        for (const name of ['pretrain', 'scratch', 'finetune', 'selfTrain', 'baseline']) {
          const { tensors } = await store.loadCheckpoint(name);
          for (const [leaf, { data }] of Object.entries(tensors)) {
            hash.update(name + leaf).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
          }
        }
        return hash.update(await store.readModel('classifier')).digest('hex');
      };
      const [here, ahead, stopped] = [new MemoryStore(), new MemoryStore(), new MemoryStore()];
      await go(here);
      await go(ahead, worker.makerFor);
      for (const [stage, step] of [['pretrain', 7], ['scratch', 5], ['selfTrain', 10]]) {
        const abort = new AbortController();
        const emit = (event) => {
          if (event.type === 'step' && event.stage === stage && event.step === step) abort.abort();
        };
        await go(stopped, worker.makerFor, { signal: abort.signal, emit }).catch(({ message }) => print(message));
      }
      await go(stopped, worker.makerFor);
      await worker.release();
      const [first, ...others] = await Promise.all([here, ahead, stopped].map(hashOf));
      print([others.map((hash) => hash === first), notes]);
    `);
      expect(printed).toEqual([
        'Pretraining on rotations: stopped at step 7 of 60, saved.',
        'Training from random weights on 8 labels: stopped at step 5 of 20, saved.',
        'Self-training on 192 unlabelled images: stopped at step 10 of 24, saved.',
        [[true, true], []],
      ]);
    },
  );

  test('makes batches here of images that another thread cannot read', async () => {
    const printed = await outputOf(`
      const handles = { ...source, share: undefined };
      const maker = worker.makerFor(handles);
      print([maker.ahead, same(await maker.make(requestOf(1)), await makeBatch(source, requestOf(1))), notes]);
    `);
    expect(printed).toEqual([[0, true, []]]);
  });
});

test('where no thread can be started, batches are made here, and that is said once', async () => {
  const notes: string[] = [];
  // These sources are TypeScript: there is no module that a thread could run.
  const worker = new BatchWorker({ note: (text) => notes.push(text) });
  const pixels = new Uint8Array(10 * 784).fill(7);
  const source = imagesInMemory({ name: 'ten', pixels, height: 28, width: 28, channels: 1 });
  const [one, other] = [worker.makerFor(source), worker.makerFor(source)];
  for (const maker of [one, other, one]) {
    expect((await maker.make([{ indices: Uint32Array.of(1, 2) }])).shape).toEqual([2, 28, 28, 1]);
    expect(maker.ahead).toBe(0);
    await maker.release();
  }
  expect(notes).toEqual([
    expect.stringMatching(
      /^Batches are not made ahead of their steps: no thread can be started \(one that failed \(.*batch-thread\.node\.js.*\)\)\.$/s,
    ),
  ]);
  await worker.release();
});
