import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { DataSource } from '../data/dataset.js';
import { createImportEta } from '../data/import-eta.node.js';
import type { ImportProgress } from '../data/import-images.node.js';
import { noClass } from '../data/label-values.js';
import { leftOutText } from '../data/left-out.js';
import { readMnist } from '../data/mnist.node.js';
import { describeSkipped, skippedCsv, skippedName } from '../data/skipped-files.js';
import { QuarterturnError } from '../errors.js';
import { countOf, formatCount } from '../report/format.js';
import type { ReadImages } from '../runs/read-images.node.js';
import type { Reading } from '../runs/reading.node.js';
import { environmentOf } from '../runs/run-environment.node.js';
import type { DeviceName } from '../runtime/runtime.js';
import { writeFileAtomically } from '../store/atomic-file.node.js';
import { dataDifference, fingerprintIn } from '../store/fingerprint.js';
import { type DataFlags, readingOf } from './data-options.js';
import { explainedData } from './named-path.js';
import { shownPath } from './paths.js';
import type { Session } from './session.js';

/** Where a command finds its data and runs its graphs. */
export interface Place {
  /** Absolute; null for MNIST. */
  readonly dataFolder: string | null;
  /** How the data is to be read. */
  readonly reading: Reading;
  /** Why the reading names a size, where it was not typed. */
  readonly sizeReason?: string | undefined;
  readonly cacheFolder?: string | undefined;
  readonly strict?: boolean | undefined;
  /** Side of an encoder's images, which pictures may have beside the usual sizes. */
  readonly largestSide?: number | undefined;
  readonly device: DeviceName;
  readonly threads: number;
}

export interface PlaceFlags extends DataFlags {
  readonly device?: DeviceName;
  readonly threads?: number;
}

/**
 * What the flags say, else what a run's `config.json` says, so that the same kernels give the same numbers, else MNIST
 * on all cores.
 */
export function placeOf(flags: PlaceFlags, config: Readonly<Record<string, unknown>> = {}): Place {
  const { device, threads } = config;
  const before = typeof config.dataFolder === 'string' ? config.dataFolder : null;
  const dataFolder = flags.data !== undefined ? resolve(flags.data) : before;
  return {
    dataFolder,
    reading: readingOf(flags, config, dataFolder !== before),
    // A run keeps the size that it chose: nobody asked for it.
    sizeReason: flags.size === undefined ? 'as in the run' : undefined,
    cacheFolder: flags.cache,
    strict: flags.strict,
    device: flags.device ?? (device === 'webgpu' ? device : 'cpu'),
    threads: flags.threads ?? (Number.isInteger(threads) ? Number(threads) : availableParallelism()),
  };
}

/** Data as a command reads it. */
export type CommandData = DataSource &
  Partial<Pick<ReadImages, 'fit' | 'skipped' | 'unmatched' | 'parts' | 'duplicates'>>;

/**
 * Read the data once, and say what it is.
 * @param config of the run that the data is looked at with: that it began with other data is said, too
 * @throws QuarterturnError `interrupted` where it is stopped; what has been decoded by then is kept
 */
export async function readData(
  place: Place,
  session: Pick<Session, 'note' | 'emit' | 'signal' | 'atEnd'>,
  config: Readonly<Record<string, unknown>> = {},
): Promise<CommandData> {
  const { note } = session;
  const { dataFolder } = place;
  const data: CommandData =
    dataFolder === null ? await readMnist() : await readOwnImages(dataFolder, place, session);
  const name = dataFolder === null ? 'MNIST' : shownPath(dataFolder);
  note(`Data  ${name}: ${dataText(data)}`);
  for (const text of data.notes ?? []) note(text);
  for (const text of describeSkipped(data.skipped ?? [])) note(`Set aside  ${text}`);
  const before = fingerprintIn(config);
  const difference = dataDifference(before, data);
  if (difference !== undefined) {
    note(`Other data than that of the run, ${before?.origin}: ${difference}.`);
  }
  return data;
}

/** `1,503 images (4 of 1,507 files set aside), no test set, 32×32, 10 classes, 100 images with a label`. */
export function dataText({ train, test, leftOut, isPartlyLabelled = false }: CommandData): string {
  const counts = test
    ? `${formatCount(train.images.count)} training and ${countOf(test.images.count, 'test image')}`
    : countOf(train.images.count, 'image');
  const left = leftOut === undefined ? '' : leftOutText(leftOut);
  const { length } = train.classNames;
  const labelled = train.labels?.reduce((sum, label) => sum + (label === noClass ? 0 : 1), 0) ?? 0;
  return [
    counts + (left === '' ? '' : ` (${left})`),
    ...(test ? [] : ['no test set']),
    `${train.images.height}×${train.images.width}`,
    length === 0 ? 'no labels' : countOf(length, 'class'),
    ...(isPartlyLabelled ? [`${countOf(labelled, 'image')} with a label`] : []),
  ].join(', ');
}

async function readOwnImages(
  path: string,
  { reading, sizeReason, cacheFolder, strict, largestSide }: Place,
  { emit, signal, atEnd }: Pick<Session, 'emit' | 'signal' | 'atEnd'>,
): Promise<ReadImages> {
  const etaOf = createImportEta();
  const onProgress = (progress: ImportProgress): void => {
    const { done, total } = progress;
    emit({ type: 'pass', title: 'images read', done, total, etaMs: etaOf(progress) });
  };
  // Decoders of pictures are loaded for pictures: MNIST needs none.
  const { readImages } = await import('../runs/read-images.node.js');
  const data = await readImages(path, {
    ...reading,
    sizeReason,
    cacheFolder,
    strict,
    largestSide,
    signal,
    onProgress,
  }).catch(async (cause) => {
    if (cause instanceof QuarterturnError) throw await explainedData(path, cause);
    if (!signal.aborted) throw cause;
    throw new QuarterturnError('interrupted', `${shownPath(path)}: stopped while its images were read.`, {
      hint: 'What was read is kept: the same command goes on from there.',
      cause,
    });
  });
  atEnd(data.close);
  return data;
}

/**
 * Keep what was set aside, and rows of a table of labels that name no image, as `skipped.csv` of a run's folder.
 * @returns its path; undefined where there is nothing to list
 */
export async function writeSkipped(
  folder: string,
  { skipped = [], unmatched = [] }: CommandData,
): Promise<string | undefined> {
  const all = [...skipped, ...unmatched];
  if (all.length === 0) return undefined;
  const path = join(folder, skippedName);
  await writeFileAtomically(path, skippedCsv(all));
  return path;
}

/** What `config.json` of a run keeps of this place. */
export function environmentHere(place: Place, data: CommandData): Record<string, unknown> {
  const commandLine = ['quarterturn', ...process.argv.slice(2)].join(' ');
  return environmentOf({ ...place, commandLine }, data);
}
