import { augmentImages } from '../../data/augment-images.js';
import { makeBatchesHere } from '../../data/batch-maker.js';
import { readRange } from '../../data/image-source.js';
import { assertGoingOn } from '../../errors.js';
import { foldCount, heldBackSplits } from '../../labels/held-back.js';
import { MemoryStore } from '../../store/checkpoint.js';
import type { Tensors } from '../../tensor/tensor.js';
import { batchesAhead } from '../../train/batches-ahead.js';
import { nextPrefix } from '../../train/state.js';
import { type RecipeContext, randomFor } from '../context.js';
import {
  classNamesOf,
  hasLabels,
  type LabelContext,
  labelledImages,
  labelledIndices,
  withLocatedLabels,
} from '../labels.js';
import { predictPile } from '../pile-graph.js';
import { allStages, stageNamed, stagesOf } from '../stages/registry.js';
import { selfTrainStage } from '../stages/self-train-stage.js';
import type { ImageCounts, Speeds } from '../stages/speeds.js';
import type { SampleBatches, Stage, Stopwatch } from '../stages/stage.js';
import { classifyShare, pileTimes } from './assumed-times.js';
import { type ImageKind, stageGraph, usualBatchSize } from './stage-graph.js';
import type { StageGraphName } from './stage-graph-names.js';

/** Runs of a graph that count. */
const fewestRuns = 4;
const maxRuns = 24;

/** Share of a budget that each graph is run for, at most: the more is at stake, the longer it is worth to look. */
const measuringShare = 0.01;
const longestMeasuringMs = 5000;

/** After so long nothing is run again, and what was not run yet is derived from what was: on a busy machine, one look takes minutes. */
const longestLookMs = 10_000;

/** A step that takes longer than this is not run again. */
const patienceMs = 1500;

/** Nothing is stored. */
export type MeasuredContext = Omit<RecipeContext, 'store'>;

export interface MeasureOptions {
  /** Names of the stages that will be run; default: all that the settings ask for. */
  readonly stages?: readonly string[] | undefined;
  /** The stages that there are; default: those of this package. */
  readonly registry?: readonly Stage[] | undefined;
  /** The time that there is, in ms: the longer, the more care is taken. */
  readonly budgetMs?: number | undefined;
  /** What has gone since the prompt, in ms, asked for at the end. */
  readonly spentMs?: () => number;
  /**
   * CPU time that this process has used, in ms, where the platform tells: with it, the fastest speeds are those of a machine on
   * which nothing else runs. Default: they are the best of a few runs.
   */
  readonly cpuMs?: (() => number) | undefined;
  /** What a clock says, in ms; default: that of the system. */
  readonly now?: (() => number) | undefined;
}

/** How long something took. */
interface Elapsed {
  readonly ms: number;
  /** Had no other program run: on a CPU, nothing takes longer than all of its threads together compute. */
  readonly aloneMs: number;
}

/** Begins to time something; the returned function ends it. */
type Timer = () => () => Elapsed;

function timerWith(cpuMs: (() => number) | undefined): Timer {
  return () => {
    const [started, cpuStarted] = [performance.now(), cpuMs?.()];
    return () => {
      const ms = performance.now() - started;
      const used = cpuMs && cpuStarted !== undefined ? cpuMs() - cpuStarted : ms;
      return { ms, aloneMs: Math.min(ms, used) };
    };
  };
}

/** Speeds as they are usual now, and the fastest that were seen: what the machine can do where nothing else keeps it busy. */
export interface MeasuredSpeeds extends Speeds {
  readonly fastest: Speeds;
}

/**
 * Measures the speed of this machine on the graphs and batches of the run. Takes a few seconds; after ten, what was not measured is
 * derived from what was, by the images that it goes through.
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function measureSpeeds(
  given: MeasuredContext,
  {
    stages: asked,
    registry = allStages,
    budgetMs = 0,
    spentMs = () => 0,
    cpuMs,
    now = () => performance.now(),
  }: MeasureOptions = {},
): Promise<MeasuredSpeeds> {
  const context = await withLocatedLabels(given);
  const { settings } = context;
  const stages = asked ?? stagesOf(settings, registry);
  context.emit?.({ type: 'measuring' });
  const forMs = Math.min(measuringShare * budgetMs, longestMeasuringMs);
  const isRun = ({ name }: Stage) => stages.includes(name);
  // Another device works while this process waits.
  const timer = timerWith(context.runtime.device === 'cpu' ? cpuMs : undefined);
  const begunMs = now();
  const isLate = (): boolean => now() - begunMs > longestLookMs;
  const classify = await timeGraph(context, 'classify', { forMs, timer, isLate });
  const timed = new Map<StageGraphName, GraphTime>();
  /** Time of an image in a step: the longest that was seen, else what classifying it tells. */
  const imageOfStep = (speed: 'runMs' | 'fastestMs'): number =>
    timed.size > 0
      ? Math.max(...Array.from(timed.values(), (time) => time[speed] / time.batchSize))
      : classify[speed] / classify.batchSize / classifyShare;
  const stopwatchFor = (speed: 'runMs' | 'fastestMs'): Stopwatch => ({
    isRun,
    async stepMs(graph, batches) {
      const known = timed.get(graph);
      if (known === undefined && isLate()) return usualBatchSize(settings, graph) * imageOfStep(speed);
      const time = known ?? (await timeGraph(context, graph, { batches, forMs, timer, isLate }));
      timed.set(graph, time);
      return time[speed];
    },
  });
  const compiled = (speed: 'compileMs' | 'fastestCompileMs') => ({
    step: Math.max(0, ...Array.from(timed.values(), (time) => time[speed])),
    classify: classify[speed],
  });
  const stepTimes = async (stopwatch: Stopwatch): Promise<Record<string, number>> => {
    const stepMs: Record<string, number> = {};
    for (const name of stages) {
      const stage = stageNamed(name, registry);
      stepMs[name] = stage.settingsOf(settings) ? await stage.stepMs(context, stopwatch) : 0;
    }
    return stepMs;
  };
  const stepMs = await stepTimes(stopwatchFor('runMs'));
  const selfTrains = isRun(selfTrainStage) && settings.selfTrain !== null;
  const isTaught = selfTrains && settings.selfTrain?.teacher === 'neighbours';
  const lookedAtPile = timer();
  const images = imageCountsOf(context);
  const pile = isTaught
    ? isLate()
      ? pileTimes(images.train)
      : await predictPile(context)
    : { graphMs: 0, spreadStepMs: 0 };
  const ofPile = lookedAtPile();
  const alone = ofPile.aloneMs / ofPile.ms;
  const usual: Speeds = {
    stepMs,
    imageMs: classify.runMs / classify.batchSize,
    viewMs: selfTrains ? await timeView(context) : 0,
    compileMs: compiled('compileMs'),
    pile,
    saveMs: await timeSave(context),
    spentMs: spentMs(),
    images,
  };
  const fastest = {
    ...usual,
    stepMs: await stepTimes(stopwatchFor('fastestMs')),
    imageMs: classify.fastestMs / classify.batchSize,
    compileMs: compiled('fastestCompileMs'),
    pile: { graphMs: alone * pile.graphMs, spreadStepMs: alone * pile.spreadStepMs },
  };
  return { ...usual, fastest };
}

/** The faster of two measurements, piece by piece; what has gone since the prompt is that of the first. */
export function fasterOf(first: Speeds, second: Speeds): Speeds {
  const faster = (a: number, b: number) => Math.min(a, b);
  return {
    ...first,
    stepMs: Object.fromEntries(
      Object.entries(first.stepMs).map(([stage, ms]) => [stage, faster(ms, second.stepMs[stage] ?? ms)]),
    ),
    imageMs: faster(first.imageMs, second.imageMs),
    viewMs: faster(first.viewMs, second.viewMs),
    compileMs: {
      step: faster(first.compileMs.step, second.compileMs.step),
      classify: faster(first.compileMs.classify, second.compileMs.classify),
    },
    pile: {
      graphMs: faster(first.pile.graphMs, second.pile.graphMs),
      spreadStepMs: faster(first.pile.spreadStepMs, second.pile.spreadStepMs),
    },
    saveMs: faster(first.saveMs, second.saveMs),
  };
}

/** Numbers of images that a run goes through. */
export function imageCountsOf(context: LabelContext): ImageCounts {
  const { train, test } = context.data;
  const labelled = hasLabels(context) ? labelledIndices(context, 0).length : 0;
  return {
    train: train.images.count,
    test: test?.images.count ?? 0,
    labelled,
    folds: foldsOf(labelled > 0 ? (labelledImages(context, 0).labels ?? []) : []),
  };
}

/** Folds that labels are divided into; 0 if none can be held back. */
function foldsOf(classes: ArrayLike<number>): number {
  return heldBackSplits(classes).length > 0 ? foldCount(classes.length) : 0;
}

interface GraphTime {
  readonly compileMs: number;
  readonly fastestCompileMs: number;
  /** In the mean. */
  readonly runMs: number;
  readonly fastestMs: number;
  readonly batchSize: number;
}

interface TimeGraphOptions {
  /** Made as training has them made: with a thread that makes them ahead, a step takes as long as beside that thread. */
  readonly batches?: SampleBatches;
  /** Time to run the graph for, where the fewest runs take less and the most take more. */
  readonly forMs: number;
  readonly timer: Timer;
  /** Whether nothing is to be run that need not. */
  readonly isLate: () => boolean;
}

/** Time of a step, its batch made, and the time before the first one, in ms. */
async function timeGraph(
  context: MeasuredContext,
  name: StageGraphName,
  { batches, forMs, timer, isLate }: TimeGraphOptions,
): Promise<GraphTime> {
  const { settings, runtime, batchMakerFor = makeBatchesHere } = context;
  const { graph, inputs, batchSize } = stageGraph(settings, kindOf(context), name);
  assertGoingOn(context.signal);
  const compiling = timer();
  const program = await runtime.compile(graph);
  const compiled = compiling();
  const maker = batches && batchMakerFor(batches.images);
  const ahead = maker && batches && batchesAhead(maker, 0, batches.batch);
  try {
    let into: Tensors | undefined;
    const run = async (): Promise<Elapsed> => {
      assertGoingOn(context.signal);
      const running = timer();
      await ahead?.take(Number.POSITIVE_INFINITY);
      const out = await program.run(inputs, into);
      const elapsed = running();
      // As in training, a step writes over buffers that are there.
      into ??= Object.fromEntries(Object.entries(out).filter(([key]) => key.startsWith(nextPrefix)));
      return elapsed;
    };
    // A thread that makes batches starts once for all stages: that is no part of this one's time.
    await ahead?.take(Number.POSITIVE_INFINITY);
    const first = await run();
    let [total, runs, fastestMs] = [0, 0, first.aloneMs];
    const isSlow = first.ms > patienceMs || isLate();
    if (!isSlow) await run();
    for (
      ;
      !isSlow && (runs === 0 || !isLate()) && (runs < fewestRuns || (runs < maxRuns && total < forMs));
      runs++
    ) {
      const { ms, aloneMs } = await run();
      total += ms;
      fastestMs = Math.min(fastestMs, aloneMs);
    }
    const runMs = isSlow ? first.ms : total / runs;
    return {
      compileMs: compiled.ms + Math.max(0, first.ms - runMs),
      fastestCompileMs: compiled.aloneMs + Math.max(0, first.aloneMs - fastestMs),
      ...{ runMs, fastestMs, batchSize },
    };
  } finally {
    await maker?.release();
    await program.release();
  }
}

/** Time of something, in ms, once it has been done often enough to be compiled. */
async function timeOnce(make: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let ms = Number.POSITIVE_INFINITY;
  for (let runs = 0; runs < 2 || (runs < 20 && performance.now() - began < 100); runs++) {
    const started = performance.now();
    await make();
    ms = performance.now() - started;
  }
  return ms;
}

/** Images and classes as the run's graphs have them. */
function kindOf(context: MeasuredContext): ImageKind {
  const { height, width, channels } = context.data.train.images;
  // Two at least: a pile without labels has no classes yet, and a step needs some.
  return { height, width, channels, classes: Math.max(2, classNamesOf(context).length) };
}

/** A disk takes about so long to say that a small file is safe; the rest is making its bytes. */
const syncMs = 8;

async function timeSave(context: MeasuredContext): Promise<number> {
  const { inputs } = stageGraph(context.settings, kindOf(context), 'finetune', 2);
  const store = new MemoryStore();
  const started = performance.now();
  await store.saveCheckpoint('probe', { tensors: inputs, state: {} });
  return performance.now() - started + syncMs;
}

/** Time to make one view of an image of the pile, in ms. */
async function timeView(context: MeasuredContext): Promise<number> {
  const { images } = context.data.train;
  const count = Math.min(64, images.count);
  const { strong } = context.settings.selfTrain!;
  const random = () => randomFor(context, 'measure');
  return (
    (await timeOnce(async () => augmentImages(await readRange(images, 0, count), strong, random()))) / count
  );
}
