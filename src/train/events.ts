import type { RunEvent } from '../store/run-event.js';

/** Events of the training of a stage. Loops emit these and print nothing. */
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
