import { QuarterturnError } from '../errors.js';
import { loadPretrained } from '../recipes/backbone.js';
import { withLocatedLabels } from '../recipes/labels.js';
import { assertScalable } from '../recipes/plan/budget.js';
import { assertFits, run, stagesOfConfig } from '../recipes/run.js';
import { type RunSettings, settingsOfConfig } from '../recipes/settings.js';
import { finetuneName } from '../recipes/stages/finetune.js';
import { pretrainName } from '../recipes/stages/pretrain.js';
import { allStages, stageNamed, stagesOf } from '../recipes/stages/registry.js';
import { createNodeRuntime } from '../runtime/node.js';
import { encodeJson } from '../store/checkpoint.js';
import { fingerprintIn } from '../store/fingerprint.js';
import { RunFolder } from '../store/run-folder.node.js';
import { type RunRecord, type RunResult, resultSchema } from '../store/run-record.js';
import type { Tensors } from '../tensor/tensor.js';
import { settingsWithin } from './budget.js';
import { environmentOf, type Place, type PlaceFlags, peakMemoryBytes, placeOf, readData } from './place.js';
import { formatRun, readConfig, resumeCommand, writeReport } from './run-report.js';
import { assertGoingOn, inSession, type Session } from './session.js';
import {
  assertSameLabels,
  assertUnchanged,
  chosenSettings,
  type SettingFlags,
  type StageSettingsName,
} from './settings.js';
import { timestamp } from './timestamp.js';

export interface TrainFlags extends SettingFlags, PlaceFlags {
  readonly out?: string;
  /** Run whose pretrained backbone and settings fine-tuning takes. */
  readonly from?: string;
  readonly resume?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What a training command is about to do. */
interface Plan {
  readonly settings: RunSettings;
  readonly stages: readonly string[];
  readonly place: Place;
  readonly backbone?: Tensors;
  /** Where the backbone comes from: that run's folder and `config.json`. */
  readonly source?: { readonly path: string; readonly config: Readonly<Record<string, unknown>> };
  /** Time, from the prompt, that the settings' steps are still to be fitted to. */
  readonly budgetMs?: number | undefined;
}

/** The whole of a run, or one stage of it alone. */
export type TrainCommand = 'run' | StageSettingsName;

/** `quarterturn run`, or one stage of it alone. */
export async function train(command: TrainCommand, flags: TrainFlags): Promise<void> {
  const stopping = 'Saving after this step. Ctrl-C once more stops at once.';
  const output = await inSession({ quiet: flags.quiet, stopping }, async (session) => {
    const { result, report, config } =
      flags.resume === undefined
        ? await startRun(command, flags, session)
        : await resumeRun(command, flags.resume, flags, session);
    return flags.json ? `${encodeJson('result', result, 2)}\n` : `${formatRun(result, report, config)}\n`;
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

async function startRun(command: TrainCommand, flags: TrainFlags, session: Session): Promise<Outcome> {
  const plan = flags.from === undefined ? await newPlan(command, flags) : await planFrom(flags.from, flags);
  const name = command === 'run' ? plan.settings.preset : `${plan.settings.preset}-${command}`;
  const path = flags.out ?? `runs/${name}-${timestamp(new Date())}`;
  // The folder comes last: what fails before leaves nothing behind.
  return execute(plan, session, () => RunFolder.create(path));
}

async function resumeRun(
  command: TrainCommand,
  path: string,
  flags: TrainFlags,
  session: Session,
): Promise<Outcome> {
  const folder = await RunFolder.open(path);
  try {
    const config = await readConfig(folder);
    const settings = settingsOfConfig(config, path);
    assertUnchanged(flags, settings, epochsOf(command), path);
    await assertSameLabels(flags, settings, path);
    const place = placeOf(flags, config);
    const before = stagesOfConfig(config);
    const stages = allStages
      .map(({ name }) => name)
      .filter((name) => before.includes(name) || name === command);
    const saved = resultSchema.safeParse(await folder.readJson('result'));
    if (saved.success && stages.every((stage) => isFinished(saved.data, stage))) {
      session.emit({ type: 'note', text: `${path} is complete: nothing to train.` });
      return { result: saved.data, report: await writeReport(folder), config };
    }
    return await execute({ settings, stages, place }, session, async () => folder);
  } finally {
    await folder.close();
  }
}

async function newPlan(command: TrainCommand, flags: TrainFlags): Promise<Plan> {
  const settings = await chosenSettings(flags, epochsOf(command));
  if (flags.budget !== undefined) assertScalable(settings);
  return {
    settings,
    budgetMs: flags.budget,
    stages: command === 'run' ? stagesOf(settings) : [command],
    place: placeOf(flags),
  };
}

/** Fine-tuning on the backbone, the settings and the data of another run. */
async function planFrom(path: string, flags: TrainFlags): Promise<Plan> {
  const source = await RunFolder.open(path, { readOnly: true });
  const config = await readConfig(source);
  // The steps that fine-tuning has are no longer counted out for that run's budget.
  const { budgetMs: _, ...base } = settingsOfConfig(config, path);
  return {
    settings: await chosenSettings(flags, finetuneName, base),
    stages: [finetuneName],
    place: placeOf(flags, config),
    backbone: await loadPretrained(source, base),
    source: { path, config },
  };
}

async function execute(plan: Plan, session: Session, openFolder: () => Promise<RunFolder>): Promise<Outcome> {
  const { stages, place, backbone, source, budgetMs } = plan;
  const runtime = await createNodeRuntime(place);
  const data = await readData(place, session.emit, source?.config);
  const located = await withLocatedLabels({ settings: plan.settings, data, runtime, ...session });
  assertFits(located, stages);
  assertGoingOn(session);
  const settings =
    budgetMs === undefined ? located.settings : await settingsWithin(located, { budgetMs, stages });
  assertGoingOn(session);
  const folder = await openFolder();
  session.emit({ type: 'note', text: `Run   ${folder.name}` });
  try {
    const result = await run(
      { ...located, settings, store: folder },
      { stages, backbone, environment: { ...environmentOf(place), ...originOf(source) }, peakMemoryBytes },
    );
    return { result, report: await writeReport(folder), config: await readConfig(folder) };
  } catch (error) {
    if (!(error instanceof QuarterturnError) || error.code !== 'interrupted') throw error;
    throw new QuarterturnError('interrupted', error.message, {
      hint: `Go on with: ${resumeCommand(folder.name)}`,
      cause: error,
    });
  } finally {
    await folder.close();
  }
}

/** What `config.json` keeps of a backbone that was pretrained in another run, maybe on other data. */
function originOf(source: Plan['source']): Record<string, unknown> {
  return source ? { backboneFrom: { run: source.path, data: fingerprintIn(source.config) ?? null } } : {};
}

/** Whether a stage has left a figure, or has failed and would again. */
function isFinished(result: RunResult, stage: string): boolean {
  const hasFigure = stageNamed(stage).figures.some((figure) => result[figure] !== null);
  return hasFigure || result.failures.some((failure) => failure.stage === stage);
}

/** The stage that `--epochs` speaks of. */
function epochsOf(command: TrainCommand): StageSettingsName {
  return command === 'run' ? pretrainName : command;
}
