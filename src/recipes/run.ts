import { z } from 'zod';
import { batchesPerEpoch } from '../data/batches.js';
import { firstNames } from '../data/name-list.js';
import { turnCount } from '../data/rotation.js';
import { QuarterturnError } from '../errors.js';
import { exportClassifier } from '../model/export-model.js';
import { ProgramShelf } from '../runtime/program-shelf.js';
import type { RunStore } from '../store/checkpoint.js';
import { assertSameData, assertSameSettings, fingerprintIn, fingerprintOf } from '../store/fingerprint.js';
import { parseWith } from '../store/json.js';
import { readLabelRecord } from '../store/label-record.js';
import type { RunResult } from '../store/run-record.js';
import type { Tensors } from '../tensor/tensor.js';
import { reuseStages, stagesNamed } from './artifacts.js';
import { saveBackbone } from './backbone.js';
import { networkFor, type RecipeContext } from './context.js';
import { collectExhibits } from './exhibits.js';
import { fitToLabels } from './fit-to-labels.js';
import {
  classNamesOf,
  hasLabels,
  type LabelContext,
  labelledIndices,
  labelRecordOf,
  withLocatedLabels,
} from './labels.js';
import { meanBrightness } from './mean-brightness.js';
import { withForecast } from './plan/forecast.js';
import { parseSettings, settingsOfConfig } from './settings.js';
import { abstentionOf } from './stages/abstention.js';
import { allStages, stageNamed, stagesOf } from './stages/registry.js';
import type { Stage } from './stages/stage.js';
import {
  figuresOf,
  finalOf,
  finishedStages,
  ladderOf,
  pretrainedIn,
  type RunFigures,
  runStages,
  trainedMs,
} from './stages.js';
import { trainingSummaryOf } from './training-summary.js';

export interface RunOptions {
  /** Names of the stages to run beside those that the store's run already has; default: all that the settings ask for. */
  readonly stages?: readonly string[] | undefined;
  /** The stages that there are, in their order; default: those of this package. */
  readonly registry?: readonly Stage[] | undefined;
  /** A pretrained backbone for fine-tuning alone, kept in the store; by default the one pretrained there. */
  readonly backbone?: Tensors | undefined;
  /** Runs whose finished stages are taken over where they were trained from the same; default: none. */
  readonly reuse?: readonly RunStore[] | undefined;
  /** Versions and the like, kept in `config.json`. */
  readonly environment?: Readonly<Record<string, unknown>> | undefined;
  /** Largest memory of the process so far, where the platform tells. */
  readonly peakMemoryBytes?: (() => number) | undefined;
}

/** Name of the saved classifier. */
export const classifierName = 'classifier';

/**
 * The notebook's system: pretrain on rotations, fine-tune on the labels, compare with a supervised baseline, leave
 * everything in the store. Called again on the same store, it goes on where it stopped.
 */
export async function run(given: RecipeContext, options: RunOptions = {}): Promise<RunResult> {
  const programs = new ProgramShelf();
  try {
    return await runOn({ ...given, programs }, options);
  } finally {
    await programs.release();
  }
}

async function runOn(given: RecipeContext, options: RunOptions): Promise<RunResult> {
  const started = performance.now();
  const context = fitToLabels(await withLocatedLabels(given));
  const { settings, store } = context;
  const { stages, resumed } = await openRun(context, options);
  context.emit?.({ type: 'run-start', run: store.name, stages, draws: settings.draws, resumed });
  const { reuse = [], registry } = options;
  if (reuse.length > 0) await reuseStages(context, { stages: stagesNamed(stages, registry), from: reuse });
  const earlierMs = await trainedMs(context, registry);
  const emit = await withForecast(context, stagesNamed(stages, registry));
  const outcomes = await runStages({ ...context, emit }, ({ name }) => stages.includes(name), { registry });
  const pretrained = pretrainedIn(outcomes);

  const [first] = outcomes.draws;
  const final = first && finalOf(first);
  if (final) {
    const { classifier, stage, evidence } = final;
    const { calibration, ofPile: pile } = first.appraisal ?? {};
    const temperature = calibration?.temperature;
    await store.writeModel(
      classifierName,
      exportClassifier({
        ...classifier,
        classNames: classNamesOf(context),
        pictureFit: context.data.pictureFit,
        ground: context.data.ground,
        meanBrightness: await meanBrightness(context.data.train.images, context),
        temperature,
        abstention: evidence && (await abstentionOf(context, evidence.answers, { temperature, pile })),
        training: await trainingSummaryOf(context, { stage: stage.name, classifier, ...first.appraisal }),
      }),
    );
  }
  await store.writeJson('exhibits', await collectExhibits(context, outcomes));
  const result: RunResult = {
    run: store.name,
    preset: settings.preset,
    seed: settings.seed,
    ...figuresOf(outcomes),
    ladder: await ladderOf(context, outcomes),
    durationMs: Math.round(earlierMs + performance.now() - started),
    trainImagesPerSecond: pretrained ? Math.round(10 * pretrained.imagesPerSecond) / 10 : 0,
    peakMemoryBytes: options.peakMemoryBytes?.() ?? 0,
  };
  await store.writeJson('result', result);
  return result;
}

/**
 * Evaluate again what a run's checkpoints hold, as far as it was finished; trains nothing and writes nothing.
 * @throws QuarterturnError `data` for data that has other classes, or none of the images that labels were given for
 */
export async function evaluateRun(
  given: RecipeContext,
  { registry }: Pick<RunOptions, 'registry'> = {},
): Promise<RunFigures> {
  const context = await withLocatedLabels(given);
  await assertSameClasses(context);
  const finished = await finishedStages(context, registry);
  return figuresOf(await runStages(context, finished, { registry, readOnly: true }));
}

/** @throws QuarterturnError `data` naming the classes of both, where the data has others than the run learned */
async function assertSameClasses(context: RecipeContext): Promise<void> {
  const { classNames: learned = [] } = (await readLabelRecord(context.store)) ?? {};
  const classNames = classNamesOf(context);
  const isSame = learned.length === classNames.length && learned.every((name, k) => name === classNames[k]);
  if (isSame || learned.length === 0 || !hasLabels(context)) return;
  throw new QuarterturnError(
    'data',
    `${context.data.origin}: expected images of the run's classes, ${firstNames(learned)}. Received: images of ${firstNames(classNames)}.`,
    { hint: 'To evaluate its classifier on other images: quarterturn evaluate <run> <data>' },
  );
}

/**
 * Find out before anything is written whether the data can be used with these settings.
 * @throws QuarterturnError saying what does not fit
 */
export function assertFits(
  context: LabelContext,
  names: readonly string[],
  registry: readonly Stage[] = allStages,
): void {
  const { settings, data } = context;
  const stages = names.map((name) => stageNamed(name, registry));
  // What all draws share does not look at labels.
  if (stages.some(({ isShared }) => !isShared)) assertClasses(context);
  const { backbone } = settings.network;
  const { frozenBlocks } = settings.finetune;
  const { blocks } = networkFor(settings.network, data.train.images, turnCount);
  if (frozenBlocks > blocks.length) {
    throw new QuarterturnError(
      'usage',
      `finetune.frozenBlocks: expected at most ${blocks.length}, the blocks of the backbone ${backbone}. Received: ${frozenBlocks}.`,
    );
  }
  for (const stage of stages) stage.assertFits?.(context);
}

/** @throws QuarterturnError `data` if there are no labels to learn classes from, or labels of one class alone */
function assertClasses(context: Pick<RecipeContext, 'settings' | 'data'>): void {
  const { name } = context.data.train.images;
  if (!hasLabels(context)) {
    throw new QuarterturnError('data', `${name}: expected labels. Received: images alone.`, {
      hint: 'Label some of them in `quarterturn studio`. Or learn what they look like with `quarterturn pretrain`, let `quarterturn suggest` choose images to label, and name the labels with --labels.',
    });
  }
  const classNames = classNamesOf(context);
  if (classNames.length >= 2) return;
  throw new QuarterturnError(
    'data',
    `${name}: expected labels of at least two classes. Received: ${classNames.length === 1 ? `every label is ${JSON.stringify(classNames[0])}` : 'none'}.`,
    { hint: 'A classifier tells classes apart: label images of another class, too.' },
  );
}

/** The stages that a run comprises, as its `config.json` tells. */
export function stagesOfConfig(
  { stages }: Readonly<Record<string, unknown>>,
  registry: readonly Stage[] = allStages,
): readonly string[] {
  const names = registry.map(({ name }) => name);
  return Array.isArray(stages) ? names.filter((name) => stages.includes(name)) : names;
}

const configSchema = z.record(z.string(), z.unknown());

/** Settings and data that the run started with; undefined if it starts now. */
async function storedConfig(store: RunStore): Promise<Readonly<Record<string, unknown>> | undefined> {
  const config = await store.readJson('config');
  if (config === undefined) return undefined;
  return parseWith(configSchema, config, `${store.name}, config.json`, 'a JSON object', {
    code: 'checkpoint',
  });
}

/**
 * Write the configuration of a new run, or check that a run to be continued has the same settings and data.
 * @returns all stages of the run, and whether an earlier process has begun it
 */
async function openRun(
  context: RecipeContext,
  options: RunOptions,
): Promise<{ readonly stages: readonly string[]; readonly resumed: boolean }> {
  const { settings, store } = context;
  const { registry = allStages } = options;
  const config = await storedConfig(store);
  const before = config === undefined ? [] : stagesOfConfig(config, registry);
  const asked = options.stages ?? (config === undefined ? stagesOf(settings, registry) : before);
  const wanted = new Set([...asked, ...before].map((name) => stageNamed(name, registry)));
  const stages = registry
    .filter((stage) => wanted.has(stage) && stage.settingsOf(settings) !== null)
    .map(({ name }) => name);
  assertFits(context, stages, registry);
  if (config !== undefined) await assertSameRun(context, config);
  if (options.backbone) await saveBackbone(store, options.backbone);
  if (config === undefined) await store.writeJson('config', newConfig(context, stages, options));
  else if (stages.length > before.length) await store.writeJson('config', { ...config, stages });
  const isKept = (await store.readJson('labels')) !== undefined;
  if (hasLabels(context) && !isKept) await store.writeJson('labels', await labelRecordOf(context));
  return { stages, resumed: config !== undefined };
}

function newConfig(
  context: RecipeContext,
  stages: readonly string[],
  { environment = {} }: RunOptions,
): Record<string, unknown> {
  const { settings, data, runtime } = context;
  const { baseline } = settings;
  const { height, width, channels } = data.train.images;
  const labelled = hasLabels(context) ? labelledIndices(context, 0).length : 0;
  const stepsPerEpoch = batchesPerEpoch(labelled, baseline.batchSize);
  return {
    startedAt: new Date().toISOString(),
    ...settings,
    stages,
    data: fingerprintOf(data),
    imageSize: { height, width, channels },
    device: runtime.device,
    kernels: runtime.version,
    baselineSteps: baseline.epochs * stepsPerEpoch,
    ...environment,
  };
}

/** @throws QuarterturnError `checkpoint` if settings or data are not those that the run began with */
async function assertSameRun(
  { settings, data, store, signal }: RecipeContext,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  assertSameData(store.name, fingerprintIn(config), data);
  // A run of an earlier version names its images by index alone.
  const before = { settings: settingsOfConfig(config, store.name), data, signal };
  const located = fitToLabels(await withLocatedLabels(before));
  assertSameSettings(store.name, located.settings, parseSettings(settings));
}
