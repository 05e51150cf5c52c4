import { QuarterturnError } from '../errors.js';
import { readDoubts } from '../recipes/doubts.js';
import { readLabelNeeds } from '../recipes/label-needs.js';
import { assertScalable } from '../recipes/plan/budget.js';
import { type RunSettings, settingsOfConfig } from '../recipes/settings.js';
import { finetuneName } from '../recipes/stages/finetune.js';
import { pretrainName } from '../recipes/stages/pretrain.js';
import { finishedResult, readConfig, stagesToResume } from '../runs/finished-run.js';
import { cpuMs, peakMemoryBytes } from '../runs/process-usage.node.js';
import { type Run, resumeRun, startRun } from '../runs/start-run.js';
import { createNodeRuntime } from '../runtime/node.js';
import { encodeJson } from '../store/checkpoint.js';
import { RunFolder } from '../store/run-folder.node.js';
import type { RunRecord, RunResult } from '../store/run-record.js';
import type { EncoderFlags } from './encoder-options.js';
import { withLabelTable } from './labels-file.js';
import { openRun } from './named-path.js';
import { encoderOfSettings, givenEncoder, withEncoder } from './open-encoder.js';
import { shownPath } from './paths.js';
import { environmentHere, type PlaceFlags, placeOf, readData, writeSkipped } from './place.js';
import { withProjectLabels } from './project-of-data.js';
import { formatRun, resumeCommand, writeReport } from './run-report.js';
import { inSession, type Session } from './session.js';
import {
  assertSameLabels,
  assertUnchanged,
  chosenSettings,
  type SettingFlags,
  type StageSettingsName,
  withLabelsInData,
} from './settings.js';
import { timestamp } from './timestamp.js';

export interface TrainFlags extends SettingFlags, PlaceFlags, EncoderFlags {
  readonly out?: string;
  /** Run whose pretrained backbone and settings fine-tuning takes. */
  readonly from?: string;
  readonly resume?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The whole of a run, or one stage of it alone. */
export type TrainCommand = 'run' | StageSettingsName;

/** `quarterturn run`, or one stage of it alone. */
export async function train(command: TrainCommand, typed: TrainFlags): Promise<void> {
  const flags = await withLabelTable(typed);
  const stopping = 'Saving after this step. Ctrl-C once more stops at once.';
  const output = await inSession({ quiet: flags.quiet, stopping }, async (session) => {
    const { result, report, config } =
      flags.resume === undefined
        ? await startInFolder(command, flags, session)
        : await resumeInFolder(command, flags.resume, flags, session);
    if (flags.json) return `${encodeJson('result', result, 2)}\n`;
    const store = await RunFolder.open(result.run, { readOnly: true });
    const [doubts, needs] = [await readDoubts(store), await readLabelNeeds(store)];
    return `${formatRun(result, { report, config, needs, ...(doubts && { doubts }) })}\n`;
  });
  process.stdout.write(output);
}

interface Outcome {
  readonly result: RunResult;
  /** Path of `report.html`. */
  readonly report: string;
  /** The run's `config.json`. */
  readonly config: RunRecord['config'];
}

async function startInFolder(command: TrainCommand, typed: TrainFlags, session: Session): Promise<Outcome> {
  const source = typed.from === undefined ? undefined : await sourceOf(typed.from);
  const chosenBy = (flags: TrainFlags): Promise<RunSettings> =>
    source ? chosenSettings(flags, finetuneName, source.settings) : chosenSettings(flags, epochsOf(command));
  const asked = await chosenBy(typed);
  const needsLabels = command !== pretrainName && asked.labels === null;
  const flags = needsLabels ? await withProjectLabels(typed, session) : typed;
  const chosen = flags === typed ? asked : await chosenBy(flags);
  if (flags.budget !== undefined) assertScalable(chosen);
  const name = command === 'run' ? chosen.preset : `${chosen.preset}-${command}`;
  const path = flags.out ?? `runs/${name}-${timestamp(new Date())}`;
  const place = placeOf(flags, source?.config);
  const runtime = await createNodeRuntime(place);
  const encoder = await givenEncoder(flags, { runtime, session, before: chosen.encoder });
  const data = await readData({ ...place, largestSide: encoder?.input.height }, session, source?.config);
  const settings = withEncoder(withLabelsInData(data, chosen, flags), { encoder, data, flags });
  let folder: RunFolder | undefined;
  const run = startRun({
    ...{ settings, data, runtime, encoder, peakMemoryBytes },
    stages: command === 'run' ? undefined : [command],
    from: source?.folder,
    environment: environmentHere(place, data),
    budgetMs: flags.budget,
    // The clock of this process began with the prompt.
    spentMs: () => performance.now(),
    cpuMs,
    signal: session.signal,
    batchMakerFor: session.batchMakerFor,
    // The folder comes last: what fails before leaves nothing behind.
    store: async () => {
      folder = await RunFolder.create(path);
      const list = await writeSkipped(path, data);
      if (list !== undefined) session.note(`All that was set aside is listed in ${shownPath(list)}`);
      return folder;
    },
  });
  return finished(run, () => folder, session);
}

async function resumeInFolder(
  command: TrainCommand,
  path: string,
  flags: TrainFlags,
  session: Session,
): Promise<Outcome> {
  const folder = await openRun(path, {
    hint: 'Check the path; a new run is started without --resume.',
  });
  try {
    const config = await readConfig(folder);
    const settings = settingsOfConfig(config, path);
    assertUnchanged(flags, settings, epochsOf(command), path);
    await assertSameLabels(flags, settings, path);
    const place = placeOf(flags, config);
    const stages = stagesToResume(config, command === 'run' ? [] : [command]);
    const result = await finishedResult(folder, stages);
    if (result) {
      // Neither kernels nor data are needed.
      session.emit({ type: 'already-finished', run: path });
      return { result, report: await writeReport(folder), config };
    }
    const runtime = await createNodeRuntime(place);
    const encoder = await encoderOfSettings(settings.encoder, { runtime, session, cacheFolder: flags.cache });
    const data = await readData(place, session);
    const { signal, batchMakerFor } = session;
    const run = resumeRun({
      ...{ store: folder, data, runtime, encoder, stages, signal, peakMemoryBytes, batchMakerFor },
    });
    return await finished(run, () => folder, session);
  } finally {
    await folder.close();
  }
}

/** Show what a run tells until it ends, and write its report. */
async function finished(
  { events, result }: Run,
  folderOf: () => RunFolder | undefined,
  session: Session,
): Promise<Outcome> {
  try {
    for await (const event of events) session.emit(event);
    const outcome = await result;
    const folder = folderOf();
    if (!folder) throw new Error('a run that is finished has a folder');
    return { result: outcome.result, report: await writeReport(folder), config: await readConfig(folder) };
  } catch (error) {
    const folder = folderOf();
    if (!folder || !(error instanceof QuarterturnError) || error.code !== 'interrupted') throw error;
    throw new QuarterturnError('interrupted', error.message, {
      hint: `Go on with: ${resumeCommand(folder.name)}`,
      cause: error.cause,
    });
  } finally {
    await folderOf()?.close();
  }
}

/** A run whose backbone, settings and data fine-tuning takes. */
async function sourceOf(path: string) {
  const folder = await openRun(path, { readOnly: true });
  const config = await readConfig(folder);
  // The steps that fine-tuning has are no longer counted out for that run's budget.
  const { budgetMs: _, ...settings }: RunSettings = settingsOfConfig(config, path);
  return { folder, config, settings };
}

/** The stage that `--epochs` speaks of. */
function epochsOf(command: TrainCommand): StageSettingsName {
  return command === 'run' ? pretrainName : command;
}
