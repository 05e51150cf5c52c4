import { expect, test } from 'vitest';
import { disagreements } from './disagreements.js';

test('an image is told of where most labelled images that are near say another class than the network', () => {
  // Three directions of the plane, ten images near each; the first six of each are labelled.
  const dimensions = 2;
  const angles = [0, 2, 4].flatMap((angle) => Array.from({ length: 10 }, (_, i) => angle + 0.01 * i));
  const features = Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));
  const labels = angles.map((_, i) => (i % 10 < 6 ? Math.floor(i / 10) : -1));
  const said = angles.map((_, i) => ({ class: Math.floor(i / 10), probability: 0.5 + i / 100 }));
  const options = { features, dimensions, labels, classNames: ['cat', 'dog', 'eel'], count: 5 };
  expect(disagreements({ ...options, said })).toEqual([]);
  said[8] = { class: 2, probability: 0.9 };
  said[27] = { class: 1, probability: 0.95 };
  // It is labelled: whoever did it has decided.
  said[12] = { class: 0, probability: 1 };
  const both = [
    {
      row: 27,
      network: { name: 'dog', probability: 0.95 },
      neighbours: { name: 'eel', probability: expect.closeTo(1) },
    },
    {
      row: 8,
      network: { name: 'eel', probability: 0.9 },
      neighbours: { name: 'cat', probability: expect.closeTo(1) },
    },
  ];
  expect(disagreements({ ...options, said })).toEqual(both);
  expect(disagreements({ ...options, said, count: 1 })).toEqual(both.slice(0, 1));
  // Two of five are no majority.
  const torn = labels.map((label, i) => (i < 6 ? ([0, 0, 1, 1, 2, 2][i] ?? -1) : label));
  expect(disagreements({ ...options, labels: torn, said }).map(({ row }) => row)).toEqual([27]);
});
