import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { byNight } from '../../test/support/nightly.js';
import { pixelsOf } from '../../test/support/pixels.js';
import { tinyPictures, tinySettings } from '../../test/support/tiny-run.js';
import type { DataSource, ImageDataset } from '../data/dataset.js';
import { imagesInMemory } from '../data/image-source.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { MemoryStore } from '../store/checkpoint.js';
import type { RunEvent } from '../store/run-event.js';
import type { RunResult } from '../store/run-record.js';
import { checkpointName } from '../train/loop.js';
import { readDoubts } from './doubts.js';
import { evaluateRun, run } from './run.js';
import type { RunSettings } from './settings.js';
import { stagesOf } from './stages/registry.js';

const tiny = tinySettings;

const data: DataSource = {
  train: tinyPictures('train', 200),
  test: tinyPictures('test', 60),
  origin: 'made for this test',
  checksums: {},
};

/** Figures of a finished run: without its name, and without what time and memory it took. */
async function figuresIn(store: MemoryStore) {
  const { run: _, ...result } = (await store.readJson('result')) as RunResult;
  const { durationMs: _d, trainImagesPerSecond: _t, peakMemoryBytes: _p, ladder, ...figures } = result;
  return { ...figures, ladder: ladder.map(({ durationMs: _l, ...step }) => step) };
}

describe('run', () => {
  let runtime: Runtime;
  /** What a whole run of `tiny` left. */
  const store = new MemoryStore('run');
  let result: RunResult;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    result = await run({ settings: tiny, data, runtime, store, emit: () => {} });
  });

  it('learns the pretext task and the classes, and leaves everything in the store', async () => {
    expect(result.pretext!.test!.accuracy).toBeGreaterThan(0.9);
    expect(result.fineTune!.test!.accuracy).toBeGreaterThan(0.9);
    expect(result.draws).toHaveLength(2);
    expect(result.selfTrain!.test!.accuracy).toBeGreaterThan(0.9);
    expect(result.final!.test).toEqual(
      (result.final!.stage === 'selfTrain' ? result.selfTrain! : result.fineTune!).test,
    );
    expect(result.ladder.map(({ step, test }) => [step, test.accuracy])).toEqual([
      ['baseline, as in the notebook', result.baseline!.test!.accuracy],
      ['+ re-estimated statistics', result.baselineReestimated!.test!.accuracy],
      ['+ augmentation', result.scratch!.test!.accuracy],
      ['rotation pretraining, then the labels', result.fineTune!.test!.accuracy],
      ['+ self-training', result.selfTrain!.test!.accuracy],
    ]);
    // 2 × 8 baseline; 10 × 8 from random weights; 3 × 20 × 16 pretraining and 10 × 8 fine-tuning; 3 × 8 × (8 + 2 × 12)
    // self-training after those from random weights.
    expect(result.ladder.map(({ imagesTrained }) => imagesTrained)).toEqual([16, 16, 80, 1040, 848]);
    const selfTrained = (await store.readEpochs()).filter((r) => r.stage === 'selfTrain' && r.draw === 0);
    expect(selfTrained.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 8],
      [2, 16],
      [3, 24],
    ]);
    for (const { pile, val } of selfTrained) {
      expect(val).toBeUndefined();
      expect(pile!.information).toBeLessThanOrEqual(Math.LN2);
      expect(pile!.agreement).toBeGreaterThan(0.5);
      expect(pile!.smallestClass).toBeLessThanOrEqual(0.5);
    }
    expect(await store.readJson('result')).toEqual(result);
    const judged = { labels: 8, checked: 8, judges: [expect.stringMatching(/^[a-z]/), 'neighbours'] };
    expect(await readDoubts(store)).toMatchObject(judged);
    expect((await store.readEpochs()).filter((r) => r.stage === 'pretrain').map((r) => r.epoch)).toEqual([
      1, 2, 3,
    ]);
    const model = await runtime.load((await store.readModel('classifier'))!);
    for (const count of [1, 7]) {
      const images = await pixelsOf(data.test!.images, count);
      const out = await model.run({ images: { dtype: 'uint8', shape: [count, 12, 12, 1], data: images } });
      expect(out.probabilities!.shape).toEqual([count, 2]);
      const rows = out.probabilities!.data as Float32Array;
      for (let i = 0; i < count; i++) expect(rows[2 * i]! + rows[2 * i + 1]!).toBeCloseTo(1, 5);
    }
  });

  const resumed = [
    // Where it is stopped, and after how many steps more.
    ['finetune', 1, { Pretraining: 4, 'Fine-tuning': 61, 'Self-training': 22, 'Supervised baseline': 19 }],
    [
      'scratch',
      2,
      {
        ...{ Pretraining: 4, 'Fine-tuning': 61, 'Training from random weights': 22, 'Self-training': 22 },
        ...{ 'Supervised baseline': 17, 'Self-training .*, draw 1': 50 },
      },
    ],
  ] as const;
  // kill-and-resume.test.ts stops a run like the first of them.
  it.each(resumed.filter(([start]) => byNight || start === 'scratch'))(
    'goes on where it was stopped and ends in the same weights, bit for bit: self-training from %s',
    async (start, draws, stops) => {
      const settings = { ...tiny, draws, selfTrain: { ...tiny.selfTrain!, start } };
      const isTiny = isDeepStrictEqual(settings, tiny);
      const whole = isTiny ? store : new MemoryStore('whole');
      if (!isTiny) await run({ settings, data, runtime, store: whole, emit: () => {} });

      const stopped = new MemoryStore('stopped');
      const goOn = (stopAfter = Number.POSITIVE_INFINITY) => {
        const abort = new AbortController();
        let steps = 0;
        const emit = (event: { type: string }) => {
          if (event.type === 'step' && ++steps === stopAfter) abort.abort();
        };
        return run({ settings, data, runtime, store: stopped, emit, signal: abort.signal });
      };
      for (const [name, steps] of Object.entries(stops)) {
        const message = expect.stringMatching(`^${name}.*: stopped at step`);
        await expect(goOn(steps)).rejects.toMatchObject({ code: 'interrupted', message });
      }
      await goOn();
      for (const stage of stagesOf(settings)) {
        for (let draw = 0; draw < (stage === 'pretrain' ? 1 : draws); draw++) {
          const name = checkpointName(stage, draw);
          const [a, b] = [await whole.loadCheckpoint(name), await stopped.loadCheckpoint(name)];
          expect(b!.tensors, name).toEqual(a!.tensors);
        }
      }
      const withoutTimes = async (store: MemoryStore) =>
        (await store.readEpochs()).map(
          ({ durationMs: _d, waitMs: _w, imagesPerSecond: _i, ...rest }) => rest,
        );
      expect(await withoutTimes(stopped)).toEqual(await withoutTimes(whole));
      expect(await figuresIn(stopped)).toEqual(await figuresIn(whole));
    },
  );

  it('fine-tunes augmented images behind frozen blocks, which stay as they were', async () => {
    const store = new MemoryStore('frozen');
    const settings = {
      ...tiny,
      draws: 1,
      network: { ...tiny.network, backbone: 'rotnet' as const },
      finetune: { ...tiny.finetune, frozenBlocks: 2, reestimate: false },
    };
    const stages = ['pretrain', 'finetune'] as const;
    const result = await run({ settings, data, runtime, store, emit: () => {} }, { stages });
    expect(result.fineTune!.test!.accuracy).toBeGreaterThan(0.75);
    const [pretrained, tuned] = [
      await store.loadCheckpoint('pretrain'),
      await store.loadCheckpoint('finetune'),
    ];
    expect(Object.keys(tuned!.tensors).filter((name) => /block[12]/.test(name))).toEqual([]);
    expect(tuned!.tensors['block3.conv1.kernel']).not.toEqual(pretrained!.tensors['block3.conv1.kernel']);
  });

  it('refuses to freeze more blocks than the backbone has, before anything is written', async () => {
    const store = new MemoryStore('refused');
    const settings = { ...tiny, finetune: { ...tiny.finetune, frozenBlocks: 4 } };
    await expect(run({ settings, data, runtime, store, emit: () => {} })).rejects.toMatchObject({
      code: 'usage',
      message: 'finetune.frozenBlocks: expected at most 3, the blocks of the backbone compact. Received: 4.',
    });
    expect(await store.readJson('config')).toBeUndefined();
  });

  it.each([
    ['selfTrain', ['selfTrain']],
    ['finetune', ['finetune', 'scratch', 'selfTrain']],
  ] as const)('goes on without a stage whose loss is no number: %s', async (wrong, failed) => {
    const told: RunEvent[] = [];
    const emit = (event: RunEvent) => {
      if (event.type === 'stage-failed') told.push(event);
    };
    // Weights grow a thousand million times at each step.
    const schedule = { kind: 'constant', learningRate: 1e9 } as const;
    const optimizer = { kind: 'sgd', momentum: 0, weightDecay: 1 } as const;
    const settings = { ...tiny, draws: 1, [wrong]: { ...tiny[wrong]!, schedule, optimizer } };
    const store = new MemoryStore('diverged');
    const context = { settings, data, runtime, store, emit };
    const result = await run(context);
    expect(result.failures.map(({ stage }) => stage)).toEqual(
      failed.filter((s) => s !== 'selfTrain' || wrong === s),
    );
    expect(result.selfTrain).toBeNull();
    expect(told).toEqual(result.failures.map((failure) => ({ type: 'stage-failed', ...failure })));
    expect((await store.readModel('classifier')) !== undefined).toBe(result.final !== null);
    if (wrong === 'selfTrain') expect(['finetune', 'scratch']).toContain(result.final!.stage);
    else expect(result.final).toBeNull();
    // What is evaluated again is what was reported, and a stage that failed is not tried once more.
    const { final, selfTrain, failures } = await evaluateRun(context);
    expect({ final, selfTrain, failures }).toEqual({
      final: result.final,
      selfTrain: null,
      failures: result.failures,
    });
    const events: string[] = [];
    await run({ ...context, emit: (event) => events.push(event.type) });
    expect(events).not.toContain('step');
  });

  it('is evaluated by the names of its stages, and not on other classes or labels of other images', async () => {
    const titles: string[] = [];
    const context = { settings: tiny, data, runtime, store };
    await evaluateRun({
      ...context,
      emit: (event) => event.type === 'evaluated' && titles.push(event.title),
    });
    for (const network of ['fine-tuned', 'from random weights', 'self-trained']) {
      for (const images of ['labelled images', 'test images'])
        expect(titles).toContain(`${network}, ${images}`);
    }
    const classNames = ['corner', 'side'];
    const { train, test } = data;
    const renamed = { ...data, train: { ...train, classNames }, test: { ...test!, classNames } };
    await expect(evaluateRun({ ...context, data: renamed })).rejects.toMatchObject({
      code: 'data',
      message:
        "made for this test: expected images of the run's classes, corner, edge. Received: images of corner, side.",
    });
    const labels = { data: null, images: [{ image: '0'.repeat(32), label: 'edge' }] };
    await expect(evaluateRun({ ...context, settings: { ...tiny, labels } })).rejects.toMatchObject({
      code: 'data',
      message: 'labels: expected images of train. Received: 1 label, of an image that is not there.',
    });
  });

  it('is only evaluated, where it was stopped while labels were held back', async () => {
    const store = new MemoryStore('teacher');
    const abort = new AbortController();
    const context = { settings: { ...tiny, draws: 1 }, data, runtime, store };
    const emit = (event: RunEvent) => {
      if (event.type === 'pass' && event.title === 'training from random weights with labels held back')
        abort.abort();
    };
    await expect(run({ ...context, emit, signal: abort.signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
    const before = await store.readJson('evidence');
    const events: RunEvent[] = [];
    const figures = await evaluateRun({ ...context, emit: (event) => events.push(event) });
    expect(figures.final).toEqual({ stage: 'finetune', test: figures.fineTune!.test });
    expect(figures.scratch).not.toBeNull();
    expect(events.filter(({ type }) => type === 'step')).toEqual([]);
    expect(await store.readJson('evidence')).toEqual(before);
  });

  it('never keeps what ended at a finite loss and learned nothing', async () => {
    const schedule = { kind: 'constant', learningRate: 1e6 } as const;
    const settings = { ...tiny, draws: 1, selfTrain: { ...tiny.selfTrain!, schedule } };
    const store = new MemoryStore('lost');
    const result = await run({ settings, data, runtime, store, emit: () => {} });
    const worst = Math.min(...result.evidence.map(({ found }) => found));
    if (result.selfTrain) {
      expect(result.evidence.find(({ stage }) => stage === 'selfTrain')!.found).toBe(worst);
    } else expect(result.failures[0]!.stage).toBe('selfTrain');
    expect(result.final!.stage).not.toBe('selfTrain');
    expect(result.final!.test!.accuracy).toBeGreaterThan(0.9);
  });

  /** Classes that brightness tells and no edge does: neighbours by gradients have the same edges. */
  const toned = (source: ImageDataset): ImageDataset => {
    const { name, count, height, width, channels } = source.images;
    const random = Random.seeded(count);
    const pixels = Uint8Array.from({ length: count * height * width }, (_, at) => {
      const label = source.labels![Math.floor(at / (height * width))]!;
      return (label === 0 ? 60 : 160) + random.integer(40);
    });
    return { ...source, images: imagesInMemory({ name, pixels, height, width, channels }) };
  };
  const untold = { ...data, train: toned(data.train), test: toned(data.test!) };

  it('compares images by the pretrained network where it finds more labels, and resumed, by the same', async () => {
    const settings = {
      ...{ ...tiny, draws: 1, labelsPerClass: 10 },
      pretrain: { ...tiny.pretrain, epochs: 1, stepsPerEpoch: 5 },
      finetune: { ...tiny.finetune, epochs: 3 },
      selfTrain: { ...tiny.selfTrain!, epochs: 2 },
    };
    const stages = ['pretrain', 'scratch', 'selfTrain'];
    const teachers: unknown[] = [];
    const trained = async (stopAt: number | undefined) => {
      const store = new MemoryStore('described');
      const abort = new AbortController();
      const emit = (event: RunEvent) => {
        if (event.type === 'teacher-chosen') teachers.push([event.teacher, event.found]);
        if (event.type === 'step' && event.stage === 'selfTrain' && event.step === stopAt) abort.abort();
      };
      const context = { settings, data: untold, runtime, store, emit };
      if (stopAt !== undefined)
        await expect(run({ ...context, signal: abort.signal }, { stages })).rejects.toThrow('stopped');
      const { description } = await run(context, { stages });
      return { description, tensors: (await store.loadCheckpoint('selfTrain'))!.tensors };
    };
    const whole = await trained(undefined);
    const { chosen, compared } = whole.description!;
    expect([chosen, ...compared.map(({ kind }) => kind)]).toEqual(['rotations', 'gradients', 'rotations']);
    expect(compared[0]!.found).toBeLessThan(compared[1]!.found);
    expect(await trained(10)).toEqual(whole);
    // The sample is all of so small a pile: the teacher is chosen by the same graph.
    expect(teachers).toEqual(Array(2).fill(['neighbours', compared[1]!.found]));
  });

  it('uses views if neighbours do not recover the held-back labels', async () => {
    const chosen: RunEvent[] = [];
    const emit = (event: RunEvent) => {
      if (event.type === 'teacher-chosen') chosen.push(event);
    };
    const settings = { ...tiny, draws: 1, labelsPerClass: 10 };
    const trained = async (teacher: 'neighbours' | 'views') => {
      const selfTrain = { ...tiny.selfTrain!, teacher };
      const store = new MemoryStore(teacher);
      const context = { settings: { ...settings, selfTrain }, data: untold, runtime, store, emit };
      const result = await run(context, { stages: ['scratch', 'selfTrain'] });
      expect(result.evidence.find(({ stage }) => stage === 'selfTrain')!.teacher).toBe('views');
      const taught = (await store.readEpochs()).filter(({ stage }) => stage === 'selfTrain');
      expect(taught.length).toBeGreaterThan(0);
      return (await store.loadCheckpoint(checkpointName('selfTrain', 0)))!.tensors;
    };
    const untrusted = await trained('neighbours');
    const found = expect.any(Number);
    const rival = { stage: 'scratch', found, of: 20 };
    expect(chosen).toEqual([{ type: 'teacher-chosen', draw: 0, teacher: 'views', found, of: 20, rival }]);
    expect(untrusted).toEqual(await trained('views'));
  });

  it('stops self-training that runs together into one class, says so, and keeps the fine-tuned classifier', async () => {
    const store = new MemoryStore('collapsed');
    const stops: RunEvent[] = [];
    const emit = (event: RunEvent) => {
      if (event.type === 'stopped-early') stops.push(event);
    };
    const settings: RunSettings = {
      ...tiny,
      draws: 1,
      selfTrain: {
        ...tiny.selfTrain!,
        start: 'finetune',
        teacher: 'views',
        epochs: 4,
        schedule: { kind: 'constant', learningRate: 1 },
        // Nothing but its own opinion to learn from, however unsure it is.
        labelWeight: 0,
        informationWeight: 0,
        pseudoLabelWeight: 5,
        threshold: 0,
        averageDecay: 0.5,
      },
    };
    const context = { settings, data, runtime, store, emit };
    const result = await run(context, { stages: ['pretrain', 'finetune', 'selfTrain'] });
    const epochs = (await store.readEpochs()).filter((r) => r.stage === 'selfTrain');
    expect(epochs.length).toBeLessThan(4);
    expect(epochs.at(-1)!.pile!.smallestClass).toBeLessThan(0.05);
    const { epoch, pile } = epochs.at(-1)!;
    const { smallestClass } = pile!;
    const at = { stage: 'selfTrain', draw: 0, epoch, reason: 'collapsed', smallestClass };
    expect(stops).toEqual([{ type: 'stopped-early', ...at }]);
    expect(result.selfTrain!.test!.accuracy).toBeLessThan(0.75);
    expect(result.final).toEqual({ stage: 'finetune', test: result.fineTune!.test });
    expect(result.draws[0]!.final).toEqual(result.fineTune!.test);

    // What was stopped is finished: going on trains nothing, and leaves the same.
    const before = await figuresIn(store);
    const events: string[] = [];
    await run({ ...context, emit: (event) => events.push(event.type) });
    expect(events).not.toContain('step');
    expect(await figuresIn(store)).toEqual(before);
    const evaluated = await evaluateRun(context);
    expect(evaluated.final).toEqual(result.final);
  });
});
