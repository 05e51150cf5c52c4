import { checkpointName, loadStage } from '../train/loop.js';
import {
  type ClassifierStage,
  type DrawResult,
  type LadderStep,
  type RunResult,
  type StageName,
  stageNames,
} from '../train/run-record.js';
import { loadBackbone } from './backbone.js';
import { type Baseline, baseline } from './baseline.js';
import type { RecipeContext } from './context.js';
import { type Classifier, finetune } from './finetune.js';
import { type PileGraph, pileGraph } from './pile-graph.js';
import { type Pretrained, pretrain } from './pretrain.js';
import { type SelfTrained, selfTrain } from './self-train.js';
import { type RunSettings, settingsOfStage } from './settings.js';

/** What one draw of the labels led to, as far as its stages were run. */
export interface DrawOutcome {
  readonly classifier: Classifier | undefined;
  readonly scratch: Classifier | undefined;
  readonly selfTrained: SelfTrained | undefined;
  readonly baseline: Baseline | undefined;
}

/** What the stages of a run left. */
export interface StageOutcomes {
  readonly pretrained: Pretrained | undefined;
  /** One a label draw. */
  readonly draws: readonly DrawOutcome[];
}

/** The figures of a run: what evaluating its stages gives, whenever it is done. */
export type RunFigures = Pick<
  RunResult,
  'pretext' | 'fineTune' | 'baseline' | 'baselineReestimated' | 'scratch' | 'selfTrain' | 'final' | 'draws'
>;

/** What it took to train a stage. */
export type Cost = Pick<LadderStep, 'durationMs' | 'imagesTrained'>;

/** The stages that settings ask for. */
export function stagesOf(settings: Pick<RunSettings, 'finetune' | 'selfTrain'>): readonly StageName[] {
  return stageNames.filter((stage) => {
    if (stage === 'pretrain') return settings.finetune.from === 'backbone';
    if (stage === 'scratch') return settings.selfTrain?.start === 'scratch';
    return stage !== 'selfTrain' || settings.selfTrain !== null;
  });
}

/** Run the wanted stages of each draw, every one from its checkpoint where there is one, and evaluate them. */
export async function runStages(
  context: RecipeContext,
  wanted: (stage: StageName, draw: number) => boolean,
): Promise<StageOutcomes> {
  const pretrained = wanted('pretrain', 0) ? await pretrain(context) : undefined;
  const backbone = async () =>
    context.settings.finetune.from === 'random' ? undefined : await loadBackbone(context);
  // The same for all draws, and for none of them where nothing asks for it.
  let pile: Promise<PileGraph> | undefined;
  const pileOnce = () => {
    pile ??= pileGraph(context);
    return pile;
  };
  const draws: DrawOutcome[] = [];
  for (let draw = 0; draw < context.settings.draws; draw++) {
    const classifier = wanted('finetune', draw) ? await finetune(context, await backbone(), draw) : undefined;
    const scratch = wanted('scratch', draw) ? await finetune(context, undefined, draw, 'scratch') : undefined;
    const start = context.settings.selfTrain?.start === 'scratch' ? scratch : classifier;
    const selfTrained =
      start && wanted('selfTrain', draw) ? await selfTrain(context, start, draw, pileOnce) : undefined;
    draws.push({
      classifier,
      scratch,
      selfTrained,
      baseline: wanted('baseline', draw) ? await baseline(context, draw) : undefined,
    });
  }
  return { pretrained, draws };
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
      if (
        (saved?.progress.epoch ?? 0) >= (settingsOfStage(settings, stage)?.epochs ?? Number.POSITIVE_INFINITY)
      )
        finished.add(checkpointName(stage, draw));
    }
  }
  return (stage, draw) => finished.has(checkpointName(stage, draw));
}

/** Time of all steps that the store's checkpoints hold, in ms: what earlier, interrupted processes trained. */
export async function trainedMs(context: RecipeContext): Promise<number> {
  let ms = 0;
  for (const stage of stageNames) {
    for (let draw = 0; draw < context.settings.draws; draw++) {
      ms += (await costOf(context, stage, draw)).durationMs;
    }
  }
  return ms;
}

/** What the training of a stage has taken so far, as its checkpoint tells. */
export async function costOf(
  { store }: Pick<RecipeContext, 'store'>,
  stage: StageName,
  draw: number,
): Promise<Cost> {
  const { trainMs = 0, imagesTrained = 0 } = (await loadStage(store, stage, draw))?.progress ?? {};
  return { durationMs: trainMs, imagesTrained };
}

/** The classifier to be saved: the self-trained one where labels and pile speak for it. */
export function finalOf({ classifier, selfTrained }: DrawOutcome):
  | {
      readonly stage: ClassifierStage;
      readonly classifier: Classifier;
    }
  | undefined {
  if (selfTrained?.isBetter) return { stage: 'selfTrain', classifier: selfTrained };
  return classifier && { stage: 'finetune', classifier };
}

export function figuresOf({ pretrained, draws }: StageOutcomes): RunFigures {
  // A draw of which no stage was run has no figures.
  const results = draws
    .map(drawResult)
    .filter(({ fineTune, scratch, baseline }) => fineTune ?? scratch ?? baseline);
  const [first] = draws;
  const { classifier, scratch, selfTrained, baseline: base } = first ?? {};
  const final = first && finalOf(first);
  return {
    pretext: pretrained ? { val: pretrained.val.metrics, test: pretrained.test.metrics } : null,
    fineTune: classifier ? { train: classifier.train.metrics, test: classifier.test.metrics } : null,
    baseline: base ? { train: base.train, test: base.test.metrics } : null,
    baselineReestimated: base ? { test: base.testReestimated.metrics } : null,
    scratch: scratch ? { test: scratch.test.metrics } : null,
    selfTrain: selfTrained ? { test: selfTrained.test.metrics } : null,
    final: final ? { stage: final.stage, test: final.classifier.test.metrics } : null,
    draws: results,
  };
}

function drawResult(outcome: DrawOutcome, draw: number): DrawResult {
  const { classifier, scratch, selfTrained, baseline: base } = outcome;
  return {
    draw,
    fineTune: classifier?.test.metrics ?? null,
    scratch: scratch?.test.metrics ?? null,
    selfTrain: selfTrained?.test.metrics ?? null,
    final: finalOf(outcome)?.classifier.test.metrics ?? null,
    baseline: base?.test.metrics ?? null,
    baselineReestimated: base?.testReestimated.metrics ?? null,
  };
}

/** What each stage added to draw 0, and what all training up to it took. */
export async function ladderOf(context: RecipeContext, { draws }: StageOutcomes): Promise<LadderStep[]> {
  const { classifier, scratch, selfTrained, baseline: base } = draws[0] ?? {};
  const cost = (stage: StageName) => costOf(context, stage, 0);
  const labels =
    context.settings.finetune.from === 'random'
      ? "the labels alone, fine-tuning's schedule"
      : 'rotation pretraining, then the labels';
  const [pretraining, finetuning, augmented, selfTraining, supervised] = [
    await cost('pretrain'),
    await cost('finetune'),
    await cost('scratch'),
    await cost('selfTrain'),
    await cost('baseline'),
  ];
  const step = (
    figure: LadderStep['figure'],
    name: string,
    test: LadderStep['test'] | undefined,
    ...costs: Cost[]
  ): LadderStep[] =>
    test === undefined
      ? []
      : [
          {
            figure,
            step: name,
            test,
            durationMs: Math.round(costs.reduce((sum, { durationMs }) => sum + durationMs, 0)),
            imagesTrained: costs.reduce((sum, { imagesTrained }) => sum + imagesTrained, 0),
          },
        ];
  const before = context.settings.selfTrain?.start === 'scratch' ? [augmented] : [pretraining, finetuning];
  return [
    ...step('baseline', 'baseline, as in the notebook', base?.test.metrics, supervised),
    ...step('baselineReestimated', '+ re-estimated statistics', base?.testReestimated.metrics, supervised),
    ...step('scratch', '+ augmentation', scratch?.test.metrics, augmented),
    ...step('fineTune', labels, classifier?.test.metrics, pretraining, finetuning),
    ...step('selfTrain', '+ self-training', selfTrained?.test.metrics, ...before, selfTraining),
  ];
}
