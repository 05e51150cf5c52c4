import { type Command, Option } from 'commander';
import type { ListedEncoder } from '../features/encoder-files.node.js';
import { formatBytes } from '../report/format.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shownPath } from './paths.js';
import { inSession } from './session.js';

interface EncodersFlags {
  readonly download?: string;
  readonly cache?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `quarterturn encoders`: the networks that are known by name, and how to get them. */
export function addEncodersCommand(program: Command): void {
  const command = program
    .command('encoders')
    .summary('networks that describe photographs, for --encoder')
    .description(
      'List the networks that are known by name, with licence, size and where they come from; or get one. Nothing is fetched but by --download, and what was fetched has to keep its SHA-256 from then on.',
    );
  addGroup(command, 'What to do:', [
    new Option('--download <name>', 'get this network (default: list them)'),
    new Option('--cache <folder>', 'where they lie (default: ~/.cache/quarterturn)'),
  ]);
  addOutputGroup(command, [option.json('the list'), option.quiet()]);
  addExamples(command, [
    ['quarterturn encoders', 'which there are, and which are here'],
    ['quarterturn encoders --download dinov2-small', 'get one, 88 MB'],
  ]);
  command.action(async ({ download, cache, json, quiet }: EncodersFlags) => {
    const { downloadEncoder, listEncoders } = await import('../features/encoder-files.node.js');
    const { cacheFolderOf } = await import('../data/cache/cache-folder.node.js');
    const options = { cacheFolder: cache };
    if (download !== undefined) {
      const stopping = 'Stopping; nothing is kept of what has come.';
      await inSession({ quiet, stopping }, ({ emit, signal }) =>
        downloadEncoder(download, { ...options, emit, signal }),
      );
    }
    const encoders = await listEncoders(options);
    const text = json
      ? JSON.stringify({ folder: cacheFolderOf(options), encoders }, null, 2)
      : encoders.map(formatEncoder).join('\n\n');
    process.stdout.write(`${text}\n`);
  });
}

function formatEncoder({ name, title, licence, sizeBytes, about, url, file, record }: ListedEncoder): string {
  const place = record
    ? `${shownPath(file)}, ${formatBytes(record.sizeBytes)}, SHA-256 ${record.sha256.slice(0, 12)}…`
    : `not here: quarterturn encoders --download ${name}`;
  return [
    `${name}  ${title}; ${licence}, about ${formatBytes(sizeBytes)}`,
    `  ${about}`,
    `  ${url}`,
    `  ${place}`,
  ].join('\n');
}
