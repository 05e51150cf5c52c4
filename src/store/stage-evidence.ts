import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import type { RunStore } from './checkpoint.js';
import { type Evidence, evidenceSchema, failureSchema, type StageFailure } from './run-record.js';

const stageEvidenceSchema = z.object({
  evidence: z.array(z.object({ draw: z.int().min(0), evidence: evidenceSchema })).default([]),
  failures: z.array(failureSchema).default([]),
});

/**
 * Evidence from held-back labels for the stages of a run, and the stages that failed. It is kept in the store as
 * `evidence.json`, so that a resumed run and one that is only evaluated choose the same classifier.
 */
export class StageEvidence {
  readonly #store: RunStore;
  readonly #content: z.infer<typeof stageEvidenceSchema>;
  /** Whether only stored evidence is used. */
  readonly #readOnly: boolean;

  private constructor(store: RunStore, content: z.infer<typeof stageEvidenceSchema>, readOnly: boolean) {
    this.#store = store;
    this.#content = content;
    this.#readOnly = readOnly;
  }

  /**
   * @param options.readOnly collect nothing and write nothing, for a run that is only evaluated
   * @throws QuarterturnError `checkpoint` if the store's document is not one that a run wrote
   */
  static async open(store: RunStore, { readOnly = false } = {}): Promise<StageEvidence> {
    const parsed = stageEvidenceSchema.safeParse((await store.readJson('evidence')) ?? {});
    if (parsed.success) return new StageEvidence(store, parsed.data, readOnly);
    throw new QuarterturnError(
      'checkpoint',
      `${store.name}, evidence.json: expected what a run wrote. Received: ${z.prettifyError(parsed.error)}.`,
      { hint: 'The file was changed or damaged: delete it, and what it held is found out again.' },
    );
  }

  evidenceOf(stage: Evidence['stage'], draw: number): Evidence | undefined {
    return this.#content.evidence.find((entry) => entry.draw === draw && entry.evidence.stage === stage)
      ?.evidence;
  }

  /** Stored evidence, or evidence that is found now and stored; undefined if none can or may be found. */
  async evidenceFor(
    stage: Evidence['stage'],
    draw: number,
    find: () => Promise<Evidence | undefined>,
  ): Promise<Evidence | undefined> {
    const known = this.evidenceOf(stage, draw);
    if (known || this.#readOnly) return known;
    const evidence = await find();
    if (evidence === undefined) return undefined;
    this.#content.evidence.push({ draw, evidence });
    await this.#save();
    return evidence;
  }

  get failures(): readonly StageFailure[] {
    return this.#content.failures;
  }

  failureOf(stage: StageFailure['stage'], draw: number): StageFailure | undefined {
    return this.failures.find((failure) => failure.stage === stage && failure.draw === draw);
  }

  async addFailure(failure: StageFailure): Promise<void> {
    this.#content.failures.push(failure);
    await this.#save();
  }

  /** Deletes the evidence for a stage that is trained anew. */
  async forget(stage: StageFailure['stage'], draw: number): Promise<void> {
    const { evidence, failures } = this.#content;
    this.#content.evidence = evidence.filter(
      (entry) => entry.evidence.stage !== stage || entry.draw !== draw,
    );
    this.#content.failures = failures.filter((entry) => entry.stage !== stage || entry.draw !== draw);
    await this.#save();
  }

  async #save(): Promise<void> {
    await this.#store.writeJson('evidence', this.#content);
  }
}
