import { z } from 'zod';
import type { Checkpoint } from './checkpoint.js';
import { parseWith } from './json.js';
import { stageNameSchema } from './run-record.js';

/** A count, or a sum of what was counted. */
const counter = z.int().min(0);
const duration = z.number().min(0);

/** Counters of a stage: the JSON part of its checkpoint. */
const progressSchema = z.strictObject({
  stage: stageNameSchema,
  draw: counter,
  /** Steps done over all epochs. */
  step: counter,
  /** Epochs finished: validated and on record. */
  epoch: counter,
  /** Sums over the current epoch's steps. */
  epochLoss: z.number(),
  epochCorrect: counter,
  /** Images with a target. */
  epochLabelled: counter,
  epochImages: counter,
  epochMs: duration,
  /** The part of it that steps waited for their batches; not counted by earlier versions. */
  epochWaitMs: duration.default(0),
  /** Over the whole stage. */
  trainMs: duration,
  imagesTrained: counter,
});

export type Progress = z.infer<typeof progressSchema>;

/**
 * How far a stage has come, as its checkpoint tells.
 * @param name the checkpoint, for the message
 * @throws QuarterturnError `checkpoint` naming the counters that are wrong
 */
export function progressOf({ state }: Pick<Checkpoint, 'state'>, name: string): Progress {
  return parseWith(progressSchema, state, `${name}, state`, 'the counters of a stage', {
    code: 'checkpoint',
    hint: 'The file was changed or damaged after it was written: restore it, or start a new run.',
  });
}

/** A stage before its first step. */
export function notStarted(stage: string, draw: number): Progress {
  return {
    stage,
    draw,
    step: 0,
    epoch: 0,
    epochLoss: 0,
    epochCorrect: 0,
    epochLabelled: 0,
    epochImages: 0,
    epochMs: 0,
    epochWaitMs: 0,
    trainMs: 0,
    imagesTrained: 0,
  };
}

/** An epoch is finished: its sums begin again. */
export function nextEpoch(progress: Progress): Progress {
  return {
    ...progress,
    epoch: progress.epoch + 1,
    epochLoss: 0,
    epochCorrect: 0,
    epochLabelled: 0,
    epochImages: 0,
    epochMs: 0,
    epochWaitMs: 0,
  };
}
