import { stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { QuarterturnError } from '../errors.js';
import { evaluateRun } from '../recipes/run.js';
import { settingsOfConfig } from '../recipes/settings.js';
import type { RunFigures } from '../recipes/stages.js';
import { notebookFor } from '../report/comparison.js';
import type { EvaluatedPart } from '../runs/evaluate-model.node.js';
import { readConfig } from '../runs/finished-run.js';
import { dataDifference, fingerprintIn } from '../store/fingerprint.js';
import type { RunEventListener } from '../store/run-event.js';
import { dataOptions } from './data-options.js';
import { type EvaluateModelFlags, evaluateSavedModel } from './evaluate-model.js';
import { assertModelPath, openRun } from './named-path.js';
import { choice } from './option-values.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shellPath, shownPath } from './paths.js';
import { placeOf, readData } from './place.js';
import { formatFigures, resumeCommand } from './run-report.js';
import { inSession } from './session.js';

/** `quarterturn evaluate`: a saved classifier on labelled data, or a run's figures once more from its checkpoints. */
export function addEvaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .summary('how well a saved model classifies labelled images')
    .description(
      'Classify labelled images with a saved model: accuracy with its interval, precision, recall and F1 of each class, what is confused with what, calibration. Classes are matched by name; pictures are fitted as the model says. With a run and no data, every finished stage of the run is evaluated again, from its checkpoints and on its data. Nothing is trained.',
    )
    .argument('<model>', 'an .onnx file that a run saved, or the folder of a run')
    .argument(
      '[data]',
      'labelled images: a folder with a folder for each class, a ZIP or tar archive of one, IDX, NumPy or Parquet files',
    );
  addGroup(command, 'What to do:', [
    new Option(
      '--labels <file>',
      'a table with the columns file and label (default: the folders’ names, or the labels in the files)',
    ),
    new Option(
      '--split <name>',
      `${parts.join(', ')}: which images (default: test if there are any, else all that have a label)`,
    ).argParser(choice('--split', parts)),
    new Option('--html <file>', 'a page with the figures, the confused images and charts (default: none)'),
  ]);
  addGroup(command, 'Where:', [...dataOptions(), option.device(), option.threads()]);
  addOutputGroup(command, [option.json('the figures'), option.quiet()]);
  addExamples(command, [
    ['quarterturn evaluate runs/five my-images --html page.html', 'its classifier on labelled images'],
    ['quarterturn evaluate model.onnx my-images --split all --json', 'for programs'],
    ['quarterturn evaluate runs/five', 'the figures of its result.json once more'],
  ]);
  command.action(evaluate);
}

const parts = ['test', 'train', 'val', 'all'] as const satisfies readonly EvaluatedPart[];

async function evaluate(path: string, data: string | undefined, flags: EvaluateModelFlags): Promise<void> {
  if (data !== undefined) return evaluateSavedModel(path, data, flags);
  await assertRun(path, flags);
  await evaluateStages(path, flags);
}

/** @throws QuarterturnError `usage` where a model's file, or a flag for one, stands alone */
async function assertRun(path: string, flags: EvaluateModelFlags): Promise<void> {
  const flag = (['labels', 'split', 'html'] as const).find((name) => flags[name] !== undefined);
  const isFile = (await stat(path).catch(() => undefined))?.isFile() ?? false;
  if (flag === undefined && !isFile) return;
  await assertModelPath(path, { command: 'evaluate' });
  const received = isFile ? `${shownPath(path)} alone` : `--${flag} without data`;
  throw new QuarterturnError(
    'usage',
    `evaluate: expected labelled images after the model. Received: ${received}.`,
    { hint: `quarterturn evaluate ${shownPath(path)} <data>` },
  );
}

async function evaluateStages(path: string, flags: EvaluateModelFlags): Promise<void> {
  const output = await inSession({ quiet: flags.quiet, stopping: 'Stopping.' }, async (session) => {
    const store = await openRun(path, {
      readOnly: true,
      hint: `Name a model, then the images: quarterturn evaluate <model> ${shellPath(path)}`,
    });
    const config = await readConfig(store);
    const settings = settingsOfConfig(config, path);
    const place = placeOf(flags, config);
    const { createNodeRuntime } = await import('../runtime/node.js'); // a slow start, which other commands need not have
    const runtime = await createNodeRuntime(place);
    const data = await readData(place, session, config);
    const emit = evaluationsOnly(session.emit);
    const { encoderOfSettings } = await import('./open-encoder.js');
    const cacheFolder = flags.cache;
    const encoder = await encoderOfSettings(settings.encoder, { runtime, session, cacheFolder });
    const { signal } = session;
    const sameData = dataDifference(fingerprintIn(config), data) === undefined;
    const context = { settings, data, runtime, store, encoder, signal, emit };
    const figures = await evaluateRun(context).catch((error) => {
      throw sameData ? error : onOtherData(error, path, data.origin);
    });
    assertAny(figures, path);
    if (flags.json) {
      const { preset, seed } = settings;
      const evaluated = { origin: data.origin, ofTheRun: sameData };
      return `${JSON.stringify({ run: path, preset, seed, data: evaluated, ...figures }, null, 2)}\n`;
    }
    const title = sameData
      ? ''
      : `On ${place.dataFolder === null ? 'MNIST' : shownPath(place.dataFolder)}, which is other data than that of the run:\n\n`;
    return `\n${title}${formatFigures(figures, sameData ? notebookFor(data.checksums) : null)}\n`;
  });
  process.stdout.write(output);
}

/** Stages are evaluated on labels and classes that they learned; the classifier on any labelled images. */
function onOtherData(error: unknown, path: string, data: string): unknown {
  if (!(error instanceof QuarterturnError) || error.code !== 'data') return error;
  const hint = `To evaluate its classifier on other images: quarterturn evaluate ${shellPath(path)} ${shellPath(data)}`;
  return new QuarterturnError('data', error.message, { hint, cause: error });
}

/** Stages are only gone through for what they left: that they begin is no news. */
function evaluationsOnly(emit: RunEventListener): RunEventListener {
  return (event) => {
    if (event.type !== 'stage-start') emit(event);
  };
}

function assertAny(figures: RunFigures, path: string): void {
  if (figures.pretext || figures.draws.length > 0) return;
  throw new QuarterturnError('checkpoint', `${path}: expected a finished stage. Received: none.`, {
    hint: `Go on with: ${resumeCommand(path)}`,
  });
}
