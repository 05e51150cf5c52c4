import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import {
  type LoadClassifierOptions,
  type LoadedClassifier,
  loadClassifier,
} from '../model/load-classifier.js';
import { readDoubts } from '../recipes/doubts.js';
import { readLabelNeeds } from '../recipes/label-needs.js';
import { classifierName, stagesOfConfig } from '../recipes/run.js';
import { allStages, stageFacts, stageNamed } from '../recipes/stages/registry.js';
import type { Stage } from '../recipes/stages/stage.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RunStore } from '../store/checkpoint.js';
import { exhibitsSchema } from '../store/exhibits-record.js';
import { parseWith } from '../store/json.js';
import { type RunRecord, type RunResult, resultSchema } from '../store/run-record.js';

/** The classifier that a run has made. */
export interface TrainedClassifier {
  /** Name of the stage that trained it. */
  readonly stage: string;
  /** The ONNX file: what to keep, to ship, to open elsewhere. */
  readonly bytes: Uint8Array;
  /**
   * Make it ready to classify; what it holds is to be released.
   * @param options.runtime where; default: where the run was
   */
  load(options?: Partial<LoadClassifierOptions>): Promise<LoadedClassifier>;
}

/** Outcome of a run. */
export interface RunOutcome {
  readonly result: RunResult;
  /** undefined if no stage left one, as of a run that only pretrains. */
  readonly classifier: TrainedClassifier | undefined;
  readonly store: RunStore;
}

/** Content of a finished run's store. */
export async function outcomeOf(
  result: RunResult,
  { store, runtime }: { readonly store: RunStore; readonly runtime: Runtime },
): Promise<RunOutcome> {
  const bytes = result.final ? await store.readModel(classifierName) : undefined;
  const classifier = result.final &&
    bytes && {
      stage: result.final.stage,
      bytes,
      load: (options: Partial<LoadClassifierOptions> = {}) =>
        loadClassifier(`${store.name}, ${classifierName}.onnx`, bytes, { runtime, ...options }),
    };
  return { result, classifier: classifier ?? undefined, store };
}

const configSchema = z.record(z.string(), z.unknown());

/**
 * The `config.json` of a run.
 * @throws QuarterturnError `checkpoint` if there is none, or no JSON object
 * @example
 * const { preset } = await readConfig(await RunFolder.open('runs/five', { readOnly: true }));
 */
export async function readConfig(
  store: Pick<RunStore, 'name' | 'readJson'>,
): Promise<Readonly<Record<string, unknown>>> {
  const config = await store.readJson('config');
  if (config !== undefined) {
    return parseWith(configSchema, config, `${store.name}, config.json`, 'a JSON object', {
      code: 'checkpoint',
    });
  }
  throw new QuarterturnError('checkpoint', `${store.name}: expected a config.json. Received: none.`, {
    hint: 'The run was stopped before it began: start it again in another folder.',
  });
}

/** Names of all stages of a run to be resumed, in their order: those that it began with, and those asked for beside them. */
export function stagesToResume(
  config: Readonly<Record<string, unknown>>,
  asked: readonly string[] = [],
  registry: readonly Stage[] = allStages,
): readonly string[] {
  const before = stagesOfConfig(config, registry);
  const wanted = new Set([...before, ...asked].map((name) => stageNamed(name, registry)));
  return registry.filter((stage) => wanted.has(stage)).map(({ name }) => name);
}

/** The result of a run that has all of some stages; undefined where any of them is still to be trained. */
export async function finishedResult(
  store: Pick<RunStore, 'readJson'>,
  stages: readonly string[],
  registry: readonly Stage[] = allStages,
): Promise<RunResult | undefined> {
  const saved = resultSchema.safeParse(await store.readJson('result'));
  if (!saved.success) return undefined;
  return stages.every((name) => isFinished(saved.data, stageNamed(name, registry))) ? saved.data : undefined;
}

/** Whether a stage has left a figure, or has failed and would again. */
function isFinished(result: RunResult, { name, figures }: Stage): boolean {
  const hasFigure = figures.some((figure) => result[figure] !== null);
  return hasFigure || result.failures.some(({ stage }) => stage === name);
}

export interface ReadRecordOptions {
  /** What to do about a run that is not finished, for the hint of the error. */
  readonly resume?: string | undefined;
}

/**
 * Reads the record that a report is made from.
 * @throws QuarterturnError `checkpoint` if the run has no result yet, or a file is not one that a run writes
 */
export async function readRecord(
  store: RunStore,
  { resume = 'Finish it: resumeRun goes on with it.' }: ReadRecordOptions = {},
): Promise<RunRecord> {
  const read = async <T>(name: 'result' | 'exhibits', schema: z.ZodType<T>): Promise<T> => {
    const value = await store.readJson(name);
    if (value === undefined) {
      throw new QuarterturnError(
        'checkpoint',
        `${store.name}: expected a finished run. Received: one without ${name}.json.`,
        { hint: resume },
      );
    }
    return parseWith(schema, value, `${store.name}, ${name}.json`, 'what a run wrote', {
      code: 'checkpoint',
      hint: 'The file was changed or damaged after it was written: restore it, or run again.',
    });
  };
  const doubts = await readDoubts(store);
  const needs = await readLabelNeeds(store);
  return {
    stages: stageFacts,
    config: await readConfig(store),
    epochs: await store.readEpochs(),
    result: await read('result', resultSchema),
    exhibits: await read('exhibits', exhibitsSchema),
    ...(doubts && { doubts }),
    ...(needs && { needs }),
  };
}
