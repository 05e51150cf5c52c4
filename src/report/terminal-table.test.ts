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
  const long = rows.map((row) => ({ ...row, label: `${row.label} of a long list` }));
  const lines = comparisonTable(long, { columns: 60 }).split('\n');
  expect(lines[2]).toBe('Rotation, test accuracy of a long…         99.13 %   99.48 %');
  expect(Math.max(...lines.map((line) => line.length))).toBe(60);
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

test('in 40 columns a table is a list, whole, and no line is longer', () => {
  const { ladder } = sampleRecord().result;
  expect(ladderTable(ladder, { columns: 40 }).split('\n').slice(0, 7)).toEqual([
    'what each step brought',
    'baseline, as in the notebook',
    '  11.35 % of test images right, 2.1 s,',
    '  1,000 images',
    '+ re-estimated statistics',
    '  71.24 % of test images right, 2.1 s,',
    '  1,000 images',
  ]);
  expect(comparisonTable(rows, { columns: 40 }).split('\n')).toEqual([
    'Rotation, test accuracy',
    '  99.13 %, notebook 99.48 %',
    'Rotation, test loss',
    '  —, notebook 0.0153',
    'Mean of 3',
    '  93.42 ± 0.58 %',
  ]);
  for (const table of [ladderTable(ladder, { columns: 30 }), comparisonTable(rows, { columns: 30 })]) {
    for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(30);
    expect(table).not.toContain('…');
  }
});
