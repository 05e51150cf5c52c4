import { availableParallelism, cpus } from 'node:os';
import { join, resolve } from 'node:path';
import type { DataSource } from '../data/dataset.js';
import type { ImportProgress } from '../data/import-images.node.js';
import { readMnist } from '../data/mnist.node.js';
import { describeSkipped, skippedCsv } from '../data/skipped-files.js';
import { QuarterturnError } from '../errors.js';
import { countOf, formatCount } from '../report/format.js';
import type { ReadImages } from '../runs/read-images.node.js';
import type { DeviceName } from '../runtime/runtime.js';
import { writeFileAtomically } from '../store/atomic-file.node.js';
import { dataDifference, fingerprintIn } from '../store/fingerprint.js';
import { type DataFlags, type Reading, readingOf, readingWith } from './data-options.js';
import { shownPath } from './paths.js';
import type { Session } from './session.js';
import { packageVersion } from './version.js';

/** Where a command finds its data and runs its graphs. */
export interface Place {
  /** Absolute; null for MNIST. */
  readonly dataFolder: string | null;
  /** How the data is to be read. */
  readonly reading: Reading;
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
    cacheFolder: flags.cache,
    strict: flags.strict,
    device: flags.device ?? (device === 'webgpu' ? device : 'cpu'),
    threads: flags.threads ?? (Number.isInteger(threads) ? Number(threads) : availableParallelism()),
  };
}

/** Data as a command reads it. */
export type CommandData = DataSource & Partial<Pick<ReadImages, 'fit' | 'skipped' | 'parts' | 'duplicates'>>;

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
  const { train, test } = data;
  const name = dataFolder === null ? 'MNIST' : shownPath(dataFolder);
  const counts = test
    ? `${formatCount(train.images.count)} training and ${countOf(test.images.count, 'test image')}`
    : `${countOf(train.images.count, 'image')}, no test set`;
  const { length } = train.classNames;
  const classes = length === 0 ? 'no labels' : countOf(length, 'class');
  note(`Data  ${name}: ${counts}, ${train.images.height}×${train.images.width}, ${classes}`);
  for (const text of data.notes ?? []) note(text);
  for (const text of describeSkipped(data.skipped ?? [])) note(`Set aside  ${text}`);
  const before = fingerprintIn(config);
  const difference = dataDifference(before, data);
  if (difference !== undefined) {
    note(`Other data than that of the run, ${before?.origin}: ${difference}.`);
  }
  return data;
}

async function readOwnImages(
  path: string,
  { reading, cacheFolder, strict, largestSide }: Place,
  { emit, signal, atEnd }: Pick<Session, 'emit' | 'signal' | 'atEnd'>,
): Promise<ReadImages> {
  const began = performance.now();
  const onProgress = ({ done, total }: ImportProgress): void => {
    const etaMs = ((performance.now() - began) / Math.max(done, 1)) * (total - done);
    emit({ type: 'pass', title: 'images read', done, total, etaMs });
  };
  // Decoders of pictures are loaded for pictures: MNIST needs none.
  const { readImages } = await import('../runs/read-images.node.js');
  const data = await readImages(path, {
    ...reading,
    cacheFolder,
    strict,
    largestSide,
    signal,
    onProgress,
  }).catch((cause) => {
    if (!signal.aborted || cause instanceof QuarterturnError) throw cause;
    throw new QuarterturnError('interrupted', `${shownPath(path)}: stopped while its images were read.`, {
      hint: 'What was read is kept: the same command goes on from there.',
      cause,
    });
  });
  atEnd(data.close);
  return data;
}

/** Keep what was set aside as `skipped.csv` of a run's folder; nothing where nothing was. */
export async function writeSkipped(folder: string, { skipped = [] }: CommandData): Promise<void> {
  if (skipped.length > 0) await writeFileAtomically(join(folder, 'skipped.csv'), skippedCsv(skipped));
}

/** What `config.json` keeps beside the settings: enough to say on what a figure was measured. */
export function environmentOf(
  { dataFolder, reading, threads }: Place,
  { fit }: CommandData,
): Record<string, unknown> {
  return {
    dataFolder,
    ...(fit && { reading: readingWith(reading, fit) }),
    threads,
    quarterturn: packageVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    commandLine: ['quarterturn', ...process.argv.slice(2)].join(' '),
  };
}

/** CPU time of all threads of this process so far, in ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Largest resident set of this process so far. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
