import { QuarterturnError } from '../errors.js';
import type { DescriptionChoice } from '../store/description-choice.js';
import type { Invariance } from '../store/invariance.js';
import {
  type DrawResult,
  type Evidence,
  type LadderFigure,
  type LadderStep,
  ladderFigures,
  type RunResult,
  type StageFailure,
} from '../store/run-record.js';
import { StageEvidence } from '../store/stage-evidence.js';
import { checkpointName, loadProgress } from '../train/loop.js';
import { Artifacts, Fingerprints } from './artifacts.js';
import { type RecipeContext, randomFor } from './context.js';
import { type Comparison, type PileGraph, pileGraph } from './pile-graph.js';
import type { RunSettings } from './settings.js';
import { type Appraisal, appraise } from './stages/appraise.js';
import { bestOf, type Candidate, optimismOfChoice } from './stages/choice.js';
import { evidenceFor, foldNetworks, type HeldBackEvidence, hasLostClass } from './stages/evidence.js';
import type { Classifier } from './stages/finetune.js';
import { judgeInvariances, withInvariances } from './stages/invariances.js';
import type { Pretrained } from './stages/pretrain.js';
import { allStages } from './stages/registry.js';
import { selfTrainName } from './stages/self-train-tasks.js';
import type { Stage, StageDraw, StageFigures, StageOutcome, Tested } from './stages/stage.js';

/** Outcomes of the stages that ran and did not fail, in their order. */
export type Outcomes = ReadonlyMap<Stage, StageOutcome>;

/** Outcomes for one draw of the labels. */
export interface DrawOutcome {
  readonly outcomes: Outcomes;
  /** What labels that were held back say of each classifier; empty if none could be. */
  readonly evidence: ReadonlyMap<Stage, HeldBackEvidence>;
  /** What the pile's images were compared by; absent if that was not chosen. */
  readonly description?: DescriptionChoice | undefined;
  /** Which changes leave the class of its images as it is; empty if that was not asked. */
  readonly invariances: readonly Invariance[];
  /** Of the classifier that is kept; absent if no labels could be held back. */
  readonly appraisal?: Appraisal | undefined;
}

/** Outcomes of all stages of a run. */
export interface StageOutcomes {
  /** Of the stages that all draws share. */
  readonly shared: Outcomes;
  /** One a label draw. */
  readonly draws: readonly DrawOutcome[];
  readonly failures: readonly StageFailure[];
}

/** The figures of a run, from evaluating its stages. */
export type RunFigures = StageFigures &
  Pick<
    RunResult,
    'final' | 'evidence' | 'description' | 'invariances' | 'estimate' | 'calibration' | 'failures' | 'draws'
  >;

/** Time and images that it took to train a stage. */
export type Cost = Pick<LadderStep, 'durationMs' | 'imagesTrained'>;

/** Whether a stage is to be run for a draw. */
type Wanted = (stage: Stage, draw: number) => boolean;

interface RunStagesOptions {
  readonly registry?: readonly Stage[] | undefined;
  readonly readOnly?: boolean;
}

/**
 * Runs and evaluates the wanted stages of each draw. A stage starts from its checkpoint if there is one. A stage that
 * diverges is recorded and left out; the others go on without it.
 *
 * @param options.registry every stage that there is
 * @param options.readOnly the wanted stages are finished and only to be evaluated: nothing is trained or written
 * @throws QuarterturnError `diverged` if a stage that all draws share diverges
 */
export async function runStages(
  context: RecipeContext,
  wanted: Wanted,
  { registry = allStages, readOnly = false }: RunStagesOptions = {},
): Promise<StageOutcomes> {
  const stageEvidence = await StageEvidence.open(context.store, { readOnly });
  const claim = readOnly ? async () => {} : await claims(context, { stageEvidence, wanted, registry });
  // Each computed once for all draws, when it is first needed.
  const graphs = new Map<string, Promise<PileGraph>>();
  const plan = {
    context,
    stageEvidence,
    pileGraph: (comparison: Comparison) => {
      const key = `${comparison.encoder.fingerprint}${comparison.mirrored ? ', mirrored' : ''}`;
      const graph = graphs.get(key) ?? pileGraph(context, comparison);
      graphs.set(key, graph);
      return graph;
    },
  };
  const shared = new Map<Stage, StageOutcome>();
  const outcomeOf = (stage: Stage) => shared.get(stage);
  for (const stage of registry.filter(({ isShared }) => isShared)) {
    if (!wanted(stage, 0)) continue;
    const isWanted = (stage: Stage) => wanted(stage, 0);
    await claim(stage, 0);
    const at: StageDraw = {
      ...{ ...plan, draw: 0, evidence: [], isWanted, outcomeOf },
      foldNetwork: foldNetworks(() => at),
    };
    shared.set(stage, await stage.train(at));
  }
  const ofDraws = registry.filter(({ isShared }) => !isShared);
  const draws: DrawOutcome[] = [];
  for (let draw = 0; draw < context.settings.draws; draw++) {
    const isWanted = (stage: Stage) => wanted(stage, draw);
    const outcome = await runDraw({ ...plan, draw, isWanted, outcomeOf }, ofDraws, claim);
    const stage = finalOf(outcome)?.stage.name;
    if (stage !== undefined && !readOnly) {
      context.emit?.({ type: 'kept', stage, draw, evidence: summariesOf(outcome) });
    }
    draws.push(outcome);
  }
  return { shared, draws, failures: stageEvidence.failures };
}

/** Makes sure, before a stage is trained, that what the store holds of it is what would be trained. */
type Claim = (stage: Stage, draw: number) => Promise<void>;

async function claims(
  context: RecipeContext,
  {
    stageEvidence,
    wanted,
    registry,
  }: { stageEvidence: StageEvidence; wanted: Wanted; registry: readonly Stage[] },
): Promise<Claim> {
  const artifacts = await Artifacts.open(context.store);
  const stages = registry.filter((stage) => wanted(stage, 0));
  const fingerprints = await Fingerprints.in(context, stages);
  return async (stage, draw) => {
    const fingerprint = await fingerprints.of(stage, draw);
    if (await artifacts.claim(checkpointName(stage.name, draw), fingerprint)) return;
    await stageEvidence.forget(stage.name, draw);
    context.emit?.({ type: 'stage-outdated', stage: stage.name, draw });
  };
}

async function runDraw(
  plan: Omit<StageDraw, 'evidence' | 'foldNetwork'>,
  registry: readonly Stage[],
  claim: Claim,
): Promise<DrawOutcome> {
  const { draw, isWanted, stageEvidence } = plan;
  const invariances = await invariancesOf(plan, registry);
  const context = { ...plan.context, settings: withInvariances(plan.context.settings, invariances) };
  const outcomes = new Map<Stage, StageOutcome>();
  const evidence = new Map<Stage, HeldBackEvidence>();
  const at: StageDraw = {
    ...plan,
    context,
    get evidence() {
      return [...evidence.values()].map(({ summary }) => summary);
    },
    outcomeOf: (stage) => outcomes.get(stage) ?? plan.outcomeOf(stage),
    foldNetwork: foldNetworks(() => at),
  };
  // What all draws share may have been brought from another run.
  const canBegin = (stage: Stage): boolean =>
    isWanted(stage) &&
    stage.needs(context.settings).every((needed) => needed.isShared || outcomes.has(needed));
  for (const stage of registry) {
    if (!canBegin(stage)) continue;
    await claim(stage, draw);
    const outcome = await attempted(stage, at);
    if (!outcome) continue;
    outcomes.set(stage, outcome);
    const found = outcome.classifier && (await evidenceFor(stage, at));
    if (found) evidence.set(stage, found);
  }
  const kept = finalOf({ outcomes, evidence });
  const appraisal =
    kept &&
    (await appraise(context, kept.classifier, {
      draw,
      evidence: kept.evidence,
      optimism: optimismOfChoice(
        candidatesIn({ outcomes, evidence }),
        randomFor(context, 'estimate', 'choice', draw),
      ),
    }));
  const description = stageEvidence.descriptionOf({ stage: selfTrainName, draw });
  return { outcomes, evidence, description, invariances, appraisal };
}

/**
 * Which changes leave the class of a draw's images as it is: none where no stage distorts them. It is found out anew whenever a run goes
 * on, since nothing but data and labels decides it; of a run that is only evaluated it is what was found.
 */
async function invariancesOf(
  { context, draw, isWanted, stageEvidence }: Omit<StageDraw, 'evidence' | 'foldNetwork'>,
  registry: readonly Stage[],
): Promise<readonly Invariance[]> {
  if (stageEvidence.readOnly) return stageEvidence.invariancesOf(draw);
  if (!registry.some((stage) => stage.isDistorted && isWanted(stage))) return [];
  const invariances = await judgeInvariances(context, draw);
  await stageEvidence.setInvariances(draw, invariances);
  for (const invariance of invariances) context.emit?.({ type: 'invariance-judged', draw, ...invariance });
  return invariances;
}

/** Trains a stage. Returns undefined if it diverges, or diverged earlier in this run: it would do so again. */
async function attempted(stage: Stage, at: StageDraw): Promise<StageOutcome | undefined> {
  const { context, draw, stageEvidence } = at;
  if (stageEvidence.failureOf(stage.name, draw)) return undefined;
  try {
    return await stage.train(at);
  } catch (error) {
    if (!(error instanceof QuarterturnError) || error.code !== 'diverged') throw error;
    await stageEvidence.addFailure({ stage: stage.name, draw, reason: error.message });
    context.emit?.({ type: 'stage-failed', stage: stage.name, draw, reason: error.message });
    return undefined;
  }
}

/** Which stages of which draws are trained to their end: those can be evaluated without any training. */
export async function finishedStages(
  { settings, store }: RecipeContext,
  registry: readonly Stage[] = allStages,
): Promise<Wanted> {
  const finished = new Set<string>();
  for (const stage of registry) {
    for (let draw = 0; draw < settings.draws; draw++) {
      const progress = await loadProgress(store, stage.name, draw);
      const epochs = stage.settingsOf(settings)?.epochs ?? Number.POSITIVE_INFINITY;
      if ((progress?.epoch ?? 0) >= epochs) finished.add(checkpointName(stage.name, draw));
    }
  }
  return ({ name }, draw) => finished.has(checkpointName(name, draw));
}

/** Time of all steps that the store's checkpoints hold, in ms: what earlier, interrupted processes trained. */
export async function trainedMs(
  context: RecipeContext,
  registry: readonly Stage[] = allStages,
): Promise<number> {
  let ms = 0;
  for (const { name } of registry) {
    for (let draw = 0; draw < context.settings.draws; draw++) {
      ms += (await costOf(context, name, draw)).durationMs;
    }
  }
  return ms;
}

/** Time and images that the training of a stage has taken so far, from its checkpoint. */
export async function costOf(
  { store }: Pick<RecipeContext, 'store'>,
  stage: string,
  draw: number,
): Promise<Cost> {
  const { trainMs = 0, imagesTrained = 0 } = (await loadProgress(store, stage, draw)) ?? {};
  return { durationMs: trainMs, imagesTrained };
}

/** What a draw's classifier is chosen from. */
type Choice = Pick<DrawOutcome, 'outcomes' | 'evidence'>;

/** A stage whose classifier may be saved. */
interface StageCandidate extends Candidate {
  readonly stage: Stage;
  readonly classifier: Classifier;
}

/** The classifier to save, chosen by held-back labels. */
export function finalOf(outcome: Choice): StageCandidate | undefined {
  return bestOf(candidatesIn(outcome));
}

function candidatesIn({ outcomes, evidence }: Choice): readonly StageCandidate[] {
  return [...outcomes].flatMap(([stage, { classifier }]) =>
    stage.learnsFrom && classifier
      ? [
          {
            stage,
            learnsFrom: stage.learnsFrom,
            classifier,
            evidence: evidence.get(stage),
            lostClass:
              classifier.pileAnswers &&
              hasLostClass(classifier.pileAnswers, evidence.get(stage), classifier.network.classes),
          },
        ]
      : [],
  );
}

function summariesOf({ evidence }: DrawOutcome): readonly Evidence[] {
  return [...evidence.values()].map(({ summary }) => summary);
}

const noFigures: StageFigures = {
  pretext: null,
  fineTune: null,
  baseline: null,
  baselineReestimated: null,
  scratch: null,
  linearProbe: null,
  selfTrain: null,
  mixture: null,
};

export function figuresOf({ shared, draws, failures }: StageOutcomes): RunFigures {
  const [first] = draws;
  const outcomes = [...shared.values(), ...(first?.outcomes.values() ?? [])];
  const final = first && finalOf(first);
  const figures = { ...noFigures };
  for (const outcome of outcomes) Object.assign(figures, outcome.figures);
  return {
    ...figures,
    final: final ? { stage: final.stage.name, test: final.classifier.test?.metrics ?? null } : null,
    evidence: first ? summariesOf(first) : [],
    description: first?.description ?? null,
    invariances: first?.invariances ?? [],
    estimate: first?.appraisal?.estimate ?? null,
    calibration: first?.appraisal?.calibration ?? null,
    failures,
    // A draw of which no stage was run has no figures, and without a test set none has any.
    draws: draws.flatMap((outcome, draw) =>
      testedIn(outcome).some(({ test }) => test !== undefined) ? [drawResult(outcome, draw)] : [],
    ),
  };
}

/** Outcome of the pretext task, if it was run. */
export function pretrainedIn({ shared }: Pick<StageOutcomes, 'shared'>): Pretrained | undefined {
  return [...shared.values()].find(({ pretrained }) => pretrained !== undefined)?.pretrained;
}

function testedIn({ outcomes }: DrawOutcome): readonly Tested[] {
  return [...outcomes.values()].flatMap(({ tested }) => tested);
}

function drawResult(outcome: DrawOutcome, draw: number): DrawResult {
  const tested = testedIn(outcome);
  const of = (figure: LadderFigure) => tested.find((each) => each.figure === figure)?.test?.metrics ?? null;
  return {
    draw,
    fineTune: of('fineTune'),
    scratch: of('scratch'),
    linearProbe: of('linearProbe'),
    selfTrain: of('selfTrain'),
    mixture: of('mixture'),
    final: finalOf(outcome)?.classifier.test?.metrics ?? null,
    estimate: outcome.appraisal?.estimate ?? null,
    baseline: of('baseline'),
    baselineReestimated: of('baselineReestimated'),
  };
}

/** The gain of each stage in draw 0, and the cost of all training up to it. */
export async function ladderOf(context: RecipeContext, { draws }: StageOutcomes): Promise<LadderStep[]> {
  const ladder: LadderStep[] = [];
  for (const [stage, { tested }] of draws[0]?.outcomes ?? []) {
    const costs: Cost[] = [];
    for (const { name } of new Set([...beforeOf(stage, context.settings), stage])) {
      costs.push(await costOf(context, name, 0));
    }
    const durationMs = Math.round(costs.reduce((sum, { durationMs }) => sum + durationMs, 0));
    const imagesTrained = costs.reduce((sum, { imagesTrained }) => sum + imagesTrained, 0);
    for (const { figure, step, test } of tested) {
      if (test) ladder.push({ figure, step, test: test.metrics, durationMs, imagesTrained });
    }
  }
  return ladder.sort((a, b) => ladderFigures.indexOf(a.figure) - ladderFigures.indexOf(b.figure));
}

/** All stages on the way to a stage, from the first. */
function beforeOf(stage: Stage, settings: RunSettings): readonly Stage[] {
  return stage.needs(settings).flatMap((needed) => [...beforeOf(needed, settings), needed]);
}
