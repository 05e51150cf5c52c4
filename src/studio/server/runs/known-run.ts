import type { RunRow } from './run-updates.js';

/** What the files of a run tell of it, without the project that it belongs to. */
export interface KnownRun extends Omit<RunRow, 'number' | 'labelsChanged'> {
  /** Images with the class that each was learned as. */
  readonly learned: ReadonlyMap<string, LearnedLabel>;
  /** In the order of the classifier's probabilities. */
  readonly classes: readonly LearnedLabel[];
  /** Number of the journal's event that its labels are of; undefined where the command line took them elsewhere. */
  readonly seq: number | undefined;
}

/** A class as a run knows it. */
export interface LearnedLabel {
  readonly name: string;
  /** Of the project's class, where the run has kept it. */
  readonly id: string | undefined;
}
