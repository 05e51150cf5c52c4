import { countOf } from './counts.js';
import { assertGoingOn } from './errors.js';

/** Progress of a long evaluation, caching or searching pass. */
export interface ProgressEvent {
  readonly type: 'pass';
  /** For people: `neighbours of 60,000 images`. */
  readonly title: string;
  readonly done: number;
  readonly total: number;
  /** Until it ends; absent where nobody can tell. */
  readonly etaMs?: number | undefined;
}

/** Progress listener and abort signal of a long pass; both are optional. */
export interface ProgressOptions {
  readonly emit?: ((event: ProgressEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reports progress. Await it after every few milliseconds of work. */
export type ReportProgress = (done: number, reached?: string) => Promise<void>;

/**
 * Starts the clock of a long pass. The function that it returns emits events of type `pass`, with what is done and how
 * long the rest will take, and lets the event loop turn (see {@link yieldToEventLoop}).
 *
 * @returns a function to call with what is done; `reached` says the same in the message of an interruption
 * @throws QuarterturnError `interrupted`, from the returned function, if the signal is aborted
 */
export function startProgress(
  { emit, signal }: ProgressOptions,
  title: string,
  total: number,
): ReportProgress {
  const started = performance.now();
  return async (done, reached = countOf(done, 'image')) => {
    await yieldToEventLoop();
    const etaMs = ((performance.now() - started) / done) * (total - done);
    emit?.({ type: 'pass', title, done, total, etaMs });
    assertGoingOn(signal, `${title}: stopped after ${reached}.`);
  };
}

/**
 * Works on `count` items in chunks of `atATime`, and reports progress after each chunk. A chunk should take a few
 * milliseconds.
 *
 * @param work called for items `from` … `to` − 1
 * @param progress called with the number of items done
 */
export async function inChunks(
  count: number,
  atATime: number,
  work: (from: number, to: number) => void | Promise<void>,
  progress: (done: number) => Promise<void>,
): Promise<void> {
  const size = Math.max(1, Math.floor(atATime));
  for (let from = 0; from < count; from += size) {
    const to = Math.min(from + size, count);
    await work(from, to);
    await progress(to);
  }
}

/** Longest computation before the event loop turns, in ms, so that Ctrl-C works and a browser tab stays responsive. */
const turnEveryMs = 50;

/** When the event loop last turned; shared, since there is one loop. */
let turnedAt = Number.NEGATIVE_INFINITY;

/** Lets signals, timers and clicks through during a long computation. Calls in quick succession cost almost nothing. */
export async function yieldToEventLoop(): Promise<void> {
  if (performance.now() - turnedAt < turnEveryMs) return;
  await nextTurn();
  turnedAt = performance.now();
}

function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  // Browsers delay timers by up to a second in a hidden tab, but not messages.
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
