import { existsSync } from 'node:fs';
import type { Command, CommanderError } from 'commander';
import { QuarterturnError } from '../errors.js';
import { type LoadedClassifier, loadClassifier } from '../model/load-classifier.js';
import { formatCount } from '../report/format.js';
import { type InputFiles, listInputFiles } from './input-files.js';
import { readModelFile } from './model-file.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { createOutput } from './output.js';
import { printable } from './paths.js';
import { type PlaceFlags, placeOf } from './place.js';
import { predictFiles } from './predict-files.js';
import { jsonFormat, tableFormat } from './prediction-output.js';
import { inSession } from './session.js';

interface PredictFlags extends PlaceFlags {
  readonly filesFrom?: string;
  readonly limit?: number;
  readonly invert?: boolean;
  readonly json?: boolean;
}

/** `quarterturn predict`: use a saved classifier. */
export function addPredictCommand(program: Command): void {
  const command = program
    .command('predict')
    .summary('classify images with a saved model')
    .description(
      'Classify images: PNG, JPEG, WebP, TIFF, GIF, AVIF files, folders of them, or IDX files of many images, plain or gzipped. What a file holds decides, not its name. The model knows its image size and its classes; pictures are turned upright, laid on black where they are transparent, and fitted whole into that size.',
    )
    .argument('<model>', 'an .onnx file that a run saved, or the folder of the run')
    .argument('[files...]', 'image or IDX files, folders of them, or - for names on standard input');
  addGroup(command, 'What to do:', [
    option.filesFrom(),
    option.limit(),
    option.invert(),
    option.device(),
    option.threads(),
  ]);
  addOutputGroup(command, [option.json('predictions')]);
  addExamples(command, [
    ['quarterturn predict runs/five digit.png', 'one line: file, class, probability'],
    ['quarterturn predict runs/five scans', 'all pictures in a folder and the folders in it'],
    ['quarterturn predict model.onnx *.png --json', 'every probability, for programs'],
    ['quarterturn predict model.onnx t10k-images-idx3-ubyte --limit 20', 'the first 20 test images'],
    ['find scans -name "*.png" | quarterturn predict model.onnx -', 'names that another program finds'],
  ]);
  command.exitOverride((error) => {
    throw fileForOption(error) ?? error;
  });
  command.action(predict);
}

async function predict(modelPath: string, args: readonly string[], flags: PredictFlags): Promise<void> {
  if (args.length === 0 && flags.filesFrom === undefined) {
    throw new QuarterturnError('usage', 'predict: expected files, folders or --files-from. Received: none.');
  }
  const classifier = await openClassifier(modelPath, flags);
  try {
    await predictWith(classifier, args, flags);
  } finally {
    await classifier.release();
  }
}

async function predictWith(
  classifier: LoadedClassifier,
  args: readonly string[],
  flags: PredictFlags,
): Promise<void> {
  const found = await listInputFiles(args, flags.filesFrom === undefined ? [] : [flags.filesFrom]);
  await inSession({ stopping: 'Stopping; the rows so far stay.' }, async (session) => {
    if (found.passedOver.length > 0) session.emit({ type: 'note', text: passedOverNote(found) });
    await predictFiles(classifier, found.files, {
      format: flags.json ? jsonFormat() : tableFormat(classifier.classNames),
      output: createOutput(process.stdout),
      session,
      limit: flags.limit,
      invert: flags.invert ?? false,
    });
  });
}

async function openClassifier(path: string, flags: PredictFlags): Promise<LoadedClassifier> {
  const { file, bytes } = await readModelFile(path);
  const { createNodeRuntime } = await import('../runtime/node.js');
  return loadClassifier(file, bytes, { runtime: await createNodeRuntime(placeOf(flags)) });
}

/** `Passed over in folders, hidden or no pictures by their names: 4 (a/.DS_Store, a/notes.txt, a/x.csv, …)`. */
function passedOverNote({ passedOver }: InputFiles): string {
  const names = passedOver.slice(0, 3).map(printable);
  const list = passedOver.length > names.length ? [...names, '…'] : names;
  const count = formatCount(passedOver.length);
  return `Passed over in folders, hidden or no pictures by their names: ${count} (${list.join(', ')})`;
}

/** A file whose name begins with a dash was taken for an option. */
function fileForOption(error: CommanderError): QuarterturnError | undefined {
  const [, name] = /unknown option '(.+)'/s.exec(error.message) ?? [];
  if (name === undefined || !existsSync(name)) return undefined;
  const shown = printable(name);
  return new QuarterturnError(
    'usage',
    `predict: expected an option. Received: ${shown}, the name of a file.`,
    {
      hint: `Write ./${shown}, or -- before the names of files.`,
      cause: error,
    },
  );
}
