import { batchesPerEpoch, gatherImages, labelledBatch, rotationBatch, stackImages } from '../data/batches.js';
import { turnCount } from '../data/rotation.js';
import { QuarterturnError } from '../errors.js';
import type { Random } from '../random/random.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Tensor } from '../tensor/tensor.js';
import { MemoryStore } from '../train/checkpoint.js';
import type { StageName } from '../train/run-record.js';
import { nextPrefix } from '../train/train-step.js';
import { augmentImages } from './augment.js';
import { formatBudget } from './budget-time.js';
import { type RecipeContext, randomFor } from './context.js';
import { classNamesOf, labelledIndices } from './labels.js';
import { pileSampleSize } from './pile.js';
import { type PileTimes, predictPile } from './pile-graph.js';
import { cachesFeatures, type RunSettings, settingsOfStage } from './settings.js';
import { type StageGraph, type StageGraphName, stageGraph } from './stage-graph.js';
import { stagesOf } from './stages.js';

/**
 * The stages whose length a budget decides: `scratch` takes as long as fine-tuning, and the baseline stays as the preset
 * has it, since it is there to compare.
 */
const scaledStages = ['pretrain', 'finetune', 'selfTrain'] as const;
export type ScaledStage = (typeof scaledStages)[number];

/** Fewer steps than these are a stage in name only: its learning rate would have no time to rise and fall. */
export const leastSteps = 50;

/** So many times the preset's steps at most: nobody has measured what more would bring. */
export const greatestScale = 8;

/** Share of the budget that is left for what was not foreseen: other programs, a disk that is slow. */
const marginShare = 0.1;

/** What is not measured: exhibits and export, the report with its charts, the end of the process. */
const endingMs = 2500;

/** What a machine can do, and how much there is for it to do. */
export interface Speeds {
  /** Time of one step of each stage, its batch made, in ms. */
  readonly stepMs: Readonly<Record<StageName, number>>;
  /** Time to classify one image, in ms. */
  readonly imageMs: number;
  /** Time to make one distorted view of an image of the pile, in ms. */
  readonly viewMs: number;
  /** Time to compile a graph, in ms. */
  readonly compileMs: number;
  /** Time to find neighbours and to spread labels over them; 0 where neighbours teach nothing. */
  readonly pile: PileTimes;
  /** Time to save a checkpoint, in ms. */
  readonly saveMs: number;
  /** Gone since the prompt before the run can begin, in ms. */
  readonly spentMs: number;
  readonly images: { readonly train: number; readonly test: number; readonly labelled: number };
}

export interface FittedBudget {
  readonly settings: RunSettings;
  /** Steps in relation to those that were asked to be scaled. */
  readonly scale: number;
  /** Of the whole run from the prompt to the report, the margin not counted. */
  readonly predictedMs: number;
  /** Stages that would have had fewer than {@link leastSteps} steps and have these instead. */
  readonly atLeast: readonly ScaledStage[];
  /** More time would not have been used. */
  readonly atMost: boolean;
}

/**
 * Settings whose run ends within a time: the steps of pretraining, fine-tuning and self-training in the proportions that
 * they have, as many as fit beside everything whose length is given.
 *
 * @param budgetMs from the prompt to the report
 * @throws QuarterturnError `usage` where not even the fewest steps fit, naming the smallest budget in which they do
 */
export function fitToBudget(settings: RunSettings, budgetMs: number, speeds: Speeds): FittedBudget {
  assertScalable(settings);
  const cost = (scale: number) => continuousMs(settings, stagesOf(settings), speeds, scale);
  const usable = (ms: number) => (ms - speeds.spentMs) * (1 - marginShare);
  if (cost(0) > usable(budgetMs)) throw tooSmall(budgetMs, cost(0) / (1 - marginShare) + speeds.spentMs);

  // The cost grows with the scale: halve the interval until it is as good as a point.
  let [fits, tooLong] = [0, greatestScale];
  const atMost = cost(greatestScale) <= usable(budgetMs);
  if (atMost) fits = greatestScale;
  else {
    for (let i = 0; i < 50; i++) {
      const middle = (fits + tooLong) / 2;
      if (cost(middle) <= usable(budgetMs)) fits = middle;
      else tooLong = middle;
    }
  }
  const fitted = scaled(settings, speeds, fits);
  const asked = stagesOf(settings);
  return {
    settings: { ...fitted, budgetMs },
    scale: fits,
    predictedMs: predictMs(fitted, asked, speeds) + speeds.spentMs,
    atLeast: scaledStages.filter(
      (stage) =>
        asked.includes(stage) && fits * stepsOf(settings, stage, speeds) < fewest(settings, stage, speeds),
    ),
    atMost,
  };
}

/** @throws QuarterturnError `usage` for a preset whose step counts are the point of it */
export function assertScalable({ preset }: Pick<RunSettings, 'preset'>): void {
  if (preset !== 'notebook') return;
  throw new QuarterturnError('usage', '--budget: expected a preset that can be scaled. Received: notebook.', {
    hint: "The notebook's figures are those of its own steps; quick is the same system, made to be scaled.",
  });
}

/** Steps of a stage of one draw. */
export function stepsOf(settings: RunSettings, stage: StageName, { images }: Pick<Speeds, 'images'>): number {
  const { pretrain, finetune, selfTrain, baseline } = settings;
  switch (stage) {
    case 'pretrain':
      return pretrain.epochs * pretrainStepsPerEpoch(settings, images);
    case 'finetune':
    case 'scratch':
      return finetune.epochs * batchesPerEpoch(images.labelled, finetune.batchSize);
    case 'selfTrain':
      return selfTrain ? selfTrain.epochs * selfTrain.stepsPerEpoch : 0;
    case 'baseline':
      return baseline.epochs * batchesPerEpoch(images.labelled, baseline.batchSize);
  }
}

function pretrainStepsPerEpoch({ pretrain }: RunSettings, { train, labelled }: Speeds['images']): number {
  const { stepsPerEpoch, valFraction, batchSize } = pretrain;
  const copies = (train - labelled) * turnCount * (1 - valFraction);
  return stepsPerEpoch ?? batchesPerEpoch(Math.round(copies), batchSize);
}

/** Time of a run of these stages from its first graph to its report, in ms. */
export function predictMs(settings: RunSettings, stages: readonly StageName[], speeds: Speeds): number {
  const steps = (stage: StageName) => stepsOf(settings, stage, speeds);
  return timeOf(settings, stages, speeds, {
    epochs: (stage) => settingsOfStage(settings, stage)!.epochs,
    steps,
  });
}

/** As {@link predictMs} of {@link scaled} settings or a little more: a function that never falls as the scale grows. */
function continuousMs(
  settings: RunSettings,
  stages: readonly StageName[],
  speeds: Speeds,
  scale: number,
): number {
  const scaledAs = (stage: StageName) => (stage === 'scratch' ? 'finetune' : stage);
  return timeOf(settings, stages, speeds, {
    epochs: (stage) => {
      const like = scaledAs(stage);
      return isScaled(like) ? epochsOf(settings, like, speeds, scale) : settings[like]!.epochs;
    },
    steps: (stage) => {
      const like = scaledAs(stage);
      return isScaled(like) ? wantedSteps(settings, like, speeds, scale) : stepsOf(settings, like, speeds);
    },
  });
}

interface Lengths {
  epochs(stage: StageName): number;
  steps(stage: StageName): number;
}

function timeOf(
  settings: RunSettings,
  stages: readonly StageName[],
  speeds: Speeds,
  { epochs, steps }: Lengths,
): number {
  const { stepMs, imageMs, viewMs, compileMs, saveMs, images } = speeds;
  const { test, labelled } = images;
  const unlabelled = images.train - labelled;
  const classify = (count: number) => compileMs + count * imageMs;
  const training = (stage: StageName) =>
    // A stage may need a second graph for the short last batch of an epoch; each epoch is saved before and after its look.
    2 * compileMs + steps(stage) * stepMs[stage] + 2 * epochs(stage) * saveMs;
  const pile = Math.min(pileSampleSize, unlabelled);
  const { valFraction } = settings.pretrain;

  const { teacher, correctEvery } = settings.selfTrain ?? {};
  const corrections = () =>
    teacher === 'neighbours' && correctEvery ? Math.ceil(epochs('selfTrain') / correctEvery) : 0;

  // Statistics are taken from 1,000 images by a pass of the training kind.
  const classifier = () =>
    (settings.finetune.reestimate ? classify(3000) : 0) + classify(labelled) + classify(test);

  const times: Readonly<Record<StageName, () => number>> = {
    pretrain: () =>
      training('pretrain') +
      epochs('pretrain') * classify(Math.round(unlabelled * valFraction) * turnCount) +
      classify(test * turnCount),
    finetune: () =>
      training('finetune') + (cachesFeatures(settings.finetune) ? classify(labelled) : 0) + classifier(),
    scratch: () => training('scratch') + classifier(),
    selfTrain: () =>
      training('selfTrain') +
      // Once from the labels and as often again to check them; each correction looks at the whole pile.
      2 * speeds.pile.spreadMs +
      corrections() * (classify(images.train) + speeds.pile.spreadMs) +
      2 * pile * viewMs +
      // Each look classifies two views; beside that of every epoch there is one before and one after.
      (epochs('selfTrain') + 2) * 2 * classify(pile) +
      classify(labelled) +
      classify(test),
    baseline: () => training('baseline') + classify(3 * labelled) + 2 * classify(test),
  };
  const once = endingMs + (stages.includes('selfTrain') ? speeds.pile.graphMs : 0);
  return stages.reduce(
    (sum, stage) => sum + times[stage]() * (stage === 'pretrain' ? 1 : settings.draws),
    once,
  );
}

function isScaled(stage: StageName): stage is ScaledStage {
  return (scaledStages as readonly StageName[]).includes(stage);
}

function fewest(settings: RunSettings, stage: ScaledStage, speeds: Speeds): number {
  return Math.min(leastSteps, stepsOf(settings, stage, speeds));
}

/** Steps that a stage should have at a scale; whole ones only by chance. */
function wantedSteps(settings: RunSettings, stage: ScaledStage, speeds: Speeds, scale: number): number {
  return Math.max(fewest(settings, stage, speeds), scale * stepsOf(settings, stage, speeds));
}

/**
 * Fewer steps come in fewer epochs, since the look at the end of each takes its time; more steps in longer ones. Where
 * the labelled images are the epoch, its length is given.
 */
function epochsOf(settings: RunSettings, stage: ScaledStage, speeds: Speeds, scale: number): number {
  const { epochs } = settings[stage]!;
  const share = wantedSteps(settings, stage, speeds, scale) / stepsOf(settings, stage, speeds);
  // What is a whole number but for rounding is taken for it.
  if (stage === 'finetune') return Math.max(1, Math.floor(epochs * share + 1e-9));
  return Math.max(1, Math.min(epochs, Math.ceil(epochs * share - 1e-9)));
}

function scaled(settings: RunSettings, speeds: Speeds, scale: number): RunSettings {
  const stages = stagesOf(settings);
  const lengths = (stage: ScaledStage) => {
    const epochs = epochsOf(settings, stage, speeds, scale);
    const steps = wantedSteps(settings, stage, speeds, scale);
    return { epochs, stepsPerEpoch: Math.max(1, Math.floor(steps / epochs + 1e-9)) };
  };
  const { pretrain, finetune, selfTrain } = settings;
  return {
    ...settings,
    pretrain: stages.includes('pretrain') ? { ...pretrain, ...lengths('pretrain') } : pretrain,
    finetune: { ...finetune, epochs: lengths('finetune').epochs },
    selfTrain: selfTrain && { ...selfTrain, ...lengths('selfTrain') },
  };
}

function tooSmall(budgetMs: number, neededMs: number): QuarterturnError {
  // A second measurement gives other speeds: what is named here should do then too.
  const smallest = formatBudget(neededMs * 1.05);
  return new QuarterturnError(
    'usage',
    `--budget: expected at least ${smallest} for this recipe on this machine. Received: ${formatBudget(budgetMs)}.`,
    {
      hint: `Try --budget ${smallest}; a smaller --width or fewer --draws need less.`,
    },
  );
}

/** Runs of a graph before its time counts, and runs that count. */
const warmUps = 2;
const timedRuns = 4;

/** A step that takes longer than this is not run four times. */
const patienceMs = 1500;

/** Nothing is stored. */
export type MeasuredContext = Omit<RecipeContext, 'store'>;

/**
 * Find out how fast this machine is, on the graphs and the batches that the run will have. Takes a few seconds.
 * @param spentMs what has gone since the prompt, asked for at the end
 */
export async function measureSpeeds(
  context: MeasuredContext,
  spentMs: () => number = () => 0,
): Promise<Speeds> {
  const { settings, data, runtime } = context;
  context.emit({ type: 'note', text: 'Measuring this machine ...' });
  const labelled = labelledIndices(context, 0);
  const images = { train: data.train.count, test: data.test?.count ?? 0, labelled: labelled.length };
  const kind = { ...data.train, classes: classNamesOf(context).length };
  const stages = stagesOf(settings);
  const compiled: number[] = [];
  const time = async (name: StageGraphName): Promise<number> => {
    assertGoingOn(context);
    const { compileMs, runMs } = await timeGraph(runtime, stageGraph(settings, kind, name));
    compiled.push(compileMs);
    return runMs;
  };
  const classify = stageGraph(settings, kind, 'classify');
  const imageMs = (await time('classify')) / classify.batchSize;
  const finetune = (await time('finetune')) + timeOnce(() => finetuneBatch(context, labelled));
  const pretrain = stages.includes('pretrain')
    ? (await time('train')) + timeOnce(() => pretrainBatch(context))
    : 0;
  const selfTrain = settings.selfTrain
    ? (await time('selfTrain')) + timeOnce(() => selfTrainBatch(context, labelled))
    : 0;
  // The baseline trains the same network by the same step, if never on features.
  const perImage = pretrain / settings.pretrain.batchSize || finetune / settings.finetune.batchSize;
  const views = Uint32Array.from({ length: Math.min(64, images.train) }, (_, i) => i);
  const strong = settings.selfTrain?.strong;
  return {
    stepMs: {
      pretrain,
      finetune,
      // As long as fine-tuning where that freezes nothing; at most three times as long where it does.
      scratch: finetune * (settings.finetune.frozenBlocks > 0 ? 3 : 1),
      selfTrain,
      baseline: perImage * settings.baseline.batchSize,
    },
    imageMs,
    viewMs: strong
      ? timeOnce(() => augmentImages(gatherImages(data.train, views), strong, probe(context))) / views.length
      : 0,
    compileMs: Math.max(...compiled),
    pile:
      settings.selfTrain?.teacher === 'neighbours' ? await predictPile(context) : { graphMs: 0, spreadMs: 0 },
    saveMs: await timeSave(context),
    spentMs: spentMs(),
    images,
  };
}

/** Time to compile a graph, and the usual time to run it, in ms. */
async function timeGraph(
  runtime: Runtime,
  { graph, inputs }: StageGraph,
): Promise<{ readonly compileMs: number; readonly runMs: number }> {
  const started = performance.now();
  const program = await runtime.compile(graph);
  const compileMs = performance.now() - started;
  try {
    const times: number[] = [];
    let into: Record<string, Tensor> | undefined;
    for (let i = 0; i < warmUps + timedRuns; i++) {
      const from = performance.now();
      const out = await program.run(inputs, into);
      const ms = performance.now() - from;
      // As in training, a step writes over buffers that are there.
      into ??= Object.fromEntries(Object.entries(out).filter(([name]) => name.startsWith(nextPrefix)));
      if (i >= warmUps) times.push(ms);
      else if (ms > patienceMs) return { compileMs, runMs: ms };
    }
    return { compileMs, runMs: times.reduce((sum, ms) => sum + ms, 0) / times.length };
  } finally {
    await program.release();
  }
}

/** Time of something without `await`, in ms, the second time that it is done. */
function timeOnce(make: () => unknown): number {
  make();
  const started = performance.now();
  make();
  return performance.now() - started;
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

function probe(context: MeasuredContext): Random {
  return randomFor(context, 'measure');
}

function finetuneBatch(context: MeasuredContext, labelled: Uint32Array): void {
  const { augmentation, batchSize } = context.settings.finetune;
  const { images } = labelledBatch(context.data.train, labelled.slice(0, batchSize));
  if (augmentation) augmentImages(images, augmentation, probe(context));
}

function pretrainBatch({ settings, data }: MeasuredContext): void {
  const copies = Math.min(settings.pretrain.batchSize, data.train.count * turnCount);
  rotationBatch(
    data.train,
    Uint32Array.from({ length: copies }, (_, i) => i),
  );
}

function selfTrainBatch(context: MeasuredContext, labelled: Uint32Array): void {
  const { labelledPerStep, pairsPerStep, mild, strong } = context.settings.selfTrain!;
  const { train } = context.data;
  const random = probe(context);
  const some = (count: number) => Uint32Array.from({ length: count }, (_, i) => i % train.count);
  stackImages([
    augmentImages(
      gatherImages(
        train,
        some(labelledPerStep).map((i) => labelled[i % labelled.length]!),
      ),
      strong,
      random,
    ),
    augmentImages(gatherImages(train, some(pairsPerStep)), mild, random),
    augmentImages(gatherImages(train, some(pairsPerStep)), strong, random),
  ]);
}

function assertGoingOn({ signal }: MeasuredContext): void {
  if (signal?.aborted) throw new QuarterturnError('interrupted', 'stopped before anything was begun.');
}
