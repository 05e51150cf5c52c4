import { expect, test } from 'vitest';
import { ablationMarkdown, ablationRow, ablationTable } from './ablation.js';

const rows = [
  ablationRow({ name: 'baseline', title: 'baseline, as in the notebook' }, [0.09, 0.11], {
    durationMs: 1240,
    imagesTrained: 1000,
  }),
  ablationRow(
    { name: 'self-training', title: 'self-training, no rotation pretraining' },
    [0.951, 0.949, 0.953],
    {
      durationMs: 1_234_567,
      imagesTrained: 12_345_678.4,
    },
  ),
  ablationRow({ name: 'suggested', title: 'a | b' }, [0.5], { durationMs: 0, imagesTrained: 0 }),
];

test('a row holds mean, sample deviation and what it cost', () => {
  expect(rows[0]).toEqual({
    variant: 'baseline',
    title: 'baseline, as in the notebook',
    accuracies: [0.09, 0.11],
    mean: expect.closeTo(0.1),
    deviation: expect.closeTo(Math.sqrt(2) / 100),
    trainSeconds: 1.2,
    imagesTrained: 1000,
  });
  expect(rows[2]).toMatchObject({ mean: 0.5, deviation: null });
});

test('the table is aligned and fits 80 columns', () => {
  const table = ablationTable(rows);
  expect(table).toBe(
    [
      '                                         test accuracy  training      images',
      'baseline, as in the notebook            10.00 ± 1.41 %     1.2 s       1,000',
      'self-training, no rotation pretraining  95.10 ± 0.20 %  1234.6 s  12,345,678',
      'a | b                                          50.00 %     0.0 s           0',
    ].join('\n'),
  );
});

test('titles that are too long are cut', () => {
  const lines = ablationTable(rows, { columns: 60 }).split('\n');
  expect(lines.map((line) => line.length)).toEqual([60, 60, 60, 60]);
  expect(lines[2]).toMatch(/^self-.*… {2}95\.10 ± 0\.20 %/);
});

test('Markdown has a row a variant', () => {
  expect(ablationMarkdown(rows)).toBe(
    [
      '| | test accuracy | draws | training | images |',
      '| --- | ---: | ---: | ---: | ---: |',
      '| baseline, as in the notebook | 10.00 ± 1.41 % | 2 | 1.2 s | 1,000 |',
      '| self-training, no rotation pretraining | 95.10 ± 0.20 % | 3 | 1234.6 s | 12,345,678 |',
      '| a \\| b | 50.00 % | 1 | 0.0 s | 0 |',
    ].join('\n'),
  );
});
