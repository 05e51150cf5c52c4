import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EvaluationTally, type LabelledPrediction } from './classifier-evaluation.js';

const names = ['cat', 'dog', 'owl'];
let counter = 0;

const prediction = (label: string, ...probabilities: readonly number[]): LabelledPrediction => ({
  name: `${counter++}.png`,
  label,
  probabilities: Float32Array.from(probabilities),
  pixels: Uint8Array.of(counter),
});

test('figures of six images by hand; two of a class that the model does not know are told apart', () => {
  const tally = new EvaluationTally(names, { shown: 2 });
  tally.add(prediction('cat', 0.75, 0.25, 0));
  tally.add(prediction('cat', 0.25, 0.5, 0.25));
  tally.add(prediction('dog', 0, 1, 0));
  tally.add(prediction('owl', 1, 0, 0));
  tally.add(prediction('yak', 0.5, 0.25, 0.25));
  tally.add(prediction('yak', 0.5, 0.25, 0.25));
  const { loss, ...result } = tally.result();
  expect(result).toMatchObject({
    total: 4,
    correct: 2,
    unknownClasses: [{ name: 'yak', count: 2, takenFor: [{ name: 'cat', count: 2 }] }],
    cells: [
      [0, 0, 1],
      [0, 1, 1],
      [1, 1, 1],
      [2, 0, 1],
    ],
    reliability: { count: 4 },
  });
  // The impossible owl counts as 1e-7.
  expect(loss).toBeCloseTo((-Math.log(0.75) - Math.log(0.25) - Math.log(1) - Math.log(1e-7)) / 4, 6);
  expect(result.mistakes).toMatchObject([
    { label: 'owl', predicted: 'cat', confidence: 1 },
    { label: 'cat', predicted: 'dog', confidence: 0.5 },
  ]);
  expect(result.sample.map(({ label, predicted }) => [label, predicted])).toEqual([
    ['cat', 'cat'],
    ['dog', 'dog'],
  ]);
});

test('what the classifier is unsure of is counted for right, wrong and unknown images by themselves', () => {
  const tally = new EvaluationTally(names, { threshold: 0.6 });
  tally.add(prediction('cat', 0.75, 0.25, 0));
  tally.add(prediction('cat', 0.25, 0.5, 0.25));
  tally.add(prediction('dog', 0, 0.625, 0.375));
  tally.add(prediction('owl', 0.25, 0.25, 0.5));
  tally.add(prediction('yak', 0.5, 0.25, 0.25));
  tally.add(prediction('yak', 0.75, 0.25, 0));
  tally.add(prediction('emu', 0.5, 0.5, 0));
  tally.add({ ...prediction('emu', 1, 0, 0), unlike: true });
  const { unsure, unknownClasses } = tally.result();
  expect(unsure).toEqual({
    threshold: 0.6,
    right: { count: 3, unsure: 1 },
    wrong: { count: 1, unsure: 1 },
    unknown: { count: 4, unsure: 3 },
  });
  expect(unknownClasses).toMatchObject([
    { name: 'yak', count: 2, unsure: 1 },
    { name: 'emu', count: 2, unsure: 2 },
  ]);
  const { unsure: unasked } = new EvaluationTally(names).result();
  expect(unasked).toBeNull();
});

test('nothing added has no figures, and nothing is shown that was not asked for', () => {
  expect(new EvaluationTally(names).result()).toMatchObject({ total: 0, loss: null, macroF1: null });
  const tally = new EvaluationTally(names);
  tally.add(prediction('cat', 0, 1, 0));
  expect(tally.result()).toMatchObject({ mistakes: [], sample: [], correct: 0 });
});

test('what is shown: the surest mistakes in their order, then other images, however many there are', () => {
  const answer = fc.tuple(fc.constantFrom(...names), fc.double({ min: 0.34, max: 1, noNaN: true }));
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 120 }), fc.integer({ min: 1, max: 12 }), (answers, shown) => {
      const tally = new EvaluationTally(names, { shown });
      // Everything is said to be a cat.
      for (const [label, p] of answers) tally.add(prediction(label, p, (1 - p) / 2, (1 - p) / 2));
      const { mistakes, sample } = tally.result();
      const wrong = answers.flatMap(([label, p]) => (label === 'cat' ? [] : [Math.fround(p)]));
      expect(mistakes.map(({ confidence }) => confidence)).toEqual(
        wrong.sort((a, b) => b - a).slice(0, shown),
      );
      expect(sample.length).toBe(Math.min(shown, answers.length - mistakes.length));
      const files = [...mistakes, ...sample].map(({ name }) => name);
      expect(new Set(files).size).toBe(files.length);
    }),
  );
});

test('every image has the same chance of being in the sample', () => {
  const seen = new Float64Array(40);
  for (let trial = 0; trial < 400; trial++) {
    const tally = new EvaluationTally(names, { shown: 4 });
    // The random stream is the same in each trial: the order of the images is not.
    for (let i = 0; i < 40; i++) {
      const number = (i + trial) % 40;
      tally.add({ ...prediction('cat', 1, 0, 0), name: `${number}` });
    }
    for (const { name } of tally.result().sample) seen[Number(name)] = (seen[Number(name)] ?? 0) + 1;
  }
  expect(Math.min(...seen)).toBeGreaterThan(20);
  expect(Math.max(...seen)).toBeLessThan(60);
});
