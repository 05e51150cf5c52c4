import { QuarterturnError } from '../../errors.js';
import { evaluationBatchSize } from '../../train/evaluate.js';
import { pileSampleSize } from '../pile-metrics.js';
import type { Speeds } from './speeds.js';
import type { Stage, Workload } from './stage.js';

/** Time to classify so many images. The last batch is filled up. */
export function classifyMs({ compileMs, imageMs }: Speeds, count: number): number {
  return compileMs.classify + Math.ceil(count / evaluationBatchSize) * evaluationBatchSize * imageMs;
}

/** Time of steps of a stage; default: of all of them. */
export function stepsMs({ speeds, steps }: Workload, stage: Stage, count = steps(stage)): number {
  const ms = speeds.stepMs[stage.name];
  if (ms !== undefined) return count * ms;
  throw new QuarterturnError(
    'usage',
    `speeds.stepMs: expected the time of a step of ${stage.name}. Received: none.`,
    {
      hint: 'Measure the speeds of the same stages that the time is asked for.',
    },
  );
}

/**
 * Time to train a stage.
 * @param savesPerEpoch 2 if the evaluation after each epoch changes the stage's memory, which is saved before and after
 */
export function trainingMs(
  work: Workload,
  stage: Stage,
  { graphs, savesPerEpoch }: { readonly graphs: number; readonly savesPerEpoch: 1 | 2 },
): number {
  const { compileMs, saveMs } = work.speeds;
  return graphs * compileMs.step + stepsMs(work, stage) + savesPerEpoch * work.epochs(stage) * saveMs;
}

/** Graphs of a stage whose epochs are the labelled images: the short last batch of an epoch needs one of its own. */
export function compiledGraphs(labelled: number, batchSize: number): number {
  return labelled > batchSize && labelled % batchSize > 0 ? 2 : 1;
}

/** Time to take BatchNorm's statistics anew: from 1,000 images, by a pass of the training kind. */
export function reestimatingMs({ settings, speeds }: Workload): number {
  return settings.finetune.reestimate ? classifyMs(speeds, 3000) : 0;
}

/**
 * Time to try a stage on labels without `held` of them, and to classify those and a sample of the pile: its epochs are of
 * fewer images, and it saves nothing.
 */
export function heldBackMs(work: Workload, stage: Stage, held: number): number {
  const { compileMs, images } = work.speeds;
  const trainMs = (1 - held / images.labelled) * stepsMs(work, stage, work.trialSteps(stage));
  const sample = Math.min(pileSampleSize, images.train - images.labelled);
  const graphs = work.settings.finetune.evenBatches ? 1 : 2;
  return (
    graphs * compileMs.step +
    trainMs +
    reestimatingMs(work) +
    classifyMs(work.speeds, held) +
    classifyMs(work.speeds, sample)
  );
}
