import type { RunEvent } from '../../../index.js';
import type { TrainingState } from './run-updates.js';

/** A training that was asked for. */
export function beginningOf({ runId, startedAt }: Pick<TrainingState, 'runId' | 'startedAt'>): TrainingState {
  return {
    ...{ runId, startedAt, phase: 'starting', stage: null, stageText: 'Starting', stageIndex: 0 },
    ...{ stageCount: 0, progress: null, imagesPerSecond: null },
  };
}

/** What is known of the run's stages. */
export interface StageList {
  /** Names, in their order. */
  readonly stages: readonly string[];
  readonly draws: number;
}

/** How a training stands after an event of its run. */
export function trainingAfter(
  state: TrainingState,
  event: RunEvent,
  { stages, draws }: StageList,
): TrainingState {
  const phase = state.phase === 'starting' ? 'training' : state.phase;
  switch (event.type) {
    case 'run-start':
      return { ...state, phase, stageCount: event.stages.length };
    case 'forecast':
      return { ...state, etaMs: event.remainingMs };
    case 'stage-start': {
      const { passText: _, ...before } = state;
      const ofDraws = draws > 1 ? ` (labels ${event.draw + 1} of ${draws})` : '';
      return {
        ...before,
        phase,
        stage: event.stage,
        stageText: `${event.title}${ofDraws}`,
        stageIndex: Math.max(0, stages.indexOf(event.stage)),
        progress: share(event.fromStep, event.totalSteps),
        imagesPerSecond: null,
      };
    }
    case 'step': {
      const { passText: _, ...before } = state;
      const { step, totalSteps, imagesPerSecond, runEtaMs } = event;
      return {
        ...before,
        ...{ phase, imagesPerSecond, progress: share(step, totalSteps) },
        ...(runEtaMs !== undefined && { etaMs: runEtaMs }),
      };
    }
    case 'pass': {
      const { title, done, total, runEtaMs, imagesPerSecond = null } = event;
      return {
        ...state,
        ...{ imagesPerSecond, passText: title, progress: share(done, total) },
        ...(runEtaMs !== undefined && { etaMs: runEtaMs }),
      };
    }
    default:
      return state;
  }
}

const share = (done: number, total: number): number | null =>
  total > 0 ? Math.min(1, Math.max(0, done / total)) : null;
