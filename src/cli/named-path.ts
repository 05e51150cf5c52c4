import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { QuarterturnError } from '../errors.js';
import { readLabelTable } from '../labels/label-table.js';
import { RunFolder } from '../store/run-folder.node.js';
import { readLabelsFile } from './labels-file.js';
import { shellPath } from './paths.js';

/** What a path that somebody typed leads to, as far as a look at it tells. */
type PathKind = 'nothing' | 'run' | 'folder' | 'model' | 'labels' | 'file';

const words: Readonly<Record<PathKind, string>> = {
  nothing: 'nothing there',
  run: 'the folder of a run',
  folder: 'a folder that no run has written',
  model: 'an ONNX file',
  labels: 'a file of labels',
  file: 'another file',
};

async function kindOfPath(path: string): Promise<PathKind> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return 'nothing';
  if (stats.isDirectory()) {
    const names = await readdir(path).catch((): string[] => []);
    return names.includes('config.json') || names.includes('checkpoints') ? 'run' : 'folder';
  }
  if (/\.onnx$/i.test(path)) return 'model';
  if (!/\.(csv|tsv|tab|jsonl|ndjson|json)$/i.test(path)) return 'file';
  return (await holdsLabels(path)) ? 'labels' : 'file';
}

async function holdsLabels(path: string): Promise<boolean> {
  if (await readLabelsFile(path).catch(() => undefined)) return true;
  try {
    return readLabelTable(path, await readFile(path)).rows.length > 0;
  } catch {
    return false;
  }
}

export interface ModelPathOptions {
  /** The command that was typed. */
  readonly command: string;
  /** What was named behind the model: it may be the model. */
  readonly others?: readonly string[] | undefined;
}

/**
 * Makes sure that a path may be that of a model: a file, or the folder of a run that has one. A file that is no model is left to
 * its reader, and so is one that is not there.
 * @throws QuarterturnError `usage` that says what it is instead, and what to type
 */
export async function assertModelPath(
  path: string,
  { command, others = [] }: ModelPathOptions,
): Promise<void> {
  const kind = await kindOfPath(path);
  if (kind === 'model' || kind === 'file') return;
  const refuse = (expected: string, received: string, hint: string): never => {
    throw new QuarterturnError('usage', `${command} ${path}: expected ${expected}. Received: ${received}.`, {
      hint,
    });
  };
  if (kind === 'run') {
    if (await stat(join(path, 'models', 'classifier.onnx')).catch(() => undefined)) return;
    refuse(
      'a run with a classifier',
      'a run that has none yet',
      `Go on with it, if it was stopped: quarterturn run --resume ${shellPath(path)}. A run that only pretrains leaves none.`,
    );
  }
  for (const other of others) {
    const found = await kindOfPath(other);
    if (found !== 'run' && found !== 'model') continue;
    const swapped = `quarterturn ${command} ${shellPath(other)} ${shellPath(path)}`;
    refuse('the model first', `${words[kind]}, and ${words[found]} behind it`, `Swap them: ${swapped}`);
  }
  if (kind === 'nothing') return;
  const images = others.length > 0 || command === 'predict' || command === 'evaluate' ? ' <images>' : '';
  refuse(
    'a model: an .onnx file that a run saved, or the folder of the run',
    words[kind],
    `Name the model${images === '' ? '' : ', then the images'}: quarterturn ${command} <model>${images === '' ? '' : ` ${kind === 'folder' ? shellPath(path) : '<images>'}`}`,
  );
}

export interface OpenRunOptions {
  readonly readOnly?: boolean;
  /** What to do where it is no run, instead of a look at the path. */
  readonly hint?: string;
}

/**
 * Opens the folder of a run that somebody named.
 * @throws QuarterturnError as `RunFolder.open`, with what to name where it is something else
 */
export async function openRun(
  path: string,
  { readOnly = false, hint }: OpenRunOptions = {},
): Promise<RunFolder> {
  const kind = await kindOfPath(path);
  if (kind === 'run' || kind === 'nothing') {
    return RunFolder.open(path, { readOnly }).catch((error) => {
      throw kind === 'nothing' && hint !== undefined ? withHint(error, hint) : error;
    });
  }
  const around = dirname(dirname(path));
  const isInRun = kind === 'model' && (await kindOfPath(around)) === 'run';
  throw new QuarterturnError('usage', `${path}: expected the folder of a run. Received: ${words[kind]}.`, {
    hint: isInRun
      ? `Name the run: ${shellPath(around)}`
      : (hint ?? 'Runs lie in runs/, if --out says nothing else.'),
  });
}

/**
 * Why something holds no images to read, where it is something else that is known.
 * @param cause how the reader of images puts it
 */
export async function explainedData(path: string, cause: QuarterturnError): Promise<QuarterturnError> {
  const kind = cause.code === 'data' ? await kindOfPath(path) : 'file';
  const shown = shellPath(path);
  const hints: Partial<Record<PathKind, string>> = {
    labels: `Name the images, and the labels of them with --labels ${shown}`,
    run: `Name your images. To go on with this run: quarterturn run --resume ${shown}; to use its classifier: quarterturn predict ${shown} <images>`,
    model: `Name your images. What this model is: quarterturn model ${shown}; to use it: quarterturn predict ${shown} <images>`,
  };
  const hint = hints[kind];
  if (hint === undefined) return cause;
  return new QuarterturnError('usage', `${path}: expected images. Received: ${words[kind]}.`, {
    hint,
    cause,
  });
}

function withHint(error: unknown, hint: string): unknown {
  if (!(error instanceof QuarterturnError)) return error;
  return new QuarterturnError(error.code, error.message, { hint, cause: error });
}
