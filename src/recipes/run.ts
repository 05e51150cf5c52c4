import { QuarterturnError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { loadStage } from '../train/loop.js';
import { type DrawResult, type RunResult, type StageName, stageNames } from '../train/run-record.js';
import { weightsOf } from '../train/train-step.js';
import { type Baseline, baseline } from './baseline.js';
import type { RecipeContext } from './context.js';
import { collectExhibits } from './exhibits.js';
import { exportClassifier } from './export-model.js';
import { type Classifier, finetune } from './finetune.js';
import { type Pretrained, pretrain } from './pretrain.js';
import { parseSettings, settingsOfConfig } from './settings.js';

export interface RunOptions {
  /** Which stages to run; all of them by default. */
  readonly stages?: readonly StageName[];
  /** A pretrained backbone for fine-tuning alone; by default the one in the store. */
  readonly backbone?: Readonly<Record<string, Tensor>>;
  /** Versions and the like, kept in `config.json`. */
  readonly environment?: Readonly<Record<string, unknown>>;
  /** Largest memory of the process so far, where the platform tells. */
  readonly peakMemoryBytes?: () => number;
}

/** Name of the saved classifier. */
export const classifierName = 'classifier';

/**
 * The notebook's system: pretrain on rotations, fine-tune on the labels, compare with a supervised baseline, leave
 * everything in the store. Called again on the same store, it goes on where it stopped.
 */
export async function run(context: RecipeContext, options: RunOptions = {}): Promise<RunResult> {
  const { settings, store } = context;
  const { stages = stageNames } = options;
  const started = performance.now();
  const earlier = await openRun(context, options);

  const pretrained = stages.includes('pretrain') ? await pretrain(context) : undefined;
  const backbone = pretrained?.weights ?? options.backbone;
  const classifiers: Classifier[] = [];
  const baselines: Baseline[] = [];
  for (let draw = 0; draw < settings.draws; draw++) {
    if (stages.includes('finetune'))
      classifiers.push(await finetune(context, await backboneFor(context, backbone), draw));
    if (stages.includes('baseline')) baselines.push(await baseline(context, draw));
  }

  const [classifier] = classifiers;
  if (classifier) {
    const { classNames } = context.data.train;
    await store.writeModel(
      classifierName,
      exportClassifier(classifier.network, classifier.weights, classNames),
    );
  }
  await store.writeJson(
    'exhibits',
    collectExhibits(context, { pretrained, classifier, baseline: baselines[0] }),
  );
  const result: RunResult = {
    run: store.name,
    preset: settings.preset,
    seed: settings.seed,
    ...figures(pretrained, classifier, baselines[0]),
    draws: drawResults(classifiers, baselines),
    durationMs: Math.round(earlier + performance.now() - started),
    trainImagesPerSecond: pretrained ? Math.round(10 * pretrained.imagesPerSecond) / 10 : 0,
    peakMemoryBytes: options.peakMemoryBytes?.() ?? 0,
  };
  await store.writeJson('result', result);
  return result;
}

/** The pretrained backbone: the one at hand, or the store's. */
async function backboneFor(
  { store }: Pick<RecipeContext, 'store'>,
  given: Readonly<Record<string, Tensor>> | undefined,
): Promise<Readonly<Record<string, Tensor>>> {
  if (given) return given;
  const saved = await loadStage(store, 'pretrain', 0);
  if (saved) return weightsOf(saved.tensors);
  throw new QuarterturnError(
    'checkpoint',
    `${store.name}: expected a pretrained backbone. Received: no checkpoint "pretrain".`,
    {
      hint: 'Run `quarterturn pretrain` first, or name its run with --from.',
    },
  );
}

/**
 * Write the configuration of a new run, or check that a run to be continued has the same settings.
 * @returns training time of earlier, interrupted processes in ms
 */
async function openRun(context: RecipeContext, { environment = {} }: RunOptions): Promise<number> {
  const { settings, data, store, runtime } = context;
  const existing = await store.readJson('config');
  if (existing !== undefined) {
    if (JSON.stringify(settingsOfConfig(existing, store.name)) !== JSON.stringify(parseSettings(settings))) {
      throw new QuarterturnError(
        'checkpoint',
        `${store.name}: expected the settings that the run began with. Received: others.`,
        {
          hint: 'Resume without changing settings, or start a new run.',
        },
      );
    }
    const epochs = await store.readEpochs();
    return epochs.reduce((ms, { durationMs }) => ms + durationMs, 0);
  }
  const perEpoch = Math.ceil(
    (settings.labelsPerClass * data.train.classNames.length) / settings.baseline.batchSize,
  );
  await store.writeJson('config', {
    startedAt: new Date().toISOString(),
    ...settings,
    data: { origin: data.origin, checksums: data.checksums },
    device: runtime.device,
    kernels: runtime.version,
    baselineSteps: settings.baseline.epochs * perEpoch,
    ...environment,
  });
  return 0;
}

function figures(
  pretrained: Pretrained | undefined,
  classifier: Classifier | undefined,
  base: Baseline | undefined,
): Pick<RunResult, 'pretext' | 'fineTune' | 'baseline' | 'baselineReestimated'> {
  return {
    pretext: pretrained ? { val: pretrained.val.metrics, test: pretrained.test.metrics } : null,
    fineTune: classifier ? { train: classifier.train.metrics, test: classifier.test.metrics } : null,
    baseline: base ? { train: base.train.metrics, test: base.test.metrics } : null,
    baselineReestimated: base ? { test: base.testReestimated.metrics } : null,
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
