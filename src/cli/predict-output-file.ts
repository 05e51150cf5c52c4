import { QuarterturnError } from '../errors.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { byCount, countOf } from '../report/format.js';
import { type PredictToFileOptions, predictToFile } from '../runs/predict-to-file.node.js';
import { type TableKind, tableKinds } from '../runs/prediction-table.node.js';
import { printable, shellPath } from './paths.js';
import { assertReadable } from './predict-stream.js';
import { watchPrediction } from './predict-watch.js';
import type { Session } from './session.js';

export interface PredictIntoOptions
  extends Omit<PredictToFileOptions, 'signal' | 'onBegin' | 'onOpened' | 'onBatch' | 'invert'> {
  readonly invert: boolean;
  readonly strict: boolean;
  /** End with how many images got which class. */
  readonly tellClasses?: boolean | undefined;
  /** Whether the session says nothing. */
  readonly quiet?: boolean | undefined;
  readonly session: Pick<Session, 'emit' | 'note' | 'signal'>;
}

/**
 * Classify pictures into a file, with progress and a word on what it came to.
 * @throws QuarterturnError as `predictToFile`; `data` where nothing could be read, or with `strict` not all; `interrupted` if
 *   it was stopped: what is known by then is kept
 */
export async function predictInto(
  classifier: LoadedClassifier,
  paths: readonly string[],
  { strict, session, tellClasses, quiet, ...options }: PredictIntoOptions,
): Promise<void> {
  const { note, signal } = session;
  const watch = watchPrediction({
    inputs: paths.length,
    session,
    tellClasses,
    unsure: options.unsure,
    invert: options.invert,
    trainingMean: classifier.preprocessing?.meanBrightness,
  });
  let known = 0;
  const summary = await predictToFile(classifier, paths, {
    ...options,
    signal,
    onBegin: ({ rows, skipped, input }) => {
      known = rows;
      watch.begin({ rows, input });
      if (rows + skipped > 0) note(`Going on behind ${countOf(rows, 'row')} of an earlier try.`);
    },
    onOpened: watch.opened,
    onBatch: (batch) => {
      known += batch.outcomes.filter((outcome) => 'fitted' in outcome).length;
      watch.batch(batch);
    },
  }).catch((cause) => {
    if (!signal.aborted || cause instanceof QuarterturnError) throw cause;
    throw new QuarterturnError(
      'interrupted',
      `after ${countOf(known, 'image')}; ${byCount(known, 'its row is', 'their rows are')} kept.`,
      {
        hint: 'The same command goes on from there.',
        cause,
      },
    );
  });
  const { rows, skipped, classCounts, unsure, unlike, skippedKinds, skippedFile } = summary;
  for (const line of skippedKinds) note(`Set aside  ${line}`);
  if (skippedFile !== undefined) note(`All of it is named in ${shellPath(skippedFile)}.`);
  watch.end({ rows, skipped, classCounts, unsure, unlike }, true);
  note(`Written  ${shellPath(options.out)}`);
  if (options.sortInto) note(`Sorted  ${shellPath(options.sortInto.folder)}`);
  assertReadable({ rows, skipped }, { strict, quiet, rest: 'all others have their rows' });
}

const endings: Readonly<Record<string, TableKind>> = {
  csv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  parquet: 'parquet',
};

/**
 * The kind of table that a file is to hold.
 * @throws QuarterturnError `usage` where neither the ending nor the format says
 */
export function tableKindOf(out: string, format: string | undefined): TableKind {
  const asked = tableKinds.find((kind) => kind === format);
  if (asked !== undefined) return asked;
  const known = endings[/\.([a-z]+)$/i.exec(out)?.[1]?.toLowerCase() ?? ''];
  if (known !== undefined && format === undefined) return known;
  throw new QuarterturnError(
    'usage',
    `--out: expected a name that ends in .csv, .jsonl, .json or .parquet, or one of these as --format. Received: ${printable(out)}${format === undefined ? '' : `, --format ${format}`}.`,
  );
}
