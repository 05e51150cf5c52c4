import { basename, dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { QuarterturnError } from '../errors.js';
import { describeModel } from '../model/describe-model.js';
import {
  cardOf,
  dataName,
  type EncoderStage,
  encoderStages,
  exportRunEncoder,
  exportWeights,
} from '../runs/export-run.node.js';
import { ensureFolder, writeFileAtomically } from '../store/atomic-file.node.js';
import { assertNewFile } from '../store/new-file.node.js';
import { RunFolder } from '../store/run-folder.node.js';
import { readModelFile } from './model-file.js';
import { openRun } from './named-path.js';
import { choice, wholeNumber } from './option-values.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shellPath, shownPath } from './paths.js';

interface ExportFlags {
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly card?: string;
  readonly encoder?: string;
  readonly stage?: EncoderStage;
  readonly blocks?: number;
  readonly overwrite?: boolean;
}

/** `quarterturn export`: a classifier as files for others, and the backbone of a run as an encoder. */
export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .summary('a classifier as files for others: weights, model card, encoder')
    .description(
      'Write a classifier as files to hand on: the ONNX file, its weights by their names, a model card in Markdown; or what a run learned of images, as an encoder for others. At least one has to be asked for. Nothing is trained.',
    )
    .argument('<model>', 'the folder of a run, or an .onnx file that a run saved');
  addGroup(command, 'What to write:', [
    new Option('--safetensors <file>', 'weights of the network, of a run (default: none)'),
    new Option('--card <file>', 'model card: classes, data, accuracy, use, limits (default: none)'),
    new Option('--onnx <file>', 'the classifier itself, a copy (default: none)'),
    new Option(
      '--encoder <file>',
      'ONNX network that describes images, of a run, be it pretrained alone: for run --encoder (default: none)',
    ),
    new Option(
      '--stage <name>',
      `whose backbone the encoder is: ${encoderStages.join(', ')} (default: pretrain, which learned from rotations)`,
    ).argParser(choice('--stage', encoderStages)),
    new Option(
      '--blocks <n>',
      'how many of its blocks images go through (default: 2 of pretrain, else all)',
    ).argParser(wholeNumber('--blocks', { min: 1 })),
    option.overwrite('files that are there'),
  ]);
  addOutputGroup(command);
  addExamples(command, [
    [
      'quarterturn export runs/five --safetensors weights.safetensors --card card.md',
      'names of the network’s tensors; what the classifier is',
    ],
    ['quarterturn export runs/turns --encoder encoder.onnx', 'what pretraining learned of images'],
  ]);
  command.action(exportFiles);
}

/** A file to be written. */
type Output = readonly [target: string, content: Uint8Array | string];

async function exportFiles(path: string, flags: ExportFlags): Promise<void> {
  const { onnx, safetensors, card, encoder, overwrite } = flags;
  const targets = [onnx, safetensors, card, encoder].filter((target) => target !== undefined);
  if (targets.length === 0) {
    throw new QuarterturnError('usage', 'export: expected something to write. Received: nothing.', {
      hint: 'Ask for --safetensors, --card, --onnx or --encoder.',
    });
  }
  const ofEncoder = flags.stage === undefined ? flags.blocks && '--blocks' : '--stage';
  if (encoder === undefined && ofEncoder) {
    throw new QuarterturnError('usage', `${ofEncoder}: expected --encoder <file>, too. Received: none.`);
  }
  await assertFree(path, targets, overwrite);
  // What can be refused comes before anything is written.
  const outputs = [
    ...(targets.length > (encoder === undefined ? 0 : 1) ? await ofClassifier(path, flags) : []),
    ...(encoder === undefined ? [] : [await ofBackbone(path, { ...flags, encoder })]),
  ];
  for (const [target, content] of outputs) {
    await ensureFolder(dirname(resolve(target)));
    await writeFileAtomically(target, content);
  }
  process.stdout.write(outputs.map(([target]) => `${shownPath(target)}\n`).join(''));
  if (encoder === undefined) return;
  process.stderr.write(`Next  quarterturn run photos --encoder ${shellPath(encoder)}\n`);
}

async function ofClassifier(path: string, { onnx, safetensors, card }: ExportFlags): Promise<Output[]> {
  const { file, bytes } = await readModelFile(path, { command: 'export' });
  describeModel(file, bytes); // what is no classifier is not handed on as one
  const folder = await runOf(file);
  const outputs: Output[] = onnx === undefined ? [] : [[onnx, bytes]];
  if (safetensors !== undefined) outputs.push([safetensors, await exportWeights(needed(folder, file))]);
  if (card !== undefined) {
    const data = folder && (await dataName(folder));
    outputs.push([card, await cardOf(bytes, { file: basename(onnx ?? file), data })]);
  }
  return outputs;
}

async function ofBackbone(
  path: string,
  { encoder, stage, blocks }: ExportFlags & { readonly encoder: string },
): Promise<Output> {
  const folder = await openRun(path, { readOnly: true });
  return [encoder, await exportRunEncoder(folder, { stage, blocks })];
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
