import { absent, formatPercent } from '../report/format.js';
import {
  isUnsure,
  labelIn,
  type PredictionColumns,
  type PredictionFormat,
  type PredictionRow,
} from '../runs/prediction-row.js';
import { printable } from './paths.js';

/** How a picture is called in rows and warnings, on one line. */
export function labelOf({ file, index }: Pick<PredictionRow, 'file' | 'index'>): string {
  return index === undefined ? printable(file) : `${printable(file)}[${index}]`;
}

/** Longer names do not push the classes of all that follow to the right. */
const maxLabelWidth = 60;

/**
 * One aligned line a picture: name, class, probability, and `unsure` where the model is. Rows that were printed cannot be
 * moved any more: a longer name widens the column from its own rows on.
 */
export function tableFormat(columns: PredictionColumns): PredictionFormat {
  const classWidth = columns.classNames.reduce((width, name) => Math.max(width, printable(name).length), 0);
  let labelWidth = 0;
  return {
    begin: () => '',
    rows(rows) {
      const labels = rows.map(labelOf);
      for (const { length } of labels) labelWidth = Math.max(labelWidth, Math.min(length, maxLabelWidth));
      return rows
        .map((row, i) => {
          const label = (labels[i] ?? '').padEnd(labelWidth);
          const name = printable(labelIn(row, columns) ?? absent).padEnd(classWidth);
          const mark = isUnsure(row, columns) ? '  unsure' : '';
          return `${label}  ${name}  ${formatPercent(row.probability).padStart(8)}${mark}\n`;
        })
        .join('');
    },
    end: () => '',
  };
}
