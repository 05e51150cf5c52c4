import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import type { LadderStep, RunRecord } from '../train/run-record.js';
import { errorText, ladderText, shareText } from './ladder.js';

const sample = sampleRecord();
const withLadder = (ladder: readonly LadderStep[], over: Partial<RunRecord['result']> = {}): RunRecord => ({
  ...sample,
  result: { ...sample.result, ladder, ...over },
});

test('names what took most and least of the error that it found', () => {
  // 88.65 → 28.76 %: 0.68; → 6.58 %: 0.77; → 1.14 %: 0.83.
  expect(ladderText(sample)).toMatch(
    /^Self-training on 59,\d\d\d unlabelled images helped most: it took the error from 6\.6 % to 1\.1 %, five sixths of what was left; re-estimated statistics helped least \(89 % to 29 %, two thirds\)\.$/,
  );
});

test('one step has nothing beside it, none says nothing', () => {
  const { ladder } = sample.result;
  expect(ladderText(withLadder(ladder.slice(1, 3), { selfTrain: null }))).toBe(
    'Rotation pretraining, then the labels, took the error from 29 % to 6.6 %, about three quarters of what was left.',
  );
  expect(ladderText(withLadder(ladder.slice(2, 3), { selfTrain: null }))).toBe('');
});

test('a step that made it worse helped least, by no share', () => {
  const [baseline, reestimated, fineTune] = sample.result.ladder;
  const worse = { ...reestimated!, test: { accuracy: 0.1, loss: 2.4 } };
  expect(ladderText(withLadder([baseline!, worse, fineTune!], { selfTrain: null }))).toMatch(
    /helped least \(89 % to 90 %\)\.$/,
  );
});

test('self-training that was not kept is not among what helped', () => {
  const final = { stage: 'finetune', test: sample.result.fineTune!.test } as const;
  const text = ladderText(withLadder(sample.result.ladder, { final }));
  expect(text).toMatch(/^Rotation pretraining, then the labels, helped most: /);
  expect(text).toMatch(/Self-training was not kept: [^.]*\.$/);
});

test('errors and shares as people read them', () => {
  expect([0.4631, 0.0995, 0.0994, 0.011, 0.0094, 0].map(errorText)).toEqual([
    '46 %',
    '10 %',
    '9.9 %',
    '1.1 %',
    '0.94 %',
    '0.00 %',
  ]);
  expect([0.01, 0.5, 0.7, 0.834, 0.97, 1].map(shareText)).toEqual([
    'next to nothing',
    'half',
    'about two thirds',
    'five sixths',
    'almost all',
    'all',
  ]);
});
