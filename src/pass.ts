import { assertGoingOn } from './errors.js';

/** How far a long evaluation, caching or searching pass is. */
export interface PassEvent {
  readonly type: 'pass';
  /** For people: `neighbours of 60000 images`. */
  readonly title: string;
  readonly done: number;
  readonly total: number;
  readonly etaMs: number;
}

/** Who listens to a long pass, and who may stop it; both may be nobody. */
export interface Listening {
  readonly emit?: ((event: PassEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Tells how far a pass is; to be awaited after every few milliseconds of work. */
export type PassProgress = (done: number, reached?: string) => Promise<void>;

/**
 * Progress of a long pass: the function that it returns tells how far the pass is and how long the rest will take, as
 * events of type `pass`, and lets the event loop turn (see {@link letSignalsThrough}). The clock starts now.
 *
 * @returns to be called with what is done; `reached` is how the message of a stop says it
 * @throws QuarterturnError `interrupted`, from the returned function, when the signal says so
 */
export function passProgress({ emit, signal }: Listening, title: string, total: number): PassProgress {
  const started = performance.now();
  return async (done, reached = `${done} images`) => {
    await letSignalsThrough();
    const etaMs = ((performance.now() - started) / done) * (total - done);
    emit?.({ type: 'pass', title, done, total, etaMs });
    assertGoingOn(signal, `${title}: stopped after ${reached}.`);
  };
}

/**
 * Work on `count` things, `atATime` of them between two looks at whether to stop: as many as take some milliseconds.
 *
 * @param work done for things `from` … `to` − 1
 * @param progress told how many are done
 */
export async function inParts(
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

/** Longest that anything computes before the event loop turns: Ctrl-C is heard and a tab stays alive. */
const turnEveryMs = 50;

/** When the event loop last turned here: there is one loop, whoever asks. */
let turnedAt = Number.NEGATIVE_INFINITY;

/** Lets signals, timers and clicks through where a pass waits for nothing; costs next to nothing if asked too often. */
export async function letSignalsThrough(): Promise<void> {
  if (performance.now() - turnedAt < turnEveryMs) return;
  await nextTurn();
  turnedAt = performance.now();
}

function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  // Browsers hold timers back for up to a second where a tab is hidden, messages never.
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
