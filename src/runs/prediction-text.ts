import {
  floatDigits,
  isUnsure,
  type PredictionColumns,
  type PredictionFormat,
  probabilitiesByName,
  probabilityColumns,
} from './prediction-row.js';

/**
 * CSV as RFC 4180 has it: lines that end in CRLF, UTF-8, fields in quotes where they hold a comma, a quote or a line break.
 *
 * Columns: `file`, `index` (empty where a file holds one picture), `label`, `probability`, then `unsure` (`true`, `false`) and
 * `p_<class>` of every class, where they are asked for. What begins as a formula of a spreadsheet is quoted, not changed.
 */
export function csvFormat(columns: PredictionColumns): PredictionFormat {
  const names = [
    ...['file', 'index', 'label', 'probability'],
    ...(columns.unsure === undefined ? [] : ['unsure']),
    ...(columns.probabilities ? probabilityColumns(columns.classNames) : []),
  ];
  const lineOf = (fields: readonly string[]) => `${fields.join(',')}\r\n`;
  return {
    begin: () => lineOf(names.map(csvField)),
    rows: (rows) =>
      rows
        .map((row) => {
          const unsure = isUnsure(row, columns);
          const all = columns.probabilities ? Array.from(row.probabilities ?? [], floatDigits) : [];
          const marks = unsure === undefined ? [] : [String(unsure)];
          const index = row.index === undefined ? '' : String(row.index);
          const own = [csvField(row.file), index, csvField(row.label), String(floatDigits(row.probability))];
          return lineOf([...own, ...marks, ...all.map(String)]);
        })
        .join(''),
    end: () => '',
  };
}

/** What needs quotes: what RFC 4180 says, spaces that readers take away, and what a spreadsheet may take for a formula. */
const quoted = /[",\r\n]|^[\s=+\-@]|\s$/;

function csvField(text: string): string {
  return quoted.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** JSON Lines: an object a picture; `index` is null where a file holds one picture. */
export function jsonLinesFormat(columns: PredictionColumns): PredictionFormat {
  return {
    begin: () => '',
    rows: (rows) =>
      rows
        .map((row) => {
          const unsure = isUnsure(row, columns);
          const fields = {
            file: row.file,
            index: row.index ?? null,
            label: row.label,
            probability: floatDigits(row.probability),
            ...(unsure !== undefined && { unsure }),
            ...(columns.probabilities && { probabilities: probabilitiesByName(row, columns) }),
          };
          return `${printableJson(JSON.stringify(fields))}\n`;
        })
        .join(''),
    end: () => '',
  };
}

/** One JSON array, an element a picture with all probabilities, whole once it is ended. */
export function jsonFormat(columns: PredictionColumns): PredictionFormat {
  let opening = '[\n';
  const asIs = (value: number) => value;
  return {
    begin: () => '',
    rows: (rows) => {
      const text = rows
        .map((row) => {
          const unsure = isUnsure(row, columns);
          const fields = {
            file: row.file,
            index: row.index ?? 0,
            class: row.label,
            probability: row.probability,
            ...(unsure !== undefined && { unsure }),
            ...(row.probabilities && { probabilities: probabilitiesByName(row, columns, asIs) }),
          };
          return `  ${JSON.stringify(fields, null, 2).replaceAll('\n', '\n  ')}`;
        })
        .join(',\n');
      const written = rows.length > 0 ? `${opening}${printableJson(text)}` : '';
      if (written !== '') opening = ',\n';
      return written;
    },
    end: () => (opening === ',\n' ? '\n]\n' : '[]\n'),
  };
}

/** What JSON leaves as it is and a terminal obeys: late control characters, line separators, turns of direction. */
const unprintable = /[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function printableJson(text: string): string {
  return text.replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
