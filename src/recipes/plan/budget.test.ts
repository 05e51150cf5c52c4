import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { presets } from '../presets.js';
import type { RunSettings } from '../settings.js';
import { stageNamed, stagesOf } from '../stages/registry.js';
import type { Speeds } from '../stages/speeds.js';
import { fitToBudget, greatestScale, minSteps, minTrialSteps } from './budget.js';
import { formatBudget, parseBudget } from './budget-time.js';
import { predictMs } from './run-cost.js';

const { quick, notebook } = presets;
const fromRandom: RunSettings = { ...quick, finetune: { ...quick.finetune, from: 'random' } };
const shapes: readonly RunSettings[] = [
  quick,
  { ...quick, selfTrain: null },
  { ...quick, selfTrain: { ...quick.selfTrain!, correctEvery: 2 } },
  { ...quick, pretrain: { ...quick.pretrain, stepsPerEpoch: null } },
  fromRandom,
];

const speedsOf = fc.record({
  stepMs: fc.record({
    pretrain: fc.double({ min: 0.1, max: 2000, noNaN: true }),
    finetune: fc.double({ min: 0.1, max: 2000, noNaN: true }),
    scratch: fc.double({ min: 0.1, max: 2000, noNaN: true }),
    selfTrain: fc.double({ min: 0.1, max: 2000, noNaN: true }),
    baseline: fc.double({ min: 0.1, max: 2000, noNaN: true }),
  }),
  imageMs: fc.double({ min: 0.001, max: 5, noNaN: true }),
  viewMs: fc.double({ min: 0, max: 1, noNaN: true }),
  compileMs: fc.record({
    step: fc.double({ min: 1, max: 2000, noNaN: true }),
    classify: fc.double({ min: 1, max: 2000, noNaN: true }),
  }),
  pile: fc.record({
    graphMs: fc.double({ min: 0, max: 100_000, noNaN: true }),
    spreadStepMs: fc.double({ min: 0, max: 100, noNaN: true }),
  }),
  saveMs: fc.double({ min: 0, max: 50, noNaN: true }),
  spentMs: fc.double({ min: 0, max: 30_000, noNaN: true }),
  images: fc.record({
    train: fc.integer({ min: 1000, max: 60_000 }),
    test: fc.integer({ min: 10, max: 10_000 }),
    labelled: fc.oneof(fc.integer({ min: 2, max: 200 }), fc.constantFrom(999, 20_000)),
    folds: fc.constantFrom(0, 2, 3),
  }),
});
const settingsOf = fc
  .record({ shape: fc.constantFrom(...shapes), draws: fc.integer({ min: 1, max: 5 }) })
  .map(({ shape, draws }) => ({ ...shape, draws }));
const budgets = fc.double({ min: 1000, max: 1e8, noNaN: true });
const scaledStages = ['pretrain', 'finetune', 'selfTrain'] as const;

function stepsOf(settings: RunSettings, stage: string, { images }: Speeds): number {
  return stageNamed(stage).stepsOf(settings, images);
}

/** Steps of a training that is tried with labels held back. */
function trialStepsOf(settings: RunSettings, stage: string, { images }: Speeds): number {
  return stageNamed(stage).trialStepsOf!(settings, images);
}

/** undefined if it does not fit. */
function fitted(settings: RunSettings, budgetMs: number, speeds: Speeds) {
  try {
    return fitToBudget(settings, { budgetMs, speeds });
  } catch (error) {
    expect(error).toMatchObject({ code: 'usage' });
    return undefined;
  }
}

describe('fitToBudget', () => {
  it('never predicts more than the budget, and keeps everything but the steps', () => {
    fc.assert(
      fc.property(settingsOf, budgets, speedsOf, (settings, budgetMs, speeds) => {
        const fit = fitted(settings, budgetMs, speeds);
        fc.pre(fit !== undefined);
        expect(fit.predictedMs).toBeLessThanOrEqual(budgetMs);
        expect(fit.predictedMs).toBeCloseTo(
          predictMs(fit.settings, stagesOf(settings), speeds) + speeds.spentMs,
        );
        const { pretrain, finetune, selfTrain } = settings;
        const { budgetMs: kept, ...rest } = fit.settings;
        expect(kept).toBe(budgetMs);
        expect({
          ...rest,
          pretrain: { ...rest.pretrain, epochs: pretrain.epochs, stepsPerEpoch: pretrain.stepsPerEpoch },
          finetune: { ...rest.finetune, epochs: finetune.epochs, trialEpochs: finetune.trialEpochs },
          selfTrain: rest.selfTrain && {
            ...rest.selfTrain,
            epochs: selfTrain!.epochs,
            stepsPerEpoch: selfTrain!.stepsPerEpoch,
            trialSteps: undefined,
          },
        }).toEqual(settings);
      }),
    );
  });

  it('does more with more time, never less', () => {
    fc.assert(
      fc.property(settingsOf, budgets, budgets, speedsOf, (settings, a, b, speeds) => {
        const less = fitted(settings, Math.min(a, b), speeds);
        fc.pre(less !== undefined);
        const more = fitted(settings, Math.max(a, b), speeds)!;
        expect(more.scale).toBeGreaterThanOrEqual(less.scale);
        for (const stage of scaledStages) {
          // Of steps that make no whole epochs some are lost: fewer than there are epochs.
          const rounding = more.settings[stage]?.epochs ?? 0;
          expect(stepsOf(more.settings, stage, speeds) + rounding).toBeGreaterThan(
            stepsOf(less.settings, stage, speeds) - 1,
          );
        }
      }),
    );
  });

  it('keeps the proportions of the stages but for rounding, and says where it cannot', () => {
    fc.assert(
      fc.property(settingsOf, budgets, speedsOf, (settings, budgetMs, speeds) => {
        const fit = fitted(settings, budgetMs, speeds);
        fc.pre(fit !== undefined);
        for (const stage of scaledStages.filter((stage) => stagesOf(settings).includes(stage))) {
          const before = stepsOf(settings, stage, speeds);
          const after = stepsOf(fit.settings, stage, speeds);
          const wanted = fit.scale * before;
          // Of a stage whose epochs are the labelled images, one at least.
          const epoch = stage === 'finetune' ? before / settings.finetune.epochs : 0;
          const least = Math.max(Math.min(minSteps, before), epoch);
          expect(fit.atLeast.includes(stage)).toBe(wanted < least);
          // At most an epoch of fine-tuning, or a step of each epoch of another stage.
          const rounding =
            stage === 'finetune' ? before / settings.finetune.epochs : fit.settings[stage]!.epochs;
          expect(after).toBeLessThanOrEqual(Math.max(wanted, least) + 1e-3);
          expect(after).toBeGreaterThan(Math.max(wanted, least) - rounding - 1e-3);
        }
      }),
    );
  });

  const speeds: Speeds = {
    stepMs: { pretrain: 50, finetune: 25, scratch: 25, selfTrain: 100, baseline: 20 },
    imageMs: 0.2,
    viewMs: 0.05,
    compileMs: { step: 100, classify: 50 },
    pile: { graphMs: 20_000, spreadStepMs: 10 },
    saveMs: 10,
    spentMs: 3000,
    images: { train: 60_000, test: 10_000, labelled: 100, folds: 3 },
  };

  test.each(shapes)('names the smallest budget where none fits, and that one does %#', (settings) => {
    const refused = () => fitToBudget(settings, { budgetMs: 5000, speeds });
    expect(refused).toThrow(
      /^--budget: expected at least \S+ for this recipe on this machine\. Received: 5s\.$/,
    );
    const smallest = /at least (\S+)/.exec(message(refused))!;
    const budgetMs = parseBudget(smallest[1]!)!;
    const fit = fitToBudget(settings, { budgetMs, speeds });
    expect(stepsOf(fit.settings, 'finetune', speeds)).toBeGreaterThanOrEqual(minSteps);
    // It has little to spare: enough for another measurement.
    expect(() => fitToBudget(settings, { budgetMs: 0.8 * budgetMs, speeds })).toThrow('expected at least');
  });

  it('shortens what is tried with labels held back as it shortens the stages, and no further than is stated', () => {
    const lengths = (budgetMs: number) => {
      const { settings, scale } = fitToBudget(quick, { budgetMs, speeds });
      return {
        scale,
        finetune: stepsOf(settings, 'finetune', speeds),
        labelTrial: trialStepsOf(settings, 'finetune', speeds),
        selfTrainTrial: trialStepsOf(settings, 'selfTrain', speeds),
        kept: { labels: settings.finetune.trialEpochs, selfTrain: settings.selfTrain!.trialSteps },
      };
    };
    // Enough time: two thirds of fine-tuning, as ever, and the usual steps of self-training, of which nothing is kept.
    const long = lengths(400_000);
    expect(long.scale).toBeGreaterThan(1);
    expect(Math.abs(long.labelTrial - (2 / 3) * long.finetune)).toBeLessThanOrEqual(2);
    expect(long.selfTrainTrial).toBe(120);
    expect(long.kept).toEqual({ labels: long.labelTrial / 2, selfTrain: undefined });
    const short = lengths(150_000);
    expect(short.scale).toBeGreaterThan(1 / 6);
    expect(short.scale).toBeLessThan(0.6);
    expect(Math.abs(short.labelTrial - (2 / 3) * short.finetune)).toBeLessThanOrEqual(2);
    expect(short.selfTrainTrial).toBe(Math.floor(120 * short.scale));
    // 24 steps of fine-tuning are 12 epochs: one of 2 steps more would be over what the budget has.
    const least = lengths(97_000);
    expect(least.scale).toBeLessThan(0.05);
    expect(least.finetune).toBe(minSteps);
    expect(least.labelTrial).toBe(2 * Math.floor(minTrialSteps / 2));
    expect(least.selfTrainTrial).toBe(minTrialSteps);
  });

  it('refuses by the fastest that was measured, and plans by what is usual', () => {
    const busy = {
      ...speeds,
      stepMs: Object.fromEntries(Object.entries(speeds.stepMs).map(([stage, ms]) => [stage, 3 * ms])),
    };
    const floor = (of: Speeds, fastest: Speeds) =>
      /at least (\S+)/.exec(message(() => fitToBudget(quick, { budgetMs: 5000, speeds: of, fastest })))![1]!;
    expect(floor(busy, speeds)).toBe(floor(speeds, speeds));
    expect(parseBudget(floor(busy, busy))).toBeGreaterThan(parseBudget(floor(busy, speeds))!);
    // As few steps as there may be, and what they take while the machine is that busy is said.
    const budgetMs = parseBudget(floor(busy, speeds))!;
    const fit = fitToBudget(quick, { budgetMs, speeds: busy, fastest: speeds });
    expect(fit.scale).toBe(0);
    expect(fit.predictedMs).toBeGreaterThan(budgetMs);
    const [some, fewer] = [speeds, busy].map((of) => fitToBudget(quick, { budgetMs: 150_000, speeds: of }));
    expect(fewer!.scale).toBeLessThan(some!.scale);
  });

  it('counts what it takes to cross-validate the classifiers', () => {
    const images = (folds: number) => ({ ...speeds, images: { ...speeds.images, folds } });
    const crossValidating = (settings: RunSettings, stages: readonly string[]) =>
      predictMs(settings, stages, images(3)) - predictMs(settings, stages, images(0));
    // Three trainings on two thirds of the labels, two thirds as long, for each of two stages.
    const training = (2 / 3) * stepsOf(quick, 'finetune', speeds) * speeds.stepMs.finetune!;
    expect(crossValidating(quick, ['finetune', 'scratch'])).toBeGreaterThan(2 * 2 * training);
    expect(crossValidating(quick, ['finetune', 'scratch'])).toBeLessThan(2 * 2 * training * 1.6);
    // A single classifier, too: how good it is and how sure it may be is asked of it alone.
    expect(crossValidating(quick, ['pretrain', 'finetune'])).toBeGreaterThan(2 * training);
    // Self-training is tried three times in a fifth of its steps of half as many images.
    const selfTraining = stepsOf(quick, 'selfTrain', speeds) * speeds.stepMs.selfTrain!;
    const tried = crossValidating(quick, ['selfTrain']);
    expect(tried).toBeGreaterThan(0.3 * selfTraining);
    expect(tried).toBeLessThan(0.46 * selfTraining);
  });

  it('multiplies what each draw takes', () => {
    const one = predictMs(quick, ['finetune'], speeds);
    const none = predictMs({ ...quick, draws: 0 }, ['finetune'], speeds);
    expect(predictMs({ ...quick, draws: 3 }, ['finetune'], speeds) - none).toBeCloseTo(3 * (one - none));
    const pretraining = predictMs(quick, ['pretrain'], speeds);
    expect(predictMs({ ...quick, draws: 3 }, ['pretrain'], speeds)).toBe(pretraining);
  });

  it.each([1650, 60_000])('uses nine tenths of any budget that it can use, with %d images', (train) => {
    const images = { train, test: train / 6, labelled: 100, folds: 3 };
    // As a person asks for them: from what is just enough to what is as much as helps.
    const longest = predictMs(scaledBy(quick, greatestScale), stagesOf(quick), { ...speeds, images });
    for (const budgetMs of [150_000, 200_000, 300_000, 600_000].filter((ms) => ms < longest)) {
      const { predictedMs, atLeast } = fitToBudget(quick, { budgetMs, speeds: { ...speeds, images } });
      expect(atLeast).toEqual([]);
      expect(predictedMs / budgetMs).toBeGreaterThan(0.85);
      expect(predictedMs / budgetMs).toBeLessThanOrEqual(0.92);
    }
  });

  it('fits pretraining alone, and leaves the settings of other stages as they are', () => {
    const { settings, predictedMs } = fitToBudget(quick, { budgetMs: 60_000, speeds, stages: ['pretrain'] });
    expect(predictedMs).toBeGreaterThan(50_000);
    expect(predictedMs).toBeLessThanOrEqual(60_000);
    expect(stepsOf(settings, 'pretrain', speeds)).toBeGreaterThan(stepsOf(quick, 'pretrain', speeds));
    const { finetune, selfTrain, baseline } = quick;
    expect(settings).toMatchObject({ finetune, selfTrain, baseline, budgetMs: 60_000 });
  });

  it('uses no more time than is of known use', () => {
    const { settings, scale, atMost } = fitToBudget(quick, { budgetMs: 1e9, speeds });
    expect({ scale, atMost }).toEqual({ scale: greatestScale, atMost: true });
    for (const stage of scaledStages) {
      expect(stepsOf(settings, stage, speeds)).toBe(greatestScale * stepsOf(quick, stage, speeds));
    }
    expect(settings.pretrain.epochs).toBe(quick.pretrain.epochs);
  });

  it('leaves the notebook alone', () => {
    expect(() => fitToBudget(notebook, { budgetMs: 1e9, speeds })).toThrow(
      /expected a preset that can be scaled/,
    );
  });
});

describe('times', () => {
  test.each([
    ['90s', 90],
    ['10m', 600],
    ['1h', 3600],
    ['1h30m', 5400],
    ['1.5h', 5400],
    [' 2m5s ', 125],
  ])('%j', (text, seconds) => expect(parseBudget(text)).toBe(1000 * seconds));

  test.each(['', '10', 'm', '-1m', '0s', '1m1h', '10 m', '5min', 'Infinity', '1e3s'])('%j is none', (text) =>
    expect(parseBudget(text)).toBeUndefined(),
  );

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 7 }), (seconds) => {
        expect(parseBudget(formatBudget(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
    expect(formatBudget(1)).toBe('1s');
    expect(formatBudget(5_400_000)).toBe('1h30m');
  });
});

/** The recipe with so many times its steps. */
function scaledBy(settings: RunSettings, scale: number): RunSettings {
  const { pretrain, finetune, selfTrain } = settings;
  return {
    ...settings,
    pretrain: { ...pretrain, stepsPerEpoch: scale * pretrain.stepsPerEpoch! },
    finetune: { ...finetune, epochs: scale * finetune.epochs },
    selfTrain: { ...selfTrain!, stepsPerEpoch: scale * selfTrain!.stepsPerEpoch },
  };
}

function message(refused: () => unknown): string {
  try {
    refused();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
