import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggedEvent } from '../../../store/event-log.js';
import { errorAnswer, Refusal } from '../api-error.js';
import type { PileSource } from '../pile.js';
import { errorOf } from '../plain-error.js';
import { curveSoFar, followRun } from './follow-run.node.js';
import type { KnownRun } from './known-run.js';
import { RunCurve } from './run-curve.js';
import { changedSince, givenLabels, type LabelsNow } from './run-labels.js';
import { RunList } from './run-list.node.js';
import type { CurvePage, CurvePoint, RunDelta, RunRow, TrainingState } from './run-updates.js';
import type { StartTraining, Training, TrainingEnd, TrainTask } from './trainer.js';
import { beginningOf, type StageList, trainingAfter } from './training-state.js';

export interface RunsOptions {
  /** Of the project, absolute: its runs lie in `runs`. */
  readonly folder: string;
  /** What the pictures are read from, as they are read now. */
  readonly source: () => PileSource;
  readonly startTraining: StartTraining;
  /** The labels as they are now. */
  readonly labels: () => LabelsNow;
  readonly tell: (delta: RunDelta) => void;
  /** Told of what nobody foresaw. */
  readonly onFault?: ((error: unknown) => void) | undefined;
  /** Default: the system's. */
  readonly now?: () => Date;
}

/** What a page asks for when it starts a run. */
export interface StartRequest {
  readonly preset: 'quick' | 'best' | 'notebook';
  readonly budgetMinutes?: number | undefined;
}

/** Points of a page of a curve at most: some megabytes. */
const maxCurvePage = 50_000;

/** A person takes it for at once, and a page is told no more often. */
const gatherMs = 200;

/** How long the last lines of a process that has ended are waited for. */
const lastLinesMs = 600;

interface Active {
  readonly runId: string;
  readonly training: Training;
  readonly done: Promise<void>;
}

/**
 * The runs of a project: what lies in its folder, and the one that this studio trains.
 *
 * What is trained writes its folder, and everything that is told of it is read from there, so that a page, a page that was reloaded
 * and a command line see the same.
 */
export class Runs {
  readonly #options: RunsOptions;
  readonly #list: RunList;
  #training: TrainingState | null = null;
  #active: Active | undefined;
  #revision = 0;
  #isStarting = false;
  /** Points that are not told yet. */
  #pending: { readonly runId: string; readonly points: CurvePoint[] } | undefined;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#list = new RunList(join(options.folder, 'runs'));
  }

  get training(): TrainingState | null {
    return this.#training;
  }

  get isBusy(): boolean {
    return this.#active !== undefined || this.#isStarting;
  }

  /**
   * Begin a run with the labels as they are now.
   * @returns its id
   * @throws Refusal `busy` while another one trains; QuarterturnError `data` where fewer than two classes have labels
   */
  async start({ preset, budgetMinutes }: StartRequest): Promise<string> {
    return this.#beginOne(async () => {
      const { labels, classes, seq } = givenLabels(this.#options.labels());
      const runs = await this.#list.read();
      const runId = newName(preset, this.#now(), new Set(runs.map(({ id }) => id)));
      this.#begin(runId, {
        type: 'start',
        ...{ source: this.#options.source(), folder: this.#list.pathOf(runId), preset, labels },
        budgetMs: budgetMinutes === undefined ? undefined : budgetMinutes * 60_000,
        project: { seq, classes },
      });
      return runId;
    });
  }

  /**
   * Go on with a run that was stopped.
   * @throws Refusal `not-found` for another id; `busy` while one trains; `conflict` for a run that is done
   */
  async goOn(id: string): Promise<void> {
    await this.#beginOne(async () => {
      const { state } = await this.#known(id);
      if (state === 'training' || state === 'done') {
        const received = state === 'done' ? 'one that is done' : 'one that another process trains';
        throw new Refusal('conflict', `run: expected one that was stopped. Received: ${received}.`);
      }
      const curve = await curveSoFar(this.#list.pathOf(id));
      this.#begin(
        id,
        { type: 'continue', folder: this.#list.pathOf(id) },
        { knownPoints: curve.points.length },
      );
    });
  }

  /**
   * Save what trains and stop it; how that goes, events tell. One that failed is not told of any more.
   * @throws Refusal `conflict` where nothing trains
   */
  stop(): void {
    if (this.#active === undefined && this.#training?.phase === 'failed') {
      this.#setTraining(null);
      return;
    }
    if (this.#active === undefined || this.#training === null) {
      throw new Refusal('conflict', 'training: expected one to stop. Received: none.');
    }
    this.#active.training.stop();
    const { etaMs: _, ...before } = this.#training;
    this.#setTraining({ ...before, phase: 'stopping' });
  }

  /** All runs, the newest first. */
  async rows(): Promise<readonly RunRow[]> {
    const runs = await this.#list.read();
    const labels = this.#options.labels();
    return runs.map((run, i) => this.#rowOf(run, i + 1, labels)).reverse();
  }

  /** All runs as their files tell them, the first one first. */
  known(): Promise<readonly KnownRun[]> {
    return this.#list.read();
  }

  /** Folder of a run, by its id. */
  pathOf(id: string): string {
    return this.#list.pathOf(id);
  }

  /** @throws Refusal `not-found` */
  async row(id: string): Promise<RunRow> {
    const found = (await this.rows()).find((row) => row.id === id);
    if (found !== undefined) return found;
    throw unknownRun();
  }

  /**
   * The points of a run's curves from a number on.
   * @throws Refusal `not-found`; QuarterturnError `checkpoint` if its log is damaged
   */
  async curve(id: string, from = 0): Promise<CurvePage> {
    // A run that has just been asked for has no folder yet.
    if (id !== this.#active?.runId) await this.#known(id);
    const { points } = await curveSoFar(this.#list.pathOf(id));
    const page = points.slice(from, from + maxCurvePage);
    return { runId: id, points: page, next: from + page.length };
  }

  /** Stop what trains, and wait until it is saved. */
  async close(): Promise<void> {
    this.#active?.training.stop();
    await this.#active?.done;
  }

  async #known(id: string): Promise<KnownRun> {
    const run = (await this.#list.read()).find((each) => each.id === id);
    if (run !== undefined) return run;
    throw unknownRun();
  }

  #rowOf(run: KnownRun, number: number, labels: LabelsNow): RunRow {
    const { learned, classes: _, seq, ...row } = run;
    const state = run.id === this.#active?.runId ? 'training' : run.state;
    const labelsChanged = seq === labels.seq ? 0 : changedSince(learned, labels);
    return { ...row, state, number, labelsChanged };
  }

  async #beginOne<T>(begin: () => Promise<T>): Promise<T> {
    if (this.isBusy) {
      throw new Refusal('busy', 'training: expected one at a time. Received: another one.', {
        hint: 'Stop the one that trains first: it is saved, and can be gone on with.',
      });
    }
    this.#isStarting = true;
    try {
      return await begin();
    } finally {
      this.#isStarting = false;
    }
  }

  /** @param options.knownPoints of its curve, where it has begun */
  #begin(runId: string, task: TrainTask, options: { readonly knownPoints?: number } = {}): void {
    this.#setTraining(beginningOf({ runId, startedAt: this.#now().toISOString() }));
    const training = this.#options.startTraining(task, {
      onNews: ({ phase, text, progress }) => {
        if (this.#training === null || this.#training.phase === 'stopping') return;
        const { etaMs: _, passText: __, ...before } = this.#training;
        this.#setTraining({ ...before, phase, stageText: text, progress, imagesPerSecond: null });
      },
    });
    const done = this.#follow(runId, training, options).catch((error) => {
      this.#options.onFault?.(error);
    });
    this.#active = { runId, training, done };
  }

  /** Until it has ended, and all that it told is told. */
  async #follow(
    runId: string,
    training: Training,
    { knownPoints }: { readonly knownPoints?: number },
  ): Promise<void> {
    const controller = new AbortController();
    const curve = new RunCurve();
    let list: StageList = { stages: [], draws: 1 };
    let [isLive, sawEnd] = [knownPoints === undefined, () => {}];
    const ending = new Promise<void>((resolve) => {
      sawEnd = resolve;
    });
    const onEvent = (event: LoggedEvent): void => {
      const points = curve.add(event).filter(({ seq }) => seq >= (knownPoints ?? 0));
      this.#tellPoints(runId, points);
      // What an earlier process told is over.
      if (event.type === 'run-start' && this.#isSince(event.at)) isLive = true;
      if (event.type === 'run-start') list = { stages: event.stages, draws: event.draws };
      if (!isLive || this.#training === null) return;
      if (event.type === 'run-start') this.#tellRuns();
      if (event.type === 'run-end') sawEnd();
      this.#setTraining(trainingAfter(this.#training, event, list));
    };
    const following = followRun(this.#list.pathOf(runId), { signal: controller.signal, onEvent }).catch(
      (error) => this.#options.onFault?.(error),
    );
    const end = await training.ended;
    await Promise.race([ending, following, sleep(lastLinesMs)]);
    controller.abort();
    await following;
    this.#flushPoints();
    this.#active = undefined;
    this.#setTraining(this.#afterwards(end));
    this.#tellRuns();
  }

  #isSince(at: string): boolean {
    return this.#training !== null && at >= this.#training.startedAt;
  }

  #afterwards(end: TrainingEnd): TrainingState | null {
    if (end.state !== 'failed' || this.#training === null) return null;
    const { etaMs: _, ...before } = this.#training;
    return { ...before, phase: 'failed', error: errorAnswer(errorOf(end.error)).body.error };
  }

  /** Points of one moment become one word. */
  #tellPoints(runId: string, points: readonly CurvePoint[]): void {
    if (points.length === 0) return;
    if (this.#pending === undefined) {
      this.#pending = { runId, points: [] };
      setTimeout(() => this.#flushPoints(), gatherMs).unref();
    }
    this.#pending.points.push(...points);
  }

  #flushPoints(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) this.#options.tell({ type: 'curve', ...pending });
  }

  #setTraining(training: TrainingState | null): void {
    this.#training = training;
    this.#options.tell({ type: 'training', training });
  }

  #tellRuns(): void {
    this.#options.tell({ type: 'runs', revision: ++this.#revision });
  }

  #now(): Date {
    return this.#options.now?.() ?? new Date();
  }
}

/** `quick-20261128-101500`, as the command line names runs. */
function newName(preset: string, now: Date, taken: ReadonlySet<string>): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const name = `${preset}-${time}`;
  for (let i = 2; ; i++) {
    const tried = i === 2 ? name : `${name}-${i - 1}`;
    if (!taken.has(tried)) return tried;
  }
}

const unknownRun = (): Refusal =>
  new Refusal('not-found', 'run: expected the id of a run of this project. Received: another.');
