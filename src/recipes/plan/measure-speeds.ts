import { gatherImages } from '../../data/batches.js';
import { assertGoingOn } from '../../errors.js';
import { partsOf } from '../../labels/held-back.js';
import { MemoryStore } from '../../store/checkpoint.js';
import type { Tensor } from '../../tensor/tensor.js';
import { nextPrefix } from '../../train/train-step.js';
import { augmentImages } from '../augment.js';
import { type RecipeContext, randomFor } from '../context.js';
import { classNamesOf, hasLabels, labelledImages, labelledIndices } from '../labels.js';
import { predictPile } from '../pile-graph.js';
import { allStages, stageNamed, stagesOf } from '../stages/registry.js';
import { selfTrainStage } from '../stages/self-train-stage.js';
import type { Speeds } from '../stages/speeds.js';
import type { Stage, Stopwatch } from '../stages/stage.js';
import { stageGraph } from './stage-graph.js';
import type { StageGraphName } from './stage-graph-names.js';

/** Runs of a graph that count. */
const fewestRuns = 4;
const mostRuns = 24;

/** Share of a budget that each graph is run for, at most: the more is at stake, the longer it is worth to look. */
const measuringShare = 0.01;
const longestMeasuringMs = 5000;

const nothingBegun = 'stopped before anything was begun.';

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
}

/**
 * Find out how fast this machine is, on the graphs and the batches that the run will have. Takes a few seconds.
 * @throws QuarterturnError `interrupted` when the context's signal says so
 */
export async function measureSpeeds(
  context: MeasuredContext,
  { stages: asked, registry = allStages, budgetMs = 0, spentMs = () => 0 }: MeasureOptions = {},
): Promise<Speeds> {
  const { settings, data } = context;
  const stages = asked ?? stagesOf(settings, registry);
  context.emit?.({ type: 'measuring' });
  const labelled = hasLabels(context) ? labelledIndices(context, 0) : new Uint32Array();
  const forMs = Math.min(measuringShare * budgetMs, longestMeasuringMs);
  const isRun = ({ name }: Stage) => stages.includes(name);
  const classify = await timeGraph(context, 'classify', () => {}, forMs);
  const timed = new Map<StageGraphName, GraphTime>();
  const stopwatch: Stopwatch = {
    isRun,
    async stepMs(graph, batch) {
      const time = timed.get(graph) ?? (await timeGraph(context, graph, batch, forMs));
      timed.set(graph, time);
      return time.runMs;
    },
  };
  const stepMs: Record<string, number> = {};
  for (const name of stages) {
    const stage = stageNamed(name, registry);
    stepMs[name] = stage.settingsOf(settings) ? await stage.stepMs(context, stopwatch) : 0;
  }
  const selfTrains = isRun(selfTrainStage) && settings.selfTrain !== null;
  return {
    stepMs,
    imageMs: classify.runMs / classify.batchSize,
    viewMs: selfTrains ? timeView(context) : 0,
    compileMs: {
      step: Math.max(0, ...Array.from(timed.values(), ({ compileMs }) => compileMs)),
      classify: classify.compileMs,
    },
    pile:
      selfTrains && settings.selfTrain?.teacher === 'neighbours'
        ? await predictPile(context)
        : { graphMs: 0, spreadMs: 0 },
    saveMs: await timeSave(context),
    spentMs: spentMs(),
    images: {
      train: data.train.count,
      test: data.test?.count ?? 0,
      labelled: labelled.length,
      parts: labelled.length > 0 ? (partsOf(labelledImages(context, 0).labels!)?.length ?? 0) : 0,
    },
  };
}

interface GraphTime {
  readonly compileMs: number;
  readonly runMs: number;
  readonly batchSize: number;
}

/**
 * Time of a step, its batch made, and the time before the first one, in ms.
 * @param forMs time to run it for, where the fewest runs take less and the most take more
 */
async function timeGraph(
  context: MeasuredContext,
  name: StageGraphName,
  batch: () => unknown,
  forMs: number,
): Promise<GraphTime> {
  const { settings, data, runtime } = context;
  const kind = { ...data.train, classes: classNamesOf(context).length };
  const { graph, inputs, batchSize } = stageGraph(settings, kind, name);
  assertGoingOn(context.signal, nothingBegun);
  const started = performance.now();
  const program = await runtime.compile(graph);
  const compileMs = performance.now() - started;
  try {
    let into: Record<string, Tensor> | undefined;
    const run = async (): Promise<number> => {
      assertGoingOn(context.signal, nothingBegun);
      const from = performance.now();
      batch();
      const out = await program.run(inputs, into);
      const ms = performance.now() - from;
      // As in training, a step writes over buffers that are there.
      into ??= Object.fromEntries(Object.entries(out).filter(([key]) => key.startsWith(nextPrefix)));
      return ms;
    };
    const first = await run();
    if (first > patienceMs) return { compileMs, runMs: first, batchSize };
    await run();
    let [total, runs] = [0, 0];
    for (; runs < fewestRuns || (runs < mostRuns && total < forMs); runs++) total += await run();
    const runMs = total / runs;
    return { compileMs: compileMs + Math.max(0, first - runMs), runMs, batchSize };
  } finally {
    await program.release();
  }
}

/** Time of something without `await`, in ms, once it has been done often enough to be compiled. */
function timeOnce(make: () => unknown): number {
  const began = performance.now();
  let ms = Number.POSITIVE_INFINITY;
  for (let runs = 0; runs < 2 || (runs < 20 && performance.now() - began < 100); runs++) {
    const started = performance.now();
    make();
    ms = performance.now() - started;
  }
  return ms;
}

/** A disk takes about so long to say that a small file is safe; the rest is making its bytes. */
const syncMs = 8;

async function timeSave(context: MeasuredContext): Promise<number> {
  const { settings, data } = context;
  const classes = classNamesOf(context).length;
  const { inputs } = stageGraph(settings, { ...data.train, classes }, 'finetune', 2);
  const store = new MemoryStore();
  const started = performance.now();
  await store.saveCheckpoint('probe', { tensors: inputs, state: {} });
  return performance.now() - started + syncMs;
}

/** Time to make one view of an image of the pile, in ms. */
function timeView(context: MeasuredContext): number {
  const { train } = context.data;
  const items = Uint32Array.from({ length: Math.min(64, train.count) }, (_, i) => i);
  const { strong } = context.settings.selfTrain!;
  const random = () => randomFor(context, 'measure');
  return timeOnce(() => augmentImages(gatherImages(train, items), strong, random())) / items.length;
}
