import { expect, test } from 'vitest';
import { invarianceText } from '../report/invariance-text.js';
import type { Invariance } from '../store/invariance.js';
import { sentencesOf } from './run-sentences.js';

test('labels that moved or are missing are told, each in a line', () => {
  const located = { type: 'labels-located', data: 'my-images', total: 6 } as const;
  expect(sentencesOf({ ...located, moved: 2, missing: 1 })).toEqual([
    '1 of 6 labelled images is not in my-images and is left out.',
    '2 of 6 labelled images have moved in the data and were found again.',
  ]);
  expect(sentencesOf({ ...located, moved: 6, missing: 0 })).toHaveLength(1);
});

test('a budget that is short says what is shorter for it, and whether the machine is too busy for it', () => {
  const fitted = {
    type: 'budget-fitted',
    preset: 'quick',
    budgetMs: 90_000,
    scale: 0.1,
    predictedMs: 80_000,
    steps: [{ stage: 'selfTrain', steps: 60 }],
    shortened: [{ stage: 'selfTrain', steps: 25 }],
    atLeast: [],
    atMost: false,
  } as const;
  expect(sentencesOf(fitted)).toEqual([
    "Budget 1m30s: 0.10 times the recipe's steps (self-training 60), about 1 min 20 s",
    'What is tried with labels held back is shorter, too (steps: self-training 25), so that its estimate may be low.',
  ]);
  const least = { ...fitted, scale: 0, atLeast: ['finetune', 'selfTrain'], shortened: [] };
  expect(sentencesOf(least)).toEqual([
    'Budget 1m30s: the fewest steps (self-training 60), about 1 min 20 s',
    'Budget is tight: fine-tuning, self-training would have too few steps to learn, and have about 50 instead.',
  ]);
  expect(sentencesOf({ ...fitted, shortened: [], predictedMs: 120_000 })[1]).toBe(
    'Other programs keep this machine busy: at its present speed the run takes about 2 min 0 s; on an idle one its few steps would fit.',
  );
});

test('that images are mirrored, or that labels speak against it, is told; that digits are not, nobody has to hear', () => {
  const told = (found: Omit<Invariance, 'change'>) =>
    sentencesOf({ type: 'invariance-judged', draw: 0, change: 'mirroring', ...found });
  const labels = { asTheyAre: 32, changed: 34, of: 100 };
  const beginning =
    '50 % of images look more like the mirror image of another than like any other as it is; where left and right are the same, half of them do';
  expect(told({ holds: true, share: 0.502, reason: 'labels', labels })).toEqual([
    `${beginning}. Labels do not contradict: neighbours recover 34 of 100 labels with the change and 32 without. Images are therefore mirrored to learn from.`,
  ]);
  const refused = { ...labels, asTheyAre: 90 };
  expect(told({ holds: false, share: 0.502, reason: 'labels', labels: refused })).toEqual([
    `${beginning}. Labels contradict: neighbours recover 34 of 100 labels with the change and 90 without. Images are therefore not mirrored to learn from.`,
  ]);
  const pile = { change: 'mirroring', holds: false, share: 0.03, reason: 'pile', labels: null } as const;
  expect(told(pile)).toEqual([]);
  expect(invarianceText(pile)).toMatch(
    /^3 % of images .*half of them do\. Images are therefore not mirrored to learn from\.$/,
  );
  expect(invarianceText({ ...pile, share: 0.5, reason: 'unconfirmed' })).toMatch(/No label can confirm it/);
});

test('what images are compared by is told with what each description found', () => {
  const usual = { kind: 'gradients', title: 'oriented gradients', found: 79, of: 100 } as const;
  const other = { kind: 'rotations', title: 'the network pretrained on rotations', of: 100 } as const;
  const told = (chosen: 'gradients' | 'rotations', found: number) =>
    sentencesOf({ type: 'description-chosen', draw: 0, chosen, compared: [usual, { ...other, found }] });
  const beginning =
    'Neighbours by oriented gradients recover 79 of 100 held-back labels in a sample of the pile, those by the network pretrained on rotations';
  expect(told('gradients', 74)).toEqual([`${beginning} 74. Images are compared by oriented gradients.`]);
  expect(told('gradients', 81)).toEqual([
    `${beginning} 81. That may be chance, so images are compared by oriented gradients, as usual.`,
  ]);
  expect(told('rotations', 94)).toEqual([
    `${beginning} 94. Images are therefore compared by the network pretrained on rotations.`,
  ]);
});

test.each([
  [12_000, '10 seconds'],
  [84_000, '80 seconds'],
  [92_000, '2 minutes'],
  [231_000, '4 minutes'],
  [88 * 60_000, '88 minutes'],
  [121 * 60_000, '2 hours'],
  [79 * 3_600_000 + 1_200_000, '79 hours 20 minutes'],
  [91 * 60_000, '1 hour 30 minutes'],
])('a forecast of %d ms is about %s', (remainingMs, told) => {
  expect(sentencesOf({ type: 'forecast', remainingMs })).toEqual([
    `It will take about ${told} on this machine.`,
  ]);
});

test('what is shown in another way, or is no news, is no sentence', () => {
  expect(sentencesOf({ type: 'pass', title: 'shapes', done: 1, total: 2, etaMs: 5 })).toEqual([]);
});
