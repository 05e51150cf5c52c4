import type { BatchMakerFor } from '../data/batch-maker.js';
import type { DataSource } from '../data/dataset.js';
import { assertGoingOn, QuarterturnError } from '../errors.js';
import type { FrozenEncoder } from '../features/onnx-encoder.js';
import { loadPretrained } from '../recipes/backbone.js';
import { fitToLabels } from '../recipes/fit-to-labels.js';
import { withLocatedLabels } from '../recipes/labels.js';
import { assertFits, run } from '../recipes/run.js';
import { type RunSettings, settingsOfConfig } from '../recipes/settings.js';
import { finetuneName } from '../recipes/stages/finetune.js';
import { stagesOf } from '../recipes/stages/registry.js';
import type { Stage } from '../recipes/stages/stage.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RunStore } from '../store/checkpoint.js';
import { fingerprintIn } from '../store/fingerprint.js';
import { isLive, type RunEvent, type RunEventListener } from '../store/run-event.js';
import type { Tensors } from '../tensor/tensor.js';
import { finishedResult, outcomeOf, type RunOutcome, readConfig, stagesToResume } from './finished-run.js';
import { settingsWithin } from './fit-budget.js';
import { RunRecorder } from './run-recorder.js';
import { type Started, start } from './started.js';

/** A run that has begun. */
export type Run = Started<RunEvent, RunOutcome>;

/** Options that starting and resuming have in common. */
export interface ResumeRunOptions {
  readonly data: DataSource;
  /** Where graphs are executed. */
  readonly runtime: Runtime;
  /** Where everything is kept: what a stopped run needs to go on, what it tells, what it comes to. */
  readonly store: RunStore;
  /** The frozen network that the settings name, opened; it is the caller's to release. Default: the settings name none. */
  readonly encoder?: FrozenEncoder | undefined;
  /** Names of the stages to run; default: all that the settings ask for, or, of a run that is resumed, those that it has. */
  readonly stages?: readonly string[] | undefined;
  /** The stages that there are, in their order; default: those of this package. */
  readonly registry?: readonly Stage[] | undefined;
  /**
   * Stops the run: the step that is under way is finished, the state saved, and `result` rejected with a
   * `QuarterturnError` of the code `interrupted` whose cause is the signal's reason.
   */
  readonly signal?: AbortSignal | undefined;
  /** Told each event at once, before those who consume `events`. */
  readonly emit?: RunEventListener | undefined;
  /** Versions and the like, kept in `config.json` of a new run. */
  readonly environment?: Readonly<Record<string, unknown>> | undefined;
  /** Largest memory of the process so far, where the platform tells. */
  readonly peakMemoryBytes?: (() => number) | undefined;
  /** Where batches are made; default: on this thread. In Node, `new BatchWorker().makerFor` makes them on another. */
  readonly batchMakerFor?: BatchMakerFor | undefined;
}

export interface StartRunOptions extends Omit<ResumeRunOptions, 'store'> {
  readonly settings: RunSettings;
  /**
   * See {@link ResumeRunOptions.store}. A function is asked for it once all that can be found out beforehand is known to be
   * right, so that what fails leaves no folder behind. It is the caller's to close.
   */
  readonly store: RunStore | (() => RunStore | Promise<RunStore>);
  /** A pretrained backbone for fine-tuning, kept in the store. Default: the one that this run pretrains. */
  readonly backbone?: Tensors | undefined;
  /** Another run, whose pretrained backbone fine-tuning takes; then fine-tuning alone is the default of `stages`. */
  readonly from?: RunStore | undefined;
  /**
   * Other runs, whose finished stages are taken over where they were trained from the same settings, data and labels by
   * the same version; default: none. So further draws of the labels do not train the first ones again.
   */
  readonly reuse?: readonly RunStore[] | undefined;
  /** Time from now to the report, in ms, that the steps of the settings are fitted to; default: they stay as they are. */
  readonly budgetMs?: number | undefined;
  /** What of the budget has gone already, in ms; default: what has gone since the call. */
  readonly spentMs?: (() => number) | undefined;
  /**
   * CPU time that this process has used, in ms, where the platform tells: then no budget is refused that would do if no other
   * program ran.
   */
  readonly cpuMs?: (() => number) | undefined;
}

/**
 * Begin a run: every stage that the settings ask for, for every draw of the labels, then the classifier that held-back
 * labels speak for, all of it kept in the store. On a store that holds the same run already, go on with that.
 *
 * @returns at once; all that is wrong comes as the rejection of `result`
 * @example
 * const run = startRun({ settings: settingsFor('quick'), data, runtime, store: new MemoryStore(), signal });
 * for await (const event of run.events) {
 *   if (event.type === 'epoch-end') console.log(event.record.stage, event.record.train.accuracy);
 * }
 * const { classifier } = await run.result;
 */
export function startRun(options: StartRunOptions): Run {
  const began = performance.now();
  const { signal, emit, budgetMs, from, data, runtime, registry } = options;
  return start(
    recorded(async (recorder, tell) => {
      const source = from && (await pretrainedIn(from));
      const stages = options.stages ?? (source ? [finetuneName] : undefined);
      const { batchMakerFor } = options;
      const located = await withLocatedLabels({
        ...{ settings: options.settings, data, runtime, signal, emit: tell, batchMakerFor },
        encoder: options.encoder,
      });
      const context = fitToLabels(located);
      assertFits(context, stages ?? stagesOf(context.settings, registry), registry);
      assertGoingOn(signal);
      const settings =
        budgetMs === undefined
          ? context.settings
          : await settingsWithin(context, {
              ...{ budgetMs, stages, registry, cpuMs: options.cpuMs },
              spentMs: options.spentMs ?? (() => performance.now() - began),
            });
      assertGoingOn(signal);
      const store = typeof options.store === 'function' ? await options.store() : options.store;
      recorder.attach(store);
      const result = await run(
        { ...context, settings, store },
        {
          ...{ stages, registry, peakMemoryBytes: options.peakMemoryBytes, reuse: options.reuse },
          backbone: options.backbone ?? source?.backbone,
          environment: { ...options.environment, ...source?.environment },
        },
      );
      return outcomeOf(result, { store, runtime });
    }),
    { isLive, emit },
  );
}

/**
 * Resumes a run that was stopped or killed. It ends with the same weights, bit for bit on the same machine. A finished run
 * is left as it is.
 *
 * @returns at once; every error, such as data other than that of the run, rejects `result`
 * @example
 * const run = resumeRun({ store: await RunFolder.open('runs/digits'), data, runtime });
 */
export function resumeRun(options: ResumeRunOptions): Run {
  const { store, data, runtime, signal, emit, registry, peakMemoryBytes, batchMakerFor } = options;
  const { encoder } = options;
  return start(
    recorded(async (recorder, tell) => {
      const config = await readConfig(store);
      const stages = stagesToResume(config, options.stages, registry);
      const finished = await finishedResult(store, stages, registry);
      if (finished) {
        tell({ type: 'already-finished', run: store.name });
        return outcomeOf(finished, { store, runtime });
      }
      assertGoingOn(signal);
      recorder.attach(store);
      const settings = settingsOfConfig(config, store.name);
      const context = { settings, data, runtime, store, signal, emit: tell, batchMakerFor, encoder };
      return outcomeOf(await run(context, { stages, registry, peakMemoryBytes }), { store, runtime });
    }),
    { isLive, emit },
  );
}

/** The backbone that another run has pretrained, and what `config.json` keeps of where it comes from. */
async function pretrainedIn(store: RunStore) {
  const config = await readConfig(store);
  const backbone = await loadPretrained(store, settingsOfConfig(config, store.name));
  // It may have been pretrained on other data.
  const backboneFrom = { run: store.name, data: fingerprintIn(config) ?? null };
  return { backbone, environment: { backboneFrom } };
}

/** A run whose events are written down in its store, how it ends among them. */
function recorded(
  body: (recorder: RunRecorder, tell: RunEventListener) => Promise<RunOutcome>,
): (emit: RunEventListener) => Promise<RunOutcome> {
  return async (emit) => {
    const recorder = new RunRecorder();
    let run: string | undefined;
    const tell = (event: RunEvent): void => {
      if (event.type === 'run-start') ({ run } = event);
      recorder.record(event);
      emit(event);
    };
    try {
      const outcome = await body(recorder, tell);
      if (run !== undefined) tell({ type: 'run-end', run, state: 'finished' });
      await recorder.close();
      return outcome;
    } catch (error) {
      const state = isInterruption(error) ? 'interrupted' : 'failed';
      const reason = error instanceof Error ? error.message : String(error);
      if (run !== undefined) tell({ type: 'run-end', run, state, reason });
      // Why the run failed is the error to report, whatever comes of telling others.
      await recorder.close().catch(() => {});
      throw error;
    }
  };
}

function isInterruption(error: unknown): boolean {
  return error instanceof QuarterturnError && error.code === 'interrupted';
}
