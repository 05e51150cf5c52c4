import { expect, test } from 'vitest';
import { tableFormat } from './prediction-output.js';

const row = (file: string, label = 'seven', index?: number, probability = 0.5) => ({
  ...{ file, label, probability },
  ...(index !== undefined && { index }),
});
const columns = { classNames: ['one', 'seven'], probabilities: false };

test('a table has one line an image, whatever its name holds', () => {
  const { rows } = tableFormat(columns);
  expect(rows([row('two\nlines'), row('a', 'one'), row('b', 'one', 3)])).toBe(
    ['two\\nlines  seven   50.00 %', 'a           one     50.00 %', 'b[3]        one     50.00 %', ''].join(
      '\n',
    ),
  );
});

test('a longer name widens the column from its own rows on, a very long one does not', () => {
  const { rows } = tableFormat({ ...columns, classNames: ['seven'] });
  expect(rows([row('a')])).toBe('a  seven   50.00 %\n');
  expect(rows([row('abc')])).toBe('abc  seven   50.00 %\n');
  expect(rows([row('a')])).toBe('a    seven   50.00 %\n');
  expect(rows([row('x'.repeat(200))])).toBe(`${'x'.repeat(200)}  seven   50.00 %\n`);
  expect(rows([row('a')])).toHaveLength('a'.padEnd(60).length + '  seven   50.00 %\n'.length);
});

test('what is unsure is marked where somebody says what is', () => {
  const { rows } = tableFormat({ ...columns, unsure: 0.6 });
  expect(rows([row('a'), row('b', 'seven', undefined, 0.6)])).toBe(
    'a  seven   50.00 %  unsure\nb  seven   60.00 %\n',
  );
  const abstaining = tableFormat({ ...columns, unsure: 0.6, abstain: true });
  expect(abstaining.rows([row('a'), row('b', 'seven', undefined, 0.6)])).toBe(
    'a  —       50.00 %  unsure\nb  seven   60.00 %\n',
  );
});
