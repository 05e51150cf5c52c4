import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { parseJson, parseWith } from './json.js';
import { type RunEvent, runEventSchema } from './run-event.js';

const loggedSchema = z.intersection(z.object({ at: z.iso.datetime() }), runEventSchema);

/** An event as the log of its run holds it. */
export type LoggedEvent = RunEvent & {
  /** When it happened: ISO 8601, in UTC. */
  readonly at: string;
};

/**
 * One line of `events.jsonl`.
 * @returns undefined for an event that cannot be read back, such as one with a figure that is no number
 */
export function encodeEvent(event: LoggedEvent): string | undefined {
  return loggedSchema.safeParse(event).success ? JSON.stringify(event) : undefined;
}

/**
 * The inverse of {@link encodeEvent}.
 * @param where file and line, for the message
 * @throws QuarterturnError `checkpoint` if it is none
 */
export function decodeEvent(where: string, line: string): LoggedEvent {
  const hint = 'The file was changed or damaged, or a later version of Quarterturn wrote it.';
  const value = parseJson(where, line, { code: 'checkpoint', hint });
  return parseWith(loggedSchema, value, where, 'an event of a run', { code: 'checkpoint', hint });
}

/** Bytes of whole lines, and how many bytes they are: what follows the last newline is not yet, or never, whole. */
export function wholeLines(bytes: Uint8Array): {
  readonly lines: readonly string[];
  readonly length: number;
} {
  const length = bytes.lastIndexOf(0x0a) + 1;
  if (length === 0) return { lines: [], length };
  const text = new TextDecoder().decode(bytes.subarray(0, length - 1));
  return { lines: text.split('\n'), length };
}

/** @throws QuarterturnError `checkpoint`: what was read before is not there any more */
export function assertGrown(path: string, size: number, read: number): void {
  if (size >= read) return;
  throw new QuarterturnError(
    'checkpoint',
    `${path}: expected a file that only grows. Received: ${size} bytes after ${read}.`,
    { hint: 'The run was deleted or begun anew: follow it from its beginning.' },
  );
}
