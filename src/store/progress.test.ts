import { expect, test } from 'vitest';
import { notStarted, progressOf } from './progress.js';

const begun = { ...notStarted('finetune', 2), step: 7, epochLoss: 1.5, trainMs: 12.25 };

test('counters come back as they were', () => {
  expect(progressOf({ state: begun }, 'finetune-draw2')).toEqual(begun);
});

test.each([
  [{}, 'stage: '],
  [{ ...begun, step: -1 }, 'step: '],
  [{ ...begun, epoch: 1.5 }, 'epoch: '],
  [{ ...begun, trainMs: null }, 'trainMs: '],
  [{ ...begun, stage: '../finetune' }, 'stage: '],
  [{ ...begun, more: 1 }, 'Unrecognized key: "more"'],
])('%j is refused by name', (state, message) => {
  expect(() => progressOf({ state }, 'runs/a/finetune')).toThrow(
    expect.objectContaining({
      code: 'checkpoint',
      message: expect.stringContaining(
        `runs/a/finetune, state: expected the counters of a stage. Received: ${message}`,
      ),
    }),
  );
});
