import { expect, test } from 'vitest';
import { jsonFormat, labelOf, tableFormat } from './prediction-output.js';

const prediction = (file: string, name = 'seven', index = 0, several = false) => ({
  label: labelOf(file, index, several),
  prediction: { file, index, class: name, probability: 0.5, probabilities: { one: 0.5, [name]: 0.5 } },
});

test('a table has one line an image, whatever its name holds', () => {
  const { rows } = tableFormat(['one', 'seven']);
  expect(rows([prediction('two\nlines'), prediction('a', 'one'), prediction('b', 'one', 3, true)])).toBe(
    ['two\\nlines  seven   50.00 %', 'a           one     50.00 %', 'b[3]        one     50.00 %', ''].join(
      '\n',
    ),
  );
});

test('a longer name widens the column from its own rows on, a very long one does not', () => {
  const { rows } = tableFormat(['seven']);
  expect(rows([prediction('a')])).toBe('a  seven   50.00 %\n');
  expect(rows([prediction('abc')])).toBe('abc  seven   50.00 %\n');
  expect(rows([prediction('a')])).toBe('a    seven   50.00 %\n');
  expect(rows([prediction('x'.repeat(200))])).toBe(`${'x'.repeat(200)}  seven   50.00 %\n`);
  expect(rows([prediction('a')])).toHaveLength('a'.padEnd(60).length + '  seven   50.00 %\n'.length);
});

test.each([[[]], [[1]], [[3, 1]], [[0, 2]]])('JSON in pieces of %j is what it is in one', (sizes) => {
  const { rows, end } = jsonFormat();
  const all = sizes.flatMap((size, k) => Array.from({ length: size }, (_, i) => prediction(`${k}-${i}\n"`)));
  let from = 0;
  let text = '';
  for (const size of sizes) {
    text += rows(all.slice(from, from + size));
    from += size;
  }
  text += end();
  expect(text).toBe(
    `${JSON.stringify(
      all.map((each) => each.prediction),
      null,
      2,
    )}\n`,
  );
});

test('JSON holds nothing that a terminal obeys', () => {
  const names = ['\x1b[31m', '\x9b31m', '\x7f', '\u202egnp', 'a\u2028b', 'é🦊'];
  const { rows, end } = jsonFormat();
  const text = rows(names.map((name) => prediction(name))) + end();
  expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Zl}|\p{Bidi_Control}/u);
  expect(JSON.parse(text).map(({ file }: { file: string }) => file)).toEqual(names);
});
