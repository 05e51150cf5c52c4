import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import { labelCount, numberAt, runName, settingAt, startOf, summariseStage } from './run-facts.js';

test('settings are found by path, whatever they hold', () => {
  const config = { a: { b: 3, c: Number.NaN }, d: [1], e: 'text' };
  expect(settingAt(config, ['a', 'b'])).toBe(3);
  expect(settingAt(config, ['e', 'length'])).toBeUndefined();
  expect(numberAt(config, ['x'], ['a', 'c'], ['e'], ['a', 'b'])).toBe(3);
  expect(numberAt(config, ['d'])).toBeNull();
});

test('the start is a readable time, or as written, or absent', () => {
  expect(startOf({ startedAt: '2025-03-14T10:12:45.120Z' })).toBe('2025-03-14 10:12 UTC');
  expect(startOf({ date: 'a Friday' })).toBe('a Friday');
  expect(startOf({})).toBeNull();
});

test('names, labels and sums over epochs', () => {
  const record = sampleRecord();
  expect(['runs/x', 'C:\\runs\\x\\', 'x'].map(runName)).toEqual(['x', 'x', 'x']);
  expect(labelCount(record)).toBe(100);
  expect(labelCount({ ...record, exhibits: { ...record.exhibits, classCounts: [] } })).toBe(100);
  expect(summariseStage(record.epochs, 'baseline')).toEqual({
    stage: 'baseline',
    epochs: 10,
    steps: 20,
    durationMs: 800,
  });
  expect(summariseStage([], 'baseline')).toBeNull();
});
