import { QuarterturnError } from '../errors.js';
import { Ledger } from '../store/ledger.js';
import {
  type ClassifierStage,
  type DrawResult,
  type Evidence,
  type LadderStep,
  type Metrics,
  type RunResult,
  type StageFailure,
  type StageName,
  stageNames,
} from '../store/run-record.js';
import type { Evaluation } from '../train/evaluate.js';
import { checkpointName, loadStage } from '../train/loop.js';
import { loadBackbone } from './backbone.js';
import type { RecipeContext } from './context.js';
import { type PileGraph, pileGraph } from './pile-graph.js';
import { type RunSettings, settingsOfStage } from './settings.js';
import { type Baseline, baseline } from './stages/baseline.js';
import { bestOf, crossValidate } from './stages/evidence.js';
import { type Classifier, type FinetuneStage, finetune } from './stages/finetune.js';
import { type Pretrained, pretrain } from './stages/pretrain.js';
import { selfTrain } from './stages/self-train.js';
import { weighTeachers } from './stages/teacher.js';

/** What one draw of the labels led to, as far as its stages were run and came to a result. */
export interface DrawOutcome {
  readonly classifier: Classifier | undefined;
  readonly scratch: Classifier | undefined;
  readonly selfTrained: Classifier | undefined;
  readonly baseline: Baseline | undefined;
  /** What speaks for each classifier; empty where there was nothing to choose. */
  readonly evidence: readonly Evidence[];
}

/** What the stages of a run left. */
export interface StageOutcomes {
  readonly pretrained: Pretrained | undefined;
  /** One a label draw. */
  readonly draws: readonly DrawOutcome[];
  readonly failures: readonly StageFailure[];
}

/** The figures of a run: what evaluating its stages gives, whenever it is done. */
export type RunFigures = Pick<
  RunResult,
  | 'pretext'
  | 'fineTune'
  | 'baseline'
  | 'baselineReestimated'
  | 'scratch'
  | 'selfTrain'
  | 'final'
  | 'evidence'
  | 'failures'
  | 'draws'
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

/**
 * Run the wanted stages of each draw, every one from its checkpoint where there is one, and evaluate them. A stage that
 * diverges is noted and left out; the others go on without it.
 *
 * @param options.readOnly the wanted stages are finished and only to be evaluated: nothing is trained or written
 * @throws QuarterturnError `diverged` where pretraining does, or where no classifier of a draw is left
 */
export async function runStages(
  context: RecipeContext,
  wanted: (stage: StageName, draw: number) => boolean,
  { readOnly = false } = {},
): Promise<StageOutcomes> {
  const ledger = await Ledger.open(context.store, { readOnly });
  const pretrained = wanted('pretrain', 0) ? await pretrain(context) : undefined;
  // The same for all draws, and for none of them where nothing asks for it.
  let pile: Promise<PileGraph> | undefined;
  const pileOnce = () => {
    pile ??= pileGraph(context);
    return pile;
  };
  const draws: DrawOutcome[] = [];
  for (let draw = 0; draw < context.settings.draws; draw++) {
    draws.push(
      await runDraw(context, { draw, wanted: (stage) => wanted(stage, draw), ledger, pile: pileOnce }),
    );
  }
  return { pretrained, draws, failures: ledger.failures };
}

interface DrawPlan {
  readonly draw: number;
  wanted(stage: StageName): boolean;
  readonly ledger: Ledger;
  pile(): Promise<PileGraph>;
}

async function runDraw(
  context: RecipeContext,
  { draw, wanted, ledger, pile }: DrawPlan,
): Promise<DrawOutcome> {
  const { finetune: from, selfTrain: selfTraining } = context.settings;
  const attempt = <T>(stage: StageName, train: () => Promise<T>): Promise<T | undefined> =>
    attempted(context, ledger, { stage, draw }, train);
  const backbone = from.from === 'backbone' && wanted('finetune') ? await loadBackbone(context) : undefined;

  const classifier = wanted('finetune')
    ? await attempt('finetune', () => finetune(context, { draw, backbone }))
    : undefined;
  const scratch = wanted('scratch')
    ? await attempt('scratch', () => finetune(context, { draw, stage: 'scratch' }))
    : undefined;
  const startStage = selfTraining?.start ?? 'finetune';
  const start = startStage === 'scratch' ? scratch : classifier;
  const selfTrains = start !== undefined && wanted('selfTrain');

  const evidence: Evidence[] = [];
  const weigh = async (stage: FinetuneStage): Promise<Evidence | undefined> => {
    const weights = stage === 'finetune' ? backbone : undefined;
    const found = await ledger.evidenceFor(stage, draw, () => crossValidate(context, draw, stage, weights));
    if (found) evidence.push(found);
    return found;
  };
  // What there is no choice between needs no evidence.
  const choices = [classifier, scratch, selfTrains || undefined].filter(Boolean).length;
  if (choices > 1 && classifier) await weigh('finetune');
  if (choices > 1 && scratch) await weigh('scratch');

  const selfTrained = selfTrains
    ? await attempt('selfTrain', async () => {
        const known = await ledger.evidenceFor('selfTrain', draw, () =>
          weighTeachers(context, { draw, start: startStage, backbone, evidence, pile }),
        );
        const trained = await selfTrain(context, start, { draw, pile, teacher: known?.teacher });
        if (known) evidence.push(limitedBy(trained, known));
        return trained;
      })
    : undefined;
  return {
    classifier,
    scratch,
    selfTrained,
    evidence,
    baseline: wanted('baseline') ? await attempt('baseline', () => baseline(context, { draw })) : undefined,
  };
}

/**
 * What a stage comes to, or undefined where it diverged: now, or before in the same run, for it would again.
 */
async function attempted<T>(
  { emit }: RecipeContext,
  ledger: Ledger,
  { stage, draw }: Pick<StageFailure, 'stage' | 'draw'>,
  train: () => Promise<T>,
): Promise<T | undefined> {
  if (ledger.failureOf(stage, draw)) return undefined;
  try {
    return await train();
  } catch (error) {
    if (!(error instanceof QuarterturnError) || error.code !== 'diverged') throw error;
    await ledger.addFailure({ stage, draw, reason: error.message });
    emit({ type: 'note', text: `${error.message} The run goes on without it.` });
    return undefined;
  }
}

/**
 * A teacher's evidence, unless the network finds even fewer of the labels that it learned from: what it did not learn
 * of its teacher does not speak for it.
 */
function limitedBy({ train }: Classifier, evidence: Evidence): Evidence {
  return { ...evidence, found: Math.min(evidence.found, train.metrics.accuracy * evidence.of) };
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

/** The classifier to be saved: the one that held-back labels speak for. */
export function finalOf({ classifier, scratch, selfTrained, evidence }: DrawOutcome):
  | {
      readonly stage: ClassifierStage;
      readonly classifier: Classifier;
    }
  | undefined {
  const candidate = (stage: ClassifierStage, classifier: Classifier | undefined) =>
    classifier ? [{ stage, classifier, evidence: evidence.find((entry) => entry.stage === stage) }] : [];
  return bestOf([
    ...candidate('finetune', classifier),
    ...candidate('scratch', scratch),
    ...candidate('selfTrain', selfTrained),
  ]);
}

export function figuresOf({ pretrained, draws, failures }: StageOutcomes): RunFigures {
  // A draw of which no stage was run has no figures, and without a test set none has any.
  const results = draws
    .map(drawResult)
    .filter(({ fineTune, scratch, baseline }) => fineTune ?? scratch ?? baseline);
  const [first] = draws;
  const { classifier, scratch, selfTrained, baseline: base } = first ?? {};
  const final = first && finalOf(first);
  return {
    pretext: pretrained ? { val: pretrained.val.metrics, test: testOf(pretrained) } : null,
    fineTune: classifier ? { train: classifier.train.metrics, test: testOf(classifier) } : null,
    baseline: base ? { train: base.train, test: testOf(base) } : null,
    baselineReestimated: base ? { test: base.testReestimated?.metrics ?? null } : null,
    scratch: scratch ? { test: testOf(scratch) } : null,
    selfTrain: selfTrained ? { test: testOf(selfTrained) } : null,
    final: final ? { stage: final.stage, test: testOf(final.classifier) } : null,
    evidence: first?.evidence ?? [],
    failures,
    draws: results,
  };
}

/** Figures on the test set; null where there is none. */
function testOf({ test }: { readonly test: Evaluation | undefined }): Metrics | null {
  return test?.metrics ?? null;
}

function drawResult(outcome: DrawOutcome, draw: number): DrawResult {
  const { classifier, scratch, selfTrained, baseline: base } = outcome;
  return {
    draw,
    fineTune: classifier?.test?.metrics ?? null,
    scratch: scratch?.test?.metrics ?? null,
    selfTrain: selfTrained?.test?.metrics ?? null,
    final: finalOf(outcome)?.classifier.test?.metrics ?? null,
    baseline: base?.test?.metrics ?? null,
    baselineReestimated: base?.testReestimated?.metrics ?? null,
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
    ...step('baseline', 'baseline, as in the notebook', base?.test?.metrics, supervised),
    ...step('baselineReestimated', '+ re-estimated statistics', base?.testReestimated?.metrics, supervised),
    ...step('scratch', '+ augmentation', scratch?.test?.metrics, augmented),
    ...step('fineTune', labels, classifier?.test?.metrics, pretraining, finetuning),
    ...step('selfTrain', '+ self-training', selfTrained?.test?.metrics, ...before, selfTraining),
  ];
}
