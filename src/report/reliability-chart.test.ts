import { expect, test } from 'vitest';
import { ReliabilityTally } from '../train/reliability.js';
import { describeReliability, reliabilityChart, reliabilityOption } from './reliability-chart.js';

function sample() {
  const tally = new ReliabilityTally();
  for (let i = 0; i < 40; i++) tally.add(0.95, i % 10 !== 0);
  for (let i = 0; i < 10; i++) tally.add(0.55, i % 2 === 0);
  return tally.result();
}

test('a point for each range with images, with its interval, beside the line of agreement', () => {
  const series = reliabilityOption(sample()).series as { name: string; data: [number, number][] }[];
  expect(series.map(({ name }) => name)).toEqual([
    'as it should be',
    '95 % interval',
    '95 % interval',
    'this classifier',
  ]);
  const points = series.at(-1)?.data ?? [];
  expect(points[0]?.[0]).toBeCloseTo(0.55, 9);
  expect(points[0]?.[1]).toBe(0.5);
  expect(points[1]?.[0]).toBeCloseTo(0.95, 9);
  expect(points[1]?.[1]).toBe(0.9);
});

test('drawn without scripts, and told in words', () => {
  const { text } = reliabilityChart('reliability', sample());
  expect(text).toContain('<svg');
  expect(text).not.toMatch(/<script|NaN|http:(?!\/\/www\.w3\.org)/);
  expect(describeReliability(sample())).toBe(
    'Share of right answers by confidence, 50 images: 50 % at 55 %, 90 % at 95 %. Expected calibration error 5.0 %.',
  );
});
