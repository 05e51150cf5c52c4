import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import type { RunStore } from './checkpoint.js';
import { type DescriptionChoice, descriptionChoiceSchema } from './description-choice.js';
import { type FoldAnswers, foldAnswersSchema, packAnswers, unpackAnswers } from './fold-answers.js';
import { type Invariance, invarianceSchema } from './invariance.js';
import {
  type Evidence,
  evidenceSchema,
  failureSchema,
  type StageFailure,
  stageNameSchema,
  type Teacher,
  teachers,
} from './run-record.js';

const draw = z.int().min(0);

const stageEvidenceSchema = z.object({
  answers: z.array(z.object({ stage: stageNameSchema, draw, answers: foldAnswersSchema })).default([]),
  teachers: z.array(z.object({ stage: stageNameSchema, draw, teacher: z.enum(teachers) })).default([]),
  descriptions: z
    .array(z.object({ stage: stageNameSchema, draw, description: descriptionChoiceSchema }))
    .default([]),
  invariances: z.array(z.object({ draw, invariances: z.array(invarianceSchema).readonly() })).default([]),
  failures: z.array(failureSchema).default([]),
  /** Counts alone, in runs of earlier versions. */
  evidence: z.array(z.object({ draw, evidence: evidenceSchema })).default([]),
});

/** A stage of a draw. */
export interface StageOfDraw {
  readonly stage: string;
  readonly draw: number;
}

/**
 * What held-back labels say of the stages of a run, and the stages that failed. It is kept in the store as
 * `evidence.json`, fold by fold, so that a resumed run goes on with the next one, and one that is only evaluated chooses the
 * same classifier.
 */
export class StageEvidence {
  readonly #store: RunStore;
  readonly #content: z.infer<typeof stageEvidenceSchema>;
  /** Whether nothing is collected and nothing written, for a run that is only evaluated. */
  readonly readOnly: boolean;

  private constructor(store: RunStore, content: z.infer<typeof stageEvidenceSchema>, readOnly: boolean) {
    this.#store = store;
    this.#content = content;
    this.readOnly = readOnly;
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

  /** What was answered of each fold that was held back so far, in the order of the folds. */
  answersOf({ stage, draw }: StageOfDraw): readonly FoldAnswers[] {
    return this.#content.answers
      .filter((entry) => entry.draw === draw && entry.stage === stage)
      .map(({ answers }) => unpackAnswers(answers))
      .sort((a, b) => a.fold - b.fold);
  }

  /** All that has answered for labels held back in a draw, in the order in which it began. */
  answered(draw: number): readonly string[] {
    return [
      ...new Set(this.#content.answers.filter((entry) => entry.draw === draw).map(({ stage }) => stage)),
    ];
  }

  async addAnswers({ stage, draw }: StageOfDraw, answers: FoldAnswers): Promise<void> {
    this.#content.answers.push({ stage, draw, answers: packAnswers(answers) });
    await this.#save();
  }

  /** What an earlier version has kept: how many labels were found. */
  countsOf({ stage, draw }: StageOfDraw): Evidence | undefined {
    return this.#content.evidence.find((entry) => entry.draw === draw && entry.evidence.stage === stage)
      ?.evidence;
  }

  /** Whom a stage believes; undefined before that is chosen. */
  teacherOf({ stage, draw }: StageOfDraw): Teacher | undefined {
    return this.#content.teachers.find((entry) => entry.stage === stage && entry.draw === draw)?.teacher;
  }

  async setTeacher({ stage, draw }: StageOfDraw, teacher: Teacher): Promise<void> {
    this.#content.teachers.push({ stage, draw, teacher });
    await this.#save();
  }

  /** What a stage compares the pile's images by; undefined before that is chosen. */
  descriptionOf({ stage, draw }: StageOfDraw): DescriptionChoice | undefined {
    return this.#content.descriptions.find((entry) => entry.stage === stage && entry.draw === draw)
      ?.description;
  }

  async setDescription({ stage, draw }: StageOfDraw, description: DescriptionChoice): Promise<void> {
    this.#content.descriptions.push({ stage, draw, description });
    await this.#save();
  }

  /** Which changes leave the class of a draw's images as it is; empty before that is found out. */
  invariancesOf(draw: number): readonly Invariance[] {
    return this.#content.invariances.find((entry) => entry.draw === draw)?.invariances ?? [];
  }

  async setInvariances(draw: number, invariances: readonly Invariance[]): Promise<void> {
    const others = this.#content.invariances.filter((entry) => entry.draw !== draw);
    this.#content.invariances = [...others, { draw, invariances }];
    await this.#save();
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

  /** Deletes all that is known of a stage that is trained anew. */
  async forget(stage: StageFailure['stage'], draw: number): Promise<void> {
    const isOther = (entry: StageOfDraw) => entry.stage !== stage || entry.draw !== draw;
    const { answers, teachers, descriptions, evidence, failures } = this.#content;
    this.#content.answers = answers.filter(isOther);
    this.#content.teachers = teachers.filter(isOther);
    this.#content.descriptions = descriptions.filter(isOther);
    this.#content.failures = failures.filter(isOther);
    this.#content.evidence = evidence.filter((entry) =>
      isOther({ stage: entry.evidence.stage, draw: entry.draw }),
    );
    await this.#save();
  }

  async #save(): Promise<void> {
    await this.#store.writeJson('evidence', this.#content);
  }
}
