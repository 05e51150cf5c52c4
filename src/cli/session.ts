import type { BatchMakerFor } from '../data/batch-maker.js';
import { BatchWorker } from '../data/batch-worker.node.js';
import type { RunEventListener } from '../store/run-event.js';
import { createProgress, type Progress } from './progress.js';
import { onStopSignal } from './signals.js';
import { traitsOf } from './terminal.js';

/** What a long command works in: it tells its events here, and stops soon after the signal is aborted. */
export interface Session {
  readonly emit: RunEventListener;
  /** Tell a person something, in one line. */
  note(text: string): void;
  readonly signal: AbortSignal;
  /** On a thread that makes batches while the kernels run. It starts where there is something to train. */
  readonly batchMakerFor: BatchMakerFor;
  /** Take the live line of the progress away before something else is printed. */
  clear(): void;
  /** Do something when the command ends, however it ends. */
  readonly atEnd: (close: () => Promise<void>) => void;
}

export interface SessionOptions {
  readonly quiet?: boolean | undefined;
  /** Said when it is asked to stop. */
  readonly stopping: string;
}

/**
 * Do something long with progress on stderr. The first Ctrl-C (or SIGTERM, SIGHUP, SIGQUIT) asks it to stop, another one
 * after a second or more ends the process at once.
 */
export async function inSession<T>(
  options: SessionOptions,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const progress = options.quiet ? silence : stderrProgress();
  const controller = new AbortController();
  const worker = new BatchWorker({ note: progress.note });
  const closings: (() => Promise<void>)[] = [];
  const atEnd = (close: () => Promise<void>): void => {
    closings.push(close);
  };
  const removeListener = onStopSignal((first) => {
    if (!first) return progress.end();
    controller.abort();
    progress.note(options.stopping);
  });
  try {
    const { listener: emit, note, clear } = progress;
    const { signal } = controller;
    return await body({ emit, note, signal, batchMakerFor: worker.makerFor, clear, atEnd });
  } finally {
    await worker.release();
    for (const close of closings) await close();
    removeListener();
    progress.end();
  }
}

function stderrProgress(): Progress {
  return createProgress({ stream: process.stderr, ...traitsOf(process.stderr, process.env) });
}

const silence: Progress = { listener: () => {}, note: () => {}, clear: () => {}, end: () => {} };
