import { availableParallelism, cpus } from 'node:os';
import { readMnist } from '../data/mnist.node.js';
import type { ReadImages, ReadImagesOptions } from './read-images.node.js';
import { type Reading, readingIn, readingWith } from './reading.node.js';
import { packageVersion } from './version.node.js';

/** Where a run is made: what `config.json` keeps beside its settings. */
export interface RunEnvironment {
  /** Absolute path of what is learned from; null for MNIST, which comes with the package. */
  readonly dataFolder: string | null;
  readonly reading: Reading;
  readonly threads: number;
  /** For people: what began it. */
  readonly commandLine: string;
}

/** What `config.json` keeps beside the settings: enough to read the data again, and to say on what a figure was measured. */
export function environmentOf(
  { dataFolder, reading, threads, commandLine }: RunEnvironment,
  { fit }: Partial<Pick<ReadImages, 'fit'>>,
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
    commandLine,
  };
}

/** Where a run was begun, as its `config.json` says: with this, it goes on as it was. */
export function environmentIn(
  config: Readonly<Record<string, unknown>>,
): Pick<RunEnvironment, 'dataFolder' | 'reading' | 'threads'> {
  const { dataFolder, threads } = config;
  return {
    dataFolder: typeof dataFolder === 'string' ? dataFolder : null,
    reading: readingIn(config),
    threads: Number.isInteger(threads) ? Number(threads) : availableParallelism(),
  };
}

/**
 * The data that a run was begun with, read as it was then.
 * @throws QuarterturnError as `readImages`
 */
export async function readRunData(
  { dataFolder, reading }: Pick<RunEnvironment, 'dataFolder' | 'reading'>,
  options: Pick<ReadImagesOptions, 'cacheFolder' | 'signal' | 'onProgress'> = {},
): Promise<ReadImages> {
  if (dataFolder !== null) {
    // Decoders of pictures are loaded for pictures: MNIST needs none.
    const { readImages } = await import('./read-images.node.js');
    return readImages(dataFolder, { ...reading, ...options });
  }
  const close = async (): Promise<void> => {};
  return { ...(await readMnist()), notes: [], skipped: [], close, [Symbol.asyncDispose]: close };
}
