import { expect, test } from 'vitest';
import { textOf } from '../../../test/support/report-text.js';
import { sampleRecord } from '../../../test/support/sample-record.js';
import type { RunRecord } from '../../store/run-record.js';
import { renderReport } from '../render-report.js';

/** A run that learned from images alone. */
function pretrainedAlone(): RunRecord {
  const record = sampleRecord();
  const { epochs, result, exhibits } = record;
  return {
    ...record,
    config: { ...record.config, data: { checksums: {} } },
    epochs: epochs.filter(({ stage }) => stage === 'pretrain'),
    result: {
      ...result,
      ...{ fineTune: null, baseline: null, baselineReestimated: null, scratch: null, selfTrain: null },
      ...{ final: null, evidence: [], estimate: null, calibration: null, ladder: [], draws: [] },
      pretext: result.pretext && { ...result.pretext, test: null },
    },
    exhibits: { ...exhibits, confusions: [], classCounts: [], trainImages: 1503 },
  };
}

test('a run that learned from images alone says so, and speaks of no labels that it had', () => {
  const alone = pretrainedAlone();
  const [text = ''] = textOf(renderReport(alone)).split('Settings and versions');
  expect(text).toContain('Rotation validation accuracy 99.29 % four ways to turn an image, no labels');
  expect(text).toContain('This run learned that, from images alone: no label took part.');
  expect(text).toContain('The data 1,503 images to learn from. None of them has a label.');
  expect(text).not.toMatch(
    /not run|told the classes|\d-label|Supervised baseline|baseline|[Tt]est (images|accuracy)/,
  );

  // The same of data that has labels: they are there, and took no part.
  const { exhibits } = sampleRecord();
  const labelled = { ...alone.exhibits, classCounts: exhibits.classCounts, trainImages: 59_476 };
  const known = textOf(renderReport({ ...alone, exhibits: labelled }));
  expect(known).toContain('No label took part. Class Images 0 ');
  expect(known).not.toContain('learned from 10');
  const { data } = sampleRecord().config;
  const mnist = textOf(renderReport({ ...alone, config: { ...alone.config, data } }));
  expect(mnist).toContain('Rotation, validation accuracy 99.29 % 99.56 %');
  expect(mnist).not.toContain('not run');
});

test('a run without rotations says what its labels were told to', () => {
  const record = sampleRecord();
  const result = { ...record.result, pretext: null };
  const text = textOf(renderReport({ ...record, result }));
  expect(text).toContain('This run did without: its network was told the classes of 100 images');
  const config = { ...record.config, backboneFrom: { run: 'runs/turns' } };
  expect(textOf(renderReport({ ...record, config, result }))).toContain(
    'A network had learned that in another run, runs/turns; in this one it was told the classes of 100 images',
  );
});

test('images with a label and without are told apart', () => {
  const record = sampleRecord();
  const counts = ['cat', 'dog'].map((name) => ({ name, train: 15, labelled: 15 }));
  const exhibits = { ...record.exhibits, classCounts: counts, trainImages: 300 };
  const text = textOf(renderReport({ ...record, exhibits }));
  expect(text).toContain('300 images to learn from: 30 with a label and 270 without, the pile.');
  expect(text).toContain('Class Images with a label cat 15 dog 15 Total 30');
  const answered = counts.map((each, i) => ({ ...each, found: [180, 90][i] }));
  const sampled = textOf(renderReport({ ...record, exhibits: { ...exhibits, classCounts: answered } }));
  expect(sampled).toContain(
    'Class Images with a label Answers for 270 images of the pile cat 15 180 dog 15 90 Total 30 270',
  );
  const few = counts.map((each) => ({ ...each, train: 150 }));
  const simulated = textOf(renderReport({ ...record, exhibits: { ...exhibits, classCounts: few } }));
  expect(simulated).toContain('Class Images Labels learned from cat 150 15 dog 150 15 Total 300 30');
  const given = counts.map((each) => ({ ...each, train: null }));
  const pile = textOf(renderReport({ ...record, exhibits: { ...exhibits, classCounts: given } }));
  expect(pile).toContain('30 with a label and 270 without, the pile. Class Labels learned from cat 15');
});

test('what was set aside is counted by its kind, with rows that name no image', () => {
  const record = sampleRecord();
  const leftOut = {
    ...{ found: 1507, unit: 'file' as const, setAside: 5, copies: 1, untested: 0 },
    kinds: [
      { reason: 'JPEG file that is cut off', count: 4, names: ['a.jpg', 'b.jpg', 'c.jpg'], hint: 'Copy it.' },
      { reason: 'empty file', count: 1, names: ['d.jpg'] },
    ],
    rows: { table: 'labels.csv', count: 2, names: ['e.jpg', 'f.jpg'] },
  } as const;
  const exhibits = { ...record.exhibits, leftOut };
  const config = { ...record.config, commandLine: 'quarterturn run photos' };
  const text = textOf(renderReport({ ...record, config, exhibits }));
  expect(text).toContain('Of 1,507 files found, 5 could not be used and 1 is a copy.');
  expect(text).toContain('JPEG file that is cut off: 4 ( a.jpg , b.jpg , c.jpg and 1 more). Copy it.');
  expect(text).toContain('empty file: 1 ( d.jpg ).');
  expect(text).toContain('2 rows of labels.csv find no image ( e.jpg , f.jpg ).');
  expect(text).toContain('All of them are listed in skipped.csv in the folder of the run.');
  expect(textOf(renderReport({ ...record, exhibits }))).not.toContain('skipped.csv');
  const none = { ...leftOut, setAside: 0, copies: 0, kinds: [] };
  const { rows: _, ...nothing } = none;
  const clean = textOf(renderReport({ ...record, exhibits: { ...record.exhibits, leftOut: nothing } }));
  expect(clean).not.toMatch(/found,|skipped\.csv/);
});
