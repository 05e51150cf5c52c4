import type { PassEvent } from '../pass.js';
import type { EpochRecord, Metrics } from '../store/run-record.js';

/** What a run tells while it goes on. Loops emit these and print nothing. */
export type TrainEvent =
  /** A part of the run begins; `title` is for people, e.g. `Pretraining on rotations`. */
  | {
      readonly type: 'stage-start';
      readonly stage: string;
      readonly draw: number;
      readonly title: string;
      readonly totalSteps: number;
      readonly fromStep: number;
      readonly epochs: number;
      readonly stepsPerEpoch: number;
    }
  | {
      readonly type: 'step';
      readonly stage: string;
      readonly epoch: number;
      readonly step: number;
      readonly totalSteps: number /** Running mean of the epoch. */;
      readonly metrics: Metrics;
      readonly learningRate: number;
      readonly imagesPerSecond: number /** Until the stage ends. */;
      readonly etaMs: number;
      /** Time that this step waited for its batch. */
      readonly waitMs: number;
    }
  | { readonly type: 'epoch-end'; readonly record: EpochRecord }
  | PassEvent
  | { readonly type: 'evaluated'; readonly title: string; readonly metrics: Metrics }
  | { readonly type: 'checkpoint'; readonly path: string; readonly step: number }
  /** Something that a person should know, one line. */
  | { readonly type: 'note'; readonly text: string };

export type EventListener = (event: TrainEvent) => void;
