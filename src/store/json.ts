import type { z } from 'zod';
import { type ErrorCode, QuarterturnError } from '../errors.js';
import { at } from '../tensor/elements.js';

/** How deep JSON may nest that is read back; what we write nests six levels deep at most. */
const maxDepth = 32;

export interface ParseJsonOptions {
  /** Default: `data`. */
  readonly code?: ErrorCode;
  readonly maxDepth?: number;
  readonly hint?: string | undefined;
}

/**
 * JSON from outside, as `JSON.parse` reads it, but for what would do harm: deep nesting, which overflows the stack of
 * whoever goes through it, and a name given twice in one object, of which the last would win in silence.
 *
 * @param where what to call the text in errors
 * @throws QuarterturnError naming line and column, what was expected there and what stands there
 */
export function parseJson(where: string, text: string, options: ParseJsonOptions = {}): unknown {
  const fault = findFault(text, options.maxDepth ?? maxDepth);
  if (fault === undefined) return JSON.parse(text);
  const before = text.slice(0, fault.at).split('\n');
  const place = `line ${before.length}, column ${at(before, before.length - 1).length + 1}`;
  const received = fault.at < text.length ? JSON.stringify(text.slice(fault.at, fault.at + 12)) : 'its end';
  throw new QuarterturnError(
    options.code ?? 'data',
    `${where}: expected ${fault.expected} at ${place}. Received: ${received}.`,
    { hint: options.hint },
  );
}

/**
 * A value that is what a schema says.
 * @param expected what to call it: `a labels file`
 * @throws QuarterturnError naming the first fields that are wrong
 */
export function parseWith<S extends z.ZodType>(
  schema: S,
  value: unknown,
  where: string,
  expected: string,
  { code = 'data', hint }: Pick<ParseJsonOptions, 'code' | 'hint'> = {},
): z.infer<S> {
  const parsed = schema.safeParse(value, { error: zodMessage });
  if (parsed.success) return parsed.data;
  throw new QuarterturnError(code, `${where}: expected ${expected}. Received: ${faultsOf(parsed.error)}.`, {
    hint,
  });
}

/** Whether a value is a JSON object: no list, and not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const kinds: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** What a schema does not say itself; undefined leaves it to zod. */
const zodMessage: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type') {
    return `expected ${kinds[issue.expected] ?? issue.expected}, not ${excerptOf(issue.input)}`;
  }
  if (issue.code === 'invalid_value') {
    return `expected ${issue.values.map((each) => JSON.stringify(each)).join(' or ')}, not ${excerptOf(issue.input)}`;
  }
  return undefined;
};

const faultsShown = 5;
const longestFault = 200;

function faultsOf({ issues }: z.ZodError): string {
  const faults = issues.map(({ path, message }) => {
    const fault = path.length > 0 ? `${path.join('.')}: ${message}` : message;
    return fault.length > longestFault ? `${fault.slice(0, longestFault)} …` : fault;
  });
  // A number that is too large and no whole one either is one fault.
  const different = [...new Set(faults)];
  const more = different.length - faultsShown;
  return `${different.slice(0, faultsShown).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

/** A value as a message shows it: short, and without going into what may be deep. */
export function excerptOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

interface Fault {
  readonly at: number;
  readonly expected: string;
}

/** What may come next: a value, a key, the end of the text, or a sign that stands for itself. */
const names = {
  v: 'a value',
  k: 'a name in double quotes',
  $: 'the end',
  ':': 'a colon',
  ',': 'a comma',
  ']': 'a closing bracket',
  '}': 'a closing brace',
} as const;
type Kind = keyof typeof names;

const blanks = /[ \t\n\r]*/y;
const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** The first place where a text is not JSON as we accept it. */
function findFault(text: string, depth: number): Fault | undefined {
  /** The names seen in each object that is open; null: an array. */
  const open: (Set<string> | null)[] = [];
  let allowed: readonly Kind[] = ['v'];
  let at = 0;
  const afterValue = (): readonly Kind[] => {
    const scope = open.at(-1);
    return scope === undefined ? ['$'] : scope === null ? [',', ']'] : [',', '}'];
  };
  for (;;) {
    at = endOf(blanks, text, at) ?? at;
    const char = text[at];
    const kind = kindOf(char, allowed);
    if (!allowed.includes(kind)) return { at, expected: allowed.map((each) => names[each]).join(' or ') };
    if (kind === '$') return undefined;
    if (kind === 'k') {
      const end = endOfString(text, at);
      if (end === undefined) return { at, expected: 'a whole string' };
      const key: unknown = JSON.parse(text.slice(at, end)); // one spelling for all escapes
      const seen = open.at(-1);
      if (seen?.has(String(key))) return { at, expected: 'each name once in an object' };
      seen?.add(String(key));
      at = end;
      allowed = [':'];
    } else if (char === '{' || char === '[') {
      if (open.length === depth) return { at, expected: `at most ${depth} levels of nesting` };
      open.push(char === '{' ? new Set() : null);
      at++;
      allowed = char === '{' ? ['k', '}'] : ['v', ']'];
    } else if (kind === 'v') {
      const end = char === '"' ? endOfString(text, at) : endOf(literal, text, at);
      if (end === undefined) return { at, expected: char === '"' ? 'a whole string' : names.v };
      at = end;
      allowed = afterValue();
    } else {
      at++;
      if (kind === ']' || kind === '}') open.pop();
      allowed = kind === ':' ? ['v'] : kind === ',' ? [open.at(-1) ? 'k' : 'v'] : afterValue();
    }
  }
}

function kindOf(char: string | undefined, allowed: readonly Kind[]): Kind {
  if (char === undefined) return '$';
  if (char === '"') return allowed.includes('k') ? 'k' : 'v';
  return char === ':' || char === ',' || char === ']' || char === '}' ? char : 'v';
}

/** Behind what a sticky pattern matches at a place; undefined if it does not. */
function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** Behind the string that begins at a place; undefined if it does not end or holds what a string may not. */
function endOfString(text: string, at: number): number | undefined {
  for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 1) continue;
    const string = text.slice(at, quote + 1);
    return isString(string) ? quote + 1 : undefined;
  }
  return undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what a string may not hold.
const suspicious = /[\u0000-\u001f\\]/;

function isString(quoted: string): boolean {
  if (!suspicious.test(quoted)) return true;
  try {
    JSON.parse(quoted);
    return true;
  } catch {
    return false;
  }
}
