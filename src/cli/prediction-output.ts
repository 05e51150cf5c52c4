import { formatPercent } from '../report/format.js';
import { printable } from './paths.js';

/** Prediction for one image. */
export interface Prediction {
  readonly file: string;
  /** Position in its file, from 0. */
  readonly index: number;
  readonly class: string;
  readonly probability: number;
  /** Of every class, in the model's order. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** The text of predictions as they come, some at a time. */
export interface PredictionFormat {
  rows(predictions: readonly LabelledPrediction[]): string;
  end(): string;
}

export interface LabelledPrediction {
  readonly prediction: Prediction;
  /** Its file, and its place where the file holds several. */
  readonly label: string;
}

/** How an image is called in rows and warnings, on one line. */
export function labelOf(file: string, index: number, several: boolean): string {
  return several ? `${printable(file)}[${index}]` : printable(file);
}

/** Longer names do not push the classes of all that follow to the right. */
const maxLabelWidth = 60;

/**
 * One aligned line an image: label, class, probability. Rows that were printed cannot be moved any more: a longer name
 * widens the column from its own rows on.
 */
export function tableFormat(classNames: readonly string[]): PredictionFormat {
  const classWidth = classNames.reduce((width, name) => Math.max(width, printable(name).length), 0);
  let labelWidth = 0;
  return {
    rows(predictions) {
      for (const { label } of predictions) {
        labelWidth = Math.max(labelWidth, Math.min(label.length, maxLabelWidth));
      }
      return predictions
        .map(({ label, prediction }) => {
          const name = printable(prediction.class).padEnd(classWidth);
          return `${label.padEnd(labelWidth)}  ${name}  ${formatPercent(prediction.probability).padStart(8)}\n`;
        })
        .join('');
    },
    end: () => '',
  };
}

/** What JSON leaves as it is and a terminal obeys: late control characters, line separators, turns of direction. */
const unprintable = /[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** One JSON array, an element an image, whole once it is ended. */
export function jsonFormat(): PredictionFormat {
  let opening = '[\n';
  return {
    rows(predictions) {
      const text = predictions
        .map(({ prediction }) => `  ${JSON.stringify(prediction, null, 2).replaceAll('\n', '\n  ')}`)
        .join(',\n')
        .replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
      const rows = predictions.length > 0 ? `${opening}${text}` : '';
      if (rows !== '') opening = ',\n';
      return rows;
    },
    end: () => (opening === ',\n' ? '\n]\n' : '[]\n'),
  };
}
