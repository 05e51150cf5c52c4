import type { SkippedKind } from '../../index.js';
import type { LabelClass } from '../project/label-events.js';
import type { ErrorBody } from './api-error.js';
import type { Finding } from './explore/finding.js';
import type { PileReading } from './pile-source.js';
import type { RunDelta, TrainingState } from './runs/run-updates.js';

/** What a page knows of the studio without asking for more; the same words as in the event stream. */
export interface StudioState {
  /** Null on the start page, where no folder is chosen yet. */
  readonly project: ProjectFacts | null;
  readonly pile: PileState;
  /** Null while there are no images to label. */
  readonly labels: LabelFacts | null;
  /** What trains, or failed to; null otherwise. */
  readonly training: TrainingState | null;
  /** Grows when the list of runs changes: then it is to be asked for anew. */
  readonly runs: number;
  /** Grows when something was found out of the pile: then queues, confusions and the like that were pending are to be asked for anew. */
  readonly looks: number;
  /** What is being found out of the pile now; null: nothing is. */
  readonly finding: Finding | null;
}

/** How the labels of the pile stand. */
export interface LabelFacts {
  /** Number of the last event of the journal: what is in it is on the disk. */
  readonly seq: number;
  /** In the order that people gave them, each with how many images have it. */
  readonly classes: readonly (LabelClass & { readonly count: number })[];
  readonly labelled: number;
  readonly skipped: number;
  readonly unsure: number;
  /** Type of the event that would be undone next, or redone; null where there is none. */
  readonly undoable: string | null;
  readonly redoable: string | null;
  /** The id for the next class. */
  readonly nextClassId: string;
}

export interface ProjectFacts {
  /** For people: the folder's name. */
  readonly name: string;
  /** Where its labels lie, absolute. */
  readonly folder: string;
  /** Where the pictures lie, absolute; null for the example that comes with the package. */
  readonly path: string | null;
}

/** How the pictures of a project stand. */
export type PileState =
  /** There are none: no project is open. */
  | { readonly phase: 'none' }
  /** The folder is gone through; how much there is, is not known yet. */
  | { readonly phase: 'finding' }
  | PileProgress
  | PileFacts
  | { readonly phase: 'stopped' }
  | { readonly phase: 'failed'; readonly error: ErrorBody['error'] };

/** Pictures are read and decoded. */
export interface PileProgress {
  readonly phase: 'reading';
  readonly done: number;
  readonly total: number;
  /** Of those done, how many had to be decoded: the others were in the cache. */
  readonly decoded: number;
  readonly setAside: number;
  readonly imagesPerSecond: number;
  /** Absent where nobody can tell yet. */
  readonly etaMs?: number;
}

/** All pictures are there. */
export interface PileFacts {
  readonly phase: 'ready';
  readonly count: number;
  /** Of each image, as the model sees it. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Whether files are behind the images, of which tiles and views show more than that. */
  readonly hasFiles: boolean;
  /** Classes that the folders, or the files of arrays, name. */
  readonly classNames: readonly string[];
  /** Files that were set aside, and why, the commonest reason first. */
  readonly setAside: number;
  readonly setAsideKinds: readonly SkippedKind[];
  /** Pictures that lie there more than once; each is taken once. */
  readonly duplicates: number;
  /** How pictures became images; absent where they were images already. */
  readonly reading?: PileReading;
  /** One sentence each, on how it was read. */
  readonly notes: readonly string[];
  readonly durationMs: number;
}

/** What the event stream tells of. */
export type StudioDelta =
  | RunDelta
  | { readonly type: 'looks'; readonly revision: number }
  | { readonly type: 'finding'; readonly finding: Finding | null }
  | { readonly type: 'project'; readonly project: ProjectFacts | null }
  | { readonly type: 'pile'; readonly pile: PileState }
  | { readonly type: 'labels'; readonly labels: LabelFacts | null }
  /** Images whose label or mark is another one now; null: so many that a page had better ask anew. */
  | {
      readonly type: 'relabelled';
      /** Number of the event after which they are. */
      readonly seq: number;
      readonly images: readonly (readonly [id: string, label: string | null])[] | null;
    };
