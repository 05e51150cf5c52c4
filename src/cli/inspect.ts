import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ImageDataset } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';
import { ioError } from '../store/atomic-file.node.js';
import { contactSheet, encodePng } from './contact-sheet.js';
import { type DataFlags, readingOptions } from './data-options.js';
import { inspectionOf } from './inspection.js';
import { formatInspection } from './inspection-text.js';
import { withLabelTable } from './labels-file.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { placeOf, readData } from './place.js';
import { inSession } from './session.js';
import { traitsOf } from './terminal.js';

interface InspectFlags extends DataFlags {
  readonly labels?: string;
  readonly sheet?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `quarterturn inspect`: what data is understood to be, before anything is learned from it. */
export function addInspectCommand(program: Command): void {
  const command = program
    .command('inspect')
    .summary('what a folder or file of images is understood to be')
    .description(
      'Read data as run does, and say what was found: images of each class and part, their sizes and the size that they are fitted to, what was set aside, pictures that come more than once or nearly, and whether turning tells anything. Nothing is trained.',
    )
    .argument('<data>', 'a folder, an archive, or a file of arrays');
  addGroup(command, 'What to do:', [
    new Option('--labels <file>', 'a table with the columns file and label (default: the folders’ names)'),
    new Option('--sheet <file>', 'PNG of images spread over all, each with its index (default: none)'),
    ...readingOptions(),
  ]);
  addOutputGroup(command, [option.json('all of it'), option.quiet()]);
  addExamples(command, [
    ['quarterturn inspect photos', 'a folder of class folders, or of images alone'],
    ['quarterturn inspect photos.zip --sheet sheet.png', 'and look at some of them'],
  ]);
  command.action(inspect);
}

async function inspect(path: string, typed: InspectFlags): Promise<void> {
  const flags = await withLabelTable(typed);
  if (flags.labels !== undefined) {
    throw new QuarterturnError(
      'usage',
      `--labels ${flags.labels}: expected a table with the columns file and label. Received: another file.`,
      { hint: 'The JSON that suggest writes names images by their content, which run looks up.' },
    );
  }
  const output = await inSession({ quiet: flags.quiet, stopping: 'Stopping.' }, async (session) => {
    // What was found is the result here, not a remark beside it.
    const data = await readData(placeOf({ ...flags, data: path }), { ...session, note: () => {} });
    if (flags.sheet !== undefined) await writeSheet(flags.sheet, data.train);
    const found = await inspectionOf(resolve(path), data, session);
    if (flags.json) return JSON.stringify(found, null, 2);
    const { isTTY, columns } = traitsOf(process.stdout, process.env);
    return formatInspection(found, isTTY ? columns() : undefined);
  });
  process.stdout.write(`${output}\n`);
}

const sheetImages = 60;

async function writeSheet(file: string, { images }: ImageDataset): Promise<void> {
  const count = Math.min(sheetImages, images.count);
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * images.count) / count));
  const png = await encodePng(await contactSheet(images, indices));
  await writeFile(file, png).catch((error) => {
    throw ioError('write', file, error);
  });
}
