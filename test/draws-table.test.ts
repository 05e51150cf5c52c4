import { describe, expect, test } from 'vitest';
// @ts-expect-error: a script, which has no types.
import { cellsOf, drawsTable, keyOf, readJournal, remainingMs } from '../scripts/draws-table.mjs';

const estimate = { accuracy: 0.8, low: 0.7, high: 0.85, level: 0.95, heldBack: 100, method: 'folds' };
const even = { labels: 100, balance: 1, given: 'evenly' };
const uneven = { labels: 100, balance: 10, given: 'proportionally' };
const rowOf = (cell: typeof even, draw: number, accuracies: Record<string, number>, seconds = 60) => ({
  ...{ key: keyOf('photos', cell, draw), ...cell, draw, kept: 'selfTrain' },
  stages: Object.fromEntries(
    Object.entries(accuracies).map(([stage, accuracy]) => [stage, { accuracy, macroF1: accuracy - 0.02 }]),
  ),
  ...{ estimate, evidence: [['selfTrain', 77, 100]], pile: 6000, shares: null, seconds },
});
const journal = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

describe('npm run draws', () => {
  test.each([
    [['evenly', 'proportionally'], 'evenly'],
    [['proportionally', 'evenly'], 'evenly'],
    [['proportionally'], 'proportionally'],
  ])('of even classes each cell is run once, with --given %s', (given, way) => {
    const cells = cellsOf({ labels: [20, 100, 20], balance: [1, 10], given });
    expect(cells.filter(({ balance }: typeof even) => balance === 1)).toEqual([
      { labels: 20, balance: 1, given: way },
      { labels: 100, balance: 1, given: way },
    ]);
    expect(cells).toHaveLength(2 + 2 * given.length);
  });

  test('a line that a kill cut off is passed over with a note; its run is to be made again', () => {
    const first = rowOf(even, 1, { selfTrain: 0.8 });
    const second = rowOf(even, 2, { selfTrain: 0.7 });
    const whole = journal([first, second]);
    expect(readJournal('draws.jsonl', whole)).toMatchObject({ notes: [], isCut: false });
    const { rows, notes, isCut } = readJournal('draws.jsonl', whole.slice(0, -40));
    expect([...rows.values()]).toEqual([first]);
    expect(isCut).toBe(true);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(
      /^draws\.jsonl, line 2: expected a run\. Received: \{"key":"photos-100-1-evenly-2".* made again\.$/,
    );
    // What is JSON, but no run, is passed over as well; a run that was made again counts once.
    const others = `${journal([{ ...first, kept: 'mixture' }, first])}\n${journal([{ ...first, seconds: 61 }])}`;
    const again = readJournal('draws.jsonl', others);
    expect([...again.rows.values()]).toEqual([{ ...first, seconds: 61 }]);
    expect(again.notes[0]).toContain('line 1');
  });

  test('the time of all runs is that of runs like them, and before any is through, that of the present one', () => {
    const rows = [rowOf(even, 1, { selfTrain: 0.8 }, 60), rowOf(even, 2, { selfTrain: 0.8 }, 80)];
    const present = { elapsedMs: 30_000, leftMs: 20_000 };
    expect(remainingMs([even, even, even], rows, present)).toBe(20_000 + 2 * 70_000);
    expect(remainingMs([even, even], rows, { elapsedMs: 30_000 })).toBe(40_000 + 70_000);
    expect(remainingMs([even], rows, { elapsedMs: 90_000 })).toBe(0);
    const slower = [...rows, rowOf(uneven, 1, { selfTrain: 0.5 }, 100)];
    expect(remainingMs([even, even, uneven], slower, present)).toBe(20_000 + 70_000 + 100_000);
    expect(remainingMs([even, uneven], rows, present)).toBe(90_000);
    expect(remainingMs([even, uneven], [], present)).toBe(70_000);
    expect(remainingMs([even, uneven], [], { elapsedMs: 1 })).toBeUndefined();
    expect(remainingMs([], rows)).toBe(0);
  });

  test('the table has what was kept beside the best stage, over the draws of each cell', () => {
    const rows = [
      rowOf(even, 1, { finetune: 0.7, selfTrain: 0.8 }),
      rowOf(even, 2, { finetune: 0.65, selfTrain: 0.6, mixture: 0.61 }),
      rowOf(even, 3, { finetune: 0.705, selfTrain: 0.7 }),
      rowOf(uneven, 1, { selfTrain: 0.9 }),
    ];
    expect(
      drawsTable([even, uneven, { ...uneven, labels: 20 }], rows)
        .split('\n')
        .slice(2),
    ).toEqual([
      '| 100 | 1:1 | evenly | 3 | 70.0 ± 10.0 | 71.8 ± 7.6 | 67 % | −5.0 | 68.0 ± 10.0 | 2 of 3 |',
      '| 100 | 10:1 | proportionally | 1 | 90.0 ± 0.0 | 90.0 ± 0.0 | 100 % | 0.0 | 88.0 ± 0.0 | 0 of 1 |',
      '| all |  |  | 4 | 75.0 ± 12.9 | 76.4 ± 11.0 | 75 % | −5.0 | 73.0 ± 12.9 | 2 of 4 |',
    ]);
  });
});
