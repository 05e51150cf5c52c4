import { expect, test } from 'vitest';
import { exhibitsSchema } from './exhibits-record.js';
import { evidenceSchema } from './run-record.js';

const withConfusion = (confusion: object) =>
  exhibitsSchema.parse({
    grids: [],
    layerTables: [],
    classCounts: [],
    confusions: [{ title: 'Test images', classNames: ['cat', 'dog'], ...confusion }],
  }).confusions[0];

test('a matrix of earlier versions, a number for each pair, is read as the pairs that occur', () => {
  const cells = [
    [0, 0, 8],
    [0, 1, 2],
    [1, 1, 5],
  ];
  const counts = [
    [8, 2],
    [0, 5],
  ];
  expect(withConfusion({ counts })).toEqual(withConfusion({ cells }));
  expect(withConfusion({ cells })).toEqual({ title: 'Test images', classNames: ['cat', 'dog'], cells });
});

test('classes without a name, and what is no count, are refused', () => {
  for (const counts of [[[1, 0, 1]], [[1.5, 0]], [['one']], 'none']) {
    expect(() => withConfusion({ counts })).toThrow();
  }
  expect(() => withConfusion({ cells: [[2, 0, 1]] })).toThrow('expected numbers of classes that have a name');
});

test('more labels found than were held back are refused: a share and its interval would be no numbers', () => {
  const evidence = { stage: 'finetune', found: 88, of: 100 };
  expect(evidenceSchema.parse(evidence)).toEqual(evidence);
  const { error } = evidenceSchema.safeParse({ ...evidence, found: 101 });
  expect(error?.issues).toMatchObject([{ path: ['found'], message: 'expected at most as many as of says' }]);
});
