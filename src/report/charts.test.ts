import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import { chartSvg } from './chart-svg.js';
import {
  accuracyRange,
  countInterval,
  informationOption,
  informationRange,
  learningCurveOption,
  retentionOption,
} from './charts.js';

const { epochs } = sampleRecord();

test('a curve holds the stage’s own values of draw 0, val only where there is one', () => {
  const other = { ...epochs[0]!, draw: 1, epoch: 99 };
  const pretrain = learningCurveOption([...epochs, other], 'pretrain', 'accuracy');
  expect(pretrain.series).toMatchObject([{ name: 'train' }, { name: 'val' }]);
  const [train, val] = pretrain.series as { data: number[][] }[];
  expect(train!.data).toHaveLength(20);
  expect(train!.data[0]).toEqual([1, epochs[0]!.train.accuracy]);
  expect(val!.data[19]).toEqual([20, epochs[19]!.val!.accuracy]);
  expect(pretrain.xAxis).toMatchObject({ name: 'epoch', max: 20, interval: 5 });

  const baseline = learningCurveOption(epochs, 'baseline', 'loss');
  expect(baseline.series).toMatchObject([{ name: 'train' }]);
  expect(baseline.yAxis).toMatchObject({ name: 'loss (nats)', min: 0 });
});

test('self-training: labels beside the pile’s agreement, and information up to its ceiling', () => {
  const piles = epochs.flatMap(({ pile }) => (pile ? [pile] : []));
  const accuracy = learningCurveOption(epochs, 'selfTrain', 'accuracy');
  expect(accuracy.series).toMatchObject([
    { name: 'labels' },
    { name: 'pile, agreement', data: piles.map(({ agreement }, i) => [i + 1, agreement]) },
  ]);
  const information = informationOption(epochs, 'selfTrain', 10);
  expect(information.series).toMatchObject([
    { name: 'pile, information', data: piles.map(({ information }, i) => [i + 1, information]) },
  ]);
  expect(information.yAxis).toMatchObject({ name: 'information (nats)', max: Math.log(10) });
  const { formatter } = (information.yAxis as { axisLabel: { formatter: (nats: number) => string } })
    .axisLabel;
  expect([1.8, 2, 2.2, Math.log(10)].map(formatter)).toEqual(['1.8', '2.0', '2.2', 'ln 10']);
});

test('the axis of information hides nothing', () => {
  expect(informationRange([], Math.LN2).min).toBeLessThan(Math.LN2);
  expect(informationRange([0, 0.1], Math.log(10))).toEqual({ min: 0, interval: 0.5 });
  const ceiling = Math.log(10);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: ceiling, noNaN: true }), { minLength: 1 }), (values) => {
      const { min, interval } = informationRange(values, ceiling);
      expect(min).toBeLessThanOrEqual(Math.min(...values));
      expect((ceiling - min) / interval).toBeLessThanOrEqual(6);
    }),
  );
});

test('few points carry markers, many do not', () => {
  const many = Array.from({ length: 60 }, (_, i) => ({ ...epochs[0]!, epoch: i + 1 }));
  expect(learningCurveOption(epochs.slice(0, 1), 'pretrain', 'loss').series).toMatchObject([
    { showSymbol: true },
    { showSymbol: true },
  ]);
  expect(learningCurveOption(many, 'pretrain', 'loss').series).toMatchObject([
    { showSymbol: false },
    { showSymbol: false },
  ]);
});

test('the accuracy axis is as close as it can be and hides nothing', () => {
  expect(accuracyRange([0.62, 0.99])).toEqual({ min: 0.5, interval: 0.1 });
  expect(accuracyRange([0.99])).toEqual({ min: 0.98, interval: 0.005 });
  expect(accuracyRange([])).toEqual({ min: 0.98, interval: 0.005 });
  const accuracy = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(accuracy, { minLength: 1 }), (values) => {
      expect(accuracyRange(values).min).toBeLessThanOrEqual(Math.min(...values) + 1e-12);
    }),
  );
});

test.each([
  [1, 1],
  [8, 1],
  [9, 2],
  [20, 5],
  [840, 200],
])('countInterval(%d) is %d', (last, interval) => {
  expect(countInterval(last)).toBe(interval);
});

test('retention falls as momentum to the step', () => {
  const [curve] = retentionOption(0.99, 20).series as { data: number[][] }[];
  expect(curve!.data).toHaveLength(21);
  expect(curve!.data[20]![1]).toBeCloseTo(0.8179, 4);
  const [long] = retentionOption(0.999, 5000).series as { data: number[][] }[];
  expect(long!.data).toHaveLength(101);
  expect(long!.data[50]![1]).toBeCloseTo(0.999 ** 2500, 12);
});

test('the SVG is the same each time, with ids of its own and no style that leaks', () => {
  const draw = () => chartSvg('a-b', learningCurveOption(epochs, 'pretrain', 'loss'), 'said "so"').text;
  const svg = draw();
  expect(draw()).toBe(svg);
  expect(svg).toContain('aria-label="said &quot;so&quot;"');
  expect(svg).toContain('id="a-b-c0"');
  expect(svg).not.toMatch(/<style|zr\d|class="zr/);
});
