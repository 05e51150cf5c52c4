import fs from 'node:fs/promises';
import { join } from 'node:path';
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
import { loadPretrained, type Weights } from '../recipes/backbone.js';
import { assertScalable } from '../recipes/budget.js';
import { networkFor, type RecipeContext } from '../recipes/context.js';
import { measureSpeeds } from '../recipes/measure-speeds.js';
import { assertFits, run } from '../recipes/run.js';
import { predictMs, type Speeds } from '../recipes/run-cost.js';
import { parseSettings, type RunSettings, settingsOfConfig } from '../recipes/settings.js';
import { type Cost, costOf } from '../recipes/stages.js';
import { type AblationRow, ablationMarkdown, ablationRow, ablationTable } from '../report/ablation.js';
import { formatDuration } from '../report/format.js';
import { createNodeRuntime } from '../runtime/node.js';
import { ioError, readFileIfThere, writeFileAtomically } from '../train/atomic-file.node.js';
import { decodeJson, encodeJson } from '../train/checkpoint.js';
import { RunFolder } from '../train/run-folder.node.js';
import type { RunResult, StageName } from '../train/run-record.js';
import { settingsWithin } from './budget.js';
import { shownPath } from './paths.js';
import { environmentOf, type PlaceFlags, peakMemoryBytes, placeOf, readData } from './place.js';
import { writeReport } from './run-report.js';
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

/** `ablation.json`: what was asked for, and the table as far as it is known. */
interface Ablation {
  readonly startedAt: string;
  /** The whole recipe. */
  readonly settings: RunSettings;
  /** In the order of the table. */
  readonly variants: readonly string[];
  readonly environment: Readonly<Record<string, unknown>>;
  readonly rows: readonly AblationRow[];
}

/** Labels are drawn this often where nothing else is said: fewer tell nothing of the spread. */
const usualDraws = 3;

const documentName = 'ablation.json';
const tableName = 'ablation.md';
const pretrainingName = 'pretraining';

/** Train what is missing, and print the table. */
export async function ablate(flags: AblateFlags): Promise<void> {
  const stopping = 'Saving after this step. Ctrl-C once more stops at once.';
  const output = await inSession({ quiet: flags.quiet, stopping }, async (session) => {
    const folder = flags.resume ?? flags.out ?? `runs/ablate-${timestamp(new Date())}`;
    const ablation = await measured(folder, flags, session);
    if (flags.json) return `${encodeJson(documentName, { folder, ...ablation }, 2)}\n`;
    const table = ablationTable(ablation.rows, { columns: process.stdout.columns || 80 });
    return `\n${table}\n\nTable  ${shownPath(join(folder, tableName))}\n`;
  });
  process.stdout.write(output);
}

async function measured(folder: string, flags: AblateFlags, session: Session): Promise<Ablation> {
  const before = await readAblation(folder);
  if (!before && flags.resume !== undefined) {
    throw new QuarterturnError(
      'checkpoint',
      `${folder}: expected a folder of quarterturn ablate. Received: one without ${documentName}.`,
      { hint: 'Check the path; a new table is begun without --resume.' },
    );
  }
  if (before) assertUnchanged(flags, before.settings, 'pretrain', folder);
  const whole = before?.settings ?? (await wholeRecipe(flags));
  const place = placeOf(flags, before?.environment);
  const runtime = await createNodeRuntime(place);
  const data = await readData(place, session.emit);
  assertFits({ settings: whole, data }, ['pretrain']);
  assertGoingOn(session);
  const context = { data, runtime, ...session };
  const settings =
    before || flags.budget === undefined
      ? whole
      : await fittedTo(flags.budget, { ...context, settings: whole });
  const blocks = networkFor(settings.network, data.train, 2, 0).blocks.length;
  const names = chosenNames(flags.variants, before?.variants, (variant) =>
    variant.change(settings, { blocks, suggested: undefined }),
  );
  const environment = {
    ...environmentOf(place),
    device: place.device,
    data: { origin: data.origin, checksums: data.checksums },
  };
  const ablation: Ablation = {
    startedAt: before?.startedAt ?? new Date().toISOString(),
    settings,
    variants: names,
    environment: before?.environment ?? environment,
    rows: before?.rows ?? [],
  };
  try {
    await writeAblation(folder, ablation);
    session.emit({ type: 'note', text: `Table ${folder}` });
    return await new AblationRuns(folder, ablation, blocks, context).measure();
  } catch (error) {
    if (!(error instanceof QuarterturnError) || error.code !== 'interrupted') throw error;
    throw new QuarterturnError('interrupted', error.message, {
      hint: `Go on with: quarterturn ablate --resume ${shownPath(folder)}`,
      cause: error,
    });
  }
}

async function wholeRecipe(flags: AblateFlags): Promise<RunSettings> {
  const settings = await chosenSettings(flags, 'pretrain');
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
  readonly stages: readonly StageName[];
  readonly path: string;
}

/** Measures the variants of one table, each in its run folder. */
class AblationRuns {
  readonly #folder: string;
  readonly #context: Omit<RecipeContext, 'settings' | 'store'>;
  readonly #blocks: number;
  #ablation: Ablation;
  #speeds: Speeds | undefined;
  /** How much slower than measured at first the runs really are. */
  #slowness = 1;

  constructor(
    folder: string,
    ablation: Ablation,
    blocks: number,
    context: Omit<RecipeContext, 'settings' | 'store'>,
  ) {
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
      this.#note(`${this.#folder} is complete: nothing to train.`);
    } else {
      const { settings } = this.#ablation;
      this.#speeds = await measureSpeeds({ ...this.#context, settings });
      if (missing.some(({ stages }) => stages.includes('finetune'))) await this.#pretrain();
    }
    for (const each of missing) {
      const { variant } = each;
      const at = planned.indexOf(each);
      const eta = formatDuration(this.#predictedMs(missing.slice(missing.indexOf(each)), planned));
      this.#note(`Variant ${at + 1} of ${planned.length}: ${variant.title}  (ETA of all ${eta})`);
      known.set(variant.name, await this.#train(each, planned));
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
    return { variant, settings: parsed, stages, path: join(this.#folder, variant.name) };
  }

  #note(text: string): void {
    this.#context.emit({ type: 'note', text });
  }

  async #save(rows: readonly AblationRow[]): Promise<void> {
    this.#ablation = { ...this.#ablation, rows };
    await writeAblation(this.#folder, this.#ablation);
  }

  /** What a finished run tells; undefined where it is not finished. */
  async #rowOf(planned: PlannedRun): Promise<AblationRow | undefined> {
    const { variant, stages, path } = planned;
    const store = await openedToRead(path);
    const result = (await store?.readJson('result')) as RunResult | undefined;
    if (!store || !result) return undefined;
    // Which labels it has, only its own folder knows.
    const settings = settingsOfConfig(await store.readJson('config'), path);
    const metrics = result.draws.map((draw) => draw[variant.figure]);
    if (metrics.length < settings.draws || metrics.some((figure) => figure === null)) return undefined;
    const pretraining = stages.includes('finetune') ? await this.#pretrainingCost() : undefined;
    const cost = await meanCost(stages, { store, settings }, pretraining);
    return ablationRow(
      variant,
      metrics.map((figure) => figure!.accuracy),
      cost,
    );
  }

  async #pretrainingCost(): Promise<Cost | undefined> {
    const store = await openedToRead(this.#pretrainingPath);
    return store && costOf({ store }, 'pretrain', 0);
  }

  get #pretrainingPath(): string {
    return join(this.#folder, pretrainingName);
  }

  get #pretrainingSettings(): RunSettings {
    return { ...this.#ablation.settings, draws: 1, selfTrain: null };
  }

  /** The backbone of all variants that start from one. */
  async #pretrain(): Promise<void> {
    const settings = this.#pretrainingSettings;
    const store = await openedToRead(this.#pretrainingPath);
    if (await store?.readJson('result')) return;
    this.#note('Shared by the variants: rotation pretraining');
    await this.#run(this.#pretrainingPath, settings, ['pretrain'], async () => undefined);
  }

  async #train(planned: PlannedRun, all: readonly PlannedRun[]): Promise<AblationRow> {
    const { variant, stages, path } = planned;
    const settings = variant.suggests ? await this.#withSuggestedLabels(planned) : planned.settings;
    const predicted = this.#predictedMs([planned], all) / this.#slowness;
    const started = performance.now();
    await this.#run(path, settings, stages, async (store) => {
      for (const other of all) {
        const from = other === planned ? undefined : await openedToRead(other.path);
        const config = await from?.readJson('config');
        if (!from || !config) continue;
        const theirs = settingsOfConfig(config, other.path);
        for (const stage of stages) {
          await handOver(stage, { store: from, settings: theirs }, { store, settings });
        }
      }
      if (!stages.includes('finetune')) return undefined;
      const pretraining = await RunFolder.open(this.#pretrainingPath, { readOnly: true });
      return loadPretrained(pretraining, this.#pretrainingSettings);
    });
    this.#slowness = Math.max(0.2, Math.min(5, (performance.now() - started) / predicted));
    return (await this.#rowOf({ ...planned, settings }))!;
  }

  async #withSuggestedLabels({ variant, path }: PlannedRun): Promise<RunSettings> {
    const begun = await (await openedToRead(path))?.readJson('config');
    if (begun) return settingsOfConfig(begun, path);
    const store = await RunFolder.open(this.#pretrainingPath, { readOnly: true });
    const labels = await suggestedLabels({ ...this.#context, settings: this.#pretrainingSettings, store });
    return this.#plan(variant, labels).settings;
  }

  async #run(
    path: string,
    settings: RunSettings,
    stages: readonly StageName[],
    prepare: (store: RunFolder) => Promise<Weights | undefined>,
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

async function readAblation(folder: string): Promise<Ablation | undefined> {
  const path = join(folder, documentName);
  const bytes = await readFileIfThere(path);
  if (!bytes) return undefined;
  const ablation = decodeJson(path, new TextDecoder().decode(bytes)) as Ablation;
  return { ...ablation, settings: parseSettings(ablation.settings, path) };
}

async function writeAblation(folder: string, ablation: Ablation): Promise<void> {
  try {
    await fs.mkdir(folder, { recursive: true });
  } catch (error) {
    throw ioError('write', folder, error);
  }
  await writeFileAtomically(join(folder, documentName), `${encodeJson(documentName, ablation, 2)}\n`);
  if (ablation.rows.length === 0) return;
  await writeFileAtomically(join(folder, tableName), `${ablationMarkdown(ablation.rows)}\n`);
}
