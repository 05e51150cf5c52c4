import { QuarterturnError } from '../errors.js';
import { formatBytes } from '../report/format.js';
import { failureOf, ioError } from '../store/atomic-file.node.js';

/** Files that may be open at once, below which loading this program may fail: its modules are read many at a time. */
const fewOpenFiles = 256;

/**
 * What the system refused, in words: files, memory, libraries that it could not give. undefined if an error is of
 * another kind, or says it already.
 */
export function systemError(error: unknown): QuarterturnError | undefined {
  if (!(error instanceof Error)) return undefined;
  // A library that does not fit into the memory is named as one that is damaged: what the system said tells more.
  if (error instanceof QuarterturnError) return isUnloadable(error.cause) ? outOfMemory(error) : undefined;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const openFiles = limitOf('open_files');
  // The loader takes a file that it may not open for one that is not there.
  if (code === 'EMFILE' || (code === 'ERR_MODULE_NOT_FOUND' && openFiles < fewOpenFiles)) {
    return new QuarterturnError(
      'io',
      `quarterturn: expected to open its files. Received: EMFILE, no more than ${openFiles} may be open at once.`,
      { hint: `Raise the limit: ulimit -n ${4 * fewOpenFiles}.`, cause: error },
    );
  }
  if (code === 'ENOMEM' || isFailedAllocation(error) || isUnloadable(error)) return outOfMemory(error);
  if (syscall === undefined || code === undefined) return undefined;
  const failed = ioError(syscall === 'write' ? 'write' : 'read', path ?? `quarterturn, ${syscall}`, error);
  return failed instanceof QuarterturnError ? failed : undefined;
}

function outOfMemory(cause: Error): QuarterturnError {
  const limit = memoryLimit();
  const [most, hint] =
    limit < Number.POSITIVE_INFINITY
      ? [` of the ${formatBytes(limit)} that are allowed`, 'Raise the limit: ulimit -v unlimited.']
      : ['', 'Stop other programs, or use a machine with more memory.'];
  return new QuarterturnError(
    'runtime',
    `quarterturn: expected memory to work in. Received: ENOMEM, none is left${most}.`,
    { hint, cause },
  );
}

/** A native library that could not be mapped where memory is limited. */
function isUnloadable(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ERR_DLOPEN_FAILED' && memoryLimit() < Number.POSITIVE_INFINITY;
}

/** A standard output that takes no more. */
export function outputError(error: NodeJS.ErrnoException): QuarterturnError {
  const received = `${error.code}, ${failureOf(error)}`;
  return new QuarterturnError('io', `standard output: expected to write it. Received: ${received}.`, {
    hint: 'Send the output elsewhere, or make room for it.',
    cause: error,
  });
}

/** V8's words for memory that it does not get. */
function isFailedAllocation(error: Error): boolean {
  return error instanceof RangeError && error.message === 'Array buffer allocation failed';
}

/** In bytes, whatever Node's report calls it. */
function memoryLimit(): number {
  return limitOf('virtual_memory_kbytes');
}

/** A limit that the shell or the system set this process (`ulimit`), as Node reports it. */
function limitOf(name: 'open_files' | 'virtual_memory_kbytes'): number {
  const soft = fieldOf(fieldOf(fieldOf(process.report.getReport(), 'userLimits'), name), 'soft');
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
