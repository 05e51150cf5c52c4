import { formatCount } from '../counts.js';
import { type BatchMakerFor, makeBatchesHere } from '../data/batch-maker.js';
import type { ImageSource } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import type { Schedule } from '../optim/schedules.js';
import { yieldToEventLoop } from '../progress.js';
import type { ProgramShelf } from '../runtime/program-shelf.js';
import type { Runtime } from '../runtime/runtime.js';
import { assertSameArchitecture, type RunStore } from '../store/checkpoint.js';
import { nextEpoch, notStarted, type Progress, progressOf } from '../store/progress.js';
import type { EpochRecord, Metrics, PileMetrics } from '../store/run-record.js';
import { type Tensors, tensorNamed } from '../tensor/tensor.js';
import { batchesAhead, type PlannedBatch, type StepBatch } from './batches-ahead.js';
import type { EarlyStop, EventListener } from './events.js';
import { flattenState, mapState, readState, type TrainState } from './state.js';
import { Stepper } from './stepper.js';
import { buildTrainStep, initialState, stepNames, type TrainStepSettings } from './train-step.js';

/** Context of a training stage: runtime, store, listener and abort signal. */
export interface TrainContext {
  readonly runtime: Runtime;
  readonly store: RunStore;
  readonly emit?: EventListener | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where batches are made; default: on this thread, each when its step wants it. Weights do not depend on it. */
  readonly batchMakerFor?: BatchMakerFor | undefined;
  /** Where the step's program lies until the next training by the same step; default: each training compiles its own. */
  readonly programs?: ProgramShelf | undefined;
}

export interface StageOptions {
  /** A plain word: the name of its checkpoint, and what its records are found by. */
  readonly stage: string;
  readonly draw: number;
  /** For people: `Pretraining on rotations`. */
  readonly title: string;
  readonly step: TrainStepSettings;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly schedule: Schedule;
  /** All tensors of the network before the first step. */
  readonly weights: Tensors;
  /**
   * The batches of one epoch (0-based), each a list of items; a pure function of the epoch, so that a resumed run sees
   * the same ones. The last may be short.
   */
  order(epoch: number): readonly Uint32Array[];
  /** What batches are made of. */
  readonly images: ImageSource;
  /**
   * What one batch is; `step` (0-based, over all epochs) names the random stream that it draws from. A stage without
   * memory is asked for a batch or two ahead, even across the end of an epoch.
   */
  batch(items: Uint32Array, step: number): PlannedBatch;
  /** Look at what was learned so far, after each epoch (0-based). */
  validate?(state: TrainState, epoch: number): Promise<Validation>;
  readonly memory?: StageMemory | undefined;
}

/** What batches are made from where training itself changes it: kept in every checkpoint, put back by a resumed run. */
export interface StageMemory {
  save(): Tensors;
  restore(saved: Tensors): void;
}

export interface Validation {
  readonly val?: Metrics;
  readonly pile?: PileMetrics;
  /** Present where going on would be of no use: the stage ends here, and this is why. */
  readonly stop?: EarlyStop;
}

export interface StageResult {
  readonly state: TrainState;
  /** Time of the steps alone. */
  readonly trainMs: number;
  readonly imagesTrained: number;
}

/** At least this long between checkpoints: within an epoch, and of epochs that nothing validates, which may be two steps long. */
const checkpointEveryMs = { within: 20_000, between: 1000 };

/** Name of a stage's checkpoint. */
export function checkpointName(stage: string, draw: number): string {
  return draw === 0 ? stage : `${stage}-draw${draw}`;
}

/** `Fine-tuning on 100 labels, draw 1`: a stage of a draw, for people. */
function titleOf({ title, draw }: Pick<StageOptions, 'title' | 'draw'>): string {
  return draw === 0 ? title : `${title}, draw ${draw}`;
}

/**
 * Train one stage, from its checkpoint where the store holds one.
 *
 * All randomness comes from (seed, epoch, step), so a resumed stage runs the very steps that an uninterrupted one
 * would have, and ends in the same weights bit for bit on the same machine.
 *
 * @throws QuarterturnError `diverged` at a loss that is no number (the last checkpoint stays), `interrupted` after the
 * state was saved, `checkpoint` if the stored state belongs to another network
 */
export async function trainStage(options: StageOptions, context: TrainContext): Promise<StageResult> {
  const { stage, draw, title, epochs, stepsPerEpoch } = options;
  const { emit = () => {}, store } = context;
  const totalSteps = epochs * stepsPerEpoch;
  const name = checkpointName(stage, draw);
  let { state, progress } = await startingPoint(options, store, name);
  const { step: fromStep } = progress;
  // A stage that was stopped early is done, too.
  const done = progress.epoch >= epochs;
  emit({
    type: 'stage-start',
    stage,
    draw,
    title,
    totalSteps,
    fromStep: done ? totalSteps : fromStep,
    epochs,
    stepsPerEpoch,
  });
  if (done) {
    return { state, trainMs: progress.trainMs, imagesTrained: progress.imagesTrained };
  }

  const { step, weights } = options;
  const stepper = new Stepper({
    runtime: context.runtime,
    programs: context.programs,
    graphFor: (batchSize) => buildTrainStep({ ...step, batchSize }),
    state,
    weights,
  });
  const maker = (context.batchMakerFor ?? makeBatchesHere)(options.images);
  const ahead = batchesAhead(maker, fromStep, plannedBatches(options));
  let lastSaved = performance.now();
  const save = async (): Promise<void> => {
    const tensors = flattenState(state);
    assertFinite(tensors, titleOf(options), progress.step);
    const memory = options.memory?.save() ?? {};
    const path = await store.saveCheckpoint(name, { tensors, memory, state: { ...progress } });
    lastSaved = performance.now();
    emit({ type: 'checkpoint', path, step: progress.step });
  };

  try {
    while (progress.epoch < epochs) {
      const { epoch } = progress;
      const end = (epoch + 1) * stepsPerEpoch;
      while (progress.step < end) {
        const started = performance.now();
        const learningRate = options.schedule(progress.step);
        // What a stage remembers may change what the next epoch is made of, once this one is done.
        const batch = await ahead.take(options.memory ? end : totalSteps);
        const waitMs = performance.now() - started;
        const result = await runStep(stepper, batch, learningRate);
        state = result.state;
        progress = advance(progress, result, { ms: performance.now() - started, waitMs });
        if (!Number.isFinite(result.loss))
          throw diverged(titleOf(options), progress.step, result.loss, learningRate);
        emit({
          type: 'step',
          stage,
          epoch: epoch + 1,
          step: progress.step,
          totalSteps,
          metrics: epochMetrics(progress),
          learningRate,
          imagesPerSecond: (1000 * progress.epochImages) / progress.epochMs,
          etaMs: ((totalSteps - progress.step) * progress.trainMs) / progress.step,
          waitMs,
        });
        await yieldToEventLoop();
        if (context.signal?.aborted) {
          await save();
          throw new QuarterturnError(
            'interrupted',
            `${titleOf(options)}: stopped at step ${formatCount(progress.step)} of ${formatCount(totalSteps)}, saved.`,
            { cause: context.signal.reason },
          );
        }
        if (performance.now() - lastSaved > checkpointEveryMs.within) await save();
      }
      // Validation can take minutes: what was trained is safe before it. What is saved after it besides is how many epochs
      // are done and what the stage remembers. Where it remembers nothing, the next save does for that: a process that is
      // killed before then validates this epoch once more, to the same record.
      if (options.validate) await save();
      const { stop, ...validation } = (await options.validate?.(state, epoch)) ?? {};
      const record = epochRecord(options, progress, validation);
      await store.appendEpoch(record);
      emit({ type: 'epoch-end', record });
      progress = nextEpoch(progress);
      if (stop !== undefined) {
        emit({ type: 'stopped-early', stage, draw, epoch: record.epoch, ...stop });
        progress.epoch = epochs;
      }
      const isDue = !options.validate && performance.now() - lastSaved > checkpointEveryMs.between;
      if (isDue || options.memory || progress.epoch >= epochs) await save();
    }
  } finally {
    await maker.release();
    await stepper.release();
  }
  return { state, trainMs: progress.trainMs, imagesTrained: progress.imagesTrained };
}

/** What the batch of each step is; asked for step by step. */
function plannedBatches({
  order,
  batch,
  stepsPerEpoch,
}: Pick<StageOptions, 'order' | 'batch' | 'stepsPerEpoch'>): (step: number) => PlannedBatch {
  let known: { readonly epoch: number; readonly batches: readonly Uint32Array[] } | undefined;
  return (step) => {
    const epoch = Math.floor(step / stepsPerEpoch);
    if (known?.epoch !== epoch) known = { epoch, batches: order(epoch) };
    return batch(known.batches[step - epoch * stepsPerEpoch]!, step);
  };
}

async function startingPoint(
  options: StageOptions,
  store: RunStore,
  name: string,
): Promise<{ state: TrainState; progress: Progress }> {
  const { stage, draw } = options;
  const fresh = initialState(options.step, options.weights);
  const saved = await store.loadCheckpoint(name);
  if (saved) {
    const shapes = mapState(fresh, ({ shape }) => shape);
    // Params first: they tell most of how another network differs.
    assertSameArchitecture({ ...shapes.params, ...flattenState(shapes) }, saved.tensors, name);
    options.memory?.restore(saved.memory ?? {});
  }
  const progress = saved ? progressOf(saved, name) : notStarted(stage, draw);
  // A process killed between an epoch's record and its checkpoint leaves a record of what will be done again.
  await store.rewindEpochs((r) => r.stage !== stage || r.draw !== draw || r.epoch <= progress.epoch);
  return { state: saved ? readState(fresh, saved.tensors) : fresh, progress };
}

function advance(
  progress: Progress,
  result: StepResult,
  { ms, waitMs }: { readonly ms: number; readonly waitMs: number },
): Progress {
  return {
    ...progress,
    step: progress.step + 1,
    epochLoss: progress.epochLoss + result.loss * result.images,
    epochCorrect: progress.epochCorrect + result.correct,
    epochLabelled: progress.epochLabelled + result.labelled,
    epochImages: progress.epochImages + result.images,
    epochMs: progress.epochMs + ms,
    epochWaitMs: progress.epochWaitMs + waitMs,
    trainMs: progress.trainMs + ms,
    imagesTrained: progress.imagesTrained + result.images,
  };
}

function epochMetrics({ epochLoss, epochCorrect, epochLabelled, epochImages }: Progress): Metrics {
  return { accuracy: epochCorrect / epochLabelled, loss: epochLoss / epochImages };
}

function epochRecord(
  { stage, draw, schedule }: StageOptions,
  progress: Progress,
  validation: Pick<EpochRecord, 'val' | 'pile'>,
): EpochRecord {
  return {
    stage,
    draw,
    epoch: progress.epoch + 1,
    step: progress.step,
    train: epochMetrics(progress),
    ...validation,
    learningRate: schedule(progress.step - 1),
    durationMs: progress.epochMs,
    waitMs: progress.epochWaitMs,
    imagesPerSecond: (1000 * progress.epochImages) / progress.epochMs,
  };
}

function diverged(title: string, step: number, loss: number, learningRate: number): QuarterturnError {
  return new QuarterturnError(
    'diverged',
    `${title}: expected a finite loss at step ${step} (learning rate ${learningRate}). Received: ${loss}.`,
    {
      hint: 'Nothing was overwritten: the last checkpoint is from before. A lower learning rate usually helps.',
    },
  );
}

/** A weight may overflow one step before the loss shows it: such a state must not replace a good one. */
function assertFinite(tensors: Tensors, title: string, step: number): void {
  for (const [leaf, { data }] of Object.entries(tensors)) {
    if ((data as Float32Array).some((v) => !Number.isFinite(v))) {
      throw new QuarterturnError(
        'diverged',
        `${title}: expected finite weights at step ${step}. Received: NaN or ∞ in ${leaf}.`,
        {
          hint: 'Nothing was overwritten: the last checkpoint is from before. A lower learning rate usually helps.',
        },
      );
    }
  }
}

interface StepResult {
  readonly state: TrainState;
  /** Mean of the batch. */
  readonly loss: number;
  readonly correct: number;
  readonly labelled: number;
  readonly images: number;
}

async function runStep(stepper: Stepper, batch: StepBatch, learningRate: number): Promise<StepResult> {
  const [images = 0] = (batch[stepNames.images] ?? tensorNamed(batch, stepNames.features)).shape;
  const [labelled = 0] = tensorNamed(batch, stepNames.targets).shape;
  const told = await stepper.run(batch, { batchSize: images, learningRate });
  return {
    state: stepper.state,
    loss: Number(tensorNamed(told, stepNames.loss).data[0]),
    correct: Number(tensorNamed(told, stepNames.correct).data[0]),
    labelled,
    images,
  };
}

/** How far a stage has come; undefined if it was not begun. */
export async function loadProgress(
  store: RunStore,
  stage: string,
  draw: number,
): Promise<Progress | undefined> {
  const name = checkpointName(stage, draw);
  const state = await store.loadState(name);
  return state && progressOf({ state }, name);
}
