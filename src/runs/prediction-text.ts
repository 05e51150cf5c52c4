import { csvLine } from '../data/csv-line.js';
import {
  floatDigits,
  type PredictionColumns,
  type PredictionField,
  type PredictionFormat,
  type PredictionRow,
  predictionFields,
} from './prediction-row.js';

/**
 * CSV as RFC 4180 has it: lines that end in CRLF, UTF-8, fields in quotes where they hold a comma, a quote or a line break.
 *
 * Its columns are the {@link predictionFields}; an `index` that there is not is empty. What begins as a formula of a
 * spreadsheet is quoted, not changed.
 */
export function csvFormat(columns: PredictionColumns): PredictionFormat {
  const fields = predictionFields(columns);
  return {
    begin: () => csvLine(fields.map(({ name }) => name)),
    rows: (rows) => rows.map((row) => csvLine(fields.map((field) => cellOf(field, row)))).join(''),
    end: () => '',
  };
}

const cellOf = (field: PredictionField, row: PredictionRow): string => String(printedValue(field, row) ?? '');

/** What a field is in text: the same digits in every format. */
function printedValue(
  { type, valueIn }: PredictionField,
  row: PredictionRow,
): string | number | boolean | null {
  const value = valueIn(row);
  return type === 'probability' && typeof value === 'number' ? floatDigits(value) : value;
}

/** JSON Lines: an object a picture. */
export function jsonLinesFormat(columns: PredictionColumns): PredictionFormat {
  const objectOf = objectsOf(columns);
  return {
    begin: () => '',
    rows: (rows) => rows.map((row) => `${printableJson(JSON.stringify(objectOf(row)))}\n`).join(''),
    end: () => '',
  };
}

/** One JSON array, an object a picture, whole once it is ended. */
export function jsonFormat(columns: PredictionColumns): PredictionFormat {
  const objectOf = objectsOf(columns);
  let opening = '[\n';
  return {
    begin: () => '',
    rows: (rows) => {
      const text = rows
        .map((row) => `  ${JSON.stringify(objectOf(row), null, 2).replaceAll('\n', '\n  ')}`)
        .join(',\n');
      const written = rows.length > 0 ? `${opening}${printableJson(text)}` : '';
      if (written !== '') opening = ',\n';
      return written;
    },
    end: () => (opening === ',\n' ? '\n]\n' : '[]\n'),
  };
}

/** The {@link predictionFields} of a row as an object; those of the classes stand together as `probabilities`. */
function objectsOf(columns: PredictionColumns): (row: PredictionRow) => Readonly<Record<string, unknown>> {
  const fields = predictionFields(columns);
  const own = fields.filter(({ className }) => className === undefined);
  const ofClasses = fields.filter(({ className }) => className !== undefined);
  return (row) => ({
    ...Object.fromEntries(own.map((field) => [field.name, printedValue(field, row)])),
    ...(columns.probabilities && {
      probabilities: Object.fromEntries(
        ofClasses.map((field) => [field.className, printedValue(field, row)]),
      ),
    }),
  });
}

/** What JSON leaves as it is and a terminal obeys: late control characters, line separators, turns of direction. */
const unprintable = /[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function printableJson(text: string): string {
  return text.replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
