import { checkpointName, loadStage } from '../train/loop.js';
import { type DrawResult, type RunResult, type StageName, stageNames } from '../train/run-record.js';
import { loadBackbone } from './backbone.js';
import { type Baseline, baseline } from './baseline.js';
import type { RecipeContext } from './context.js';
import { type Classifier, finetune } from './finetune.js';
import { type Pretrained, pretrain } from './pretrain.js';

/** What the stages of a run left: one classifier and one baseline a label draw, as far as they were run. */
export interface StageOutcomes {
  readonly pretrained: Pretrained | undefined;
  readonly classifiers: readonly Classifier[];
  readonly baselines: readonly Baseline[];
}

/** The figures of a run: what evaluating its stages gives, whenever it is done. */
export type RunFigures = Pick<
  RunResult,
  'pretext' | 'fineTune' | 'baseline' | 'baselineReestimated' | 'draws'
>;

/** Run the wanted stages of each draw, every one from its checkpoint where there is one, and evaluate them. */
export async function runStages(
  context: RecipeContext,
  wanted: (stage: StageName, draw: number) => boolean,
): Promise<StageOutcomes> {
  const pretrained = wanted('pretrain', 0) ? await pretrain(context) : undefined;
  const classifiers: Classifier[] = [];
  const baselines: Baseline[] = [];
  for (let draw = 0; draw < context.settings.draws; draw++) {
    if (wanted('finetune', draw))
      classifiers.push(await finetune(context, await loadBackbone(context), draw));
    if (wanted('baseline', draw)) baselines.push(await baseline(context, draw));
  }
  return { pretrained, classifiers, baselines };
}

/** Which stages of which draws are trained to their end: those can be evaluated without any training. */
export async function finishedStages({
  settings,
  store,
}: RecipeContext): Promise<(stage: StageName, draw: number) => boolean> {
  const finished = new Set<string>();
  for (const stage of stageNames) {
    for (let draw = 0; draw < settings.draws; draw++) {
      const saved = await loadStage(store, stage, draw);
      if (Number(saved?.state.epoch ?? 0) >= settings[stage].epochs)
        finished.add(checkpointName(stage, draw));
    }
  }
  return (stage, draw) => finished.has(checkpointName(stage, draw));
}

/** Time of all steps that the store's checkpoints hold, in ms: what earlier, interrupted processes trained. */
export async function trainedMs({ settings, store }: RecipeContext): Promise<number> {
  let ms = 0;
  for (const stage of stageNames) {
    for (let draw = 0; draw < settings.draws; draw++) {
      ms += Number((await loadStage(store, stage, draw))?.state.trainMs ?? 0);
    }
  }
  return ms;
}

export function figuresOf({ pretrained, classifiers, baselines }: StageOutcomes): RunFigures {
  const [classifier] = classifiers;
  const [base] = baselines;
  return {
    pretext: pretrained ? { val: pretrained.val.metrics, test: pretrained.test.metrics } : null,
    fineTune: classifier ? { train: classifier.train.metrics, test: classifier.test.metrics } : null,
    baseline: base ? { train: base.train, test: base.test.metrics } : null,
    baselineReestimated: base ? { test: base.testReestimated.metrics } : null,
    draws: drawResults(classifiers, baselines),
  };
}

function drawResults(classifiers: readonly Classifier[], baselines: readonly Baseline[]): DrawResult[] {
  const draws = Math.max(classifiers.length, baselines.length);
  return Array.from({ length: draws }, (_, draw) => ({
    draw,
    fineTune: classifiers[draw]?.test.metrics ?? null,
    baseline: baselines[draw]?.test.metrics ?? null,
    baselineReestimated: baselines[draw]?.testReestimated.metrics ?? null,
  }));
}
