import { byCount, countOf, formatCount, formatDuration, formatRate } from '../report/format.js';
import type { PredictedBatch } from '../runs/predict-images.node.js';
import type { OpenedInput } from '../runs/prediction-inputs.node.js';
import type { RowCounts } from '../runs/prediction-row.js';
import { classCountLines } from './class-counts.js';
import { printable } from './paths.js';
import { createWarnings, type WarningOptions } from './predict-warnings.js';
import type { Session } from './session.js';

/** Shorter work needs no progress. */
const quietMs = 2000;

export interface WatchOptions extends Omit<WarningOptions, 'say'> {
  /** How many there are. */
  readonly inputs: number;
  readonly session: Pick<Session, 'emit' | 'note'>;
  /** Whether to end with how many images got which class; default: no. */
  readonly tellClasses?: boolean | undefined;
  /** Rows whose probability is below it are unsure; default: none is. */
  readonly unsure?: number | undefined;
}

/** What a prediction came to. */
export interface PredictionTotals extends RowCounts {
  readonly rows: number;
  readonly skipped: number;
}

/** Tells a person how a prediction goes: what inputs were taken for, how far it is, what not to trust, and what it came to. */
export interface PredictionWatch {
  /** It goes on from an earlier process. */
  begin(begun: { readonly rows: number; readonly input: number }): void;
  opened(opened: OpenedInput): void;
  batch(batch: PredictedBatch): void;
  /** @param isLong whether to say how long it took even where it was quick */
  end(totals: PredictionTotals, isLong: boolean): void;
}

/** Watch a prediction. */
export function watchPrediction({
  inputs,
  session,
  tellClasses = false,
  unsure: threshold,
  ...options
}: WatchOptions): PredictionWatch {
  const { emit, note } = session;
  const warnings = createWarnings({ ...options, say: note });
  const startedMs = performance.now();
  const counts = new Map<number, number>();
  let [firstDone, rowsBefore, pictures] = [0, 0, 0];
  return {
    begin({ rows, input }) {
      firstDone = input;
      rowsBefore = rows;
    },
    opened({ input, path, count, passedOver, notes, error }) {
      counts.set(input, count);
      for (const text of notes) note(text);
      if (passedOver.length > 0) note(passedOverNote(passedOver));
      if (count === 0 && error === undefined) note(`warning: ${printable(path)}: holds no images.`);
    },
    batch({ outcomes, next }) {
      pictures += outcomes.length;
      for (const outcome of outcomes) if ('fitted' in outcome) warnings.look(outcome);
      const elapsedMs = performance.now() - startedMs;
      if (elapsedMs < quietMs) return;
      // Inputs are known from the beginning, their pictures only once they are opened.
      const done = next.input + Math.min(1, next.item / (counts.get(next.input) ?? 1));
      const etaMs = (elapsedMs / (done - firstDone)) * (inputs - done);
      const imagesPerSecond = (pictures / elapsedMs) * 1000;
      emit({ type: 'pass', title: 'Classifying', done, total: inputs, etaMs, imagesPerSecond });
    },
    end({ rows, skipped, classCounts, unsure, unlike }, isLong) {
      warnings.end();
      // Of a single picture its row says it.
      if (rows > 1 && unsure > 0) note(unsureNote({ rows, unsure, unlike }, threshold));
      // Of a single picture its row says it.
      if (tellClasses && rows > 1) for (const line of classCountLines(classCounts)) note(line);
      const elapsedMs = performance.now() - startedMs;
      if (!isLong && elapsedMs < quietMs) return;
      const before = rowsBefore > 0 ? `, ${formatCount(rows - rowsBefore)} of them now,` : '';
      const aside = skipped === 0 ? '' : `; ${formatCount(skipped)} set aside`;
      const rate = formatRate((pictures / elapsedMs) * 1000);
      note(`${countOf(rows, 'image')}${before} in ${formatDuration(elapsedMs)}, ${rate}${aside}.`);
    },
  };
}

/**
 * `37 of 2,000 images are unsure and may show none of the classes: 25 unlike all that had a label, 12 of a probability below 0.61.`
 * @param threshold it is left out where it is unknown
 */
export function unsureNote(
  { rows, unsure, unlike }: Pick<PredictionTotals, 'rows' | 'unsure' | 'unlike'>,
  threshold?: number,
): string {
  const below = threshold === undefined ? 'a low probability' : `a probability below ${threshold.toFixed(2)}`;
  const reasons = [
    ...(unlike > 0 ? [`${formatCount(unlike)} unlike all that had a label`] : []),
    ...(unsure > unlike ? [`${formatCount(unsure - unlike)} of ${below}`] : []),
  ];
  return `${formatCount(unsure)} of ${countOf(rows, 'image')} ${byCount(unsure, 'is', 'are')} unsure and may show none of the classes: ${reasons.join(', ')}.`;
}

/** `Passed over in folders, hidden or no pictures by their names: 4 (a/.DS_Store, a/notes.txt, a/x.csv, …)`. */
function passedOverNote(passedOver: readonly string[]): string {
  const names = passedOver.slice(0, 3).map(printable);
  const list = passedOver.length > names.length ? [...names, '…'] : names;
  const count = formatCount(passedOver.length);
  return `Passed over in folders, hidden or no pictures by their names: ${count} (${list.join(', ')})`;
}
