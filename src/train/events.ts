import type { RunEvent } from '../store/run-event.js';

/** What the training of a stage tells. Loops emit these and print nothing. */
export type TrainEvent = Extract<
  RunEvent,
  {
    readonly type:
      | 'stage-start'
      | 'step'
      | 'epoch-end'
      | 'pass'
      | 'evaluated'
      | 'checkpoint'
      | 'stopped-early';
  }
>;

export type EventListener = (event: TrainEvent) => void;

/** Why a stage ends before its last epoch. */
export type EarlyStop = Pick<
  Extract<TrainEvent, { readonly type: 'stopped-early' }>,
  'reason' | 'smallestClass'
>;
