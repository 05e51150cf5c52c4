import { expect, test } from 'vitest';
import { imagesInMemory } from '../data/image-source.js';
import { Random } from '../random/random.js';
import { findNearDuplicates } from './near-duplicates.js';

const side = 32;

/** A picture of some waves in colours, and one of the same picture that was saved again. */
function picture(seed: number): Uint8Array {
  const random = Random.seeded(seed);
  const waves = Array.from({ length: 6 }, () => ({
    fy: random.uniform(-0.8, 0.8),
    fx: random.uniform(-0.8, 0.8),
    phase: random.uniform(0, 6),
    channel: random.integer(3),
  }));
  return Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / side), Math.floor(i / 3) % side, i % 3];
    let value = 128;
    for (const { fy, fx, phase, channel } of waves) {
      value += (channel === c ? 24 : 14) * Math.sin(fy * y + fx * x + phase);
    }
    return Math.max(0, Math.min(255, value));
  });
}

function savedAgain(pixels: Uint8Array, seed: number): Uint8Array {
  const random = Random.seeded(seed);
  return pixels.map((value) =>
    Math.max(0, Math.min(255, Math.round(0.9 * value + 20 + 3 * random.normal()))),
  );
}

function sourceOf(pictures: readonly Uint8Array[]) {
  const pixels = new Uint8Array(pictures.length * side * side * 3);
  for (const [i, each] of pictures.entries()) pixels.set(each, i * side * side * 3);
  return imagesInMemory({ name: 'waves', pixels, height: side, width: side, channels: 3 });
}

test('finds what was saved again or made lighter, in groups, and nothing else', async () => {
  const pictures = Array.from({ length: 600 }, (_, i) => picture(i));
  pictures[200] = savedAgain(pictures[7]!, 1);
  pictures[450] = savedAgain(pictures[7]!, 2);
  pictures[451] = savedAgain(pictures[300]!, 3);
  const turned = pictures[10]!.toReversed(); // all around, and other colours
  pictures[11] = turned;
  const events: string[] = [];
  const emit = ({ title }: { readonly title: string }) => events.push(title);
  expect(await findNearDuplicates(sourceOf(pictures), { emit })).toEqual([
    [7, 200, 450],
    [300, 451],
  ]);
  expect(new Set(events)).toEqual(new Set(['images looked at', 'images compared', 'pairs compared']));
});

test('of images of one colour, of one image and of none there are none', async () => {
  const plain = new Uint8Array(side * side * 3).fill(9);
  expect(await findNearDuplicates(sourceOf([plain, plain, plain]))).toEqual([]);
  expect(await findNearDuplicates(sourceOf([picture(1)]))).toEqual([]);
  expect(await findNearDuplicates(sourceOf([]))).toEqual([]);
});
