/** What asks this process to stop: Ctrl-C; the system, a queue or a supervisor; a terminal that is closed; Ctrl-\. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
type StopSignal = (typeof stopSignals)[number];

/** @param first false where it was asked to stop before: then the process ends as soon as this returns */
export type StopListener = (first: boolean) => void;

/**
 * Signals within a second of the first are one request to stop, in ms: who stops a process may send several, such as SIGTERM and
 * the SIGHUP of a terminal that closes. Nobody has read by then that a second one stops at once.
 */
const togetherMs = 1000;

let lastSignal: StopSignal | undefined;
let firstAt = 0;
/** Of the work that is under way. */
let listener: StopListener | undefined;

/**
 * From now on a signal does not end the process without a word: it asks the work that is under way to save and to stop.
 * A later one, or one while there is no such work, ends the process at once; what listens to `exit` is still called, so
 * that no lock stays.
 */
export function handleStopSignals(): void {
  for (const signal of stopSignals) {
    process.on(signal, () => {
      const first = lastSignal === undefined;
      const now = performance.now();
      if (first) firstAt = now;
      else if (now - firstAt < togetherMs) return;
      lastSignal = signal;
      listener?.(first);
      if (first && listener) return;
      process.stderr.write(`stopped: at once, by ${signal}.\n`);
      if (listener) endBy(signal);
      else process.exit(stoppedStatus());
    });
  }
}

/**
 * Ends this process by the signal itself, as if nobody listened to it. An exit would take kernels and threads apart that are still at
 * work, which now and then ended in a segmentation fault.
 */
function endBy(signal: StopSignal): void {
  process.emit('exit', stoppedStatus());
  process.removeAllListeners(signal);
  // By default, SIGQUIT leaves the memory of the process on the disk.
  process.kill(process.pid, signal === 'SIGQUIT' ? 'SIGKILL' : signal);
}

/**
 * Be told of signals until the returned function is called; one listener at a time.
 */
export function onStopSignal(stop: StopListener): () => void {
  listener = stop;
  return () => {
    listener = undefined;
  };
}

/**
 * The exit status of a process that was asked to stop: 130 (128 + SIGINT) after Ctrl-C; else 75, which queues and
 * supervisors know as "failed for now, run it again" (`EX_TEMPFAIL` of sysexits.h).
 */
export function stoppedStatus(): 75 | 130 {
  return lastSignal === undefined || lastSignal === 'SIGINT' ? 130 : 75;
}
