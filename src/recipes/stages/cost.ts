import { QuarterturnError } from '../../errors.js';
import { evaluationBatchSize } from '../../train/evaluate.js';
import type { PileTimes } from '../pile-graph.js';
import type { StageGraphName } from '../plan/stage-graph-names.js';
import type { RunSettings } from '../settings.js';

/** How many images there are to learn from. */
export interface ImageCounts {
  readonly train: number;
  readonly test: number;
  readonly labelled: number;
  /** Parts of the labels that are held back in turn to weigh classifiers; 0 where none can be. */
  readonly parts: number;
}

/** What a machine can do, and how much there is for it to do. */
export interface Speeds {
  /** Time of one step of each stage that is to be run, by its name, its batch made, in ms. */
  readonly stepMs: Readonly<Record<string, number>>;
  /** Time to classify one image, in ms. */
  readonly imageMs: number;
  /** Time to make one distorted view of an image of the pile, in ms. */
  readonly viewMs: number;
  /** Time from a graph to its first result, beyond that of a usual run, in ms. */
  readonly compileMs: { readonly step: number; readonly classify: number };
  /** Time to find neighbours and to spread labels over them; 0 where neighbours teach nothing. */
  readonly pile: PileTimes;
  /** Time to save a checkpoint, in ms: one that is kept in memory only, and one that is safe on a disk. */
  readonly saveMs: { readonly memory: number; readonly disk: number };
  /** Gone since the prompt before the run can begin, in ms. */
  readonly spentMs: number;
  readonly images: ImageCounts;
}

/** How long each stage is, by its name; neither has to be whole. */
export interface Lengths {
  epochs(stage: string): number;
  steps(stage: string): number;
}

/** What a stage's time depends on. */
export interface Workload extends Lengths {
  readonly settings: RunSettings;
  readonly speeds: Speeds;
  /** Whether there are several classifiers to choose from: what there is no choice between is not weighed. */
  readonly isChoice: boolean;
}

/** A machine on which steps are timed. */
export interface Stopwatch {
  /** Whether the stage of this name is to be run. */
  isRun(stage: string): boolean;
  /** Time of a step of this graph, in ms, its batch made. Each graph is timed once. */
  stepMs(graph: StageGraphName): Promise<number>;
}

/** Time to classify so many images. The last batch is filled up. */
export function classifyMs({ compileMs, imageMs }: Speeds, count: number): number {
  return compileMs.classify + Math.ceil(count / evaluationBatchSize) * evaluationBatchSize * imageMs;
}

/** Time of all steps of a stage. */
export function stepsMs({ speeds, steps }: Workload, stage: string): number {
  const ms = speeds.stepMs[stage];
  if (ms !== undefined) return steps(stage) * ms;
  throw new QuarterturnError(
    'usage',
    `speeds.stepMs: expected the time of a step of ${stage}. Received: none.`,
    {
      hint: 'Measure the speeds of the same stages that the time is asked for.',
    },
  );
}

/**
 * Time to train a stage.
 * @param looks whether it is looked at after each epoch: then it is saved before and after the look
 */
export function trainingMs(
  work: Workload,
  stage: string,
  { graphs, looks }: { readonly graphs: number; readonly looks: boolean },
): number {
  const { compileMs, saveMs } = work.speeds;
  const saves = (looks ? 2 : 1) * work.epochs(stage);
  return graphs * compileMs.step + stepsMs(work, stage) + saves * saveMs.disk;
}

/** Graphs of a stage whose epochs are the labelled images: the short last batch of an epoch needs one of its own. */
export function graphsOver(labelled: number, batchSize: number): number {
  return labelled > batchSize && labelled % batchSize > 0 ? 2 : 1;
}

/** Time to take BatchNorm's statistics anew: from 1,000 images, by a pass of the training kind. */
export function reestimatingMs({ settings, speeds }: Workload): number {
  return settings.finetune.reestimate ? classifyMs(speeds, 3000) : 0;
}

/**
 * Time of a stage that learns from the labels alone with some of them held back, and to be asked for those: it has as
 * many epochs, of fewer images, and nothing of it is kept.
 */
export function heldBackMs(work: Workload, stage: string, held: number): number {
  const { compileMs, saveMs, images } = work.speeds;
  const trainMs = (1 - held / images.labelled) * stepsMs(work, stage);
  const saves = work.epochs(stage) * saveMs.memory;
  return 2 * compileMs.step + trainMs + saves + reestimatingMs(work) + classifyMs(work.speeds, held);
}
