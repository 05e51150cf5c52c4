import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import { mnistChecksums } from '../data/mnist-checksums.js';
import { compareWithNotebook, notebookFigures, notebookFor } from './comparison.js';

const { result } = sampleRecord();

test('every figure of the notebook stands beside ours', () => {
  const rows = compareWithNotebook({ ...result, draws: [] }, notebookFigures);
  expect(rows.map(({ label, ours, notebook, unit }) => [label, ours, notebook, unit])).toEqual([
    ['Rotation, validation accuracy', 0.99287, 0.99562, 'accuracy'],
    ['Rotation, test accuracy', 0.99131, 0.9948, 'accuracy'],
    ['Rotation, test loss', 0.02744, 0.01534, 'loss'],
    ['Fine-tuned, accuracy on its labels', 1, 0.99, 'accuracy'],
    ['Fine-tuned, test accuracy', 0.9342, 0.8787, 'accuracy'],
    ['Fine-tuned, test loss', 0.2214, 0.6069, 'loss'],
    ['Self-trained, test accuracy', 0.9886, null, 'accuracy'],
    ['Self-trained, test loss', 0.1713, null, 'loss'],
    ['Final classifier, test accuracy', 0.9886, 0.8787, 'accuracy'],
    ['Final classifier, test loss', 0.1713, 0.6069, 'loss'],
    ['Baseline, training accuracy', 1, 1, 'accuracy'],
    ['Baseline, test accuracy', 0.1135, 0.1137, 'accuracy'],
    ['Baseline, test loss', 2.3184, 2.3122, 'loss'],
    ['Baseline re-estimated, test accuracy', 0.7124, null, 'accuracy'],
    ['Baseline re-estimated, test loss', 0.9621, null, 'loss'],
    ['Labels alone, augmented, test accuracy', 0.9214, null, 'accuracy'],
    ['Labels alone, augmented, test loss', 0.2903, null, 'loss'],
  ]);
});

test('a stage that was not run has no figure of ours', () => {
  const rows = compareWithNotebook({ ...result, pretext: null, draws: [] }, notebookFigures);
  expect(rows.slice(0, 4).map(({ ours }) => ours)).toEqual([null, null, null, 1]);
});

test('several draws give mean and sample standard deviation, one gives none', () => {
  const rows = compareWithNotebook(result, notebookFigures).filter(({ subject }) => subject === 'draws');
  expect(rows).toHaveLength(12);
  expect(rows.map(({ label }) => label)).toContain('Final classifier, test accuracy, mean of 3');
  // A point and three tenths below each draw's fine-tuned one.
  const alone = rows.find(({ label }) => label === 'Labels alone, augmented, test accuracy, mean of 3')!;
  expect(alone.ours).toBeCloseTo(0.921233, 6);
  expect(alone.deviation).toBeCloseTo(0.00745, 5);
  // 0.9342, 0.9417, 0.9268: mean 0.934233, Σ(x − mean)² = 1.1101e-4.
  expect(rows[0]).toMatchObject({ label: 'Fine-tuned, test accuracy, mean of 3', notebook: null });
  expect(rows[0]!.ours).toBeCloseTo(0.934233, 6);
  expect(rows[0]!.deviation).toBeCloseTo(0.00745, 5);

  const single = compareWithNotebook({ ...result, draws: result.draws.slice(0, 1) }, notebookFigures);
  expect(single.some(({ subject }) => subject === 'draws')).toBe(false);
});

test('a run without self-training, and one from before there was any, have no rows of it', () => {
  const without = {
    ...result,
    scratch: null,
    selfTrain: null,
    draws: result.draws.map((draw) => ({ ...draw, scratch: null, selfTrain: null })),
  };
  const {
    scratch: _c,
    selfTrain: _s,
    final: _f,
    ...older
  } = {
    ...result,
    draws: result.draws.map(({ scratch: _c, selfTrain: _s, final: _f, ...draw }) => draw),
  };
  const labels = (run: Parameters<typeof compareWithNotebook>[0]) =>
    compareWithNotebook(run, notebookFigures).map(({ label }) => label);
  expect(labels(without)).toHaveLength(11 + 6);
  expect(labels(without).filter((label) => /Self|Final|alone/.test(label))).toEqual([]);
  expect(labels(older as unknown as typeof result)).toEqual(labels(without));
});

test('a head on a frozen encoder has rows of its own, and the final classifier has some where there is one', () => {
  const [head, draws] = [
    { test: { accuracy: 0.9, loss: 0.3 } },
    result.draws.map((draw) => ({ ...draw, linearProbe: draw.fineTune })),
  ];
  const added = (run: typeof result) => {
    const before = new Set(compareWithNotebook(run, null).map(({ label }) => label));
    const rows = compareWithNotebook(
      { ...run, linearProbe: head, draws: run.draws.length > 0 ? draws : [] },
      null,
    );
    return rows.filter(({ label }) => !before.has(label)).map(({ label, ours }) => [label, ours]);
  };
  const own = [
    ['Head on frozen features, test accuracy', 0.9],
    ['Head on frozen features, test loss', 0.3],
  ];
  expect(added({ ...result, draws: [] })).toEqual(own);
  expect(added({ ...result, selfTrain: null, draws: [] })).toEqual([
    ['Final classifier, test accuracy', 0.9886],
    ['Final classifier, test loss', 0.1713],
    ...own,
  ]);
  expect(added(result).map(([label]) => label)).toContain(
    'Head on frozen features, test accuracy, mean of 3',
  );
});

test('a run that was self-trained before the labels alone were a stage has all rows but theirs', () => {
  const { scratch: _, ...older } = {
    ...result,
    draws: result.draws.map(({ scratch: _, ...draw }) => draw),
  };
  const rows = compareWithNotebook(result, notebookFigures).filter(
    ({ label }) => !label.startsWith('Labels alone'),
  );
  expect(compareWithNotebook(older as unknown as typeof result, notebookFigures)).toEqual(rows);
  expect(rows).toHaveLength(15 + 10);
});

test('figures on other data have nothing of the notebook beside them', () => {
  const rows = compareWithNotebook(result, null);
  expect(rows.map(({ label, ours }) => [label, ours])).toEqual(
    compareWithNotebook(result, notebookFigures).map(({ label, ours }) => [label, ours]),
  );
  expect(rows.every(({ notebook }) => notebook === null)).toBe(true);
});

test('the notebook’s data is MNIST, wherever it lies and however its files are spelled', () => {
  expect(notebookFor(mnistChecksums)).toBe(notebookFigures);
  const dotted = Object.entries(mnistChecksums).map(([file, md5]) => [file.replace('-idx', '.idx'), md5]);
  expect(notebookFor(Object.fromEntries(dotted.reverse()))).toBe(notebookFigures);
  const [first, ...others] = Object.entries(mnistChecksums);
  expect(notebookFor(Object.fromEntries(others))).toBeNull();
  expect(notebookFor({ ...mnistChecksums, [first![0]]: '8d4fb7e6c68d591d4c3dfef9ec88bf0d' })).toBeNull();
  for (const nothing of [undefined, null, {}, 'MNIST']) expect(notebookFor(nothing)).toBeNull();
});
