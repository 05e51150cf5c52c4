import fs from 'node:fs/promises';
import { join } from 'node:path';
import { decodeEvent, type LoggedEvent, wholeLines } from '../../../store/event-log.js';
import { eventsName } from '../../../store/run-folder.node.js';
import { watchRun } from '../../../store/watch-run.node.js';
import { RunCurve } from './run-curve.js';

/** Lines that are read before others have their turn: a millisecond. */
const linesAtOnce = 50;

/**
 * What a run has told so far.
 * @param path of its folder
 * @throws QuarterturnError `checkpoint` if its log is damaged
 */
export async function* eventsSoFar(path: string): AsyncGenerator<LoggedEvent, void, void> {
  const file = join(path, eventsName);
  const bytes = await fs.readFile(file).catch(() => new Uint8Array());
  for (const [i, line] of wholeLines(bytes).lines.entries()) {
    yield decodeEvent(`${file}, line ${i + 1}`, line);
    if (i % linesAtOnce === linesAtOnce - 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The curve of a run from its log. */
export async function curveSoFar(path: string): Promise<RunCurve> {
  const curve = new RunCurve();
  for await (const event of eventsSoFar(path)) curve.add(event);
  return curve;
}

export interface FollowOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: LoggedEvent) => void;
}

/** Follow a run that is not there yet, or that is gone on with, until the signal ends it or it is finished. */
export async function followRun(path: string, { signal, onEvent }: FollowOptions): Promise<void> {
  while (!signal.aborted) {
    const isThere = (await fs.stat(join(path, eventsName)).catch(() => undefined)) !== undefined;
    if (isThere) break;
    await sleep(lookEveryMs, signal);
  }
  try {
    for await (const event of watchRun(path, { signal })) onEvent(event);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A person takes it for at once. */
const lookEveryMs = 200;

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
