import { expect, test } from 'vitest';
import { tinyPictures, tinySettings } from '../../../test/support/tiny-run.js';
import { createNodeRuntime } from '../../runtime/node.js';
import { MemoryStore } from '../../store/checkpoint.js';
import type { RunEvent } from '../../store/run-event.js';
import { StageEvidence } from '../../store/stage-evidence.js';
import type { RunSettings } from '../settings.js';
import { evidenceFor, foldNetworks, hasLostClass } from './evidence.js';
import { scratchStage } from './finetune-stage.js';
import type { StageDraw } from './stage.js';

const train = tinyPictures('train', 60);
const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });

async function drawOf(
  settings: RunSettings,
  store = new MemoryStore(),
  signal?: AbortSignal,
): Promise<StageDraw> {
  const passes: RunEvent[] = [];
  const emit = (event: RunEvent) => passes.push(event);
  const context = { settings, data: { train, origin: '', checksums: {} }, runtime, store, emit, signal };
  const at: StageDraw = {
    ...{ context, draw: 0, evidence: [] },
    stageEvidence: await StageEvidence.open(store),
    isWanted: () => true,
    outcomeOf: () => undefined,
    foldNetwork: foldNetworks(() => at),
    pileGraph: () => Promise.reject(new Error('no graph is needed')),
  };
  return at;
}

test('each label is classified by a network that learned without it, and so is a sample of the pile', async () => {
  const store = new MemoryStore();
  const found = await evidenceFor(scratchStage, await drawOf(tinySettings, store));
  const { answers, summary } = found!;
  expect(answers.map(({ fold, positions }) => [fold, positions])).toEqual([
    [0, [0, 3, 6]],
    [1, [1, 4, 7]],
    [2, [2, 5]],
  ]);
  // The labels are the first four of each class, class after class.
  for (const { positions, targets } of answers)
    expect(targets).toEqual(positions.map((at) => (at < 4 ? 0 : 1)));
  for (const { logits, positions, sample } of answers) {
    expect(logits).toHaveLength(2 * positions.length);
    expect(sample).toHaveLength(52);
  }
  expect(summary).toMatchObject({ stage: 'scratch', of: 8 });
  expect(summary.found).toBeGreaterThan(6);
  expect(summary.logLoss).toBeLessThan(Math.LN2);
  // What is stored is what was found, bit for bit.
  const stored = (await StageEvidence.open(store)).answersOf({ stage: 'scratch', draw: 0 });
  expect(stored).toEqual(answers);
});

test('stopped between two folds, it goes on with the next', async () => {
  const store = new MemoryStore();
  const abort = new AbortController();
  const at = await drawOf(tinySettings, store, abort.signal);
  const { addAnswers } = at.stageEvidence;
  at.stageEvidence.addAnswers = async (...given) => {
    await addAnswers.apply(at.stageEvidence, given);
    abort.abort();
  };
  await expect(evidenceFor(scratchStage, at)).rejects.toMatchObject({ code: 'interrupted' });
  const again = await drawOf(tinySettings, store);
  expect(again.stageEvidence.answersOf({ stage: 'scratch', draw: 0 })).toHaveLength(1);
  const trained: number[] = [];
  const foldNetwork: StageDraw['foldNetwork'] = (stage, fold) => {
    trained.push(fold);
    return again.foldNetwork(stage, fold);
  };
  const found = await evidenceFor(scratchStage, { ...again, foldNetwork });
  expect(trained).toEqual([1, 2]);
  expect(found).toEqual(await evidenceFor(scratchStage, await drawOf(tinySettings)));
});

test('labels held back from a training that diverges are not found, and the run does not end for it', async () => {
  // Weights grow a thousand million times at each step.
  const finetune = {
    ...tinySettings.finetune,
    schedule: { kind: 'constant', learningRate: 1e9 },
    optimizer: { kind: 'sgd', momentum: 0, weightDecay: 1 },
  } as const;
  const found = await evidenceFor(scratchStage, await drawOf({ ...tinySettings, finetune }));
  expect(found!.summary).toEqual({ stage: 'scratch', found: 0, of: 8, logLoss: expect.closeTo(Math.LN2) });
  expect(found!.answers.map(({ logits }) => logits)).toEqual([null, null, null]);
});

test('a class is lost that the trials still gave, however rare it is', () => {
  /** So many answers of each class. */
  const answers = (...counts: number[]) =>
    Int32Array.from(counts.flatMap((n, k) => Array.from({ length: n }, () => k)));
  const tried = (...counts: number[]) => {
    const fold = { positions: [0], targets: [0], logits: null };
    const samples = [answers(...counts), answers(...counts)];
    return { answers: samples.map((sample, i) => ({ ...fold, fold: i, sample })) };
  };
  // One class in a hundred images: 8 of 1,000 are what the trials gave it, more or less; no image is none of it.
  expect(hasLostClass(answers(900, 92, 8), tried(890, 100, 10), 3)).toBe(false);
  expect(hasLostClass(answers(900, 100, 0), tried(890, 100, 10), 3)).toBe(true);
  // The trials had lost it as well: their evidence knows of it.
  expect(hasLostClass(answers(900, 100, 0), tried(900, 100, 0), 3)).toBe(false);
  // Nobody knows of trials: an even share is what a class should have.
  expect(hasLostClass(answers(500, 470, 30), undefined, 3)).toBe(true);
  expect(hasLostClass(answers(500, 460, 40), undefined, 3)).toBe(false);
  expect(hasLostClass(answers(), undefined, 3)).toBe(false);
});
