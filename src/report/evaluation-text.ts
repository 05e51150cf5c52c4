import { type ClassMetrics, confusedPairs } from '../train/class-metrics.js';
import type { Reliability } from '../train/reliability.js';
import {
  accuracyOf,
  accuracyOverAll,
  type EvaluationRecord,
  unknownCount,
  unsureRows,
} from './evaluation-record.js';
import { absent, byCount, countOf, formatCount, formatLoss, formatPercent } from './format.js';
import { printable } from './printable.js';
import { lowestF1 } from './sections/class-metrics.js';
import { aligned } from './terminal-table.js';
import { shorten, textWidth } from './text-width.js';

/** Classes of which a terminal shows every one; of more, those that it does worst on. */
const shownClasses = 30;
const shownPairs = 10;
const shownUnknown = 10;

/**
 * An evaluation as plain text: figures, classes, what is confused most, calibration.
 *
 * @param options.columns widest line allowed
 */
export function formatEvaluation(
  record: EvaluationRecord,
  { columns = 80 }: { columns?: number } = {},
): string {
  const { evaluation } = record;
  const parts = [
    figures(record),
    ...classTable(evaluation.classes, columns),
    ...pairTable(record, columns),
    calibrationTable(evaluation.reliability, columns),
    ...unknownTable(record, columns),
    ...unsureTable(record, columns),
  ];
  return parts.map((lines) => lines.map((line) => line.trimEnd()).join('\n')).join('\n\n');
}

function figures({ evaluation }: EvaluationRecord): string[] {
  const { accuracy, correct, total, interval } = accuracyOf(evaluation);
  const { loss, macroF1, reliability } = evaluation;
  return [
    `Accuracy           ${formatPercent(accuracy)}`,
    `  95 % interval    ${formatPercent(interval.low)} – ${formatPercent(interval.high)}`,
    `  right            ${formatCount(correct)} of ${formatCount(total)}`,
    `Macro F1           ${macroF1 === null ? absent : formatPercent(macroF1)}`,
    `Loss               ${loss === null ? absent : `${formatLoss(loss)} nats`}`,
    `Calibration error  ${formatPercent(reliability.expectedCalibrationError)}`,
  ];
}

function classTable(classes: readonly ClassMetrics[], columns: number): string[][] {
  const share = (value: number | null) => (value === null ? absent : formatPercent(value, 1));
  const isLong = classes.length > shownClasses;
  const shown = isLong ? lowestF1(classes).slice(0, shownClasses) : classes;
  const cells = shown.map(({ name, f1, precision, recall, support }) => [
    shownName(name),
    share(f1),
    share(precision),
    share(recall),
    formatCount(support),
  ]);
  const lines = aligned([['class', 'F1', 'precision', 'recall', 'images'], ...cells], columns);
  const rest = `The ${shownClasses} with the lowest F1 of ${countOf(classes.length, 'class')}.`;
  return [isLong ? [...lines, ...wrapped(rest, columns)] : lines];
}

function pairTable({ evaluation }: EvaluationRecord, columns: number): string[][] {
  const pairs = confusedPairs(evaluation);
  if (pairs.length === 0) return [];
  const supports = new Map(evaluation.classes.map(({ name, support }) => [name, support]));
  // Two names share the first column: each is cut for itself, so that neither hides the other.
  const room = Math.max(8, Math.floor((columns - 22 - arrow.length) / 2));
  const cells = pairs
    .slice(0, shownPairs)
    .map(({ actual, predicted, count }) => [
      `${shorten(shownName(actual), room)}${arrow}${shorten(shownName(predicted), room)}`,
      formatCount(count),
      formatPercent(count / (supports.get(actual) ?? count), 1),
    ]);
  const rest = pairs.length - shownPairs;
  return [
    [
      ...aligned([['class → taken for', 'images', 'of the class'], ...cells], columns),
      ...(rest > 0 ? [`and ${countOf(rest, 'more pair')}`] : []),
    ],
  ];
}

const arrow = ' → ';

function calibrationTable({ bins }: Reliability, columns: number): string[] {
  const cells = bins
    .filter(({ count }) => count > 0)
    .map(({ low, high, count, meanConfidence, accuracy }) => [
      `${(low * 100).toFixed(0)} – ${formatPercent(high, 0)}`,
      formatPercent(accuracy, 1),
      formatPercent(meanConfidence, 1),
      formatCount(count),
    ]);
  return aligned([['confidence', 'right', 'mean', 'images'], ...cells], columns);
}

function unknownTable({ evaluation }: EvaluationRecord, columns: number): string[][] {
  const { unknownClasses } = evaluation;
  if (unknownClasses.length === 0) return [];
  const all = accuracyOverAll(evaluation);
  const cells = unknownClasses
    .slice(0, shownUnknown)
    .map(({ name, count, unsure, takenFor }) => [
      shownName(name),
      formatCount(count),
      ...(unsure === undefined ? [] : [formatCount(unsure)]),
      takenFor[0] === undefined ? absent : shorten(shownName(takenFor[0].name), 16),
    ]);
  const rest = unknownClasses.length - shownUnknown;
  return [
    [
      ...wrapped(
        `${countOf(unknownCount(evaluation), 'image')} ${byCount(unknownCount(evaluation), 'is of a class that the model does not know. It is', 'are of classes that the model does not know. They are')} in none of the figures above. ${byCount(unknownCount(evaluation), 'Counted as a mistake, it makes', 'Counted as mistakes, they make')} the accuracy ${formatPercent(all.accuracy)}.`,
        columns,
      ),
      ...aligned(
        [['unknown class', 'images', ...(evaluation.unsure ? ['unsure'] : []), 'mostly taken for'], ...cells],
        columns,
      ),
      ...(rest > 0 ? [`and ${countOf(rest, 'more class')}`] : []),
    ],
  ];
}

function unsureTable({ evaluation: { unsure } }: EvaluationRecord, columns: number): string[][] {
  if (unsure === null) return [];
  const rows = unsureRows(unsure).map(({ what, count, unsure, share }) => [
    what,
    formatCount(count),
    formatCount(unsure),
    formatPercent(share, 1),
  ]);
  return [
    [
      ...wrapped(
        `The model is unsure of an image of a probability below ${unsure.threshold.toFixed(2)}, and of one that is unlike all that had a label.`,
        columns,
      ),
      ...aligned([['images', 'all', 'unsure', 'share'], ...rows], columns),
    ],
  ];
}

/** A name of spaces alone would leave a hole. */
function shownName(name: string): string {
  return name.trim() === '' ? `“${name}”` : printable(name);
}

function wrapped(text: string, columns: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (textWidth(line) + 1 + textWidth(word) > columns) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
