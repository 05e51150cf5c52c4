/** What a run tells while it goes on, and what its event log holds. Schemas first, types from them. */

import { z } from 'zod';
import { descriptionChoiceSchema } from './description-choice.js';
import { invarianceSchema } from './invariance.js';
import { epochSchema, evidenceSchema, metricsSchema, stageNameSchema, teachers } from './run-record.js';

const count = z.int().min(0);
const amount = z.number().min(0);
const of = z.int().min(1);
/** A label draw, 0 for the first. */
const draw = count;
const stage = stageNameSchema;

/** How a run may stand. */
export const runStates = ['running', 'finished', 'failed', 'interrupted'] as const;
export type RunState = (typeof runStates)[number];

/** A run begins, or goes on where it was stopped. */
const runStart = z.object({
  type: z.literal('run-start'),
  /** What the store calls it; the folder's path in Node. */
  run: z.string(),
  /** Names of all its stages, in their order. */
  stages: z.array(stage).readonly(),
  draws: of,
  /** Whether an earlier process began it. */
  resumed: z.boolean(),
});

/** A run ends; whatever is not finished can be resumed. */
const runEnd = z.object({
  type: z.literal('run-end'),
  run: z.string(),
  state: z.enum(runStates).exclude(['running']),
  /** Why it did not finish. */
  reason: z.string().optional(),
});

/** Resuming found a run that has all its stages: nothing is trained. */
const alreadyFinished = z.object({ type: z.literal('already-finished'), run: z.string() });

/** The speed of this machine is being measured, which takes a few seconds. */
const measuring = z.object({ type: z.literal('measuring') });

/** Labelled images were looked for by their content, and some lie elsewhere than before, or nowhere. */
const labelsLocated = z.object({
  type: z.literal('labels-located'),
  /** What the training set is called. */
  data: z.string(),
  /** Of the given labels, for how many images each. */
  total: count,
  moved: count,
  missing: count,
});

/** The steps of the stages were counted out for a time. */
const budgetFitted = z.object({
  type: z.literal('budget-fitted'),
  preset: z.string(),
  budgetMs: amount,
  /** Steps in relation to those of the recipe. */
  scale: amount,
  predictedMs: amount,
  /** Of each stage whose length changes with the budget. */
  steps: z.array(z.object({ stage, steps: count }).readonly()).readonly(),
  /** What is tried with labels held back, where it is shorter than usual for such a stage: its steps, were it given all labels. */
  shortened: z
    .array(z.object({ stage, steps: count }).readonly())
    .readonly()
    .default([]),
  /** Names of the stages that have the fewest steps that teach anything, where fewer would have fitted. */
  atLeast: z.array(stage).readonly(),
  /** Whether more time would not be used. */
  atMost: z.boolean(),
});

/** How long the run takes, from the speed of its first steps: said once, by a run that has no budget. */
const forecast = z.object({ type: z.literal('forecast'), remainingMs: amount });

/** A part of the run begins; `title` is for people: `Pretraining on rotations`. */
const stageStart = z.object({
  type: z.literal('stage-start'),
  stage,
  draw,
  title: z.string(),
  totalSteps: count,
  fromStep: count,
  epochs: count,
  stepsPerEpoch: count,
});

const step = z.object({
  type: z.literal('step'),
  stage,
  epoch: count,
  step: count,
  totalSteps: count,
  /** Running mean of the epoch. */
  metrics: metricsSchema,
  learningRate: amount,
  imagesPerSecond: amount,
  /** Until the stage ends. */
  etaMs: amount,
  /** Until the run ends, once that can be told. */
  runEtaMs: amount.optional(),
  /** Time that this step waited for its batch. */
  waitMs: amount,
});

const epochEnd = z.object({ type: z.literal('epoch-end'), record: epochSchema });

/** How far a long evaluation, caching or searching pass is. */
const pass = z.object({
  type: z.literal('pass'),
  title: z.string(),
  done: amount,
  total: amount,
  /** Until it ends; absent where nobody can tell. */
  etaMs: amount.optional(),
  /** Until the run ends, once that can be told. */
  runEtaMs: amount.optional(),
  /** Where what is gone through is images. */
  imagesPerSecond: amount.optional(),
});

const evaluated = z.object({ type: z.literal('evaluated'), title: z.string(), metrics: metricsSchema });

const checkpoint = z.object({ type: z.literal('checkpoint'), path: z.string(), step: count });

/** A stage ended before its last epoch because classes of its classifier were merging. */
const stoppedEarly = z.object({
  type: z.literal('stopped-early'),
  stage,
  draw,
  /** 1-based. */
  epoch: count,
  reason: z.literal('collapsed'),
  /** Share of the pile that was given the rarest class. */
  smallestClass: z.number().min(0).max(1),
});

/** A stage failed; the run goes on without it. */
const stageFailed = z.object({
  type: z.literal('stage-failed'),
  stage,
  draw,
  reason: z.string(),
});

/** A stage was trained before, from other settings, data, labels or by an older version: it is trained again. */
const stageOutdated = z.object({ type: z.literal('stage-outdated'), stage, draw });

/** A finished stage was taken over from another run, which trained it in the same way. */
const stageReused = z.object({
  type: z.literal('stage-reused'),
  stage,
  draw,
  /** What the other run is called. */
  from: z.string(),
});

/** Held-back labels have said who teaches self-training. */
const teacherChosen = z.object({
  type: z.literal('teacher-chosen'),
  draw,
  teacher: z.enum(teachers),
  /** How many of the labels that were held back their neighbours have found. */
  found: amount,
  of,
  /** The classifier that found more of them, by more than chance; null where none did. */
  rival: z.object({ stage, found: amount, of }).readonly().nullable(),
});

/** Held-back labels have said what the images of the pile are compared by. */
const descriptionChosen = z.object({
  type: z.literal('description-chosen'),
  draw,
  ...descriptionChoiceSchema.unwrap().shape,
});

/** The pile and its labels have said whether images keep their class under a change. */
const invarianceJudged = z.object({
  type: z.literal('invariance-judged'),
  draw,
  ...invarianceSchema.unwrap().shape,
});

/** Which classifier a draw is left with, and what held-back labels said of each. */
const kept = z.object({
  type: z.literal('kept'),
  stage,
  draw,
  evidence: z.array(evidenceSchema).readonly(),
});

/** Everything that a run tells. */
export const runEventSchema = z
  .discriminatedUnion('type', [
    runStart,
    runEnd,
    alreadyFinished,
    measuring,
    labelsLocated,
    budgetFitted,
    forecast,
    stageStart,
    step,
    epochEnd,
    pass,
    evaluated,
    checkpoint,
    stoppedEarly,
    stageFailed,
    stageOutdated,
    stageReused,
    invarianceJudged,
    descriptionChosen,
    teacherChosen,
    kept,
  ])
  .readonly();
export type RunEvent = z.infer<typeof runEventSchema>;

export type RunEventListener = (event: RunEvent) => void;

/** Events of which only the newest counts: how far something is. They are too frequent to be kept one by one. */
const liveTypes: ReadonlySet<RunEvent['type']> = new Set(['step', 'pass', 'checkpoint']);

/** Whether a later event of the same type makes this one superfluous. */
export function isLive({ type }: Pick<RunEvent, 'type'>): boolean {
  return liveTypes.has(type);
}
