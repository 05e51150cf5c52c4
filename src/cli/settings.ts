import { z } from 'zod';
import type { DataSource } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';
import { sameLabels } from '../labels/locate-labels.js';
import { formatBudget } from '../recipes/plan/budget-time.js';
import { type PresetName, presets } from '../recipes/presets.js';
import { parseSettings, type RunSettings, settingsOfConfig } from '../recipes/settings.js';
import { settingAt } from '../report/run-facts.js';
import { isRecord } from '../store/json.js';
import type { DataFlags } from './data-options.js';
import { readJsonFile } from './json-file.js';
import { labelsInData, readLabelsFile } from './labels-file.js';
import { shellPath } from './paths.js';

/** Flags that change settings; undefined if not given. */
export interface SettingFlags {
  readonly preset?: PresetName;
  readonly seed?: number;
  readonly draws?: number;
  readonly labelsPerClass?: number;
  readonly width?: number;
  readonly epochs?: number;
  /** A file that names the labelled images. */
  readonly labels?: string;
  /** In milliseconds. */
  readonly budget?: number;
  /** A JSON file with any settings. */
  readonly config?: string;
  /** The images, where they are not the example's. */
  readonly data?: string;
}

/** The settings of a stage that every run has, and the command that trains it alone. */
export type StageSettingsName = {
  [Name in keyof RunSettings]: RunSettings[Name] extends { readonly epochs: number } ? Name : never;
}[Exclude<keyof RunSettings, 'budgetMs' | 'encoder'>];

/** Each flag that was given: its name, the setting that it stands for, its value. */
interface GivenFlag {
  readonly flag: string;
  readonly path: readonly string[];
  readonly value: string | number;
  /** How it is typed; default: as it is. */
  readonly typed?: (value: unknown) => string;
}

/**
 * The settings that a new run begins with: flags over `--config` over the preset, or over `base` where given.
 * @param epochsOf the stage that `--epochs` speaks of
 * @throws QuarterturnError `usage` naming each field that is wrong
 */
export async function chosenSettings(
  flags: SettingFlags,
  epochsOf: StageSettingsName,
  base?: RunSettings,
): Promise<RunSettings> {
  const file = flags.config === undefined ? {} : await readSettingsFile(flags.config);
  const preset = presetNamed(flags.preset ?? (settingAt(file, ['preset']) as PresetName | undefined));
  const settings = givenFlags(flags, epochsOf).reduce(
    (merged, { path, value }) => merge(merged, nested(path, value)),
    merge(base ?? withAllLabels(preset, flags, file), file),
  );
  return parseSettings(
    { ...(settings as Readonly<Record<string, unknown>>), ...(await labelSettings(flags)) },
    flags.config ?? 'settings',
  );
}

/**
 * The preset, learning from all labels of somebody's images. The example's images are all labelled and stand for a pile of which
 * few are, as several draws do, and the notebook had ten of each class.
 */
function withAllLabels(preset: RunSettings, { data, draws }: SettingFlags, file: unknown): RunSettings {
  const isDrawn = Number(draws ?? settingAt(isRecord(file) ? file : {}, ['draws']) ?? 1) > 1;
  if (data === undefined || isDrawn || preset.preset === 'notebook') return preset;
  return { ...preset, labelsPerClass: 'all' };
}

/** What decides the labels, as a whole: given ones are one draw, a number for each class puts given ones aside. */
async function labelSettings({ labels, draws, labelsPerClass }: SettingFlags): Promise<Partial<RunSettings>> {
  if (labels !== undefined) return { labels: await readLabelsFile(labels), draws: draws ?? 1 };
  return labelsPerClass !== undefined ? { labels: null } : {};
}

/**
 * Where the data has labels for some of its images alone, those are what is learned from, and all of them: unless a flag asks
 * for a number of each class, or other labels are given.
 */
export function withLabelsInData(
  data: DataSource,
  settings: RunSettings,
  flags: SettingFlags & Pick<DataFlags, 'labelTable'>,
): RunSettings {
  const isAsked = flags.labelsPerClass !== undefined || flags.labels !== undefined;
  if (!data.isPartlyLabelled || isAsked || (settings.labels !== null && flags.labelTable === undefined)) {
    return settings;
  }
  return { ...settings, labels: labelsInData(data.train), draws: flags.draws ?? 1 };
}

/**
 * Flags beside `--resume` may repeat what the run began with, not change it.
 * @throws QuarterturnError `usage` naming those that differ
 */
export function assertUnchanged(
  flags: SettingFlags,
  settings: RunSettings,
  epochsOf: StageSettingsName,
  folder: string,
): void {
  const changed = givenFlags(flags, epochsOf).filter(
    ({ path, value }) => settingAt(settings, path) !== value,
  );
  if (changed.length === 0) return;
  const list = changed.map(
    ({ flag, path, value, typed = String }) =>
      `${flag} ${typed(value)} (the run has ${typed(settingAt(settings, path))})`,
  );
  throw new QuarterturnError(
    'usage',
    `--resume ${folder}: expected the settings that the run began with. Received: ${list.join(', ')}.`,
    { hint: 'Leave these flags out to go on, or start a new run without --resume.' },
  );
}

function givenFlags(flags: SettingFlags, epochsOf: StageSettingsName): GivenFlag[] {
  const all: (Omit<GivenFlag, 'value'> & { readonly value: GivenFlag['value'] | undefined })[] = [
    { flag: '--preset', path: ['preset'], value: flags.preset },
    { flag: '--seed', path: ['seed'], value: flags.seed },
    { flag: '--draws', path: ['draws'], value: flags.draws },
    { flag: '--labels-per-class', path: ['labelsPerClass'], value: flags.labelsPerClass },
    { flag: '--width', path: ['network', 'width'], value: flags.width },
    { flag: '--epochs', path: [epochsOf, 'epochs'], value: flags.epochs },
    { flag: '--budget', path: ['budgetMs'], value: flags.budget, typed: typedBudget },
  ];
  return all.filter((given): given is GivenFlag => given.value !== undefined);
}

/**
 * `--labels` beside `--resume` may name what the run began with again.
 * @throws QuarterturnError `usage` if it names other labels
 */
export async function assertSameLabels(
  flags: SettingFlags,
  settings: RunSettings,
  folder: string,
): Promise<void> {
  if (flags.labels === undefined) return;
  const given = await readLabelsFile(flags.labels);
  if (settings.labels !== null && sameLabels(given, settings.labels)) return;
  throw new QuarterturnError(
    'usage',
    `--resume ${folder}: expected the labels that the run began with. Received: others, in ${flags.labels}.`,
    { hint: `Start another run with them: quarterturn run --labels ${shellPath(flags.labels)}` },
  );
}

function typedBudget(ms: unknown): string {
  return typeof ms === 'number' ? formatBudget(ms) : 'none';
}

/** An unknown name falls through to the settings check, which says what is allowed. */
function presetNamed(name: PresetName = 'quick'): RunSettings {
  return Object.hasOwn(presets, name) ? presets[name] : presets.quick;
}

const configSchema = z.record(z.string(), z.unknown());

/**
 * Any settings, or the `config.json` of a run: what that holds beside its settings is left out, and so is the budget
 * that its steps were counted out for.
 */
async function readSettingsFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const content = await readJsonFile(file, configSchema, {
    code: 'usage',
    where: `--config ${file}`,
    expected: 'a JSON object',
    hint: 'For example { "pretrain": { "batchSize": 64 } }; config.json of a run shows all names.',
  });
  if (content.startedAt === undefined) return content;
  const { budgetMs: _, ...settings } = settingsOfConfig(content, file);
  return settings;
}

/** `over` put over `base`, field by field; where the kind changes (of optimizer or schedule), as a whole. */
function merge(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over;
  if (over.kind !== undefined && over.kind !== base.kind) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value);
  return merged;
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}
