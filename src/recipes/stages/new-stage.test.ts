import { beforeAll, describe, expect, it } from 'vitest';
import { tinyPictures, tinySettings } from '../../../test/support/tiny-run.js';
import { epochOrder } from '../../data/batches.js';
import type { DataSource } from '../../data/dataset.js';
import { adam } from '../../optim/adam.js';
import { constantRate } from '../../optim/schedules.js';
import { renderReport } from '../../report/render-report.js';
import { createNodeRuntime } from '../../runtime/node.js';
import type { Runtime } from '../../runtime/runtime.js';
import { MemoryStore } from '../../store/checkpoint.js';
import { exhibitsSchema } from '../../store/exhibits-record.js';
import type { RunEvent } from '../../store/run-event.js';
import { resultSchema } from '../../store/run-record.js';
import { tensor } from '../../tensor/tensor.js';
import { computeProbabilities } from '../../train/evaluate.js';
import { checkpointName, trainStage } from '../../train/loop.js';
import { weightsOf } from '../../train/state.js';
import { randomFor } from '../context.js';
import { labelledImages } from '../labels.js';
import { fitToBudget, greatestScale } from '../plan/budget.js';
import { measureSpeeds } from '../plan/measure-speeds.js';
import { predictMs } from '../plan/run-cost.js';
import { evaluateRun, run } from '../run.js';
import type { RunSettings } from '../settings.js';
import { trainingMs } from './cost.js';
import { withEvaluation } from './finetune.js';
import { scratchStage } from './finetune-stage.js';
import { allStages, stageFacts } from './registry.js';
import type { Speeds } from './speeds.js';
import type { Stage } from './stage.js';

const epochs = 2;
const batchSize = 20;

/** Learns what the classifier from random weights says of every image: a stage that the package does not have. */
const distill: Stage = {
  name: 'distill',
  version: 1,
  title: 'Distilling the whole pile',
  activity: 'distilling',
  figures: [],
  isShared: false,
  learnsFrom: 'pile',
  settingsOf: () => ({ epochs }),
  isAskedFor: () => true,
  needs: () => [scratchStage],
  async train({ context, draw, outcomeOf }) {
    const { network, weights } = outcomeOf(scratchStage)!.classifier!;
    const { train } = context.data;
    const { count } = train.images;
    const set = { title: 'the pile', images: train.images };
    const said = await computeProbabilities(network, weights, set, context);
    const classes = Int32Array.from({ length: count }, (_, i) => (said[2 * i]! > said[2 * i + 1]! ? 0 : 1));
    const { state } = await trainStage(
      {
        stage: 'distill',
        draw,
        title: `Distilling ${count} images`,
        step: {
          network,
          optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }),
          batchSize,
          frozenBlocks: 0,
          batch: 'images',
          batchNormMomentum: 0.9,
        },
        epochs,
        stepsPerEpoch: count / batchSize,
        schedule: constantRate(learningRate),
        weights,
        order: (epoch) => epochOrder(count, batchSize, randomFor(context, 'distill', draw, epoch)),
        images: train.images,
        batch: (chosen) => ({
          images: [{ indices: chosen }],
          targets: tensor(
            'int32',
            [chosen.length],
            Int32Array.from(chosen, (i) => classes[i]!),
          ),
        }),
      },
      context,
    );
    const learned = { network, weights: { ...weights, ...weightsOf(state) } };
    const classifier = await withEvaluation(learned, context, {
      labelled: labelledImages(context, draw),
      title: 'distilled',
    });
    return { figures: {}, tested: [], classifier };
  },
  stepsOf: (_, images) => (epochs * images.train) / batchSize,
  stepMs: async (context, stopwatch) => (await scratchStage.stepMs(context, stopwatch)) * 5,
  drawMs: (work) => trainingMs(work, distill, { graphs: 1, savesPerEpoch: 1 }),
};
let learningRate = 1e-3;

const registry = [...allStages, distill];
const settings: RunSettings = { ...tinySettings, selfTrain: null };
const stages = ['scratch', 'distill'];
const data: DataSource = {
  train: tinyPictures('train', 200),
  test: tinyPictures('test', 60),
  origin: 'made for this test',
  checksums: {},
};

describe('a stage that is one object in the list', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });
  const contextOf = (store: MemoryStore, emit: (event: RunEvent) => void = () => {}) => ({
    ...{ settings, data, runtime, store, emit },
  });

  /** What the first run left. */
  const whole = new MemoryStore('new');

  it('is trained for every draw, may be kept, is evaluated again and stands in the report', async () => {
    const store = whole;
    const context = contextOf(store);
    const result = await run(context, { stages, registry });
    expect(await store.readJson('config')).toMatchObject({ stages });
    const records = (await store.readEpochs()).filter(({ stage }) => stage === 'distill');
    expect(records.map(({ draw, epoch, step }) => [draw, epoch, step])).toEqual([
      [0, 1, 10],
      [0, 2, 20],
      [1, 1, 10],
      [1, 2, 20],
    ]);
    expect(result.draws).toHaveLength(2);
    expect(result.final!.stage).toBe('distill');
    expect(result.final!.test!.accuracy).toBeGreaterThan(0.9);
    expect(result.evidence.map(({ stage }) => stage)).toEqual(['scratch']);
    expect(resultSchema.parse(await store.readJson('result'))).toEqual(result);
    expect((await evaluateRun(context, { registry })).final).toEqual(result.final);

    const { name, title, figures } = distill;
    const page = renderReport({
      stages: [...stageFacts, { name, title, figures }],
      config: { preset: settings.preset },
      epochs: await store.readEpochs(),
      result,
      exhibits: exhibitsSchema.parse(await store.readJson('exhibits')),
    });
    expect(page).toContain('<b>Distilling the whole pile</b><span>2 epochs, 20 steps');
  });

  it('goes on where it was stopped, to the same weights', async () => {
    const stopped = new MemoryStore('stopped');
    const abort = new AbortController();
    const stop = (event: RunEvent) => {
      if (event.type === 'step' && event.stage === 'distill' && event.step === 13) abort.abort();
    };
    const interrupted = run({ ...contextOf(stopped, stop), signal: abort.signal }, { stages, registry });
    await expect(interrupted).rejects.toThrow(/^Distilling \d+ images: stopped at step 13 of 20, saved\.$/);
    await run(contextOf(stopped), { registry });
    for (const draw of [0, 1]) {
      const name = checkpointName('distill', draw);
      expect((await stopped.loadCheckpoint(name))!.tensors).toEqual(
        (await whole.loadCheckpoint(name))!.tensors,
      );
    }
  });

  it('is noted and left out where it diverges', async () => {
    learningRate = 1e30;
    const result = await run(contextOf(new MemoryStore('diverged')), { stages, registry });
    learningRate = 1e-3;
    expect(result.failures.map(({ stage, draw }) => [stage, draw])).toEqual([
      ['distill', 0],
      ['distill', 1],
    ]);
    expect(result.final!.stage).toBe('scratch');
  });

  it('is not begun where the stage that it goes on from was not run', async () => {
    const store = new MemoryStore('alone');
    const result = await run(contextOf(store), { stages: ['distill', 'baseline'], registry });
    expect({ final: result.final, failures: result.failures }).toEqual({ final: null, failures: [] });
    expect(await store.loadCheckpoint('distill')).toBeUndefined();
  });

  it('is asked for what it costs, and has its share of a budget that others are fitted to', async () => {
    const measured = await measureSpeeds(contextOf(new MemoryStore('speeds')), { stages, registry });
    expect(measured.stepMs.distill).toBeCloseTo(5 * measured.stepMs.scratch!);
    // Without folds nothing is cross-validated, so that what is added is the new stage alone.
    const speeds: Speeds = {
      ...measured,
      stepMs: { scratch: 4, distill: 7 },
      compileMs: { step: 30, classify: 20 },
      saveMs: 9,
      images: { ...measured.images, folds: 0 },
      spentMs: 0,
    };
    const without = predictMs(settings, ['scratch'], speeds, registry);
    const withIt = predictMs(settings, stages, speeds, registry);
    expect(withIt - without).toBeCloseTo(settings.draws * (30 + 20 * 7 + 2 * 9));
    const slow = { ...speeds, stepMs: { scratch: 400, distill: 7 } };
    const budgetMs = 40_000;
    const scale = (names: readonly string[]) =>
      fitToBudget(settings, { budgetMs, speeds: slow, stages: names, registry }).scale;
    expect(scale(['scratch'])).toBeLessThan(greatestScale);
    expect(scale(stages)).toBeLessThan(scale(['scratch']));
    expect(() => predictMs(settings, stages, { ...speeds, stepMs: { scratch: 4 } }, registry)).toThrow(
      'speeds.stepMs: expected the time of a step of distill. Received: none.',
    );
  });

  it('is unknown where it is not in the list', async () => {
    await expect(run(contextOf(new MemoryStore('unknown')), { stages: ['scrach'] })).rejects.toMatchObject({
      code: 'usage',
      message:
        'stages: expected some of pretrain, finetune, scratch, selfTrain, mixture, linearProbe, baseline. Received: scrach.',
      hint: 'Did you mean scratch?',
    });
  });
});

it('names of stages are plain words, and none is there twice', () => {
  const names = stageFacts.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Za-z][A-Za-z0-9]*$/);
});
