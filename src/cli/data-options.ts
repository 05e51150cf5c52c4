import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { FitMode, Ground } from '../data/image-fit.js';
import type { SourceFormat } from '../data/readers/open-found.node.js';
import { QuarterturnError } from '../errors.js';
import type { ColumnOptions } from '../labels/table-columns.js';
import { fitModes, grounds, type Reading, readingIn, sourceFormats } from '../runs/reading.node.js';
import { choice, labelColumns, labelColumnsText, wholeNumber } from './option-values.js';
import { shellPath } from './paths.js';

/** Flags that say what the data is and how its pictures become images. */
export interface DataFlags {
  readonly data?: string;
  readonly format?: SourceFormat;
  readonly size?: number;
  readonly fit?: FitMode;
  readonly ground?: Ground;
  readonly grey?: boolean;
  readonly rgb?: boolean;
  readonly cache?: string;
  readonly strict?: boolean;
  /** Absolute; as `--label-table` says, or where `--labels` names a table. */
  readonly labelTable?: string | undefined;
  /** Columns of that table. */
  readonly labelColumns?: ColumnOptions | undefined;
}

/** The flags of {@link DataFlags}; a command with images to read has them all. */
export const dataOptions = (): readonly Option[] => [
  new Option(
    '--data <path>',
    'your images: a folder with a folder for each class, or of images alone; a ZIP or tar archive of one; IDX, NumPy or Parquet files (default: MNIST, installed with the package)',
  ),
  new Option(
    '--label-table <file>',
    'a table of files and labels, where --labels names the JSON that suggest writes (default: none, or the table that --labels names)',
  ).argParser((file) => resolve(file)),
  ...readingOptions(),
];

/**
 * Lets a command take its data by position, too: `quarterturn run photos` is `quarterturn run --data photos`.
 * @throws QuarterturnError `usage`, once it is called, where both name data
 */
export function addDataArgument(command: Command): void {
  command.argument('[data]', 'your images, as --data').hook('preAction', (_, { processedArgs }) => {
    const [named] = processedArgs;
    if (named === undefined) return;
    const { data } = command.opts<DataFlags>();
    if (data !== undefined) {
      throw new QuarterturnError(
        'usage',
        `${command.name()}: expected the data once. Received: ${shellPath(named)} and --data ${shellPath(data)}.`,
      );
    }
    command.setOptionValue('data', named);
  });
}

/** What {@link dataOptions} are beside `--data`. */
export const readingOptions = (): readonly Option[] => [
  new Option(
    '--label-columns <names>',
    'file=<column>,label=<column>, or one of them: columns of a table of labels, by name or place (default: those with usual names)',
  ).argParser(labelColumns),
  new Option(
    '--format <name>',
    `${sourceFormats.join(', ')}: what to take it for (default: what lies in it)`,
  ).argParser(choice('--format', sourceFormats)),
  new Option(
    '--size <pixels>',
    'height and width of all images (default: the size they have, if all are small squares, else 28 to 64 by their shorter sides)',
  ).argParser(wholeNumber('--size', { min: 8, max: 1024 })),
  new Option(
    '--fit <mode>',
    'cover: the middle of a picture; contain: all of it in a frame; stretch (default: cover, since a frame tells how it was turned)',
  ).argParser(choice('--fit', fitModes)),
  new Option(
    '--ground <colour>',
    'black or white: what transparent pictures are laid on, and the frame of --fit contain (default: black)',
  ).argParser(choice('--ground', grounds)),
  new Option('--grey', 'learn from brightness alone (default: where no picture shows a colour)').conflicts(
    'rgb',
  ),
  new Option('--rgb', 'learn from colours (default: where any picture shows one)'),
  new Option('--cache <folder>', 'where decoded images are kept (default: ~/.cache/quarterturn)'),
  new Option('--strict', 'stop at the first image that cannot be used (default: set it aside and go on)'),
];

/**
 * How flags ask for data to be read, else as a run's `config.json` says, so that its network gets the images it knows.
 * @param isOther whether the flags name other data than the run's: what that was taken for says nothing of it
 */
export function readingOf(
  flags: DataFlags,
  config: Readonly<Record<string, unknown>>,
  isOther: boolean,
): Reading {
  const { format, labelTable, table, ...fitted } = readingIn(config);
  const isOtherTable = isOther || (flags.labelTable ?? labelTable) !== labelTable;
  const columns = { ...(isOtherTable ? {} : table), ...flags.labelColumns };
  return {
    ...(isOther ? {} : { ...(format && { format }), ...(labelTable && { labelTable }) }),
    ...fitted,
    ...(flags.format !== undefined && { format: flags.format }),
    ...(flags.size !== undefined && { size: flags.size }),
    ...(flags.fit !== undefined && { fit: flags.fit }),
    ...(flags.ground !== undefined && { ground: flags.ground }),
    ...(flags.grey && { colours: 'grey' as const }),
    ...(flags.rgb && { colours: 'rgb' as const }),
    ...(flags.labelTable !== undefined && { labelTable: flags.labelTable }),
    ...(Object.keys(columns).length > 0 && { table: columns }),
  };
}

/** The flags that ask for a reading again. */
export function readingFlags(reading: Reading): readonly string[] {
  const { format, size, fit, ground, colours, labelTable, table } = reading;
  return [
    ...(labelTable === undefined ? [] : [`--label-table ${shellPath(labelTable)}`]),
    ...(table === undefined ? [] : [`--label-columns ${shellPath(labelColumnsText(table))}`]),
    ...(format === undefined ? [] : [`--format ${format}`]),
    ...(size === undefined ? [] : [`--size ${size}`]),
    ...(fit === undefined || fit === 'cover' ? [] : [`--fit ${fit}`]),
    ...(ground === undefined || ground === 'black' ? [] : [`--ground ${ground}`]),
    ...(colours === undefined ? [] : [`--${colours}`]),
  ];
}
