import { basename, dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { QuarterturnError } from '../errors.js';
import { describeModel } from '../model/describe-model.js';
import { cardOf, dataName, exportWeights } from '../runs/export-run.node.js';
import { ensureFolder, writeFileAtomically } from '../store/atomic-file.node.js';
import { assertNewFile } from '../store/new-file.node.js';
import { RunFolder } from '../store/run-folder.node.js';
import { readModelFile } from './model-file.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shownPath } from './paths.js';

interface ExportFlags {
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly card?: string;
  readonly overwrite?: boolean;
}

/** `quarterturn export`: a classifier as files for others. */
export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .summary('a classifier as files for others: weights, model card')
    .description(
      'Write a classifier as files to hand on: the ONNX file, its weights by their names, a model card in Markdown. At least one has to be asked for. Nothing is run.',
    )
    .argument('<model>', 'the folder of a run, or an .onnx file that a run saved');
  addGroup(command, 'What to write:', [
    new Option('--safetensors <file>', 'weights of the network, of a run (default: none)'),
    new Option('--card <file>', 'model card: classes, data, accuracy, use, limits (default: none)'),
    new Option('--onnx <file>', 'the classifier itself, a copy (default: none)'),
    option.overwrite('files that are there'),
  ]);
  addOutputGroup(command);
  addExamples(command, [
    [
      'quarterturn export runs/five --safetensors weights.safetensors --card card.md',
      'names of the network’s tensors; what the classifier is',
    ],
  ]);
  command.action(exportFiles);
}

async function exportFiles(path: string, { onnx, safetensors, card, overwrite }: ExportFlags): Promise<void> {
  const targets = [onnx, safetensors, card].filter((target) => target !== undefined);
  if (targets.length === 0) {
    throw new QuarterturnError('usage', 'export: expected something to write. Received: nothing.', {
      hint: 'Ask for --safetensors, --card or --onnx.',
    });
  }
  await assertFree(path, targets, overwrite);
  const { file, bytes } = await readModelFile(path, { command: 'export' });
  describeModel(file, bytes); // what is no classifier is not handed on as one
  const folder = await runOf(file);
  const written: string[] = [];
  const write = async (target: string, content: Uint8Array | string) => {
    await ensureFolder(dirname(resolve(target)));
    await writeFileAtomically(target, content);
    written.push(target);
  };
  // What can be refused comes before anything is written.
  const weights = safetensors === undefined ? undefined : await exportWeights(needed(folder, file));
  if (onnx !== undefined) await write(onnx, bytes);
  if (safetensors !== undefined && weights) await write(safetensors, weights);
  if (card !== undefined) {
    const data = folder && (await dataName(folder));
    await write(card, await cardOf(bytes, { file: basename(onnx ?? file), data }));
  }
  process.stdout.write(written.map((target) => `${shownPath(target)}\n`).join(''));
}

/** @throws QuarterturnError `usage` for two outputs of one name, and for one that is there already */
async function assertFree(path: string, targets: readonly string[], overwrite = false): Promise<void> {
  const places = targets.map((target) => resolve(target));
  const twice = targets.find((_, i) => places.indexOf(places[i] ?? '') < i);
  if (twice !== undefined) {
    throw new QuarterturnError(
      'usage',
      `export: expected a file for each output. Received: ${twice}, twice.`,
    );
  }
  for (const target of targets) {
    if (resolve(target) === resolve(path)) {
      throw new QuarterturnError('usage', `export: expected another file than ${path}. Received: the same.`);
    }
    await assertNewFile(target, { overwrite });
  }
}

/** The run that a classifier lies in; undefined if its file lies elsewhere. */
async function runOf(file: string): Promise<RunFolder | undefined> {
  const models = dirname(resolve(file));
  if (basename(models) !== 'models') return undefined;
  return RunFolder.open(shownPath(dirname(models)), { readOnly: true }).catch(() => undefined);
}

/** @throws QuarterturnError `usage` for a file that lies in no run */
function needed(folder: RunFolder | undefined, file: string): RunFolder {
  if (folder) return folder;
  throw new QuarterturnError(
    'usage',
    `--safetensors: expected a run, which has weights by their names. Received: ${file}, which lies in none.`,
    { hint: 'Name the folder of the run that made it: quarterturn export runs/<run> --safetensors …' },
  );
}
