import fs from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';
import {
  handOver,
  meanCost,
  suggestedLabels,
  trainsAlike,
  type Variant,
  variantStages,
  variants,
} from '../recipes/ablation.js';
import { loadPretrained } from '../recipes/backbone.js';
import { networkFor, type RecipeContext } from '../recipes/context.js';
import { withLocatedLabels } from '../recipes/labels.js';
import { assertScalable } from '../recipes/plan/budget.js';
import { measureSpeeds } from '../recipes/plan/measure-speeds.js';
import { predictMs } from '../recipes/plan/run-cost.js';
import { assertFits, run } from '../recipes/run.js';
import { parseSettings, type RunSettings, settingsOfConfig } from '../recipes/settings.js';
import { finetuneName } from '../recipes/stages/finetune.js';
import { pretrainName } from '../recipes/stages/pretrain.js';
import { stagesOf } from '../recipes/stages/registry.js';
import type { Speeds } from '../recipes/stages/speeds.js';
import { type Cost, costOf } from '../recipes/stages.js';
import { type AblationRow, ablationRow, ablationTable } from '../report/ablation.js';
import { formatDuration } from '../report/format.js';
import { createNodeRuntime } from '../runtime/node.js';
import { ioError } from '../store/atomic-file.node.js';
import { assertSameData, assertSameSettings, fingerprintIn, fingerprintOf } from '../store/fingerprint.js';
import { RunFolder } from '../store/run-folder.node.js';
import { resultSchema } from '../store/run-record.js';
import type { Tensors } from '../tensor/tensor.js';
import { type Ablation, AblationFolder, encodeAblation } from './ablation-folder.js';
import { settingsWithin } from './budget.js';
import { shellPath, shownPath } from './paths.js';
import { environmentOf, type PlaceFlags, peakMemoryBytes, placeOf, readData } from './place.js';
import { readConfig, writeReport } from './run-report.js';
import { assertGoingOn, inSession, type Session } from './session.js';
import { assertUnchanged, chosenSettings, type SettingFlags } from './settings.js';
import { timestamp } from './timestamp.js';

export interface AblateFlags extends SettingFlags, PlaceFlags {
  readonly variants?: readonly string[];
  readonly out?: string;
  readonly resume?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Labels are drawn this often where nothing else is said: fewer tell nothing of the spread. */
const usualDraws = 3;

const pretrainingName = 'pretraining';

/** Train what is missing, and print the table. */
export async function ablate(flags: AblateFlags): Promise<void> {
  const stopping = 'Saving after this step. Ctrl-C once more stops at once.';
  const output = await inSession({ quiet: flags.quiet, stopping }, async (session) => {
    const path = flags.resume ?? flags.out ?? `runs/ablate-${timestamp(new Date())}`;
    const { ablation, tablePath } = await measured(path, flags, session);
    if (flags.json) return encodeAblation({ folder: path, ...ablation });
    const table = ablationTable(ablation.rows, { columns: process.stdout.columns || 80 });
    return `\n${table}\n\nTable  ${shownPath(tablePath)}\n`;
  });
  process.stdout.write(output);
}

interface Measured {
  readonly ablation: Ablation;
  readonly tablePath: string;
}

async function measured(path: string, flags: AblateFlags, session: Session): Promise<Measured> {
  const opened = await AblationFolder.open(path);
  if (!opened && flags.resume !== undefined) {
    throw new QuarterturnError(
      'checkpoint',
      `${path}: expected a folder of quarterturn ablate. Received: one without a table.`,
      { hint: 'Check the path; a new table is begun without --resume.' },
    );
  }
  let folder = opened;
  try {
    const before = opened?.before;
    const { ablation, blocks, context } = await planned(path, before, flags, session);
    // A new folder comes last: what fails before leaves nothing behind.
    folder ??= await AblationFolder.create(path);
    await folder.write(ablation);
    session.emit({ type: 'note', text: `Table ${path}` });
    return {
      ablation: await new AblationRuns(folder, ablation, blocks, context).measure(),
      tablePath: folder.tablePath,
    };
  } catch (error) {
    if (folder === undefined || !(error instanceof QuarterturnError) || error.code !== 'interrupted')
      throw error;
    throw new QuarterturnError('interrupted', error.message, {
      hint: `Go on with: quarterturn ablate --resume ${shellPath(path)}`,
      cause: error,
    });
  } finally {
    await folder?.close();
  }
}

/** @throws QuarterturnError `data` where nothing could be put into the table */
function assertTestSet({ train, test }: DataSource): void {
  if (test) return;
  throw new QuarterturnError('data', `${train.images.name}: expected a test set beside it. Received: none.`, {
    hint: 'The table compares variants on test images: add t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte.',
  });
}

/** What the variants run in. */
type AblationContext = Omit<RecipeContext, 'settings' | 'store'>;

/** What is to be measured, and on what. */
async function planned(
  path: string,
  before: Ablation | undefined,
  flags: AblateFlags,
  session: Session,
): Promise<{ readonly ablation: Ablation; readonly blocks: number; readonly context: AblationContext }> {
  if (before) assertUnchanged(flags, before.settings, pretrainName, path);
  const asked = before?.settings ?? (await wholeRecipe(flags));
  const place = placeOf(flags, before?.environment);
  const runtime = await createNodeRuntime(place);
  const data = await readData(place, session.emit);
  if (before) assertSameData(path, fingerprintIn(before.environment), data);
  const context = { data, runtime, ...session };
  const located = await withLocatedLabels({ ...context, settings: asked });
  const whole = located.settings;
  assertFits(located, [pretrainName, finetuneName]);
  assertTestSet(data);
  assertGoingOn(session);
  const settings =
    before || flags.budget === undefined
      ? whole
      : await fittedTo(flags.budget, { ...context, settings: whole });
  const blocks = networkFor(settings.network, data.train.images, 2).blocks.length;
  const names = chosenNames(flags.variants, before?.variants, (variant) =>
    variant.change(settings, { blocks, suggested: undefined }),
  );
  const environment = { ...environmentOf(place), device: place.device, data: fingerprintOf(data) };
  const ablation: Ablation = {
    startedAt: before?.startedAt ?? new Date().toISOString(),
    settings,
    variants: names,
    environment: before?.environment ?? environment,
    rows: before?.rows ?? [],
  };
  return { ablation, blocks, context };
}

async function wholeRecipe(flags: AblateFlags): Promise<RunSettings> {
  const settings = await chosenSettings(flags, pretrainName);
  if (flags.budget !== undefined) assertScalable(settings);
  const usual = settings.labels || settings.draws > 1 ? settings.draws : usualDraws;
  return { ...settings, draws: flags.draws ?? usual };
}

/** The budget is that of one run of the whole recipe on one choice of labels: every variant has its steps. */
async function fittedTo(budgetMs: number, context: Omit<RecipeContext, 'store'>): Promise<RunSettings> {
  const settings = { ...context.settings, draws: 1 };
  const fitted = await settingsWithin({ ...context, settings }, { budgetMs });
  return { ...fitted, draws: context.settings.draws };
}

/**
 * The variants to measure: those asked for beside those that the folder has, all that the recipe can have by default.
 * @throws QuarterturnError `usage` for one that there is not, or that the recipe cannot have
 */
export function chosenNames(
  asked: readonly string[] | undefined,
  before: readonly string[] | undefined,
  settingsOf: (variant: Variant) => RunSettings | undefined,
): readonly string[] {
  const possible = variants.filter((variant) => settingsOf(variant) !== undefined).map(({ name }) => name);
  const wrong = (asked ?? []).filter((name) => !possible.includes(name));
  if (wrong.length > 0) {
    throw new QuarterturnError(
      'usage',
      `--variants: expected some of ${possible.join(', ')} for this recipe. Received: ${wrong.join(', ')}.`,
    );
  }
  return possible.filter((name) => {
    if (before?.includes(name)) return true;
    return asked ? asked.includes(name) : before === undefined;
  });
}

/** A variant with its settings, and where its run lies. */
interface PlannedRun {
  readonly variant: Variant;
  readonly settings: RunSettings;
  /** Beside pretraining. */
  readonly stages: readonly string[];
  readonly path: string;
}

/** Measures the variants of one table, each in its run folder. */
class AblationRuns {
  readonly #folder: AblationFolder;
  readonly #context: AblationContext;
  readonly #blocks: number;
  #ablation: Ablation;
  #speeds: Speeds | undefined;
  /** How much slower than measured at first the runs really are. */
  #slowness = 1;

  constructor(folder: AblationFolder, ablation: Ablation, blocks: number, context: AblationContext) {
    this.#folder = folder;
    this.#ablation = ablation;
    this.#blocks = blocks;
    this.#context = context;
  }

  async measure(): Promise<Ablation> {
    const chosen = variants.filter(({ name }) => this.#ablation.variants.includes(name));
    const planned = chosen.map((variant) => this.#plan(variant));
    const known = new Map<string, AblationRow>();
    for (const each of planned) {
      const row = await this.#rowOf(each);
      if (row) known.set(each.variant.name, row);
    }
    const missing = planned.filter(({ variant }) => !known.has(variant.name));
    if (missing.length === 0) {
      this.#note(`${this.#folder.path} is complete: nothing to train.`);
    } else {
      const { settings } = this.#ablation;
      const stages = new Set([...stagesOf(settings), ...missing.flatMap(({ stages }) => stages)]);
      this.#speeds = await measureSpeeds({ ...this.#context, settings }, { stages: [...stages] });
      if (missing.some(({ stages }) => stages.includes(finetuneName))) await this.#pretrain();
    }
    for (const each of missing) {
      const { variant } = each;
      const at = planned.indexOf(each);
      const eta = formatDuration(this.#predictedMs(missing.slice(missing.indexOf(each)), planned));
      this.#note(`Variant ${at + 1} of ${planned.length}: ${variant.title}  (ETA of all ${eta})`);
      const row = await this.#train(each, planned);
      if (row) known.set(variant.name, row);
      else this.#note(`${variant.title}: a stage of it came to nothing, so that the table is without it.`);
      await this.#save(planned.flatMap(({ variant }) => known.get(variant.name) ?? []));
    }
    await this.#save(planned.flatMap(({ variant }) => known.get(variant.name) ?? []));
    return this.#ablation;
  }

  #plan(variant: Variant, suggested?: RunSettings['labels']): PlannedRun {
    const { settings } = this.#ablation;
    const changed = variant.change(settings, { blocks: this.#blocks, suggested: suggested ?? undefined });
    const parsed = parseSettings(changed);
    const stages = variantStages(variant, parsed);
    return { variant, settings: parsed, stages, path: join(this.#folder.path, variant.name) };
  }

  #note(text: string): void {
    this.#context.emit({ type: 'note', text });
  }

  async #save(rows: readonly AblationRow[]): Promise<void> {
    this.#ablation = { ...this.#ablation, rows };
    await this.#folder.write(this.#ablation);
  }

  /** What a finished run tells; undefined where it is not finished. */
  async #rowOf(planned: PlannedRun): Promise<AblationRow | undefined> {
    const { variant, stages, path } = planned;
    const store = await openedToRead(path);
    const saved = resultSchema.safeParse(await store?.readJson('result'));
    if (!store || !saved.success) return undefined;
    const result = saved.data;
    const settings = await this.#settingsOf(store);
    // Which labels were suggested, only its own folder knows.
    assertSameSettings(
      path,
      settings,
      variant.suggests ? { ...planned.settings, labels: settings.labels } : planned.settings,
    );
    const metrics = result.draws.map((draw) => draw[variant.figure]);
    if (metrics.length < settings.draws || metrics.some((figure) => figure === null)) return undefined;
    const pretraining = stages.includes(finetuneName) ? await this.#pretrainingCost() : undefined;
    const cost = await meanCost(stages, { store, settings }, pretraining);
    return ablationRow(
      variant,
      metrics.map((figure) => figure!.accuracy),
      cost,
    );
  }

  /**
   * The settings of a run below this folder.
   * @throws QuarterturnError `checkpoint` where it is one on other data, whatever brought it here
   */
  async #settingsOf(store: RunFolder): Promise<RunSettings> {
    const config = await readConfig(store);
    const { data } = this.#context;
    assertSameData(store.name, fingerprintIn(config), data);
    const located = await withLocatedLabels({ settings: settingsOfConfig(config, store.name), data });
    return located.settings;
  }

  async #pretrainingCost(): Promise<Cost | undefined> {
    const store = await openedToRead(this.#pretrainingPath);
    return store && costOf({ store }, pretrainName, 0);
  }

  get #pretrainingPath(): string {
    return join(this.#folder.path, pretrainingName);
  }

  get #pretrainingSettings(): RunSettings {
    return { ...this.#ablation.settings, draws: 1, selfTrain: null };
  }

  /** The backbone of all variants that start from one. */
  async #pretrain(): Promise<void> {
    const settings = this.#pretrainingSettings;
    const store = await openedToRead(this.#pretrainingPath);
    if (store && (await store.readJson('result'))) {
      return assertSameSettings(store.name, await this.#settingsOf(store), settings);
    }
    this.#note('Shared by the variants: rotation pretraining');
    await this.#run(this.#pretrainingPath, settings, [pretrainName], async () => undefined);
  }

  /** @returns undefined where a stage came to nothing */
  async #train(planned: PlannedRun, all: readonly PlannedRun[]): Promise<AblationRow | undefined> {
    const { variant, stages, path } = planned;
    const settings = variant.suggests ? await this.#withSuggestedLabels(planned) : planned.settings;
    const predicted = this.#predictedMs([planned], all) / this.#slowness;
    const started = performance.now();
    await this.#run(path, settings, stages, async (store) => {
      for (const other of all) {
        const from = other === planned ? undefined : await openedToRead(other.path);
        if (!from || !(await from.readJson('config'))) continue;
        const theirs = await this.#settingsOf(from);
        for (const stage of stages) {
          await handOver(stage, { store: from, settings: theirs }, { store, settings });
        }
      }
      if (!stages.includes(finetuneName)) return undefined;
      const pretraining = await RunFolder.open(this.#pretrainingPath, { readOnly: true });
      return loadPretrained(pretraining, this.#pretrainingSettings);
    });
    this.#slowness = Math.max(0.2, Math.min(5, (performance.now() - started) / predicted));
    return this.#rowOf({ ...planned, settings });
  }

  async #withSuggestedLabels({ variant, path }: PlannedRun): Promise<RunSettings> {
    const begun = await openedToRead(path);
    if (begun && (await begun.readJson('config'))) return this.#settingsOf(begun);
    const store = await RunFolder.open(this.#pretrainingPath, { readOnly: true });
    const labels = await suggestedLabels({ ...this.#context, settings: this.#pretrainingSettings, store });
    return this.#plan(variant, labels).settings;
  }

  async #run(
    path: string,
    settings: RunSettings,
    stages: readonly string[],
    prepare: (store: RunFolder) => Promise<Tensors | undefined>,
  ): Promise<void> {
    const begun = await holdsRun(path);
    // Records that were handed over to a run that was killed before it began are of no use.
    if (!begun) await fs.rm(join(path, 'metrics.jsonl'), { force: true });
    const store = begun ? await RunFolder.open(path) : await RunFolder.create(path);
    try {
      const backbone = await prepare(store);
      const { environment } = this.#ablation;
      await run({ ...this.#context, settings, store }, { stages, backbone, environment, peakMemoryBytes });
      await writeReport(store);
    } finally {
      await store.close();
    }
  }

  /** Time of some runs, what an earlier variant trains for them not counted. */
  #predictedMs(runs: readonly PlannedRun[], all: readonly PlannedRun[]): number {
    const ms = runs.map((each) => {
      const earlier = all.slice(0, all.indexOf(each));
      const own = each.stages.filter(
        (stage) =>
          !earlier.some(
            ({ variant, settings, stages }) =>
              !variant.suggests &&
              !each.variant.suggests &&
              stages.includes(stage) &&
              trainsAlike(settings, each.settings, stage),
          ),
      );
      return predictMs(each.settings, own, this.#speeds!);
    });
    return this.#slowness * ms.reduce((sum, each) => sum + each, 0);
  }
}

async function openedToRead(path: string): Promise<RunFolder | undefined> {
  return (await holdsRun(path)) ? RunFolder.open(path, { readOnly: true }) : undefined;
}

async function holdsRun(path: string): Promise<boolean> {
  try {
    const entries = await fs.readdir(path);
    return entries.includes('config.json') || (await fs.readdir(join(path, 'checkpoints'))).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw ioError('read', path, error);
  }
}
