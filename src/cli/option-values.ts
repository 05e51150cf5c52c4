import { QuarterturnError } from '../errors.js';
import type { ColumnChoice, ColumnOptions } from '../labels/table-columns.js';
import { parseBudget } from '../recipes/plan/budget-time.js';

/**
 * A parser of whole numbers from `min` to `max`.
 * @throws QuarterturnError `usage` naming the flag
 */
export function wholeNumber(
  flag: string,
  { min, max }: { readonly min: number; readonly max?: number },
): (text: string) => number {
  const range = max === undefined ? `a whole number from ${min} on` : `a whole number from ${min} to ${max}`;
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= min && value <= (max ?? value)) return value;
    throw wrongValue(flag, range, text);
  };
}

/** In milliseconds. */
export function budget(text: string): number {
  const ms = parseBudget(text);
  if (ms !== undefined) return ms;
  throw wrongValue('--budget', 'a time such as 90s, 10m or 1h30m', text);
}

export function width(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= 8) return value;
  throw wrongValue('--width', 'a number above 0, at most 8', text);
}

export function positive(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value > 0 && Number.isFinite(value)) return value;
    throw wrongValue(flag, 'a number above 0', text);
  };
}

/** Numbers with commas between. */
export function numbers(flag: string): (text: string) => readonly number[] {
  return (text) => {
    const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (values.every(Number.isFinite)) return values;
    throw wrongValue(flag, 'numbers with commas between', text);
  };
}

/** A probability from 0 to 1. */
export function share(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= 0 && value <= 1) return value;
    throw wrongValue(flag, 'a probability from 0 to 1', text);
  };
}

/** `2/4`: the second of four parts. */
export function partOfAll(
  flag: string,
): (text: string) => { readonly number: number; readonly count: number } {
  return (text) => {
    const [, number, count] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
    if (number !== undefined && count !== undefined && number >= 1 && number <= count)
      return { number, count };
    throw wrongValue(flag, 'a part of all, such as 1/4', text);
  };
}

export function names(flag: string): (text: string) => readonly string[] {
  return (text) => {
    const list = text.split(',').map((name) => name.trim());
    if (list.every((name) => name !== '')) return list;
    throw wrongValue(flag, 'names with commas between', text);
  };
}

/** `file=photo,label=kind`, or one of them: columns of a table by name, or by place from 1 on. */
export function labelColumns(text: string): Pick<ColumnOptions, 'fileColumn' | 'labelColumn'> {
  // A name may hold anything but a comma and a word of the other: then its place says it.
  const parts = /^(?:(file|label)=([^,]+))(?:,(file|label)=([^,]+))?$/.exec(text)?.slice(1) ?? [];
  const [first, firstColumn, second, secondColumn] = parts;
  if (first === undefined || first === second)
    throw wrongValue('--label-columns', 'file=<column>,label=<column>, or one of them', text);
  const columns = new Map([
    [first, firstColumn],
    [second, secondColumn],
  ]);
  const [fileColumn, labelColumn] = ['file', 'label'].map((name) => columnChoice(columns.get(name)));
  return {
    ...(fileColumn !== undefined && { fileColumn }),
    ...(labelColumn !== undefined && { labelColumn }),
  };
}

const columnChoice = (text: string | undefined): ColumnChoice | undefined =>
  text !== undefined && /^[1-9]\d*$/.test(text) ? Number(text) : text;

/** The inverse of {@link labelColumns}. */
export function labelColumnsText({ fileColumn, labelColumn }: ColumnOptions): string {
  return [
    ...(fileColumn === undefined ? [] : [`file=${fileColumn}`]),
    ...(labelColumn === undefined ? [] : [`label=${labelColumn}`]),
  ].join(',');
}

export function choice(flag: string, names: readonly string[]): (text: string) => string {
  return (text) => {
    if (names.includes(text)) return text;
    throw wrongValue(flag, names.join(' or '), text);
  };
}

function wrongValue(flag: string, expected: string, received: string): QuarterturnError {
  return new QuarterturnError('usage', `${flag}: expected ${expected}. Received: ${received || 'nothing'}.`);
}
