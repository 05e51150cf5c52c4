import type { Command } from 'commander';
import { Option } from 'commander';
import { type CachedImport, cacheFolderOf, clearCache, listCache } from '../data/cache/cache-folder.node.js';
import { type CachedFeatures, clearFeatureCache, listFeatureCache } from '../features/feature-cache.node.js';
import { countOf, formatBytes } from '../report/format.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shownPath } from './paths.js';

interface CacheFlags {
  readonly clear?: boolean;
  readonly cache?: string;
  readonly json?: boolean;
}

/** `quarterturn cache`: which decoded images are kept, and away with them. */
export function addCacheCommand(program: Command): void {
  const command = program
    .command('cache')
    .summary('decoded images and features that are kept for the next start')
    .description(
      'List what was decoded from pictures, and the features that encoders made of them, which are kept so that the next start takes seconds; or delete them. Nothing is lost by that but time: pictures stay where they are.',
    );
  addGroup(command, 'What to do:', [
    new Option('--clear', 'delete all of it that no process has open (default: list it)'),
    new Option('--cache <folder>', 'where it lies (default: ~/.cache/quarterturn)'),
  ]);
  addOutputGroup(command, [option.json('the list')]);
  addExamples(command, [
    ['quarterturn cache', 'what is kept, the last used first'],
    ['quarterturn cache --clear', 'delete it'],
  ]);
  command.action(async ({ clear, cache, json }: CacheFlags) => {
    const options = { cacheFolder: cache };
    const result = clear ? await clearCache(options) : { kept: await listCache(options) };
    const features = clear ? await clearFeatureCache(options) : { kept: await listFeatureCache(options) };
    const folder = cacheFolderOf(options);
    const text = json
      ? JSON.stringify({ folder, ...result, features }, null, 2)
      : [formatCache(folder, result), ...formatFeatures(features)].join('\n');
    process.stdout.write(`${text}\n`);
  });
}

type CacheResult =
  | { readonly kept: readonly CachedImport[] }
  | { readonly removed: readonly CachedImport[]; readonly inUse: readonly CachedImport[] };

/** A line each for what is kept, or one for what was deleted. */
function formatCache(folder: string, result: CacheResult): string {
  const where = shownPath(folder);
  if ('removed' in result) {
    const { removed, inUse } = result;
    const open = inUse.length > 0 ? ` ${inUse.length} stay, since a process has them open.` : '';
    return `Deleted ${formatBytes(bytesOf(removed))} of ${countOf(removed.length, 'data set')} from ${where}.${open}`;
  }
  const { kept } = result;
  if (kept.length === 0) return `Nothing is kept in ${where}.`;
  const lines = kept.map(({ origin, height, width, channels, sizeBytes, usedMs, inUse, unfinished }) => {
    const kind = `${height}×${width} ${channels === 1 ? 'grey' : 'colour'}`;
    const state = unfinished ? ', unfinished' : inUse ? ', in use' : '';
    const used = new Date(usedMs).toISOString().slice(0, 10);
    return `${formatBytes(sizeBytes).padStart(10)}  ${used}  ${kind}  ${shownPath(origin)}${state}`;
  });
  const sum = `${formatBytes(bytesOf(kept))} of ${countOf(kept.length, 'data set')} in ${where}`;
  return [...lines, sum].join('\n');
}

type FeaturesResult =
  | { readonly kept: readonly CachedFeatures[] }
  | { readonly removed: readonly CachedFeatures[]; readonly inUse: readonly CachedFeatures[] };

/** A line for the features of each encoder that are kept, or one for those that were deleted. */
function formatFeatures(result: FeaturesResult): string[] {
  if ('removed' in result) {
    const { removed, inUse } = result;
    if (removed.length + inUse.length === 0) return [];
    const open = inUse.length > 0 ? ` ${inUse.length} stay, since a process uses them.` : '';
    return [
      `Deleted ${formatBytes(bytesOf(removed))} of features of ${countOf(removed.length, 'encoder')}.${open}`,
    ];
  }
  return result.kept.map(({ encoder, images, sizeBytes, usedMs, inUse }) => {
    const used = new Date(usedMs).toISOString().slice(0, 10);
    const state = inUse ? ', in use' : '';
    return `${formatBytes(sizeBytes).padStart(10)}  ${used}  features of ${countOf(images, 'image')} by ${encoder}${state}`;
  });
}

const bytesOf = (packs: readonly { readonly sizeBytes: number }[]): number =>
  packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
