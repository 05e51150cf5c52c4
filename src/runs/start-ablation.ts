import type { BatchMakerFor } from '../data/batch-maker.js';
import type { DataSource } from '../data/dataset.js';
import { assertGoingOn, QuarterturnError } from '../errors.js';
import { type Variant, variants } from '../recipes/ablation.js';
import { networkFor } from '../recipes/context.js';
import { withLocatedLabels } from '../recipes/labels.js';
import { assertFits } from '../recipes/run.js';
import type { RunSettings } from '../recipes/settings.js';
import { finetuneName } from '../recipes/stages/finetune.js';
import { pretrainName } from '../recipes/stages/pretrain.js';
import type { Runtime } from '../runtime/runtime.js';
import { assertSameData, fingerprintIn, fingerprintOf } from '../store/fingerprint.js';
import {
  type Ablation,
  type AblationEvent,
  type AblationStore,
  isLiveOfAblation,
  listenerOfRun,
} from './ablation.js';
import { AblationRuns } from './ablation-runs.js';
import { settingsWithin } from './fit-budget.js';
import { type Started, start } from './started.js';

export interface StartAblationOptions {
  /** The whole recipe, of which variants lack a part or have another in its place; of a table that is gone on with, its own. */
  readonly settings: RunSettings;
  readonly data: DataSource;
  readonly runtime: Runtime;
  /** See `StartRunOptions.store`: a function is asked for a new table's once all else is known to be right. */
  readonly store: AblationStore | (() => AblationStore | Promise<AblationStore>);
  /** Names of the variants to measure; those of a table that is gone on with stay. Default: all that the recipe can have. */
  readonly variants?: readonly string[] | undefined;
  /** Time of one run of the whole recipe, in ms, that the steps of a new table's settings are fitted to. */
  readonly budgetMs?: number | undefined;
  /** What of the budget has gone already, in ms; default: what has gone since the call. */
  readonly spentMs?: (() => number) | undefined;
  /** See `StartRunOptions`. */
  readonly cpuMs?: (() => number) | undefined;
  /** As of `startRun`: the variant that is being trained is saved, and `result` rejected. */
  readonly signal?: AbortSignal | undefined;
  readonly emit?: ((event: AblationEvent) => void) | undefined;
  readonly environment?: Readonly<Record<string, unknown>> | undefined;
  readonly peakMemoryBytes?: (() => number) | undefined;
  /** See `TrainContext.batchMakerFor`. */
  readonly batchMakerFor?: BatchMakerFor | undefined;
}

/** Outcome of measuring a table. */
export interface AblationOutcome {
  readonly ablation: Ablation;
  readonly store: AblationStore;
}

/**
 * Measure what each part of a recipe is worth: train its variants, each in a run of its own, over the draws of the
 * settings; what several train from the same is trained once. A table that was begun is gone on with.
 *
 * @returns at once; all that is wrong comes as the rejection of `result`
 */
export function startAblation(options: StartAblationOptions): Started<AblationEvent, AblationOutcome> {
  const began = performance.now();
  const { data, runtime, signal, peakMemoryBytes } = options;
  return start<AblationEvent, AblationOutcome>(
    async (emit) => {
      const opened = typeof options.store === 'function' ? undefined : options.store;
      const before = opened?.before;
      if (before) assertSameData(opened.name, fingerprintIn(before.environment), data);
      const context = { data, runtime, signal, emit, batchMakerFor: options.batchMakerFor };
      const asked = before?.settings ?? options.settings;
      const located = await withLocatedLabels({ ...context, emit: listenerOfRun(emit), settings: asked });
      const whole = located.settings;
      assertFits(located, [pretrainName, finetuneName]);
      assertTestSet(data);
      assertGoingOn(signal);
      const { budgetMs, spentMs = () => performance.now() - began } = options;
      const settings =
        before || budgetMs === undefined
          ? whole
          : {
              // The budget is that of one run of the whole recipe on one choice of labels: every variant has its steps.
              ...(await settingsWithin(
                { ...located, settings: { ...whole, draws: 1 } },
                { budgetMs, spentMs, cpuMs: options.cpuMs },
              )),
              draws: whole.draws,
            };
      const blocks = networkFor(settings.network, data.train.images, 2).blocks.length;
      const names = chosenVariants(options.variants, before?.variants, (variant) =>
        variant.change(settings, { blocks, suggested: undefined }),
      );
      const environment = { ...options.environment, device: runtime.device, data: fingerprintOf(data) };
      const ablation: Ablation = {
        startedAt: before?.startedAt ?? new Date().toISOString(),
        settings,
        variants: names,
        environment: before?.environment ?? environment,
        rows: before?.rows ?? [],
      };
      const store = typeof options.store === 'function' ? await options.store() : options.store;
      await store.write(ablation);
      emit({ type: 'ablation-start', folder: store.name, variants: names });
      const runs = new AblationRuns(store, ablation, { ...context, blocks, peakMemoryBytes });
      return { ablation: await runs.measure(), store };
    },
    { isLive: isLiveOfAblation, emit: options.emit },
  );
}

/** @throws QuarterturnError `data` if nothing could be put into the table */
function assertTestSet({ train, test }: DataSource): void {
  if (test) return;
  throw new QuarterturnError('data', `${train.images.name}: expected a test set beside it. Received: none.`, {
    hint: 'The table compares variants on test images: add a folder test with class folders, or IDX files that begin with t10k.',
  });
}

/**
 * The variants to measure: those asked for beside those that the table has, all that the recipe can have by default.
 * @throws QuarterturnError `usage` for one that there is not, or that the recipe cannot have
 */
export function chosenVariants(
  asked: readonly string[] | undefined,
  before: readonly string[] | undefined,
  settingsOf: (variant: Variant) => RunSettings | undefined,
): readonly string[] {
  const possible = variants.filter((variant) => settingsOf(variant) !== undefined).map(({ name }) => name);
  const wrong = (asked ?? []).filter((name) => !possible.includes(name));
  if (wrong.length > 0) {
    throw new QuarterturnError(
      'usage',
      `--variants: expected some of ${possible.join(', ')} for this recipe. Received: ${wrong.join(', ')}.`,
    );
  }
  return possible.filter((name) => {
    if (before?.includes(name)) return true;
    return asked ? asked.includes(name) : before === undefined;
  });
}
