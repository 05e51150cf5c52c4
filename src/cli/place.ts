import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import type { DataSource } from '../data/dataset.js';
import { readIdxFolder } from '../data/idx-folder.node.js';
import { readMnist } from '../data/mnist.node.js';
import { formatCount } from '../report/format.js';
import type { DeviceName } from '../runtime/runtime.js';
import { dataDifference, fingerprintIn } from '../store/fingerprint.js';
import type { EventListener } from '../train/events.js';
import { shownPath } from './paths.js';
import { packageVersion } from './version.js';

/** Where a command finds its data and runs its graphs. */
export interface Place {
  /** Absolute; null for MNIST. */
  readonly dataFolder: string | null;
  readonly device: DeviceName;
  readonly threads: number;
}

export interface PlaceFlags {
  readonly data?: string;
  readonly device?: DeviceName;
  readonly threads?: number;
}

/**
 * What the flags say, else what a run's `config.json` says, so that the same kernels give the same numbers, else MNIST
 * on all cores.
 */
export function placeOf(flags: PlaceFlags, config: Readonly<Record<string, unknown>> = {}): Place {
  const { dataFolder, device, threads } = config;
  return {
    dataFolder:
      flags.data !== undefined ? resolve(flags.data) : typeof dataFolder === 'string' ? dataFolder : null,
    device: flags.device ?? (device === 'webgpu' ? device : 'cpu'),
    threads: flags.threads ?? (Number.isInteger(threads) ? Number(threads) : availableParallelism()),
  };
}

/**
 * Read the data once, and say what it is.
 * @param config of the run that the data is looked at with: that it began with other data is said, too
 */
export async function readData(
  { dataFolder }: Place,
  emit: EventListener,
  config: Readonly<Record<string, unknown>> = {},
): Promise<DataSource> {
  const data = dataFolder === null ? await readMnist() : await readIdxFolder(dataFolder);
  const { train, test } = data;
  const name = dataFolder === null ? 'MNIST' : shownPath(dataFolder);
  const counts = test
    ? `${formatCount(train.images.count)} training and ${formatCount(test.images.count)} test images`
    : `${formatCount(train.images.count)} images, no test set`;
  const { length } = train.classNames;
  const classes = length === 0 ? 'no labels' : length === 1 ? '1 class' : `${formatCount(length)} classes`;
  emit({
    type: 'note',
    text: `Data  ${name}: ${counts}, ${train.images.height}×${train.images.width}, ${classes}`,
  });
  for (const text of data.notes ?? []) emit({ type: 'note', text });
  const before = fingerprintIn(config);
  const difference = dataDifference(before, data);
  if (difference !== undefined) {
    emit({ type: 'note', text: `Other data than that of the run, ${before?.origin}: ${difference}.` });
  }
  return data;
}

/** What `config.json` keeps beside the settings: enough to say on what a figure was measured. */
export function environmentOf({ dataFolder, threads }: Place): Record<string, unknown> {
  return {
    dataFolder,
    threads,
    quarterturn: packageVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    commandLine: ['quarterturn', ...process.argv.slice(2)].join(' '),
  };
}

/** Largest resident set of this process so far. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
