/** Kind of failure that a {@link QuarterturnError} reports; the command line maps it to an exit status. */
export type ErrorCode =
  /** A flag, setting or argument that makes no sense. */
  | 'usage'
  /** Shapes or dtypes that do not fit together, found while a graph is built. */
  | 'shape'
  /** An input file that is missing, truncated or lies about its contents. */
  | 'data'
  /** A checkpoint or run folder that cannot be used. */
  | 'checkpoint'
  /** A device or kernel library that refuses. */
  | 'runtime'
  /** Training that left the numbers (NaN or infinite loss). */
  | 'diverged'
  /** Reading or writing the file system failed: full disk, permissions. */
  | 'io'
  /** Stopped on request, after the state was saved; the error's cause is the reason of the signal that asked for it. */
  | 'interrupted';

/**
 * The one error type of this library.
 *
 * `message` follows `where: what was expected. Received: value.`; `hint` suggests a remedy.
 */
export class QuarterturnError extends Error {
  override readonly name = 'QuarterturnError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/**
 * Stop where it was asked for: everything that takes a signal rejects with this one error, whose cause is the reason that
 * was given to `AbortController.abort`.
 *
 * @param message what was stopped, and what has become of it; default: that nothing was begun yet
 * @throws QuarterturnError `interrupted` once the signal is aborted
 */
export function assertGoingOn(
  signal: AbortSignal | undefined,
  message = 'stopped before anything was begun.',
): void {
  if (signal?.aborted) throw new QuarterturnError('interrupted', message, { cause: signal.reason });
}
