import type { RunSettings } from '../../../index.js';
import type { GivenLabels } from '../../../labels/given-labels.js';
import type { PileSource } from '../pile.js';
import type { PlainError } from '../plain-error.js';

/** Presets that a page may ask for. */
export const presetNames = ['quick', 'best', 'notebook'] as const;

/** A run to begin. */
export interface StartTask {
  readonly type: 'start';
  readonly source: PileSource;
  /** Of the run: absolute, not there yet. */
  readonly folder: string;
  readonly preset: (typeof presetNames)[number];
  readonly budgetMs?: number | undefined;
  readonly labels: GivenLabels;
  /** What is to be other than in the preset; default: nothing. */
  readonly changes?: Partial<RunSettings> | undefined;
  readonly project: ProjectOfRun;
}

/** What a run's `config.json` keeps of the project that its labels come from. */
export interface ProjectOfRun {
  /** Number of the journal's event that its labels are of. */
  readonly seq: number;
  /** Ids of the classes, in the order of the labels' class names: a class that is renamed later stays the same one. */
  readonly classes: readonly string[];
}

/** A run to go on with. */
export interface ContinueTask {
  readonly type: 'continue';
  readonly folder: string;
}

export type TrainTask = StartTask | ContinueTask;

/** How a training ended. */
export type TrainingEnd =
  | { readonly state: 'done' }
  /** Saved: it can be gone on with, unless it has not begun. */
  | { readonly state: 'stopped' }
  | { readonly state: 'failed'; readonly error: PlainError };

/** What a trainer says beside what the run's folder tells. */
export interface TrainerNews {
  readonly phase: 'starting' | 'predicting';
  /** For people. */
  readonly text: string;
  /** 0–1; null where nobody can tell. */
  readonly progress: number | null;
}

/** A run that is being trained. */
export interface Training {
  /** Ask it to save and end; calling it again does nothing. */
  stop(): void;
  /** Never rejects. */
  readonly ended: Promise<TrainingEnd>;
}

/** Begins to train, apart from this process: all that the run tells, it writes into its folder. */
export type StartTraining = (
  task: TrainTask,
  options: { readonly onNews: (news: TrainerNews) => void },
) => Training;
