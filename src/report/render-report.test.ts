import { expect, test } from 'vitest';
import { textOf } from '../../test/support/report-text.js';
import { sampleRecord } from '../../test/support/sample-record.js';
import { type RunRecord, resultSchema } from '../store/run-record.js';
import { matrixSummary } from './confusion-figure.js';
import { renderReport } from './render-report.js';
import { baselineFacts, formatShare } from './sections/batch-norm.js';

import { difference } from './sections/results.js';
import { flatten } from './sections/settings.js';

test('a pure function whose file stays small', () => {
  const report = renderReport(sampleRecord());
  expect(renderReport(sampleRecord())).toBe(report);
  expect(report.length).toBeLessThan(1_000_000);
});

test('nothing in the file points outside it, and no script is in it', () => {
  const report = renderReport(sampleRecord());
  expect(report).not.toMatch(/<script|<link|@import|url\((?!#)/);
  const addresses = [...report.matchAll(/\b(?:src|href)="([^"]{0,22})/g)].map(([, address]) => address);
  expect(new Set(addresses)).toEqual(new Set(['data:image/bmp;base64,']));
});

test('the headline figures, the comparison and the trap carry the run’s numbers', () => {
  const text = textOf(renderReport(sampleRecord()));
  expect(text).toContain('Rotation test accuracy 99.13 %');
  expect(text).toContain('100-label test accuracy 98.86 % self-trained on 59,');
  expect(text).toContain('Final classifier, test accuracy 98.86 % 87.87 % +10.99 pp');
  expect(text).toContain('Fine-tuned, test accuracy 93.42 % 87.87 % +5.55 pp');
  expect(text).toContain('Baseline re-estimated, test accuracy 71.24 % not reported —');
  expect(text).toContain('Labels alone, augmented, test accuracy 92.14 % not reported —');
  expect(text).toContain('Fine-tuned, test accuracy, mean of 3 93.42 ± 0.75 %');
  expect(text).toContain('Labels alone, augmented, test accuracy, mean of 3 92.12 ± 0.75 %');
  expect(text).toContain('0.99 20 = 82 %');
  expect(text).toContain('71.24 % : 59.9 points were bookkeeping');
  expect(text).toContain('Non-trainable params 590,656');
  expect(text).toContain('Whole run 4 min 12 s');
  expect(text).toContain('Peak memory 680 MiB');
});

test('what held-back labels say of each classifier comes with its interval', () => {
  const text = textOf(renderReport(sampleRecord()));
  expect(text).toContain('Fine-tuning on the labels 88 % 80 to 93 %');
  expect(text).toContain('Self-training on the unlabelled pile 95 % 89 to 98 % kept');
  expect(text).toContain(
    'Neighbours by oriented gradients recover 96 of 100 held-back labels in a sample of the pile, those by the network pretrained on rotations 86. Images are compared by oriented gradients.',
  );
});

test('a mixture says its shares, and that every image goes through all of its networks where it is kept', () => {
  const record = sampleRecord();
  const members = [
    { stage: 'finetune', share: 0.32 },
    { stage: 'selfTrain', share: 0.68 },
  ];
  const mixed = { ...record.result, mixture: { test: null, members } };
  const tried = textOf(renderReport({ ...record, result: mixed }));
  expect(tried).toContain('Fine-tuning on the labels 32 %, Self-training on the unlabelled pile 68 %.');
  expect(tried).not.toContain('goes through');
  const result = { ...mixed, final: { stage: 'mixture', test: null } };
  expect(textOf(renderReport({ ...record, result }))).toContain('goes through 2 networks');
});

test('figures and pictures come before the words of the field', () => {
  const report = renderReport(sampleRecord());
  for (const word of [/\bnats\b/, /\blogits\b/, /[Cc]ross-entrop/]) {
    expect(report.search(word)).toBeGreaterThan(report.indexOf('What it saw'));
  }
});

test('an estimate is called one, beside a test set and without it', () => {
  const record = sampleRecord();
  const { final } = record.result;
  const beside = textOf(renderReport(record));
  expect(beside).toContain('100-label test accuracy');
  expect(beside).toContain('estimate 89 to 100 % by held-back labels');
  const result = { ...record.result, final: { stage: final!.stage, test: null } };
  const without = textOf(renderReport({ ...record, result }));
  expect(without).toContain(
    '100-label accuracy, an estimate 95 % 89 to 100 % by held-back labels, no test set',
  );
  expect(without).not.toContain('100-label test accuracy');
  expect(without).toContain('95 % of images right, with 95 % confidence 89 to 100 %');
});

test('the temperature stands beside what it changes', () => {
  const text = textOf(renderReport(sampleRecord()));
  expect(text).toContain('a temperature of 0.62 makes it surer of itself than training left it');
  expect(text).toContain('the share that was right, went from 8.1 % to 3.3 %');
  const result = { ...sampleRecord().result, calibration: null };
  expect(textOf(renderReport({ ...sampleRecord(), result }))).not.toContain('temperature');
});

test('the split is named for what it is', () => {
  const record = sampleRecord();
  const { data } = record.config;
  const withSplit = (split?: string) =>
    textOf(renderReport({ ...record, config: { data, pretrain: { split } } }));
  expect(withSplit('copy')).toContain('That leaks');
  expect(withSplit('image')).toContain('does not leak');
  expect(withSplit()).not.toMatch(/\bleak/);
});

test('markup in names is text', () => {
  const evil = '<script>alert("x")</script>';
  const record = sampleRecord();
  const { exhibits } = record;
  const tampered: RunRecord = {
    ...record,
    config: { [evil]: evil, startedAt: evil, nested: { [evil]: [evil] } },
    result: { ...record.result, run: evil, preset: evil },
    exhibits: {
      grids: exhibits.grids.map((grid) => ({
        ...grid,
        title: evil,
        tiles: grid.tiles.map((tile) => ({ ...tile, caption: evil })),
      })),
      layerTables: exhibits.layerTables.map((table) => ({
        ...table,
        title: evil,
        rows: table.rows.map((row) => ({ ...row, name: evil, type: evil })),
      })),
      confusions: exhibits.confusions.map((confusion) => ({
        ...confusion,
        title: evil,
        classNames: confusion.classNames.map(() => evil),
      })),
      classCounts: [{ name: evil, train: 1, labelled: 1 }],
    },
  };
  const report = renderReport(tampered);
  expect(report).not.toContain('<script');
  expect(report).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
});

test('a run of which nothing is there yet is still a report', () => {
  const record = sampleRecord();
  const bare: RunRecord = {
    stages: record.stages,
    config: { data: record.config.data },
    epochs: [],
    result: {
      ...record.result,
      pretext: null,
      fineTune: null,
      baseline: null,
      baselineReestimated: null,
      scratch: null,
      selfTrain: null,
      final: null,
      ladder: [],
      draws: [],
    },
    exhibits: { grids: [], layerTables: [], confusions: [], classCounts: [] },
  };
  const text = textOf(renderReport(bare));
  expect(text).toContain('Rotation test accuracy — not run');
  expect(text).toContain('Fine-tuned, test loss not run 0.6069 —');
  expect(text).not.toMatch(/NaN|undefined|null|trap|How it learned|What it saw|What each step/);
});

test('without a test set, rotations are told of validation images and nothing is told of the baseline', () => {
  const record = sampleRecord();
  const { pretext, baseline } = record.result;
  const untested = textOf(
    renderReport({
      ...record,
      result: {
        ...record.result,
        pretext: pretext && { ...pretext, val: { accuracy: 0.8125, loss: 0.5 }, test: null },
        baseline: baseline && { ...baseline, test: null },
      },
    }),
  );
  expect(untested).toContain('Rotation validation accuracy 81.25 %');
  expect(untested).not.toMatch(/Rotation test accuracy 8|Supervised baseline —|not run four ways/);
});

test('the trap falls back from settings to epochs to the notebook', () => {
  const record = sampleRecord();
  expect(
    baselineFacts({ ...record, config: { baselineSteps: 40, network: { batchNormMomentum: 0.9 } } }),
  ).toEqual({ momentum: 0.9, steps: 40 });
  expect(baselineFacts({ ...record, config: {} })).toEqual({ momentum: 0.99, steps: 20 });
  expect(baselineFacts({ ...record, config: {}, epochs: [] })).toEqual({ momentum: 0.99, steps: 20 });
  expect([0.8179, 1 - 0.99, 0.0052, 1e-9].map(formatShare)).toEqual(['82 %', '1 %', '0.52 %', '0.01 %']);
});

test('differences are signed, in points for accuracies', () => {
  const row = { subject: 'rotation', label: '', unit: 'accuracy' } as const;
  expect(difference({ ...row, ours: 0.9342, notebook: 0.8787 })).toBe('+5.55 pp');
  expect(difference({ ...row, ours: 0.1135, notebook: 0.1137 })).toBe('−0.02 pp');
  expect(difference({ ...row, ours: 1, notebook: 1 })).toBe('±0.00 pp');
  expect(difference({ ...row, ours: 0.2214, notebook: 0.6069, unit: 'loss' })).toBe('−0.3855');
  expect(difference({ ...row, ours: null, notebook: 1 })).toBe('—');
});

test('a confusion matrix in words', () => {
  const cells = [
    [0, 0, 8],
    [0, 2, 2],
    [1, 0, 5],
    [1, 1, 1000],
    [2, 1, 1],
    [2, 2, 9],
  ] as const;
  expect(matrixSummary({ classNames: ['a', 'b', 'c'], cells })).toBe(
    '1,017 of 1,025 right (99.22 %). Most often b taken for a (5), a for c (2), c for b (1).',
  );
});

test('settings are flattened by path', () => {
  expect(flatten({ a: { b: 1, c: [1, 2] }, d: null, e: [{ f: true }], g: {}, h: undefined })).toEqual([
    ['a.b', '1'],
    ['a.c', '1, 2'],
    ['d', '—'],
    ['e.0.f', 'true'],
    ['g', '—'],
  ]);
});

test('given labels are one entry of the settings, without the number that they put aside', () => {
  const record = sampleRecord();
  const images = [
    { index: 4711, label: null },
    { index: 12, label: 'seven' },
  ];
  const config = { ...record.config, labelsPerClass: 10, labels: { data: null, images } };
  const text = textOf(renderReport({ ...record, config }));
  expect(text).toContain('labels 4711, 12 (seven)');
  expect(text).not.toContain('labelsPerClass');
});

test('what each step brought, and what became of self-training', () => {
  const record = sampleRecord();
  const { result } = record;
  const text = textOf(renderReport(record));
  expect(text).toContain('+ augmentation 22.0 s, 40,000 images 92.14 % 7.9 % wrong');
  expect(text).toContain(
    'rotation pretraining, then the labels 1 min 44 s, 132,160 images 93.42 % 6.6 % wrong',
  );
  expect(text).toContain('+ self-training 3 min 51 s, 439,360 images 98.86 % 1.1 % wrong');
  expect(text).toContain('over all 3 draws the classifier that was kept reaches 98.82 ± 0.12 %');

  const final = { stage: 'finetune' as const, test: result.fineTune!.test };
  const rejected = textOf(renderReport({ ...record, result: { ...result, final } }));
  expect(rejected).toContain('Self-training was not kept');
  expect(rejected).toContain('100-label test accuracy 93.42 %');
  const stopped = { ...record, epochs: record.epochs.filter((e) => e.stage !== 'selfTrain' || e.epoch < 3) };
  expect(textOf(renderReport({ ...stopped, result: { ...result, final } }))).toContain(
    'Self-training was stopped',
  );
});

test('a run of before there was self-training is reported as it was', () => {
  const record = sampleRecord();
  const { scratch: _c, selfTrain: _s, final: _f, ladder: _l, evidence: _e, ...older } = record.result;
  const draws = older.draws.map(({ scratch: _c, selfTrain: _s, final: _f, ...draw }) => draw);
  const epochs = record.epochs.filter(({ stage }) => stage !== 'selfTrain');
  const saved = { ...record, epochs, result: resultSchema.parse({ ...older, draws }) };
  const text = textOf(renderReport(saved));
  expect(text).toContain('100-label test accuracy 93.42 % pretrained, then fine-tuned');
  expect(text).not.toMatch(/NaN|undefined|null|[Ss]elf-train(?!ing, test set)|[Aa]ugmented|random weights/);
});

test('self-training that started from the labels alone is told as it was', () => {
  const record = sampleRecord();
  const config = { ...record.config, selfTrain: { start: 'scratch', epochs: 8 } };
  const { exhibits } = record;
  const text = textOf(renderReport({ ...record, config }));
  expect(text).toContain(
    'Beside it, a network that was told the same classes and nothing else taught itself the rest.',
  );
  expect(text).toContain('took the error from 7.9 % to 1.1 %');
  const uncounted = { ...record, config, exhibits: { ...exhibits, classCounts: [] } };
  expect(textOf(renderReport(uncounted))).toContain('98.86 % trained on the labels, then self-trained');
  const tuned = textOf(renderReport(record));
  expect(tuned).toContain('and from there it taught itself the rest. Here');
  expect(tuned).toContain('took the error from 6.6 % to 1.1 %');
});

test('the labels alone, augmented, are what the fine-tuned figure is held against', () => {
  const record = sampleRecord();
  const text = textOf(renderReport(record));
  expect(text).toContain(
    'the same labels reach 92.14 % from random weights. Compare the fine-tuned network’s 93.42 % with that figure.',
  );
  const without = textOf(renderReport({ ...record, result: { ...record.result, scratch: null } }));
  expect(without).toContain('That is the baseline for the fine-tuned network’s 93.42 %');
  expect(without).not.toContain('from random weights');
});

test('a run on other data has no figure of the notebook in its report', () => {
  const record = sampleRecord();
  const checksums = { 'train-images-idx3-ubyte': '8d4fb7e6c68d591d4c3dfef9ec88bf0d' };
  const report = renderReport({ ...record, config: { ...record.config, data: { checksums } } });
  // A step of the ladder is named for how it is trained.
  const text = textOf(report).replaceAll('baseline, as in the notebook', 'baseline');
  expect(text).not.toMatch(/notebook|Notebook|Difference|87\.87|99\.48|99\.56|11\.37|0\.6069|2\.3122/);
  expect(report).not.toContain('class="tick"');
  expect(text).toContain('Figure This run Rotation, validation accuracy 99.29 %');
  expect(text).toContain('Final classifier, test accuracy 98.86 %');
  expect(text).toContain('That looks like overfitting. It mostly is not.');
});

test('settings of very many entries are counted beyond the first', () => {
  const record = sampleRecord();
  const checksums = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [`train, class ${i}`, 'd41d8cd9']),
  );
  const images = Array.from({ length: 5000 }, (_, index) => ({ index, label: 'seven' }));
  const config = { ...record.config, data: { checksums }, labels: { data: null, images } };
  const text = textOf(renderReport({ ...record, config }));
  expect(text).toContain('and 940 more in config.json');
  expect(text).toContain('199 (seven) and 4,800 more in labels.json');
});
