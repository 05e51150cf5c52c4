import { isRecord } from '../store/json.js';
import type { EpochRecord, LadderFigure, RunRecord, StageFacts } from '../store/run-record.js';

/** Title of a stage; an unknown stage has only its name. */
export function titleOf(stages: readonly StageFacts[], name: string): string {
  return stages.find((stage) => stage.name === name)?.title ?? name;
}

/** One stage summed over its epochs. */
export interface StageSummary {
  readonly stage: string;
  readonly epochs: number;
  readonly steps: number;
  readonly durationMs: number;
}

/** A setting by its path, e.g. `['network', 'batchNormMomentum']`; undefined if there is none. */
export function settingAt(config: RunRecord['config'], path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), config);
}

/** The first finite number among several paths, or null. */
export function numberAt(
  config: RunRecord['config'],
  ...paths: readonly (readonly string[])[]
): number | null {
  const values = paths.map((path) => settingAt(config, path));
  return (
    (values.find((value) => typeof value === 'number' && Number.isFinite(value)) as number | null) ?? null
  );
}

/** When the run began, as the settings tell it: an ISO time becomes `2025-03-14 10:12 UTC`. null if they do not. */
export function startOf(config: RunRecord['config']): string | null {
  for (const key of ['startedAt', 'date', 'createdAt']) {
    const value = config[key];
    if (typeof value !== 'string' || value === '') continue;
    const time = Date.parse(value);
    if (Number.isNaN(time) || !value.includes('T')) return value;
    return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  }
  return null;
}

/** The last part of the run's folder, on any system. */
export function runName(folder: string): string {
  return folder.split(/[\\/]/).filter(Boolean).at(-1) ?? folder;
}

/** Whether the run learned from images alone: nothing else was trained, or tried in vain. */
export function isPretrainingAlone({ result }: RunRecord): boolean {
  const { pretext, fineTune, baseline, scratch, selfTrain, final, failures } = result;
  const others = [fineTune, baseline, scratch, selfTrain, final];
  return pretext !== null && others.every((figure) => figure === null) && failures.length === 0;
}

/** Whether anything was evaluated on test images. */
export function isTested({ result: { pretext, fineTune, baseline, final } }: RunRecord): boolean {
  return [pretext, fineTune, baseline, final].some((figure) => (figure?.test ?? null) !== null);
}

/** How many labels the run had: as counted in its classes, else 100, the notebook's number. */
export function labelCount({ exhibits }: RunRecord): number {
  const labelled = exhibits.classCounts.reduce((sum, { labelled }) => sum + labelled, 0);
  return labelled > 0 ? labelled : 100;
}

/** How many images had no label; 0 where the record does not tell. */
export function unlabelledCount({ exhibits }: RunRecord): number {
  const { classCounts, trainImages } = exhibits;
  const total = trainImages ?? classCounts.reduce((sum, { train }) => sum + (train ?? 0), 0);
  return Math.max(0, total - classCounts.reduce((sum, { labelled }) => sum + labelled, 0));
}

/**
 * What became of self-training: `none` was run, its classifier was `chosen`, or `mixed` with the one that it began with, it ran to
 * its end and was `rejected`, or it was `stopped` before, since images of several classes ran together.
 */
export function selfTrainingOf({
  config,
  epochs,
  result,
}: RunRecord): 'none' | 'chosen' | 'mixed' | 'rejected' | 'stopped' {
  if (result.selfTrain === null) return 'none';
  if (result.final?.stage === 'selfTrain') return 'chosen';
  if (result.final?.stage === 'mixture') return 'mixed';
  const planned = numberAt(config, ['selfTrain', 'epochs']) ?? 0;
  return (summariseStage(epochs, 'selfTrain')?.epochs ?? planned) < planned ? 'stopped' : 'rejected';
}

/** The figure of the classifier that was kept; fine-tuning's where none was. */
export function keptFigure({ result, stages }: RunRecord): LadderFigure {
  const kept = stages.find(({ name }) => name === result.final?.stage);
  return kept?.figures.find((figure) => figure !== 'pretext') ?? 'fineTune';
}

/** The classifier that self-training went on from; in a run of an earlier version it was always the fine-tuned one. */
export function selfTrainingStart(config: RunRecord['config']): 'finetune' | 'scratch' {
  return settingAt(config, ['selfTrain', 'start']) === 'scratch' ? 'scratch' : 'finetune';
}

/** Draw 0 of a stage, summed; null if the stage has no epochs. */
export function summariseStage(epochs: readonly EpochRecord[], stage: string): StageSummary | null {
  const records = epochs.filter((record) => record.stage === stage && record.draw === 0);
  if (records.length === 0) return null;
  return {
    stage,
    epochs: records.length,
    steps: Math.max(...records.map((record) => record.step)),
    durationMs: records.reduce((sum, record) => sum + record.durationMs, 0),
  };
}
