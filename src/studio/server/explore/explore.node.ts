import { Refusal } from '../api-error.js';
import type { LabelledPile } from '../labelled-pile.js';
import type { PileSource } from '../pile.js';
import type { KnownRun } from '../runs/known-run.js';
import { givenLabels, type LabelsNow } from '../runs/run-labels.js';
import { answersFolder, readAnswers } from './answer-files.node.js';
import type { Finding } from './finding.js';
import type { Inquire, Inquiries, InquiryName, LearningCurve, PileMap } from './inquiry.js';
import { type ImageNotes, type LookedInto, orderOfRun, partsOf, type QueueMaker, runOf } from './queues.js';
import type { RunAnswers } from './run-answers.js';
import type { RunComparison } from './run-comparison.js';
import { type Confusion, RunLook } from './run-look.js';
import { doubtedOf, predictionOf } from './run-notes.js';
import { Suggestions } from './suggestions.js';

export interface ExploreOptions {
  /** Of the project, absolute. */
  readonly folder: string;
  /** What the pictures are read from, as they are read now. */
  readonly source: () => PileSource;
  readonly inquire: Inquire;
  /** Runs of the project, the first one first. */
  readonly runs: () => Promise<readonly KnownRun[]>;
  /** Folder of a run. */
  readonly pathOf: (runId: string) => string;
  /** @throws Refusal `conflict` while there are no images */
  readonly labelled: () => LabelledPile;
  /** The labels as they are now. */
  readonly labels: () => LabelsNow;
  /** Something was found out: what pages show of it is to be asked for anew. */
  readonly onNews: () => void;
  /** What is being found out now; null: nothing is. */
  readonly onFinding?: ((finding: Finding | null) => void) | undefined;
  readonly onFault?: ((error: unknown) => void) | undefined;
}

/** Runs whose answers are in memory: two that are compared, and the newest. Those for 60,000 images of ten classes take 10 MB. */
const looksKept = 3;

/** What is found out of the pile of a project by its runs, and by what its images look like. */
export class Explore {
  readonly #options: ExploreOptions;
  readonly #looks = new Map<string, RunLook>();
  readonly #controller = new AbortController();
  /** Questions that are open, by what they ask. */
  readonly #open = new Map<string, Promise<unknown>>();
  /** Questions that had no answer, and will not be asked again by themselves. */
  readonly #failed = new Map<string, unknown>();
  /** Runs that were asked about the pile as it is. */
  readonly #answered = new Set<string>();
  /** Answers that are kept. */
  readonly #results = new Map<string, unknown>();
  readonly #suggestions: Suggestions;
  /** Only one at a time: each takes all cores. */
  #last: Promise<unknown> = Promise.resolve();
  #newest: KnownRun | undefined;
  #isRefreshed = false;

  constructor(options: ExploreOptions) {
    this.#options = options;
    this.#suggestions = new Suggestions(options.source, (task) => this.ask('suggest', task, 'suggest'));
  }

  /** The list of runs has changed. */
  refresh(): void {
    this.#isRefreshed = false;
  }

  /**
   * Makes the order of a queue, and what is said of its images.
   * @throws Refusal `not-found` for a run that is not there
   */
  async maker(queue: string): Promise<QueueMaker> {
    const parts = partsOf(queue);
    const newest = await this.newest();
    const runId = parts && runOf(parts);
    const run = runId === undefined ? newest : await this.#runNamed(runId);
    // Without a run to speak of, lists of labels are what they are.
    const isAsked = parts !== undefined && parts.kind !== 'suggested';
    const look = run && (await (isAsked ? this.lookAt(run) : this.lookAt(run).catch(() => undefined)));
    const labelled = this.#options.labelled();
    const classes = look?.classes(labelled.classes) ?? [];
    const notesOf = (index: number): ImageNotes => predictionOf(look, classes, index);
    const isPending = run !== undefined && look === undefined;
    const key = look?.runId ?? '';
    if (parts === undefined) return { key, notesOf };
    switch (parts.kind) {
      case 'suggested':
        return this.#suggestions.maker({
          labelled,
          run: newest && this.#options.pathOf(newest.id),
          answers: newest && answersFolder(this.#options.folder, newest.id),
          notesOf,
          classes,
        });
      case 'doubted':
        return { key, isPending, ...doubtedOf(look, labelled, { classes, notesOf }) };
      case 'differing':
        return { key: queue, ...(await this.#differing(parts, notesOf)) };
      default:
        return {
          ...{ key, isPending, notesOf },
          order: look ? orderOfRun(look, parts, classes) : () => new Int32Array(),
        };
    }
  }

  /**
   * What a run takes images of each class for.
   * @returns undefined where it is yet to be found out
   * @throws Refusal `not-found`
   */
  async confusion(runId: string): Promise<Confusion | undefined> {
    const look = await this.lookAt(await this.#runNamed(runId));
    const labelled = this.#options.labelled();
    return look?.confusion(labelled.classes, (index) => labelled.labelAt(index));
  }

  /**
   * Two runs beside each other.
   * @returns undefined where it is yet to be found out
   * @throws Refusal `not-found`
   */
  async compare(one: string, other: string): Promise<RunComparison | undefined> {
    const looks = [
      await this.lookAt(await this.#runNamed(one)),
      await this.lookAt(await this.#runNamed(other)),
    ];
    const [a, b] = looks;
    if (a === undefined || b === undefined) return undefined;
    const labelled = this.#options.labelled();
    const [ofA, ofB] = [a.classes(labelled.classes), b.classes(labelled.classes)];
    const isClass = new Set(labelled.classes.map(({ id }) => id));
    let [asked, differing, withLabel, rightA, rightB] = [0, 0, 0, 0, 0];
    for (const index of labelled.images.keys()) {
      const [saidA, saidB] = [a.saidOf(index), b.saidOf(index)];
      if (saidA === undefined || saidB === undefined) continue;
      asked++;
      const [idA, idB] = [ofA[saidA.class]?.id, ofB[saidB.class]?.id];
      if (idA !== idB) differing++;
      const label = labelled.labelAt(index);
      if (label === undefined || !isClass.has(label)) continue;
      withLabel++;
      if (idA === label) rightA++;
      if (idB === label) rightB++;
    }
    return {
      ...{ runs: [one, other], asked, differing, labelled: withLabel, right: [rightA, rightB] },
    };
  }

  /**
   * Images of a run's pile on a plane, those near to each other that its network sees alike.
   * @returns undefined where it is yet to be found out; no image where the run has no network of its own
   * @throws Refusal `not-found`; QuarterturnError where it could not be found out
   */
  async map(runId: string): Promise<PileMap | undefined> {
    const run = await this.#runNamed(runId);
    const look = await this.lookAt(run);
    if (look === undefined) return undefined;
    if (look.answers.features === null) return { images: [], positions: [] };
    return this.#found('map', { folder: answersFolder(this.#options.folder, runId) }, `map ${runId}`);
  }

  /**
   * How much more labels help, by those that a run learned.
   * @returns undefined where it is yet to be found out
   * @throws Refusal `not-found`; QuarterturnError where it could not be found out
   */
  async learningCurve(runId: string): Promise<LearningCurve | undefined> {
    const { learned } = await this.#runNamed(runId);
    const labels = Array.from(learned, ([image, { name }]) => [image, name] as const);
    return this.#found(
      'learningCurve',
      { source: this.#options.source(), labels },
      `learning curve ${runId}`,
    );
  }

  /**
   * How long each preset would take with the labels as they are now.
   * @returns undefined where it is yet to be found out
   * @throws QuarterturnError `data` where fewer than two classes have labels
   */
  plan(): Inquiries['plan']['result'] | undefined {
    const { labels } = givenLabels(this.#options.labels());
    // What a run takes depends on how many labels there are, roughly.
    const size = Math.floor(Math.log2(labels.images.length));
    const classes = labels.classNames?.length ?? 0;
    return this.#found('plan', { source: this.#options.source(), labels }, `plan ${size} ${classes}`);
  }

  /**
   * Groups of images that show nearly the same, as their ids.
   * @returns undefined where they are yet to be found out
   * @throws QuarterturnError where they could not be found out
   */
  nearDuplicates(): Inquiries['nearDuplicates']['result'] | undefined {
    return this.#found('nearDuplicates', { source: this.#options.source() }, 'near duplicates');
  }

  /**
   * What a run says of the pile.
   * @returns undefined where it is yet to be asked: an event tells when it has answered
   * @throws Refusal `conflict` for a run that has no classifier; QuarterturnError where it could not be asked
   */
  async lookAt(run: KnownRun): Promise<RunLook | undefined> {
    const known = this.#looks.get(run.id);
    if (known !== undefined) {
      this.#looks.delete(run.id);
      this.#looks.set(run.id, known);
      return known;
    }
    assertLearned(run);
    const folder = answersFolder(this.#options.folder, run.id);
    // What is damaged is made again.
    const answers = await readAnswers(folder).catch((): RunAnswers | undefined => undefined);
    if (answers === undefined) {
      const key = answersKey(run.id);
      if (!this.#open.has(key) && this.#answered.has(run.id)) throw this.#failed.get(key) ?? noClassifier();
      this.#askForAnswers(run.id, folder);
      return undefined;
    }
    const { images } = this.#options.labelled();
    const look = new RunLook({ answers, images, classIds: run.classes.map(({ id }) => id) });
    this.#looks.set(run.id, look);
    // Of images that came later, it is asked once; meanwhile, what it said of the others holds.
    if (look.hasUnasked && !this.#answered.has(run.id)) this.#askForAnswers(run.id, folder);
    for (const oldest of this.#looks.keys()) {
      if (this.#looks.size <= looksKept) break;
      this.#looks.delete(oldest);
    }
    return look;
  }

  /**
   * What a run says of all images that the pile has now, once it has been asked about those that it was not asked about.
   * @throws Refusal `not-found`; else as {@link lookAt}
   */
  async answersOf(runId: string): Promise<RunAnswers> {
    const run = await this.#runNamed(runId);
    const look = await this.lookAt(run);
    await this.#open.get(answersKey(runId));
    const { answers } = (await this.lookAt(run)) ?? look ?? {};
    if (answers === undefined) throw noClassifier();
    return answers;
  }

  /** The classes of a run, in the order of its probabilities. @throws Refusal `not-found` */
  async classesOf(runId: string): Promise<KnownRun['classes']> {
    return (await this.#runNamed(runId)).classes;
  }

  /**
   * Ask a question in another process, unless it is being asked.
   * @param key tells it from other ones
   * @returns the answer to come; undefined where the same question had none before
   */
  ask<N extends InquiryName>(
    name: N,
    task: Inquiries[N]['task'],
    key: string,
  ): Promise<Inquiries[N]['result']> | undefined {
    const open = this.#open.get(key);
    if (open !== undefined) return open as Promise<Inquiries[N]['result']>;
    if (this.#failed.has(key)) return undefined;
    const { signal } = this.#controller;
    const asked = this.#last
      .catch(() => {})
      .then(() => {
        const onProgress = (progress: number): void => this.#options.onFinding?.({ name, progress });
        onProgress(0);
        return this.#options.inquire(name, task, { signal, onProgress });
      })
      .catch((error) => {
        if (!signal.aborted) {
          this.#failed.set(key, error);
          this.#options.onFault?.(error);
        }
        throw error;
      })
      .finally(() => {
        this.#open.delete(key);
        this.#options.onFinding?.(null);
        if (!signal.aborted) queueMicrotask(() => this.#options.onNews());
      });
    this.#open.set(key, asked);
    this.#last = asked;
    asked.catch(() => {});
    return asked;
  }

  /** Whether a question is being asked. */
  isAsking(key: string): boolean {
    return this.#open.has(key);
  }

  /** One more image: what was said of the others holds. */
  grow(): void {
    this.#looks.clear();
  }

  /** Other images: nothing that was said of those before holds. */
  forget(): void {
    this.#looks.clear();
    this.#results.clear();
    this.#failed.clear();
    this.#answered.clear();
    this.#suggestions.forget();
  }

  /** End what is being found out. */
  async close(): Promise<void> {
    this.#controller.abort();
    await Promise.allSettled(this.#open.values());
  }

  #askForAnswers(runId: string, folder: string): void {
    this.#answered.add(runId);
    const task = { run: this.#options.pathOf(runId), runId, folder };
    this.ask('answers', task, answersKey(runId))?.then(
      () => this.#looks.delete(runId),
      () => {},
    );
  }

  /** What was found out, and is kept as long as the images are the same. */
  #found<N extends InquiryName>(
    name: N,
    task: Inquiries[N]['task'],
    key: string,
  ): Inquiries[N]['result'] | undefined {
    if (this.#failed.has(key)) throw this.#failed.get(key);
    const found = this.#results.get(key);
    if (found !== undefined) return found as Inquiries[N]['result'];
    this.ask(name, task, key)?.then(
      (result) => this.#results.set(key, result),
      () => {},
    );
    return undefined;
  }

  /** The newest run that has a classifier. */
  async newest(): Promise<KnownRun | undefined> {
    if (!this.#isRefreshed) {
      this.#isRefreshed = true;
      const runs = await this.#options.runs();
      this.#newest = runs.findLast(({ state, classes }) => state === 'done' && classes.length > 0);
    }
    return this.#newest;
  }

  async #runNamed(id: string): Promise<KnownRun> {
    if (this.#newest?.id === id) return this.#newest;
    const run = (await this.#options.runs()).find((each) => each.id === id);
    if (run !== undefined) return run;
    throw new Refusal('not-found', 'run: expected the id of a run of this project. Received: another.');
  }

  async #differing(
    { run, other }: Extract<LookedInto, { kind: 'differing' }>,
    notesOf: QueueMaker['notesOf'],
  ): Promise<Omit<QueueMaker, 'key'>> {
    const a = await this.lookAt(await this.#runNamed(run));
    const b = await this.lookAt(await this.#runNamed(other));
    if (a === undefined || b === undefined) {
      return { notesOf, isPending: true, order: () => new Int32Array() };
    }
    const { classes } = this.#options.labelled();
    const [ofA, ofB] = [a.classes(classes), b.classes(classes)];
    const order = (): Int32Array =>
      a.surest((index, said) => {
        const theirs = b.saidOf(index);
        return theirs !== undefined && ofA[said]?.id !== ofB[theirs.class]?.id;
      });
    const classesOfB = b.classes(classes);
    return {
      notesOf: (index) => {
        const { prediction: other } = predictionOf(b, classesOfB, index);
        return { ...predictionOf(a, ofA, index), ...(other && { other }) };
      },
      order,
    };
  }
}

const answersKey = (runId: string): string => `answers ${runId}`;

function assertLearned({ state, classes }: KnownRun): void {
  if (state === 'done' && classes.length > 0) return;
  const received = state === 'done' ? 'one that learned no classes' : 'one that is not done';
  throw new Refusal('conflict', `run: expected one with a classifier. Received: ${received}.`);
}

const noClassifier = (): Refusal =>
  new Refusal('conflict', 'run: expected one with a classifier. Received: one whose stages left none.');
