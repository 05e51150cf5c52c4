import { inspect } from 'node:util';
import { QuarterturnError } from '../errors.js';
import { printable } from './paths.js';

/** Marks text for a terminal, or leaves it as it is. */
export interface Styles {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
}

/** Abilities of a stream. */
export interface TerminalTraits {
  /** A line can be rewritten in place. */
  readonly isTTY: boolean;
  readonly color: boolean;
  /** Asked at each drawing: windows are resized. */
  columns(): number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What terminals are taken for that do not say how wide they are, if `COLUMNS` does not. */
const defaultColumns = 80;

/** The traits of a stream such as `process.stderr`; `TERM=dumb` is no terminal for us, it cannot move back. */
export function traitsOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: Environment,
): TerminalTraits {
  const isTTY = stream.isTTY === true && environment.TERM !== 'dumb';
  return {
    isTTY,
    color: useColor(isTTY, environment),
    columns: () => stream.columns || Number(environment.COLUMNS) || defaultColumns,
  };
}

/**
 * Whether to use colour: FORCE_COLOR decides where it is set (`0` and `false` mean no), then NO_COLOR where it
 * is not empty, then whether it is a terminal. The same order as Node's own.
 * @see https://no-color.org
 */
export function useColor(isTTY: boolean, { FORCE_COLOR, NO_COLOR }: Environment): boolean {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  return isTTY;
}

/** The few styles that the command line uses. */
export function createStyles(color: boolean): Styles {
  const style = (open: number, close: number) => (text: string) =>
    color && text !== '' ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return { bold: style(1, 22), dim: style(2, 22), red: style(31, 39), green: style(32, 39) };
}

/**
 * An error as a person reads it: what happened, then what to do about it.
 * @param options.debug add the stack with all causes
 */
export function formatError(error: unknown, options: { debug?: boolean; color?: boolean } = {}): string {
  const { debug = false, color = false } = options;
  const styles = createStyles(color);
  const stopped = error instanceof QuarterturnError && error.code === 'interrupted';
  const label = stopped ? styles.bold('stopped:') : styles.red('error:');
  const lines = [`${label} ${error instanceof Error ? error.message : String(error)}`];
  const hint = error instanceof QuarterturnError ? error.hint : unexpectedHint;
  if (hint !== undefined) lines.push(`${styles.dim('hint:')} ${hint}`);
  if (debug) lines.push(inspect(error, { colors: color }));
  return lines.join('\n');
}

/** An error of which there may be many, on one line: what happened and what to do about it. */
export function formatErrorLine(error: unknown, label = 'error'): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof QuarterturnError ? error.hint : unexpectedHint;
  return `${label}: ${printable(hint === undefined ? message : `${message} ${hint}`)}`;
}

const unexpectedHint = 'This was not foreseen: please report it, with what --debug prints.';

/**
 * 2 for wrong usage, 1 for any other failure.
 * @param stopped where it was stopped on request
 */
export function exitCodeOf(error: unknown, stopped: 75 | 130): 1 | 2 | 75 | 130 {
  if (!(error instanceof QuarterturnError)) return 1;
  if (error.code === 'usage') return 2;
  return error.code === 'interrupted' ? stopped : 1;
}
