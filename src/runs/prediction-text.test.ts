import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { floatDigits, type PredictionRow } from './prediction-row.js';
import { csvFormat, jsonFormat, jsonLinesFormat } from './prediction-text.js';

const row = (file: string, index?: number, label = 'seven'): PredictionRow => ({
  ...{ file, label, probability: Math.fround(0.7) },
  probabilities: Float32Array.of(0.3, 0.7),
  ...(index !== undefined && { index }),
});
const classNames = ['one', 'seven'];
const columns = { classNames, probabilities: false };

describe('CSV', () => {
  const written = (rows: readonly PredictionRow[], shown: Parameters<typeof csvFormat>[0] = columns) => {
    const format = csvFormat(shown);
    return format.begin() + format.rows(rows) + format.end();
  };

  test('has file, index, label and probability, and lines that end as RFC 4180 says', () => {
    expect(written([row('a.png'), row('b.idx', 12)])).toBe(
      'file,index,label,probability\r\na.png,,seven,0.7\r\nb.idx,12,seven,0.7\r\n',
    );
    expect(written([])).toBe('file,index,label,probability\r\n');
  });

  test('has a mark and all probabilities where they are asked for', () => {
    expect(written([row('a.png')], { classNames, probabilities: true, unsure: 0.8 })).toBe(
      'file,index,label,probability,unsure,p_one,p_seven\r\na.png,,seven,0.7,true,0.3,0.7\r\n',
    );
  });

  test.each([
    'a,b',
    'a"b',
    'two\nlines',
    'two\r\nlines',
    ' led',
    'trailed ',
    '=1+1',
    '@x',
    '-1',
    '+1',
    'é🦊',
    '',
  ])('gives the name %j back as it is', (name) => {
    const rows = parse(written([row(name, 3, name)]), { columns: true }) as Record<string, string>[];
    expect(rows).toEqual([{ file: name, index: '3', label: name, probability: '0.7' }]);
  });

  test('quotes what a spreadsheet takes for a formula', () => {
    expect(written([row('=HYPERLINK(1)')])).toContain('\r\n"=HYPERLINK(1)",,seven');
  });
});

test('JSON Lines has an object a line, also for names with line breaks', () => {
  const { rows } = jsonLinesFormat({ classNames, probabilities: true, unsure: 0.5 });
  const lines = rows([row('a\nb'), row('c', 0)]).split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      ...{ file: 'a\nb', index: null, label: 'seven', probability: 0.7, unsure: false },
      probabilities: { one: 0.3, seven: 0.7 },
    },
    {
      ...{ file: 'c', index: 0, label: 'seven', probability: 0.7, unsure: false },
      probabilities: { one: 0.3, seven: 0.7 },
    },
  ]);
});

test.each([[[]], [[1]], [[3, 1]], [[0, 2]]])('JSON in pieces of %j is what it is in one', (sizes) => {
  const { rows, end } = jsonFormat({ ...columns, probabilities: true });
  const all = sizes.flatMap((size, k) => Array.from({ length: size }, (_, i) => row(`${k}-${i}\n"`)));
  let from = 0;
  let text = '';
  for (const size of sizes) {
    text += rows(all.slice(from, from + size));
    from += size;
  }
  text += end();
  const expected = all.map(({ file, label }) => ({
    ...{ file, index: null, label, probability: 0.7 },
    probabilities: { one: 0.3, seven: 0.7 },
  }));
  expect(text).toBe(`${JSON.stringify(expected, null, 2)}\n`);
});

test.each([
  ['JSON', jsonFormat],
  ['JSON Lines', jsonLinesFormat],
])('%s holds nothing that a terminal obeys', (name, formatOf) => {
  const names = ['\x1b[31m', '\x9b31m', '\x7f', '\u202egnp', 'a\u2028b', 'é🦊'];
  const { rows, end } = formatOf(columns);
  const text = rows(names.map((each) => row(each))) + end();
  expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Zl}|\p{Bidi_Control}/u);
  const values: { file: string }[] =
    name === 'JSON'
      ? JSON.parse(text)
      : text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
  expect(values.map(({ file }) => file)).toEqual(names);
});

test('a float32 is written in the fewest digits that tell it from all others', () => {
  for (const value of [0, 1, 0.1, 0.7, 1 / 3, 1e-7, 3.4e-38, 0.99999994]) {
    const single = Math.fround(value);
    expect(Math.fround(floatDigits(single))).toBe(single);
  }
  expect(floatDigits(Math.fround(0.7))).toBe(0.7);
  expect(floatDigits(Math.fround(1 / 3))).toBe(0.33333334);
});
