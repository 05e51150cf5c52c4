import type { Command } from 'commander';
import { QuarterturnError } from '../errors.js';
import { evaluateRun } from '../recipes/run.js';
import { settingsOfConfig } from '../recipes/settings.js';
import type { RunFigures } from '../recipes/stages.js';
import { notebookFor } from '../report/comparison.js';
import { readConfig } from '../runs/finished-run.js';
import { dataDifference, fingerprintIn } from '../store/fingerprint.js';
import type { RunEventListener } from '../store/run-event.js';
import { RunFolder } from '../store/run-folder.node.js';
import { dataOptions } from './data-options.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shownPath } from './paths.js';
import { type PlaceFlags, placeOf, readData } from './place.js';
import { formatFigures, resumeCommand } from './run-report.js';
import { inSession } from './session.js';

interface EvaluateFlags extends PlaceFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `quarterturn evaluate`: the figures once more, from the checkpoints. */
export function addEvaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .summary("a run's figures once more, from its checkpoints")
    .description(
      'Evaluate every finished stage of a run again, from its checkpoints and on its data. Nothing is trained and nothing written.',
    )
    .argument('<run>', 'folder of the run');
  addGroup(command, 'Where:', [...dataOptions(), option.device(), option.threads()]);
  addOutputGroup(command, [option.json('the figures'), option.quiet()]);
  addExamples(command, [
    ['quarterturn evaluate runs/five', 'the figures must be those of its result.json'],
    ['quarterturn evaluate runs/five --device webgpu', 'the same weights on other kernels'],
  ]);
  command.action(evaluate);
}

async function evaluate(path: string, flags: EvaluateFlags): Promise<void> {
  const output = await inSession({ quiet: flags.quiet, stopping: 'Stopping.' }, async (session) => {
    const store = await RunFolder.open(path, { readOnly: true });
    const config = await readConfig(store);
    const settings = settingsOfConfig(config, path);
    const place = placeOf(flags, config);
    const { createNodeRuntime } = await import('../runtime/node.js'); // a slow start, which other commands need not have
    const runtime = await createNodeRuntime(place);
    const data = await readData(place, session, config);
    const emit = evaluationsOnly(session.emit);
    const figures = await evaluateRun({ settings, data, runtime, store, signal: session.signal, emit });
    assertAny(figures, path);
    const sameData = dataDifference(fingerprintIn(config), data) === undefined;
    if (flags.json) {
      const { preset, seed } = settings;
      const evaluated = { origin: data.origin, ofTheRun: sameData };
      return `${JSON.stringify({ run: path, preset, seed, data: evaluated, ...figures }, null, 2)}\n`;
    }
    const title = sameData
      ? ''
      : `On ${place.dataFolder === null ? 'MNIST' : shownPath(place.dataFolder)}, which is other data than that of the run:\n\n`;
    return `\n${title}${formatFigures(figures, notebookFor(data.checksums))}\n`;
  });
  process.stdout.write(output);
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
