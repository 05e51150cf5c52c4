import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { SkippedKinds, skippedCsvHeader, skippedCsvRows } from '../data/skipped-files.js';
import { QuarterturnError } from '../errors.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { ioError, temporaryPath } from '../store/atomic-file.node.js';
import { assertNewFile } from '../store/new-file.node.js';
import { type PictureOutcome, skippedPicture } from './classify-pictures.node.js';
import type { JournalBatch, JournalHeader, JournalRow, JournalSkipped } from './journal-lines.js';
import { mergedRows, openParts, type PredictionPart, skippedOf } from './merge-predictions.node.js';
import {
  type PredictedBatch,
  type PredictImagesOptions,
  predictBatches,
  rowOf,
} from './predict-images.node.js';
import { type BeginOptions, PredictionFile } from './prediction-file.node.js';
import { type InputPicture, type OpenedInput, PredictionInputs } from './prediction-inputs.node.js';
import { type PredictionColumns, type RowCounts, RowTally } from './prediction-row.js';
import { type TableKind, writeTable } from './prediction-table.node.js';
import { SortedFolder } from './sort-pictures.node.js';

/** Where pictures are sorted to. */
export interface SortInto {
  readonly folder: string;
  /** Link them instead of copying; default: false. */
  readonly link?: boolean | undefined;
}

export interface PredictToFileOptions extends PredictImagesOptions, BeginOptions {
  readonly out: string;
  /** `part`: what `mergePredictions` makes tables of. */
  readonly kind: TableKind | 'part';
  /** SHA-256 of the model's file, by which a prediction that is gone on with is known to be of the same. */
  readonly modelSha256: string;
  /** Whether the probabilities of all classes are kept; default: false. */
  readonly probabilities?: boolean | undefined;
  /** Rows whose probability is below it are marked; default: what the classifier's file says. 0: none is. */
  readonly unsure?: number | undefined;
  /** Leave the label of those rows empty, and sort their pictures into a folder of their own; default: false. */
  readonly abstain?: boolean | undefined;
  readonly sortInto?: SortInto | undefined;
  /** Called before the first batch. */
  readonly onBegin?:
    | ((begun: { readonly rows: number; readonly skipped: number; readonly input: number }) => void)
    | undefined;
  readonly onOpened?: ((opened: OpenedInput) => void) | undefined;
  /** Called once what came of a batch is safe. */
  readonly onBatch?: ((batch: PredictedBatch) => void) | undefined;
}

/** Rows are counted as they are written to a table: of a part, which is none yet, the counts are 0. */
export interface PredictionSummary extends RowCounts {
  readonly rows: number;
  readonly skipped: number;
  /** One line a kind of what was set aside. */
  readonly skippedKinds: readonly string[];
  /** Where all of it is listed; absent where nothing was set aside. */
  readonly skippedFile?: string;
}

/**
 * Classify all pictures of some inputs into a file.
 *
 * It goes on where the same call was killed. The file has its name once it is whole; `<out>.skipped.csv` names what was set
 * aside.
 *
 * @throws QuarterturnError as {@link PredictionFile.begin}, and as `predictImages`; `signal.reason` when the signal says so:
 *   what is known by then stays, to be gone on with
 */
export async function predictToFile(
  classifier: LoadedClassifier,
  paths: readonly string[],
  options: PredictToFileOptions,
): Promise<PredictionSummary> {
  const { out, kind, overwrite, sortInto } = options;
  if (sortInto) assertOutside(sortInto.folder, paths);
  const header = headerOf(classifier, paths, options);
  const file = await PredictionFile.begin(out, header, { overwrite });
  try {
    const sorted =
      sortInto && new SortedFolder(sortInto.folder, { ...columnsOf(header), link: sortInto.link });
    await sorted?.open();
    if (sorted && file.lastBatch) await putAgain(sorted, file.lastBatch, paths, options);
    options.onBegin?.({ ...file.totals, input: file.from.input });
    if (!file.isDone) await predictInto(file, sorted, { classifier, paths, options });
    let setAside: SetAside = { skippedKinds: [] };
    const tally = new RowTally(columnsOf(header));
    await file.finish(async (path, journal) => {
      const part = { path: journal, header };
      setAside = await writeSkipped(out, [part]);
      if (kind === 'part') await fs.copyFile(journal, path);
      else
        await writeTable(path, counted(mergedRows([part]), tally), {
          kind,
          columns: columnsOf(header),
        });
    });
    const { classCounts, unsure, unlike } = tally;
    return { ...setAside, ...file.totals, classCounts, unsure, unlike };
  } finally {
    await file.close();
  }
}

interface Prediction {
  readonly classifier: LoadedClassifier;
  readonly paths: readonly string[];
  readonly options: PredictToFileOptions;
}

async function predictInto(
  file: PredictionFile,
  sorted: SortedFolder | undefined,
  { classifier, paths, options }: Prediction,
): Promise<void> {
  const { limit, shard, probabilities = false, onOpened, onBatch } = options;
  let listed: JournalSkipped[] = [];
  const inputs = new PredictionInputs(paths, {
    limit,
    shard,
    size: classifier,
    from: file.from,
    onOpened: (opened) => {
      const isNew = file.addInput(opened);
      if (isNew) listed.push(...opened.skipped);
      onOpened?.(isNew ? opened : { ...opened, skipped: [], passedOver: [], notes: [] });
    },
  });
  let next = file.from;
  try {
    for await (const batch of predictBatches(classifier, inputs, options)) {
      const skipped: JournalSkipped[] = listed;
      listed = [];
      const rows: JournalRow[] = [];
      const puts: (() => Promise<void>)[] = [];
      for (const outcome of batch.outcomes) {
        const { picture } = outcome;
        if ('error' in outcome) {
          skipped.push({ ...(await skippedPicture(picture.name, outcome.error)), place: picture.place });
          continue;
        }
        const row = journalRow(classifier, outcome, probabilities);
        const sortedTo = await sorted?.placeFor(row, picture);
        rows.push({ ...row, ...(sortedTo !== undefined && { sortedTo }) });
        if (sorted && sortedTo !== undefined) puts.push(() => sorted.put(sortedTo, picture));
      }
      next = batch.next;
      await file.add({ next, rows, skipped });
      // Behind the journal, which says where they belong: what a killed process leaves undone here is done again.
      for (const put of puts) await put();
      onBatch?.(batch);
    }
    if (listed.length > 0 || file.hasPending) await file.add({ next, rows: [], skipped: listed });
  } finally {
    await inputs.close();
  }
}

function journalRow(
  classifier: LoadedClassifier,
  outcome: Extract<PictureOutcome<InputPicture>, { probabilities: Float32Array }>,
  probabilities: boolean,
): JournalRow {
  const { place } = outcome.picture;
  return {
    ...rowOf(classifier, outcome),
    place,
    ...(probabilities && { probabilities: outcome.probabilities }),
  };
}

/** Put those pictures of a batch into their places that are not there. */
async function putAgain(
  sorted: SortedFolder,
  { rows }: JournalBatch,
  paths: readonly string[],
  { limit, shard }: PredictToFileOptions,
): Promise<void> {
  const places = new Map(
    rows.map(({ place, sortedTo }) => [`${place.input} ${place.item}`, sortedTo] as const),
  );
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return;
  const inputs = new PredictionInputs(paths, { limit, shard, from: first.place });
  try {
    for await (const picture of inputs.pictures()) {
      const { input, item } = picture.place;
      if (input > last.place.input || (input === last.place.input && item > last.place.item)) break;
      const place = places.get(`${input} ${item}`);
      if (place !== undefined) await sorted.put(place, picture);
      await inputs.release(picture);
    }
  } finally {
    await inputs.close();
  }
}

/** @throws QuarterturnError `usage` for a folder whose pictures would be found as inputs the next time */
function assertOutside(folder: string, paths: readonly string[]): void {
  const inside = paths.find((path) => `${resolve(folder)}${sep}`.startsWith(`${resolve(path)}${sep}`));
  if (inside === undefined) return;
  throw new QuarterturnError(
    'usage',
    `--sort-into ${folder}: expected a folder outside of what is classified. Received: one in ${inside}.`,
  );
}

function headerOf(
  { classNames, abstention }: LoadedClassifier,
  paths: readonly string[],
  options: PredictToFileOptions,
): JournalHeader {
  const digest = createHash('sha256');
  for (const path of paths) digest.update(`${JSON.stringify(path)}\n`);
  const {
    modelSha256,
    limit = null,
    unsure = abstention?.threshold ?? 0,
    sortInto,
    shard = { number: 1, count: 1 },
  } = options;
  return {
    schema: 'quarterturn-predictions',
    version: 1,
    model: { sha256: modelSha256, classNames: [...classNames] },
    options: {
      invert: options.invert ?? false,
      limit,
      probabilities: options.probabilities ?? false,
      unsure: unsure === 0 ? null : unsure,
      abstain: options.abstain ?? false,
      sortInto: sortInto?.folder ?? null,
    },
    inputs: { count: paths.length, digest: digest.digest('hex'), first: paths.slice(0, 3) },
    shard,
  };
}

function columnsOf({ model, options }: JournalHeader): PredictionColumns {
  const { probabilities, unsure, abstain } = options;
  return { classNames: model.classNames, probabilities, abstain, ...(unsure !== null && { unsure }) };
}

/** Rows as they go by, which are counted. */
async function* counted(
  rows: AsyncIterable<readonly JournalRow[]>,
  tally: RowTally,
): AsyncGenerator<readonly JournalRow[], void, undefined> {
  for await (const some of rows) {
    for (const row of some) tally.add(row);
    yield some;
  }
}

type SetAside = Pick<PredictionSummary, 'skippedKinds' | 'skippedFile'>;

/** Write the list of what was set aside, and take away one of an earlier prediction. */
async function writeSkipped(out: string, parts: readonly PredictionPart[]): Promise<SetAside> {
  const path = `${out}.skipped.csv`;
  const temporary = temporaryPath(path);
  const kinds = new SkippedKinds();
  let count = 0;
  try {
    for await (const skipped of skippedOf(parts)) {
      if (count === 0) await fs.writeFile(temporary, skippedCsvHeader);
      count += skipped.length;
      for (const each of skipped) kinds.add(each);
      await fs.appendFile(temporary, skippedCsvRows(skipped));
    }
    if (count > 0) await fs.rename(temporary, path);
    else await fs.rm(path, { force: true });
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw ioError('write', path, error);
  }
  return { skippedKinds: kinds.lines(), ...(count > 0 && { skippedFile: path }) };
}

export interface MergePredictionsOptions extends BeginOptions {
  readonly out: string;
  readonly kind: TableKind;
}

/**
 * Make one table of all parts of a prediction, in the order of the inputs.
 *
 * @example
 * await mergePredictions(['answers-1.part', 'answers-2.part'], { out: 'answers.csv', kind: 'csv' });
 * @throws QuarterturnError `data` if a part is missing, twice, not done, or of another prediction; `usage` if the table is
 *   there already; `io` if it cannot be written
 */
export async function mergePredictions(
  paths: readonly string[],
  { out, kind, overwrite = false }: MergePredictionsOptions,
): Promise<PredictionSummary> {
  await assertNewFile(out, { overwrite });
  const { parts, totals } = await openParts(paths);
  const [first] = parts;
  if (first === undefined) throw new QuarterturnError('usage', 'merge: expected parts. Received: none.');
  const temporary = temporaryPath(out);
  try {
    const columns = columnsOf(first.header);
    const tally = new RowTally(columns);
    await writeTable(temporary, counted(mergedRows(parts), tally), { kind, columns });
    const skipped = await writeSkipped(out, parts);
    await fs.rename(temporary, out);
    const { classCounts, unsure, unlike } = tally;
    return { ...skipped, ...totals, classCounts, unsure, unlike };
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw ioError('write', out, error);
  }
}
