import type { RunEvent, RunEventListener } from '../../store/run-event.js';
import type { RecipeContext } from '../context.js';
import { cachesFeatures, type RunSettings } from '../settings.js';
import type { ImageCounts, Speeds } from '../stages/speeds.js';
import type { Stage, Stopwatch } from '../stages/stage.js';
import { assumed, classifyShare, pileTimes } from './assumed-times.js';
import { imageCountsOf } from './measure-speeds.js';
import { endingMs, lengthsOf } from './run-cost.js';
import { usualBatchSize } from './stage-graph.js';

/** Steps that are timed before the first word: the mean of so many tells what a step takes to within a few per cent. */
const stepsToTell = 10;

/** A run that is over in this time, in ms, needs no word about it. */
const worthTellingMs = 10_000;

/** What a step on the frozen blocks' features takes of a whole one. */
const headShare = 0.2;

/** A part of a run. */
interface Part {
  readonly stage: Stage;
  readonly draw: number;
}

export interface RunForecastOptions {
  readonly settings: RunSettings;
  /** The stages of the run, in their order. */
  readonly stages: readonly Stage[];
  readonly images: ImageCounts;
  /** What a step of each takes in relation to the others. */
  readonly stepCosts: Readonly<Record<string, number>>;
  /** A clock in ms, never running backwards. */
  readonly now?: (() => number) | undefined;
}

/**
 * How long a run still takes, from the speed of its steps so far and from what the plan of a budget counts, too. A stage that has not
 * begun is taken to be as fast for its images as the one that is under way.
 */
export class RunForecast {
  readonly #options: RunForecastOptions;
  readonly #now: () => number;
  readonly #parts: readonly Part[];
  /** Of the steps that were timed, in ms, by the stage's name. */
  readonly #stepMs = new Map<string, number>();
  /** What a step takes, divided by its cost: of the newest stage. */
  #unitMs: number | undefined;
  /** The part that is under way. */
  #at = 0;
  #begunAt: number;
  /** Steps of it that were done by an earlier process. */
  #doneSteps = 0;
  #timed = { steps: 0, ms: 0, since: undefined as number | undefined };

  constructor(options: RunForecastOptions) {
    const { settings, stages, now = () => performance.now() } = options;
    this.#options = options;
    this.#now = now;
    this.#begunAt = now();
    const of = (isShared: boolean, draw: number) =>
      stages.filter((stage) => stage.isShared === isShared).map((stage) => ({ stage, draw }));
    const draws = Array.from({ length: settings.draws }, (_, draw) => of(false, draw));
    this.#parts = [...of(true, 0), ...draws.flat()];
  }

  /** Takes note of what the run tells. */
  heed(event: RunEvent): void {
    if (event.type === 'stage-start') {
      const place = this.#parts.findIndex(
        ({ stage, draw }) => stage.name === event.stage && draw === event.draw,
      );
      if (place < 0) return;
      this.#at = place;
      this.#begunAt = this.#now();
      this.#doneSteps = event.fromStep;
      this.#timed = { steps: 0, ms: 0, since: undefined };
    } else if (event.type === 'step') this.#time(event.stage);
    // What comes between two steps is no part of a step.
    else this.#timed.since = undefined;
  }

  #time(stage: string): void {
    const timed = this.#timed;
    const now = this.#now();
    if (timed.since !== undefined) {
      timed.steps++;
      timed.ms += now - timed.since;
    }
    timed.since = now;
    if (timed.steps < stepsToTell) return;
    const ms = timed.ms / timed.steps;
    this.#stepMs.set(stage, ms);
    const cost = this.#options.stepCosts[stage] ?? 0;
    if (cost > 0) this.#unitMs = ms / cost;
  }

  /**
   * Time until the run ends, in ms; undefined until enough steps were timed.
   * @param etaMs what is under way, a stage or a pass, takes so long at least
   */
  remainingMs(etaMs = 0): number | undefined {
    const speeds = this.#speeds();
    if (!speeds) return undefined;
    const { settings } = this.#options;
    const work = { settings, speeds, ...lengthsOf(settings, speeds.images) };
    const sharedMs = (part: Part | undefined) =>
      part && part.draw === 0 ? (part.stage.sharedMs?.(work) ?? 0) : 0;
    const [current, ...later] = this.#parts.slice(this.#at);
    const laterMs = later.reduce((sum, part) => sum + sharedMs(part) + part.stage.drawMs(work), endingMs);
    if (!current) return laterMs;
    // What draws share is done when the stage that needs it begins.
    const doneMs = this.#doneSteps * (speeds.stepMs[current.stage.name] ?? 0);
    const elapsedMs = this.#now() - this.#begunAt + doneMs;
    const byPlan = current.stage.drawMs(work) - elapsedMs + laterMs;
    return Math.max(byPlan, etaMs + laterMs - sharedMs(later[0]));
  }

  #speeds(): Speeds | undefined {
    const unitMs = this.#unitMs;
    if (unitMs === undefined) return undefined;
    const { settings, images, stepCosts } = this.#options;
    const isTaught = settings.selfTrain?.teacher === 'neighbours';
    return {
      stepMs: Object.fromEntries(
        Object.entries(stepCosts).map(([stage, cost]) => [stage, this.#stepMs.get(stage) ?? unitMs * cost]),
      ),
      imageMs: classifyShare * unitMs,
      viewMs: assumed.viewMs,
      compileMs: assumed.compileMs,
      pile: isTaught ? pileTimes(images.train) : { graphMs: 0, spreadStepMs: 0 },
      saveMs: assumed.saveMs,
      spentMs: 0,
      images,
    };
  }
}

/** A step of each stage in relation to the others: the images that it trains on. */
async function stepCostsOf(
  context: Omit<RecipeContext, 'store'>,
  stages: readonly Stage[],
): Promise<Record<string, number>> {
  const { settings } = context;
  const stopwatch: Stopwatch = {
    isRun: (stage) => stages.includes(stage),
    stepMs: async (graph) =>
      usualBatchSize(settings, graph) *
      (graph === 'finetune' && cachesFeatures(settings.finetune) ? headShare : 1),
  };
  const costs: Record<string, number> = {};
  for (const stage of stages) {
    costs[stage.name] = stage.settingsOf(settings) ? await stage.stepMs(context, stopwatch) : 0;
  }
  return costs;
}

/**
 * The listener of a run, who is told as soon as it is known how long the run takes, and with each step and pass how long it still
 * takes. Of a run that has a budget, the first was said before.
 */
export async function withForecast(
  context: RecipeContext,
  stages: readonly Stage[],
): Promise<RunEventListener | undefined> {
  const { emit, settings } = context;
  if (!emit) return undefined;
  const stepCosts = await stepCostsOf(context, stages);
  const forecast = new RunForecast({ settings, stages, images: imageCountsOf(context), stepCosts });
  let isTold = settings.budgetMs !== undefined;
  return (event) => {
    forecast.heed(event);
    if (event.type !== 'step' && event.type !== 'pass') return emit(event);
    const { etaMs = 0 } = event;
    const runEtaMs = forecast.remainingMs(Number.isFinite(etaMs) ? etaMs : 0);
    if (runEtaMs === undefined) return emit(event);
    if (!isTold && runEtaMs > worthTellingMs) emit({ type: 'forecast', remainingMs: runEtaMs });
    isTold = true;
    emit({ ...event, runEtaMs });
  };
}
