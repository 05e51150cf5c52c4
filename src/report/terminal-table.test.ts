import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import { type ComparisonRow, compareWithNotebook, notebookFigures } from './comparison.js';
import { comparisonTable, ladderTable } from './terminal-table.js';

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

test('a dense table has no lines between subjects', () => {
  expect(comparisonTable(rows, { columns: 80, dense: true }).split('\n')).toEqual([
    '                               this run  notebook',
    '',
    'Rotation, test accuracy         99.13 %   99.48 %',
    'Rotation, test loss                   —    0.0153',
    'Mean of 3                93.42 ± 0.58 %         —',
  ]);
});

test('long labels are cut so that no line exceeds the terminal', () => {
  const lines = comparisonTable(rows, { columns: 44 }).split('\n');
  expect(lines[2]).toBe('Rotation, test ac…         99.13 %   99.48 %');
  expect(Math.max(...lines.map((line) => line.length))).toBe(44);
});

test('the whole comparison fits 80 columns uncut', () => {
  const table = comparisonTable(compareWithNotebook(sampleRecord().result, notebookFigures));
  expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(table).not.toContain('…');
});

test('where there is nothing of the notebook, there is no column of it', () => {
  const ours = rows.map((row) => ({ ...row, notebook: null }));
  expect(comparisonTable(ours, { columns: 80 }).split('\n')).toEqual([
    '                               this run',
    '',
    'Rotation, test accuracy         99.13 %',
    'Rotation, test loss                   —',
    '',
    'Mean of 3                93.42 ± 0.58 %',
  ]);
});

test('the ladder fits 80 columns uncut, with long times and many images', () => {
  const { ladder } = sampleRecord().result;
  expect(ladderTable(ladder).split('\n')).toEqual([
    'what each step brought                    test    error        time   images',
    'baseline, as in the notebook           11.35 %  88.65 %       2.1 s    1,000',
    '+ re-estimated statistics              71.24 %  28.76 %       2.1 s    1,000',
    '+ augmentation                         92.14 %   7.86 %      22.0 s   40,000',
    'rotation pretraining, then the labels  93.42 %   6.58 %  1 min 44 s  132,160',
    '+ self-training                        98.86 %   1.14 %  3 min 51 s  439,360',
  ]);
  const long = ladder.map((step) => ({ ...step, durationMs: 754_000, imagesTrained: 1_310_400 }));
  const lines = ladderTable(long).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.join('')).not.toContain('…');
  expect(ladderTable(long, { columns: 60 }).split('\n')[4]).toMatch(/^rotation pret.*… {2}93\.42 %/);
});

test('in 40 columns the last columns go, and no line is longer', () => {
  const { ladder } = sampleRecord().result;
  expect(ladderTable(ladder, { columns: 40 }).split('\n')).toEqual([
    'what each step brought     test    error',
    'baseline, as in the n…  11.35 %  88.65 %',
    '+ re-estimated statis…  71.24 %  28.76 %',
    '+ augmentation          92.14 %   7.86 %',
    'rotation pretraining,…  93.42 %   6.58 %',
    '+ self-training         98.86 %   1.14 %',
  ]);
  expect(ladderTable(ladder, { columns: 20 }).split('\n')[4]).toBe('rotation pr…  93.42 %');
  for (const line of comparisonTable(rows, { columns: 30 }).split('\n')) {
    expect(line.length).toBeLessThanOrEqual(30);
  }
});
