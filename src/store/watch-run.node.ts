import fs from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertGoingOn, QuarterturnError } from '../errors.js';
import { ioError, readFolder } from './atomic-file.node.js';
import { assertGrown, decodeEvent, type LoggedEvent, wholeLines } from './event-log.js';
import { eventsName } from './run-folder.node.js';

export interface WatchRunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Time between two checks of the file, in ms. Default: 200, which a person perceives as immediate and a disk does not notice. */
  readonly everyMs?: number;
}

/**
 * What a run tells, from its beginning and on as it happens, whichever process writes it: the events in its folder. A run
 * whose process was killed or stopped is waited for until another process resumes it; the last line that a killed process
 * left half-written is passed over. Ends after the last event of a finished run.
 *
 * @example
 * for await (const event of watchRun('runs/digits', { signal })) {
 *   if (event.type === 'epoch-end') console.log(event.record.stage, event.record.epoch);
 * }
 * @param folder of the run; it has to be there, its log may be yet to come
 * @throws QuarterturnError `interrupted` if the signal is aborted, its cause the signal's reason; `checkpoint` if there
 *   is no folder, or its log is damaged
 */
export async function* watchRun(
  folder: string,
  { signal, everyMs = 200 }: WatchRunOptions = {},
): AsyncGenerator<LoggedEvent, void, void> {
  const path = join(folder, eventsName);
  let [read, line, isFinished] = [0, 0, false];
  for (;;) {
    assertGoingOn(signal, `${folder}: no longer followed.`);
    const bytes = await readFrom(path, read);
    const { lines, length } = wholeLines(bytes ?? new Uint8Array());
    for (const text of lines) {
      const event = decodeEvent(`${path}, line ${++line}`, text);
      isFinished = event.type === 'run-end' && event.state === 'finished';
      yield event;
      assertGoingOn(signal, `${folder}: no longer followed.`);
    }
    read += length;
    if (lines.length > 0) continue;
    if (isFinished || (bytes === undefined && (await isOldAndFinished(folder)))) return;
    await sleep(everyMs, undefined, { ...(signal && { signal }) }).catch(() => {});
  }
}

/** The bytes of a file behind those that were read before; undefined if there is no file. */
async function readFrom(path: string, read: number): Promise<Uint8Array | undefined> {
  try {
    const file = await fs.open(path, 'r');
    try {
      const { size } = await file.stat();
      assertGrown(path, size, read);
      const bytes = new Uint8Array(size - read);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, read);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && read === 0) return undefined;
    throw ioError('read', path, error);
  }
}

/** Whether a version that kept no log has finished the run. */
async function isOldAndFinished(folder: string): Promise<boolean> {
  const entries = await readFolder(folder);
  if (entries) return entries.includes('result.json') && !entries.includes(eventsName);
  throw new QuarterturnError('checkpoint', `${folder}: expected a run folder. Received: nothing there.`, {
    hint: 'Check the path.',
  });
}
