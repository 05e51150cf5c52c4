import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import { type ComparisonRow, compareWithNotebook } from './comparison.js';
import { comparisonTable } from './terminal-table.js';

const rows: readonly ComparisonRow[] = [
  { subject: 'rotation', label: 'Rotation, test accuracy', ours: 0.9913, notebook: 0.9948, unit: 'accuracy' },
  { subject: 'rotation', label: 'Rotation, test loss', ours: null, notebook: 0.01534, unit: 'loss' },
  { subject: 'draws', label: 'Mean of 3', ours: 0.9342, deviation: 0.0058, notebook: null, unit: 'accuracy' },
];

test('columns line up, subjects stand apart, what is missing is a dash', () => {
  expect(comparisonTable(rows, { columns: 80 }).split('\n')).toEqual([
    '                               this run  notebook',
    '',
    'Rotation, test accuracy         99.13 %   99.48 %',
    'Rotation, test loss                   —    0.0153',
    '',
    'Mean of 3                93.42 ± 0.58 %         —',
  ]);
});

test('long labels are cut so that no line exceeds the terminal', () => {
  const lines = comparisonTable(rows, { columns: 44 }).split('\n');
  expect(lines[2]).toBe('Rotation, test ac…         99.13 %   99.48 %');
  expect(Math.max(...lines.map((line) => line.length))).toBe(44);
});

test('the whole comparison fits 80 columns uncut', () => {
  const table = comparisonTable(compareWithNotebook(sampleRecord().result));
  expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(table).not.toContain('…');
});
