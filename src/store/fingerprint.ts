import { z } from 'zod';
import type { DataSource } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';

/** Identifies the data that something was made from: what the data is called, and the MD5 of each of its files. */
export const fingerprintSchema = z.strictObject({
  origin: z.string().max(1000),
  checksums: z.record(z.string().max(1000), z.string().max(1000)),
});

export type DataFingerprint = z.infer<typeof fingerprintSchema>;

/** The fingerprint of data. */
export function fingerprintOf({ origin, checksums }: DataSource): DataFingerprint {
  return { origin, checksums: { ...checksums } };
}

/** The fingerprint in a run's `config.json`; undefined if there is none. */
export function fingerprintIn({ data }: Readonly<Record<string, unknown>>): DataFingerprint | undefined {
  return z.object(fingerprintSchema.shape).safeParse(data).data;
}

/**
 * Names the first file in which data differs from an earlier fingerprint: `train-images-idx3-ubyte with MD5 3f…, not a1…`.
 * @param before null or undefined: there is nothing to compare with, and the data is trusted
 * @returns undefined if nothing differs
 */
export function dataDifference(
  before: DataFingerprint | null | undefined,
  { checksums }: Pick<DataSource, 'checksums'>,
): string | undefined {
  const other = Object.entries(before?.checksums ?? {}).find(([file, md5]) => checksums[file] !== md5);
  if (other === undefined) return undefined;
  const [name, expected] = other;
  const received = checksums[name] ?? 'none';
  return `${name} with ${/\s/.test(expected) ? '' : 'MD5 '}${received}, not ${expected}`;
}

/**
 * Refuses data other than the data that a folder's contents were made from.
 * @throws QuarterturnError `checkpoint` naming the first file that differs
 */
export function assertSameData(
  folder: string,
  before: DataFingerprint | undefined,
  data: Pick<DataSource, 'checksums'>,
): void {
  const difference = dataDifference(before, data);
  if (difference === undefined) return;
  throw new QuarterturnError(
    'checkpoint',
    `${folder}: expected the data that it was started with, ${before?.origin}. Received: ${difference}.`,
    { hint: 'Go on with the same data, or start a new run with this data in another folder.' },
  );
}

/**
 * Refuses settings other than those that a folder's contents were made with.
 * @throws QuarterturnError `checkpoint` naming the first setting that differs
 */
export function assertSameSettings(folder: string, before: object, now: object): void {
  const difference = firstDifference(before, now, '');
  if (difference === undefined) return;
  throw new QuarterturnError(
    'checkpoint',
    `${folder}: expected the settings that it was started with. Received: ${difference}.`,
    { hint: 'Go on with the same settings, or start a new run with these in another folder.' },
  );
}

/** `pretrain.epochs 6, not 3`: the first leaf that differs. */
function firstDifference(before: unknown, now: unknown, path: string): string | undefined {
  if (isContainer(before) && isContainer(now)) {
    const [old, fresh] = [new Map(Object.entries(before)), new Map(Object.entries(now))];
    for (const key of new Set([...old.keys(), ...fresh.keys()])) {
      const leaf = path === '' ? key : `${path}.${key}`;
      const difference = firstDifference(old.get(key), fresh.get(key), leaf);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if (before === now) return undefined;
  return `${path} ${shown(now)}, not ${shown(before)}`;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'none' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
