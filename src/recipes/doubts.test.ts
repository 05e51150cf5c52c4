import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../store/checkpoint.js';
import { StageEvidence } from '../store/stage-evidence.js';
import { neighboursName, readDoubts } from './doubts.js';

const classNames = ['bar', 'corner', 'edge'];
/** Of 60 labels, those at 7 and 33 are wrong: they should name the class before. */
const truth = Array.from({ length: 60 }, (_, i) => i % 3);
const given = truth.map((k, i) => (i === 7 || i === 33 ? (k + 1) % 3 : k));

/** Logits that are sure of the true class, but for these images, of which they are sure of the class after the given one. */
function answers(positions: readonly number[], wrongAt: readonly number[] = []) {
  const logits = positions.flatMap((i) => {
    const said = wrongAt.includes(i) ? ((given[i] ?? 0) + 1) % 3 : truth[i];
    return [0, 1, 2].map((k) => (k === said ? 8 : 0));
  });
  return {
    positions,
    targets: positions.map((i) => given[i] ?? 0),
    logits: Float32Array.from(logits),
    sample: new Int32Array(),
  };
}

const all = truth.map((_, i) => i);
const folds = [0, 1, 2].map((fold) => all.filter((i) => Math.floor(i / 3) % 3 === fold));

interface Answering {
  /** Answers for labels that were held back, by stage: where it errs. */
  readonly stages?: Readonly<Record<string, readonly number[]>>;
  readonly neighbours?: readonly number[];
}

async function storeWith({ stages = {}, neighbours }: Answering): Promise<MemoryStore> {
  const store = new MemoryStore('runs/five');
  const images = given.map((k, i) => ({
    image: i.toString(16).padStart(32, '0'),
    index: 10 * i,
    ...(i !== 33 && { file: `scans/${i}.png` }),
    label: classNames[k],
    by: 'given',
  }));
  await store.writeJson('labels', { classNames, draws: [{ draw: 0, images }] });
  const evidence = await StageEvidence.open(store);
  for (const [stage, wrongAt] of Object.entries(stages)) {
    for (const [fold, positions] of folds.entries()) {
      await evidence.addAnswers({ stage, draw: 0 }, { fold, ...answers(positions, wrongAt) });
    }
  }
  if (neighbours) {
    await evidence.addAnswers({ stage: neighboursName, draw: 0 }, { fold: 0, ...answers(all, neighbours) });
  }
  return store;
}

const indicesOf = async (answering: Answering) =>
  (await readDoubts(await storeWith(answering)))?.doubted
    .map(({ index }) => index / 10)
    .sort((a, b) => a - b);

describe('doubts', () => {
  test('a label that both judges contradict is told, with file, classes and probabilities', async () => {
    const found = await readDoubts(await storeWith({ stages: { selfTrain: [] }, neighbours: [] }));
    expect(found).toMatchObject({ labels: 60, checked: 60, judges: ['selfTrain', neighboursName] });
    expect(found?.expectedWrong).toBeGreaterThan(1.5);
    expect(found?.expectedWrong).toBeLessThan(3);
    expect(found?.doubted).toHaveLength(2);
    const seven = found?.doubted.find(({ index }) => index === 70);
    expect(seven).toMatchObject({ file: 'scans/7.png', label: 'edge', suggested: 'corner' });
    expect(seven?.probability).toBeGreaterThan(0.9);
    expect(seven?.wrong).toBeGreaterThan(0.9);
    expect(found?.doubted.find(({ index }) => index === 330)?.file).toBeUndefined();
  });

  test('what one judge alone contradicts is not', async () => {
    expect(await indicesOf({ stages: { selfTrain: [20, 40] }, neighbours: [50] })).toEqual([7, 33]);
    expect(await indicesOf({ stages: { selfTrain: [20, 40] } })).toEqual([7, 20, 33, 40]);
    expect(await indicesOf({ neighbours: [50] })).toEqual([7, 33, 50]);
  });

  test('of several stages, the one that explains the labels best is asked', async () => {
    const poor = all.filter((i) => i % 2 === 0);
    const store = await storeWith({ stages: { finetune: poor, selfTrain: [], scratch: poor } });
    const found = await readDoubts(store);
    expect(found?.judges).toEqual(['selfTrain']);
    expect(found?.doubted.map(({ index }) => index / 10).sort((a, b) => a - b)).toEqual([7, 33]);
  });

  test('labels that nobody was asked about are not counted as checked; without any there is nothing to tell', async () => {
    const store = await storeWith({});
    expect(await readDoubts(store)).toBeUndefined();
    const evidence = await StageEvidence.open(store);
    await evidence.addAnswers(
      { stage: 'finetune', draw: 0 },
      { fold: 0, ...answers(folds[0] ?? []), logits: null },
    );
    expect(await readDoubts(store)).toBeUndefined();
    await evidence.addAnswers({ stage: 'finetune', draw: 0 }, { fold: 1, ...answers(folds[1] ?? []) });
    expect(await readDoubts(store)).toMatchObject({ labels: 60, checked: folds[1]?.length });
    expect(await readDoubts(new MemoryStore())).toBeUndefined();
  });
});
