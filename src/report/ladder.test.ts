import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import type { LadderStep, RunRecord } from '../store/run-record.js';
import { errorText, ladderText, shareText } from './ladder.js';

const sample = sampleRecord();
const withLadder = (ladder: readonly LadderStep[], over: Partial<RunRecord['result']> = {}): RunRecord => ({
  ...sample,
  result: { ...sample.result, ladder, ...over },
});

const [baseline, reestimated, scratch, fineTune, selfTrained] = sample.result.ladder as readonly [
  LadderStep,
  LadderStep,
  LadderStep,
  LadderStep,
  LadderStep,
];
const fromScratch = (record: RunRecord): RunRecord => ({
  ...record,
  config: { ...record.config, selfTrain: { start: 'scratch' } },
});
const withAccuracy = (step: LadderStep, accuracy: number): LadderStep => ({
  ...step,
  test: { ...step.test, accuracy },
});

test('names what took most and least of the error that it found', () => {
  // 88.65 → 28.76 %: 0.68; → 7.86 %: 0.73; → 6.58 %: 0.16; → 1.14 %: 0.83.
  expect(ladderText(sample)).toMatch(
    /^Self-training on 59,\d\d\d unlabelled images helped most: it took the error from 6\.6 % to 1\.1 %, five sixths of what was left; rotation pretraining helped least \(7\.9 % to 6\.6 %, a sixth\)\.$/,
  );
});

test('self-training is compared with what it started from, pretraining with augmentation', () => {
  // 88.65 → 28.76 %: 0.68; → 7.86 %: 0.73; → 1.14 %: 0.855.
  expect(ladderText(fromScratch(sample))).toMatch(
    /^Self-training on 59,\d\d\d unlabelled images helped most: it took the error from 7\.9 % to 1\.1 %, about five sixths of what was left; re-estimated statistics helped least \(89 % to 29 %, two thirds\)\. Beyond augmentation, rotation pretraining took the error from 7\.9 % to 6\.6 %, a sixth of what was left; self-training started without it\.$/,
  );
});

test('pretraining that bought nothing beyond augmentation is said to have bought nothing', () => {
  const ladder = [baseline, reestimated, scratch, withAccuracy(fineTune, 0.9098), selfTrained];
  expect(ladderText(fromScratch(withLadder(ladder)))).toMatch(
    / Beyond augmentation, rotation pretraining bought nothing: the error was 9\.0 % with it and 7\.9 % without; self-training started without it\.$/,
  );
  expect(ladderText(withLadder(ladder))).toMatch(
    /it took the error from 9\.0 % to 1\.1 %, .*; rotation pretraining made it worse \(7\.9 % to 9\.0 %\)\.$/,
  );
  const same = [baseline, reestimated, scratch, withAccuracy(fineTune, 0.9214), selfTrained];
  expect(ladderText(withLadder(same))).toMatch(
    /; rotation pretraining changed nothing \(7\.9 % to 7\.9 %\)\.$/,
  );
});

test('without pretraining nothing is said of it', () => {
  const step = "the labels alone, fine-tuning's schedule";
  const record = withLadder([baseline, reestimated, scratch, { ...fineTune, step }, selfTrained]);
  const config = { ...record.config, finetune: { from: 'random' } };
  expect(ladderText(fromScratch({ ...record, config }))).not.toMatch(/retraining|schedule/);
  expect(ladderText({ ...record, config })).toMatch(/five sixths of what was left; re-estimated statistics/);
});

test('one step has nothing beside it, none says nothing', () => {
  expect(ladderText(withLadder([reestimated, fineTune], { selfTrain: null }))).toBe(
    'Rotation pretraining, then the labels, took the error from 29 % to 6.6 %, about three quarters of what was left.',
  );
  expect(ladderText(withLadder([scratch, fineTune], { selfTrain: null }))).toBe(
    'Rotation pretraining took the error from 7.9 % to 6.6 %, a sixth of what was left.',
  );
  expect(ladderText(withLadder([scratch, withAccuracy(fineTune, 0.9)], { selfTrain: null }))).toBe(
    'Rotation pretraining did not help: the error went from 7.9 % to 10 %.',
  );
  expect(ladderText(withLadder([fineTune], { selfTrain: null }))).toBe('');
  expect(ladderText(withLadder([], { selfTrain: null }))).toBe('');
});

test('a run from before the labels alone were a stage, step by step', () => {
  expect(ladderText(withLadder([baseline, reestimated, fineTune, selfTrained]))).toMatch(
    /it took the error from 6\.6 % to 1\.1 %, five sixths of what was left; re-estimated statistics helped least \(89 % to 29 %, two thirds\)\.$/,
  );
});

test('a step that made it worse is not said to have helped', () => {
  const worse = { ...reestimated, test: { accuracy: 0.1, loss: 2.4 } };
  expect(ladderText(withLadder([baseline, worse, fineTune], { selfTrain: null }))).toMatch(
    /; re-estimated statistics made it worse \(89 % to 90 %\)\.$/,
  );
});

test('self-training that was not kept is not among what helped', () => {
  const final = { stage: 'finetune', test: sample.result.fineTune!.test } as const;
  const { ladder } = sample.result;
  for (const record of [withLadder(ladder, { final }), fromScratch(withLadder(ladder, { final }))]) {
    const text = ladderText(record);
    expect(text).toMatch(
      /^Augmentation helped most: it took the error from 29 % to 7\.9 %, .*; rotation pretraining helped least \(7\.9 % to 6\.6 %, a sixth\)\. Self-training was not kept: [^.]*\.$/,
    );
  }
});

test('a head on a frozen encoder is compared with the labels alone', () => {
  const test = { accuracy: 0.96, loss: 0.1 };
  const head: LadderStep = { ...scratch, figure: 'linearProbe', step: 'linear head on net', test };
  const final = { stage: 'linearProbe', test };
  const record = withLadder([scratch, head, fineTune], { final, selfTrain: null });
  const stages = [...sample.stages, { name: 'linearProbe', title: '', figures: ['linearProbe'] as const }];
  expect(ladderText({ ...record, stages })).toBe(
    'Linear head on net took the error from 7.9 % to 4.0 %, half of what was left. Beyond augmentation, rotation pretraining took the error from 7.9 % to 6.6 %, a sixth of what was left.',
  );
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
