import { QuarterturnError } from '../errors.js';
import { assertScalable } from '../recipes/plan/budget.js';
import type { RunSettings } from '../recipes/settings.js';
import { pretrainName } from '../recipes/stages/pretrain.js';
import { ablationTable } from '../report/ablation.js';
import { formatDuration } from '../report/format.js';
import { type Ablation, type AblationEvent, encodeAblation } from '../runs/ablation.js';
import { AblationFolder, tablePathOf } from '../runs/ablation-folder.node.js';
import { cpuMs, peakMemoryBytes } from '../runs/process-usage.node.js';
import { startAblation } from '../runs/start-ablation.js';
import { createNodeRuntime } from '../runtime/node.js';
import { withLabelTable } from './labels-file.js';
import { shellPath, shownPath } from './paths.js';
import { environmentHere, type PlaceFlags, placeOf, readData } from './place.js';
import { withProjectLabels } from './project-of-data.js';
import { inSession, type Session } from './session.js';
import {
  assertSameLabels,
  assertUnchanged,
  chosenSettings,
  type SettingFlags,
  withLabelsInData,
} from './settings.js';
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

/** Train what is missing, and print the table. */
export async function ablate(typed: AblateFlags): Promise<void> {
  const flags = await withLabelTable(typed);
  const stopping = 'Saving after this step. Ctrl-C once more stops at once.';
  const output = await inSession({ quiet: flags.quiet, stopping }, async (session) => {
    const path = flags.resume ?? flags.out ?? `runs/ablate-${timestamp(new Date())}`;
    const ablation = await measured(path, flags, session);
    if (flags.json) return encodeAblation({ folder: path, ...ablation });
    const table = ablationTable(ablation.rows, { columns: process.stdout.columns || 80 });
    return `\n${table}\n\nTable  ${shownPath(tablePathOf(path))}\n`;
  });
  process.stdout.write(output);
}

async function measured(path: string, typed: AblateFlags, session: Session): Promise<Ablation> {
  let folder = await AblationFolder.open(path);
  const flags = folder ? typed : await withProjectLabels(typed, session);
  if (!folder && flags.resume !== undefined) {
    throw new QuarterturnError(
      'checkpoint',
      `${path}: expected a folder of quarterturn ablate. Received: one without a table.`,
      { hint: 'Check the path; a new table is begun without --resume.' },
    );
  }
  try {
    const before = folder?.before;
    if (before) {
      assertUnchanged(flags, before.settings, pretrainName, path);
      await assertSameLabels(flags, before.settings, path);
    }
    const recipe = before?.settings ?? (await wholeRecipe(flags));
    const place = placeOf(flags, before?.environment);
    const runtime = await createNodeRuntime(place);
    const data = await readData(place, session);
    const settings = before ? recipe : withLabelsInData(data, recipe, flags);
    const { events, result } = startAblation({
      ...{ settings, data, runtime, peakMemoryBytes },
      ...{ signal: session.signal, batchMakerFor: session.batchMakerFor },
      variants: flags.variants,
      budgetMs: flags.budget,
      // The clock of this process began with the prompt.
      spentMs: () => performance.now(),
      cpuMs,
      environment: environmentHere(place, data),
      // A new folder comes last: what fails before leaves nothing behind.
      store:
        folder ??
        (async () => {
          folder = await AblationFolder.create(path);
          return folder;
        }),
    });
    for await (const event of events) tell(event, session);
    const { ablation } = await result;
    return ablation;
  } catch (error) {
    if (folder === undefined || !(error instanceof QuarterturnError) || error.code !== 'interrupted')
      throw error;
    throw new QuarterturnError('interrupted', error.message, {
      hint: `Go on with: quarterturn ablate --resume ${shellPath(path)}`,
      cause: error.cause,
    });
  } finally {
    await folder?.close();
  }
}

async function wholeRecipe(flags: AblateFlags): Promise<RunSettings> {
  // Whatever the images, it is few labels that the parts of the recipe are worth something for.
  const settings = await chosenSettings({ ...flags, data: undefined }, pretrainName);
  if (flags.budget !== undefined) assertScalable(settings);
  const usual = settings.labels || settings.draws > 1 ? settings.draws : usualDraws;
  return { ...settings, draws: flags.draws ?? usual };
}

/** What an event is to a person: of runs as the progress shows it, of the table a line. */
function tell(event: AblationEvent, { emit, note }: Session): void {
  switch (event.type) {
    case 'ablation-start':
      note(`Table ${event.folder}`);
      break;
    case 'ablation-complete':
      note(`${event.folder} is complete: nothing to train.`);
      break;
    case 'shared-pretraining':
      note('Shared by the variants: rotation pretraining');
      break;
    case 'variant-start': {
      const { row, rows, title, etaMs } = event;
      note(`Variant ${row + 1} of ${rows}: ${title}  (ETA of all ${formatDuration(etaMs)})`);
      break;
    }
    case 'variant-failed':
      note(`${event.title}: one of its stages failed, so the table leaves it out.`);
      break;
    default:
      emit(event);
  }
}
