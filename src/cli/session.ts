import type { BatchMakerFor } from '../data/batch-maker.js';
import { BatchWorker } from '../data/batch-worker.node.js';
import { QuarterturnError } from '../errors.js';
import type { EventListener } from '../train/events.js';
import { createProgress, type Progress } from './progress.js';
import { onStopSignal } from './signals.js';
import { traitsOf } from './terminal.js';

/** What a long command works in: it tells its events here, and stops soon after the signal is aborted. */
export interface Session {
  readonly emit: EventListener;
  readonly signal: AbortSignal;
  /** On a thread that makes batches while the kernels run. It starts where there is something to train. */
  readonly batchMakerFor?: BatchMakerFor;
  /** Take the live line of the progress away before something else is printed. */
  clear(): void;
}

export interface SessionOptions {
  readonly quiet?: boolean | undefined;
  /** Said when it is asked to stop. */
  readonly stopping: string;
}

/**
 * Do something long with progress on stderr. The first Ctrl-C (or SIGTERM, SIGHUP, SIGQUIT) asks it to stop, the second
 * one ends the process at once.
 */
export async function inSession<T>(
  options: SessionOptions,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const progress = options.quiet ? silence : stderrProgress();
  const controller = new AbortController();
  const worker = new BatchWorker({ note: (text) => progress.listener({ type: 'note', text }) });
  const removeListener = onStopSignal((first) => {
    if (!first) return progress.end();
    controller.abort();
    progress.listener({ type: 'note', text: options.stopping });
  });
  try {
    return await body({
      emit: progress.listener,
      signal: controller.signal,
      batchMakerFor: worker.makerFor,
      clear: progress.clear,
    });
  } finally {
    await worker.release();
    removeListener();
    progress.end();
  }
}

/** @throws QuarterturnError `interrupted` where the session was asked to stop: for what comes before any training. */
export function assertGoingOn({ signal }: Session): void {
  if (signal.aborted) throw new QuarterturnError('interrupted', 'stopped before anything was begun.');
}

function stderrProgress(): Progress {
  return createProgress({ stream: process.stderr, ...traitsOf(process.stderr, process.env) });
}

const silence: Progress = { listener: () => {}, clear: () => {}, end: () => {} };
