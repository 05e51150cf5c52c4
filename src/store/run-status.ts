import { z } from 'zod';
import type { RunStore } from './checkpoint.js';
import { parseWith } from './json.js';
import { runStates } from './run-event.js';
import { evidenceSchema, metricsSchema, stageNameSchema } from './run-record.js';

const count = z.int().min(0);

/** `status.json`: how a run stands, replaced about once a second. */
export const runStatusSchema = z
  .object({
    state: z.enum(runStates),
    run: z.string(),
    /** Names of all its stages, in their order. */
    stages: z.array(stageNameSchema).readonly(),
    draws: count,
    /** The stage that is under way, or the last one that was; null before the first. */
    stage: stageNameSchema.nullable(),
    /** Label draw, 0 for the first. */
    draw: count,
    /** Of the stage. */
    step: count,
    totalSteps: count,
    /** Finished epochs of the stage. */
    epoch: count,
    epochs: count,
    /** What is under way where it is no step, for people: `rotations of test images`. */
    pass: z.object({ title: z.string(), done: z.number(), total: z.number() }).readonly().nullable(),
    /** Until the stage or the pass ends; null if nobody knows. */
    etaMs: z.number().min(0).nullable(),
    /** Until the run ends; null until that can be told, and in runs of earlier versions. */
    runEtaMs: z.number().min(0).nullable().default(null),
    /** Training figures of the stage's epoch so far. */
    train: metricsSchema.nullable(),
    /** What was evaluated last. */
    evaluated: z.object({ title: z.string(), metrics: metricsSchema }).readonly().nullable(),
    /** What held-back labels say of the classifiers of the last draw that is through. */
    evidence: z.array(evidenceSchema).readonly(),
    /** Why it did not finish; null if it did or goes on. */
    reason: z.string().nullable(),
    /** The process that writes the run; null if there is none to name, as in a browser. */
    pid: count.nullable(),
    host: z.string().nullable(),
    /** ISO 8601, in UTC. A running one that is older than minutes belongs to a process that was killed or hangs. */
    updatedAt: z.iso.datetime(),
  })
  .readonly();
export type RunStatus = z.infer<typeof runStatusSchema>;

/**
 * Reads the status of a run, as its process last wrote it.
 * @returns undefined for a run that no process of this version has written
 * @throws QuarterturnError `checkpoint` if its status is damaged
 */
export async function readStatus(store: Pick<RunStore, 'name' | 'readJson'>): Promise<RunStatus | undefined> {
  const status = await store.readJson('status');
  if (status === undefined) return undefined;
  return parseWith(runStatusSchema, status, `${store.name}, status.json`, 'the status of a run', {
    code: 'checkpoint',
  });
}
