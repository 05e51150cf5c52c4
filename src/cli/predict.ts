import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, CommanderError } from 'commander';
import { QuarterturnError } from '../errors.js';
import { type LoadedClassifier, loadClassifier } from '../model/load-classifier.js';
import type { PredictionColumns, PredictionFormat } from '../runs/prediction-row.js';
import { type TableKind, textFormatOf } from '../runs/prediction-table.node.js';
import { listInputs } from './input-files.js';
import { readModelFile } from './model-file.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { createOutput } from './output.js';
import { printable, shownPath } from './paths.js';
import { type PlaceFlags, placeOf } from './place.js';
import { predictInto, tableKindOf } from './predict-output-file.js';
import { predictStream } from './predict-stream.js';
import { tableFormat } from './prediction-output.js';
import { inSession } from './session.js';
import { traitsOf } from './terminal.js';

interface PredictFlags extends Pick<PlaceFlags, 'device' | 'threads' | 'strict'> {
  readonly filesFrom?: string;
  readonly limit?: number;
  readonly invert?: boolean;
  readonly out?: string;
  readonly format?: TableKind | 'table';
  readonly json?: boolean;
  readonly probabilities?: boolean;
  readonly unsure?: number;
  readonly abstain?: boolean;
  readonly sortInto?: string;
  readonly link?: boolean;
  readonly shard?: { readonly number: number; readonly count: number };
  readonly overwrite?: boolean;
  readonly quiet?: boolean;
}

const formats = ['table', 'csv', 'jsonl', 'json', 'parquet'];

/** `quarterturn predict`: use a saved classifier. */
export function addPredictCommand(program: Command): void {
  const command = program
    .command('predict')
    .summary('classify images with a saved model')
    .description(
      'Classify images: PNG, JPEG, WebP, TIFF, GIF, AVIF files, folders and ZIP or tar archives of them, IDX, NumPy and Parquet files of many images. What a file holds decides, not its name. The model knows its image size, its classes and how pictures are fitted.',
    )
    .argument('<model>', 'an .onnx file that a run saved, or the folder of the run')
    .argument('[files...]', 'pictures, folders, archives or data sets, or - for names on standard input');
  addGroup(command, 'What to do:', [
    option.filesFrom(),
    option.limit(),
    option.invert(),
    option.sortInto(),
    option.link(),
    option.abstain(),
    option.shard(),
    option.strictPredictions(),
    option.device(),
    option.threads(),
  ]);
  addOutputGroup(command, [
    option.predictionsOut(),
    option.predictionsFormat(formats),
    option.json('predictions with all probabilities').conflicts(['format', 'out']),
    option.probabilities(),
    option.unsure(),
    option.overwrite(),
    option.quiet(),
  ]);
  addExamples(command, [
    ['quarterturn predict runs/five digit.png', 'one line: file, class, probability'],
    ['quarterturn predict runs/five scans --out answers.csv', 'a table; killed and typed again it goes on'],
    ['quarterturn predict model.onnx *.png --json', 'every probability, for programs'],
    ['quarterturn predict model.onnx t10k-images-idx3-ubyte --limit 20', 'the first 20 test images'],
    [
      'quarterturn predict runs/five scans --sort-into sorted --abstain',
      'copies in a folder for each class, and in one for what may be of none',
    ],
    ['find scans -name "*.png" | quarterturn predict model.onnx -', 'names that another program finds'],
  ]);
  command.exitOverride((error) => {
    throw fileForOption(error) ?? error;
  });
  command.action(predict);
}

async function predict(modelPath: string, args: readonly string[], typed: PredictFlags): Promise<void> {
  if (args.length === 0 && typed.filesFrom === undefined) {
    throw new QuarterturnError('usage', 'predict: expected files, folders or --files-from. Received: none.');
  }
  const destination = destinationOf(typed);
  const { file, bytes } = await readModelFile(modelPath, { command: 'predict', others: args });
  const { createNodeRuntime } = await import('../runtime/node.js');
  const { device, threads } = placeOf({ device: typed.device, threads: typed.threads });
  const runtime = await createNodeRuntime({ device, threads });
  const classifier = await loadClassifier(file, bytes, { runtime });
  try {
    const unsure = unsureOf(classifier, file, typed);
    const flags = { ...typed, unsure };
    const paths = await listInputs(args, flags.filesFrom === undefined ? [] : [flags.filesFrom]);
    if (destination === undefined) await predictToStdout(classifier, paths, flags);
    else {
      const modelSha256 = createHash('sha256').update(bytes).digest('hex');
      await predictToDestination(classifier, paths, { ...flags, ...destination, modelSha256 });
    }
  } finally {
    await classifier.release();
  }
}

/**
 * Below which probability a row is unsure; undefined where none is.
 * @throws QuarterturnError `usage` where the model is to abstain and nothing says when
 */
function unsureOf(
  { abstention }: LoadedClassifier,
  file: string,
  { unsure = abstention?.threshold, abstain }: PredictFlags,
): number | undefined {
  if (unsure !== undefined && unsure > 0) return unsure;
  if (!abstain) return undefined;
  throw new QuarterturnError(
    'usage',
    `predict: expected a probability below which ${shownPath(file)} abstains. Received: ${unsure === 0 ? '--unsure 0' : 'a file that says none'}.`,
    { hint: 'Give one: --abstain --unsure 0.5' },
  );
}

interface Destination {
  readonly out: string;
  readonly kind: TableKind | 'part';
}

/**
 * Where the answers go, and as what; undefined for standard output.
 * @throws QuarterturnError `usage` for flags that contradict each other
 */
function destinationOf({
  out,
  format,
  sortInto,
  link,
  shard,
  overwrite,
}: PredictFlags): Destination | undefined {
  const wrong = (expected: string, received: string): QuarterturnError =>
    new QuarterturnError('usage', `predict: expected ${expected}. Received: ${received}.`);
  if (link && sortInto === undefined) throw wrong('--sort-into with --link', 'none');
  if (shard) {
    if (out === undefined) throw wrong('--out with --shard', 'none');
    if (!out.endsWith('.part') || format !== undefined) {
      throw wrong(
        '--out with a name that ends in .part, and no --format: `merge` makes a table of all parts',
        format === undefined ? printable(out) : `--format ${format}`,
      );
    }
    return { out, kind: 'part' };
  }
  if (out !== undefined) return { out, kind: tableKindOf(out, format) };
  if (sortInto !== undefined)
    return { out: join(sortInto, 'predictions.csv'), kind: tableKindOf('.csv', format) };
  if (overwrite) throw wrong('--out or --sort-into with --overwrite', 'neither');
  if (format === 'parquet') throw wrong('--out with --format parquet', 'none');
  return undefined;
}

/** Whether somebody watches: where progress goes to a file, what classes there are is looked up in the rows. */
const isWatched = (): boolean => traitsOf(process.stderr, process.env).isTTY;

async function predictToStdout(
  classifier: LoadedClassifier,
  paths: readonly string[],
  { limit, invert = false, strict, quiet, ...flags }: PredictFlags,
): Promise<void> {
  const { classNames } = classifier;
  const { json = false, probabilities = json, unsure, abstain } = flags;
  const columns = { classNames, probabilities, unsure, abstain };
  await inSession({ quiet, stopping: 'Stopping; the rows so far stay.' }, (session) =>
    predictStream(classifier, paths, {
      format: formatOf(json ? 'json' : flags.format, columns),
      output: createOutput(process.stdout),
      session,
      limit,
      invert,
      strict,
      tellClasses: isWatched(),
      quiet,
      unsure,
      abstain,
    }),
  );
}

function formatOf(format: PredictFlags['format'], columns: PredictionColumns): PredictionFormat {
  if (format === undefined || format === 'table' || format === 'parquet') return tableFormat(columns);
  return textFormatOf(format, columns);
}

async function predictToDestination(
  classifier: LoadedClassifier,
  paths: readonly string[],
  options: PredictFlags & Destination & { readonly modelSha256: string },
): Promise<void> {
  const { out, kind, modelSha256, limit, invert = false, strict = false, sortInto, link, quiet } = options;
  await inSession({ quiet, stopping: 'Stopping; what is known so far is kept.' }, (session) =>
    predictInto(classifier, paths, {
      out,
      kind,
      modelSha256,
      session,
      limit,
      invert,
      strict,
      tellClasses: isWatched(),
      quiet,
      shard: options.shard,
      overwrite: options.overwrite,
      probabilities: options.probabilities,
      unsure: options.unsure ?? 0,
      abstain: options.abstain,
      ...(sortInto !== undefined && { sortInto: { folder: sortInto, link } }),
    }),
  );
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
