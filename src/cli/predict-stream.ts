import { QuarterturnError } from '../errors.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { byCount, countOf, formatCount } from '../report/format.js';
import { predictBatches, rowOf } from '../runs/predict-images.node.js';
import { PredictionInputs } from '../runs/prediction-inputs.node.js';
import {
  type PredictionFormat,
  type PredictionRow,
  RowTally,
  type Unsureness,
} from '../runs/prediction-row.js';
import type { Output } from './output.js';
import { watchPrediction } from './predict-watch.js';
import type { Session } from './session.js';
import { formatErrorLine } from './terminal.js';

export interface PredictStreamOptions extends Unsureness {
  readonly format: PredictionFormat;
  readonly output: Output;
  /** It trains nothing. */
  readonly session: Omit<Session, 'batchMakerFor'>;
  /** Pictures to take of each input that holds several; default: all. */
  readonly limit?: number | undefined;
  /** Classify the negatives of the images. */
  readonly invert: boolean;
  /** Fail at the end where a picture was set aside. */
  readonly strict?: boolean | undefined;
  /** End with how many images got which class. */
  readonly tellClasses?: boolean | undefined;
  /** Whether the session says nothing. */
  readonly quiet?: boolean | undefined;
  /** Pictures that are classified and printed at a time; see {@link batchSize}. */
  readonly batchSize?: number | undefined;
}

/** Few enough that rows come soon, enough that the kernels are busy. */
const batchSize = 32;

/**
 * Classify pictures and print a row for each as soon as it is known. What cannot be read is named and the others go on.
 * @throws QuarterturnError `data` at the end where nothing could be read, or with `strict` not all; `interrupted` if it was
 *   stopped
 */
export async function predictStream(
  classifier: LoadedClassifier,
  paths: readonly string[],
  options: PredictStreamOptions,
): Promise<void> {
  const { format, output, session, limit, invert, strict = false, tellClasses } = options;
  const setAside = (error: unknown): void => {
    skipped++;
    session.note(formatErrorLine(error, 'set aside'));
  };
  const watch = watchPrediction({
    inputs: paths.length,
    session,
    tellClasses,
    unsure: options.unsure,
    invert,
    trainingMean: classifier.preprocessing?.meanBrightness,
  });
  const inputs = new PredictionInputs(paths, {
    limit,
    size: classifier,
    onOpened: (opened) => {
      watch.opened(opened);
      if (opened.error) setAside(opened.error);
      else
        for (const { name, reason, hint } of opened.skipped) {
          setAside(new QuarterturnError('data', `${name}: ${reason}.`, { hint }));
        }
    },
  });
  const print = (text: string): Promise<void> => {
    session.clear();
    return output.write(text);
  };
  let [rows, skipped] = [0, 0];
  const tally = new RowTally(options);
  const isOver = (): boolean => session.signal.aborted || output.isClosed;
  try {
    await print(format.begin());
    const batches = predictBatches(classifier, inputs, { batchSize: options.batchSize ?? batchSize, invert });
    for await (const batch of batches) {
      const known: PredictionRow[] = [];
      for (const outcome of batch.outcomes) {
        if ('error' in outcome) setAside(outcome.error);
        else known.push({ ...rowOf(classifier, outcome), probabilities: outcome.probabilities });
      }
      await print(format.rows(known));
      rows += known.length;
      for (const row of known) tally.add(row);
      watch.batch(batch);
      if (isOver()) break;
    }
  } finally {
    await inputs.close();
    // Also where the model fails: what is printed stays a whole document.
    await print(format.end());
  }
  const { classCounts, unsure, unlike } = tally;
  watch.end({ rows, skipped, classCounts, unsure, unlike }, false);
  if (session.signal.aborted) {
    throw new QuarterturnError(
      'interrupted',
      `after ${countOf(rows, 'image')}; ${byCount(rows, 'its row is', 'their rows are')} printed.`,
    );
  }
  assertReadable(
    { rows, skipped },
    { strict, quiet: options.quiet, rest: 'the rows of all others are printed' },
  );
}

/** @throws QuarterturnError `data` where nothing could be read, or with `strict` not everything */
export function assertReadable(
  { rows, skipped }: { readonly rows: number; readonly skipped: number },
  {
    strict,
    rest,
    quiet = false,
  }: { readonly strict: boolean; readonly rest: string; readonly quiet?: boolean | undefined },
): void {
  if (skipped === 0 || (rows > 0 && !strict)) return;
  const named = quiet ? 'They are named without --quiet' : 'They are named above';
  const [bad, all] = [skipped, rows + skipped].map(formatCount);
  throw new QuarterturnError(
    'data',
    `predict: expected readable files only. Received: ${bad} of ${all} unreadable.`,
    { hint: rows === 0 ? `${named}.` : `${named}; ${rest}.` },
  );
}
