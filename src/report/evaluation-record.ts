import type { ImageSize } from '../tensor/image-size.js';
import { confusedPairs } from '../train/class-metrics.js';
import type { ClassifierEvaluation, UnsureEvaluation, UnsureShare } from '../train/classifier-evaluation.js';
import { type Interval, wilsonInterval } from './statistics.js';

/** A classifier's evaluation on a data set: everything that its tables and its page are made from. */
export interface EvaluationRecord {
  /** The model's file. */
  readonly model: string;
  readonly data: string;
  /** Which images of the data were taken, and why: `the test images`, `all labelled images, since there is no test set`. */
  readonly part: string;
  /** Of the images as the classifier takes them. */
  readonly size: ImageSize;
  readonly evaluation: ClassifierEvaluation;
  /** Images of that part without a label. */
  readonly unlabelled: number;
  /** Files that could not be read, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** Share of right answers, 0–1, with its 95 % interval. */
export interface Accuracy {
  readonly correct: number;
  readonly total: number;
  readonly accuracy: number;
  readonly interval: Interval;
}

/** Over the images of classes that the classifier knows. */
export function accuracyOf({ correct, total }: Pick<ClassifierEvaluation, 'correct' | 'total'>): Accuracy {
  return {
    correct,
    total,
    accuracy: total === 0 ? Number.NaN : correct / total,
    interval: wilsonInterval(correct, total),
  };
}

/** The same where images of other classes count, too: as mistakes, since whatever is said of them is wrong. */
export function accuracyOverAll(evaluation: ClassifierEvaluation): Accuracy {
  return accuracyOf({ correct: evaluation.correct, total: evaluation.total + unknownCount(evaluation) });
}

/** Images of classes that the classifier does not know. */
export function unknownCount({ unknownClasses }: Pick<ClassifierEvaluation, 'unknownClasses'>): number {
  return unknownClasses.reduce((sum, { count }) => sum + count, 0);
}

/** What the classifier was unsure of: one row for images of each kind of which there are any. */
export function unsureRows({
  right,
  wrong,
  unknown,
}: UnsureEvaluation): readonly (UnsureShare & { readonly what: string; readonly share: number })[] {
  return [
    { what: 'classified right', ...right },
    { what: 'classified wrong', ...wrong },
    { what: 'of unknown classes', ...unknown },
  ]
    .filter(({ count }) => count > 0)
    .map((row) => ({ ...row, share: row.unsure / row.count }));
}

/** A record as `--json` gives it: names in place of class numbers, no pixels. */
export function evaluationJson({ model, data, part, unlabelled, skipped, evaluation }: EvaluationRecord) {
  const { classNames, cells, reliability, unknownClasses, loss, macroF1, classes } = evaluation;
  const { bins, expectedCalibrationError } = reliability;
  const all = accuracyOverAll(evaluation);
  return {
    model,
    data,
    part,
    ...accuracyOf(evaluation),
    macroF1,
    loss,
    expectedCalibrationError,
    classes,
    confusions: confusedPairs({ classNames, cells }),
    calibration: bins,
    mistakes: evaluation.mistakes.map(({ name, label, predicted, confidence }) => ({
      file: name,
      label,
      predicted,
      confidence,
    })),
    unsure: evaluation.unsure,
    unknownClasses,
    withUnknownClasses: { total: all.total, accuracy: all.accuracy, interval: all.interval },
    unlabelled,
    skipped,
  };
}
