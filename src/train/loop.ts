import { QuarterturnError } from '../errors.js';
import type { Schedule } from '../optim/schedules.js';
import { letSignalsThrough } from '../pass.js';
import type { Program, Runtime } from '../runtime/runtime.js';
import { assertSameArchitecture, type Checkpoint, type RunStore } from '../store/checkpoint.js';
import { nextEpoch, notStarted, type Progress, progressOf } from '../store/progress.js';
import type { EpochRecord, Metrics, PileMetrics } from '../store/run-record.js';
import { cloneTensor, scalar, type Tensor } from '../tensor/tensor.js';
import type { EarlyStop, EventListener } from './events.js';
import {
  buildTrainStep,
  initialState,
  nextPrefix,
  stepNames,
  type TrainState,
  type TrainStepSettings,
} from './train-step.js';

/** What a stage runs in: where graphs execute, where results go, who listens, when to stop. */
export interface TrainContext {
  readonly runtime: Runtime;
  readonly store: RunStore;
  readonly emit?: EventListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A batch as the training step takes it: `images` or `features`, and `targets`. */
export type StepBatch = Readonly<Record<string, Tensor>>;

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
  readonly weights: TrainState;
  /**
   * The batches of one epoch (0-based), each a list of items; a pure function of the epoch, so that a resumed run sees
   * the same ones. The last may be short.
   */
  order(epoch: number): readonly Uint32Array[];
  /** Make one batch; `step` (0-based, over all epochs) names the random stream that it draws from. */
  batch(items: Uint32Array, step: number): StepBatch;
  /** Look at what was learned so far, after each epoch (0-based). */
  validate?(state: TrainState, epoch: number): Promise<Validation>;
  readonly memory?: StageMemory | undefined;
}

/** What batches are made from where training itself changes it: kept in every checkpoint, put back by a resumed run. */
export interface StageMemory {
  save(): Readonly<Record<string, Tensor>>;
  restore(saved: Readonly<Record<string, Tensor>>): void;
}

export interface Validation {
  readonly val?: Metrics;
  readonly pile?: PileMetrics;
  /** Present where going on would be of no use: the stage ends here, and this is why. */
  readonly stop?: EarlyStop;
}

export interface StageResult {
  /** Trained tensors and optimizer memory. */
  readonly state: TrainState;
  /** Time of the steps alone. */
  readonly trainMs: number;
  readonly imagesTrained: number;
}

/** At least this long between checkpoints within an epoch: what a killed process can lose. */
const checkpointEveryMs = 20_000;

/** Name of a stage's checkpoint. */
export function checkpointName(stage: string, draw: number): string {
  return draw === 0 ? stage : `${stage}-draw${draw}`;
}

/**
 * Train one stage, from its checkpoint where the store holds one.
 *
 * All randomness comes from (seed, epoch, step), so a resumed stage runs the very steps that an uninterrupted one
 * would have, and ends in the same weights bit for bit on the same machine.
 *
 * @throws QuarterturnError `diverged` at a loss that is no number (the last checkpoint stays), `interrupted` after the
 * state was saved, `checkpoint` where the stored state belongs to another network
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

  const stepper = new Stepper(options, context.runtime, state);
  let lastSaved = performance.now();
  const save = async (): Promise<void> => {
    assertFinite(state, name, progress.step);
    const tensors = { ...state, ...withPrefix(options.memory?.save() ?? {}) };
    const path = await store.saveCheckpoint(name, { tensors, state: { ...progress } });
    lastSaved = performance.now();
    emit({ type: 'checkpoint', path, step: progress.step });
  };

  try {
    while (progress.epoch < epochs) {
      const { epoch } = progress;
      const batches = options.order(epoch);
      while (progress.step < (epoch + 1) * stepsPerEpoch) {
        const started = performance.now();
        const learningRate = options.schedule(progress.step);
        const batch = options.batch(batches[progress.step - epoch * stepsPerEpoch]!, progress.step);
        const result = await stepper.run(batch, learningRate);
        state = result.state;
        progress = advance(progress, result, performance.now() - started);
        if (!Number.isFinite(result.loss)) throw diverged(name, progress.step, result.loss, learningRate);
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
        });
        await letSignalsThrough();
        if (context.signal?.aborted) {
          await save();
          throw new QuarterturnError(
            'interrupted',
            `${name}: stopped at step ${progress.step} of ${totalSteps}, saved.`,
            { cause: context.signal.reason },
          );
        }
        if (performance.now() - lastSaved > checkpointEveryMs) await save();
      }
      // Validation can take minutes: what was trained is safe before it.
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
      await save();
    }
  } finally {
    await stepper.release();
  }
  return { state, trainMs: progress.trainMs, imagesTrained: progress.imagesTrained };
}

async function startingPoint(
  options: StageOptions,
  store: RunStore,
  name: string,
): Promise<{ state: TrainState; progress: Progress }> {
  const { stage, draw } = options;
  const fresh = initialState(options.step, options.weights);
  const checkpoint = await store.loadCheckpoint(name);
  const saved = checkpoint && { ...checkpoint, ...splitMemory(checkpoint.tensors) };
  if (saved) {
    options.memory?.restore(saved.memory);
    const shapes = Object.fromEntries(Object.entries(fresh).map(([leaf, { shape }]) => [leaf, shape]));
    assertSameArchitecture(shapes, saved.tensors, name);
  }
  const progress = saved ? progressOf(saved, name) : notStarted(stage, draw);
  // A process killed between an epoch's record and its checkpoint leaves a record of what will be done again.
  await store.rewindEpochs((r) => r.stage !== stage || r.draw !== draw || r.epoch <= progress.epoch);
  return { state: saved?.tensors ?? fresh, progress };
}

/** Of a stage's memory beside its state in a checkpoint. */
const memoryPrefix = 'memory.';

function withPrefix(memory: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(memory).map(([name, t]) => [memoryPrefix + name, t]));
}

function splitMemory(all: Readonly<Record<string, Tensor>>): {
  readonly tensors: Record<string, Tensor>;
  readonly memory: Record<string, Tensor>;
} {
  const [tensors, memory]: [Record<string, Tensor>, Record<string, Tensor>] = [{}, {}];
  for (const [name, t] of Object.entries(all)) {
    if (name.startsWith(memoryPrefix)) memory[name.slice(memoryPrefix.length)] = t;
    else tensors[name] = t;
  }
  return { tensors, memory };
}

function advance(progress: Progress, result: StepResult, ms: number): Progress {
  return {
    ...progress,
    step: progress.step + 1,
    epochLoss: progress.epochLoss + result.loss * result.images,
    epochCorrect: progress.epochCorrect + result.correct,
    epochLabelled: progress.epochLabelled + result.labelled,
    epochImages: progress.epochImages + result.images,
    epochMs: progress.epochMs + ms,
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
    imagesPerSecond: (1000 * progress.epochImages) / progress.epochMs,
  };
}

function diverged(name: string, step: number, loss: number, learningRate: number): QuarterturnError {
  return new QuarterturnError(
    'diverged',
    `${name}: expected a finite loss at step ${step} (learning rate ${learningRate}). Received: ${loss}.`,
    {
      hint: 'Nothing was overwritten: the last checkpoint is from before. A lower learning rate usually helps.',
    },
  );
}

/** A weight may overflow one step before the loss shows it: such a state must not replace a good one. */
function assertFinite(state: TrainState, name: string, step: number): void {
  for (const [leaf, { data }] of Object.entries(state)) {
    if ((data as Float32Array).some((v) => !Number.isFinite(v))) {
      throw new QuarterturnError(
        'diverged',
        `${name}: expected finite weights at step ${step}. Received: NaN or ∞ in ${leaf}.`,
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

/** Runs the step graph with two sets of buffers in turn: one is read while the other is written. */
class Stepper {
  readonly #settings: TrainStepSettings;
  readonly #runtime: Runtime;
  /** What the step reads and never changes: the frozen blocks' tensors. */
  readonly #weights: TrainState;
  /** One program a batch size: the short last batch of an epoch has its own. */
  readonly #programs = new Map<number, Program>();
  #current: TrainState;
  #spare: TrainState;

  constructor(
    { step, weights }: Pick<StageOptions, 'step' | 'weights'>,
    runtime: Runtime,
    state: TrainState,
  ) {
    const copy = () => Object.fromEntries(Object.entries(state).map(([name, t]) => [name, cloneTensor(t)]));
    this.#settings = step;
    this.#runtime = runtime;
    this.#weights = weights;
    // Copies: the caller's tensors stay what they were.
    this.#current = copy();
    this.#spare = copy();
  }

  async run(batch: StepBatch, learningRate: number): Promise<StepResult> {
    const images = (batch[stepNames.images] ?? batch[stepNames.features])!.shape[0]!;
    const program = await this.#program(images);
    const into = Object.fromEntries(Object.entries(this.#spare).map(([name, t]) => [nextPrefix + name, t]));
    const inputs = {
      ...this.#weights,
      ...batch,
      [stepNames.learningRate]: scalar(learningRate),
      ...this.#current,
    };
    const out = await program.run(inputs, into);
    [this.#current, this.#spare] = [this.#spare, this.#current];
    return {
      state: this.#current,
      loss: Number(out[stepNames.loss]!.data[0]),
      correct: Number(out[stepNames.correct]!.data[0]),
      labelled: batch[stepNames.targets]!.shape[0]!,
      images,
    };
  }

  async release(): Promise<void> {
    for (const program of this.#programs.values()) await program.release();
    this.#programs.clear();
  }

  async #program(batchSize: number): Promise<Program> {
    const known = this.#programs.get(batchSize);
    if (known) return known;
    const program = await this.#runtime.compile(buildTrainStep({ ...this.#settings, batchSize }));
    this.#programs.set(batchSize, program);
    return program;
  }
}

/** The checkpoint of a stage, and how far it tells that the stage has come. */
export interface SavedStage extends Checkpoint {
  readonly progress: Progress;
}

/** What a stage has left so far, for stages that build on it; undefined where it was not begun. */
export async function loadStage(
  store: RunStore,
  stage: string,
  draw: number,
): Promise<SavedStage | undefined> {
  const name = checkpointName(stage, draw);
  const saved = await store.loadCheckpoint(name);
  return saved && { ...saved, progress: progressOf(saved, name) };
}
