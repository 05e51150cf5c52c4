import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random/random.js';
import { tensor } from '../tensor/tensor.js';
import {
  batchesPerEpoch,
  endlessOrder,
  epochOrder,
  evenBatchSize,
  evenOrder,
  groupedOrder,
  interleavedBatches,
  rotationTargets,
  stackImages,
  targetsAt,
  windowsOf,
} from './batches.js';
import type { ImageDataset } from './dataset.js';
import { imagesInMemory } from './image-source.js';

/** Three images of 2 x 2: 1 ... 4, 5 ... 8, 9 ... 12. */
const dataset: ImageDataset = {
  images: imagesInMemory({
    name: 'three',
    pixels: Uint8Array.from({ length: 12 }, (_, i) => i + 1),
    ...{ height: 2, width: 2, channels: 1 },
  }),
  labels: Int32Array.from([1, 0, 1]),
  classNames: ['a', 'b'],
};
const { labels: _, ...unlabelled } = dataset;

const ascending = (n: number) => Array.from({ length: n }, (_, i) => i);
const joined = (windows: Uint32Array[]) => windows.flatMap((window) => [...window]);

describe('targets', () => {
  it('are the classes of images', () => {
    expect(targetsAt(dataset, [1, 2, 1])).toEqual(tensor('int32', [3], Int32Array.from([0, 1, 0])));
  });

  it('are the quarter turns of copies', () => {
    expect(rotationTargets([0, 5, 10, 3])).toEqual(tensor('int32', [4], Int32Array.from([0, 1, 2, 3])));
  });

  it('are none of what has no labels, or is not there', () => {
    expect(() => targetsAt(unlabelled, [0])).toThrow('three: expected labels. Received: images only.');
    expect(() => targetsAt(dataset, [3])).toThrow('three: expected image indices from 0 to 2. Received: 3.');
  });
});

describe('epoch orders', () => {
  it("has the notebook's 1,498 batches, the last of 64", () => {
    const windows = epochOrder(191_680, 128, Random.seeded(12));
    expect(windows.length).toBe(1498);
    expect(windows[0]!.length).toBe(128);
    expect(windows.at(-1)!.length).toBe(64);
    expect(epochOrder(191_680, 128, Random.seeded(12), { dropLast: true }).length).toBe(1497);
  });

  it.each([
    [100, 50, 48],
    [67, 50, 32],
    // A sixteenth may be left out, no more.
    [20, 50, 20],
    [36, 50, 36],
    [31, 50, 31],
    [1000, 50, 48],
    [3, 50, 3],
  ])('in even batches: %i items in batches of at most %i are batches of %i', (count, batchSize, size) => {
    expect(evenBatchSize(count, batchSize)).toBe(size);
    const windows = evenOrder(count, batchSize, Random.seeded(1));
    expect(windows.map((window) => window.length)).toEqual(
      new Array(batchesPerEpoch(count, batchSize)).fill(size),
    );
  });

  it('in even batches meets no item twice, and leaves out fewer than a sixteenth and one of each batch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 100 }), (count, batchSize) => {
        const windows = evenOrder(count, batchSize, Random.seeded(1));
        const items = joined(windows);
        expect(new Set(items).size).toBe(items.length);
        expect(count - items.length).toBeLessThan(count / 16 + windows.length);
        expect(Math.max(...windows.map((window) => window.length))).toBeLessThanOrEqual(batchSize);
      }),
    );
  });

  it('meets every item once', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.integer({ min: 1, max: 20 }), fc.integer(), (count, batchSize, seed) => {
        const windows = epochOrder(count, batchSize, Random.seeded(seed));
        expect(windows.length).toBe(batchesPerEpoch(count, batchSize));
        expect(joined(windows).sort((a, b) => a - b)).toEqual(ascending(count));
        const full = epochOrder(count, batchSize, Random.seeded(seed), { dropLast: true });
        expect(full.every((window) => window.length === batchSize)).toBe(true);
        expect(joined(full)).toEqual(joined(windows).slice(0, full.length * batchSize));
      }),
    );
  });

  it('goes through the items given and leaves them as they are', () => {
    const items = Uint32Array.from([7, 30, 2, 9, 11]);
    const order = joined(epochOrder(items, 2, Random.seeded(1)));
    expect([...items]).toEqual([7, 30, 2, 9, 11]);
    expect(order).not.toEqual([...items]);
    expect(order.sort((a, b) => a - b)).toEqual([2, 7, 9, 11, 30]);
  });

  it('differs from epoch to epoch, and only by the path', () => {
    const order = (epoch: number) => joined(epochOrder(50, 8, Random.seeded(1).split('shuffle', epoch)));
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
  });

  it('groups all four turns of an image in one batch', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 9 }), fc.integer(), (count, perBatch, seed) => {
        const windows = groupedOrder(count, perBatch, Random.seeded(seed));
        for (const window of windows) {
          const copies = new Set(window);
          expect([...window].every((copy) => [0, 1, 2, 3].every((k) => copies.has((copy & ~3) + k)))).toBe(
            true,
          );
        }
        expect(joined(windows).sort((a, b) => a - b)).toEqual(ascending(4 * count));
      }),
    );
    expect(groupedOrder(320, 32, Random.seeded(0)).map((window) => window.length)).toEqual(
      new Array(10).fill(128),
    );
  });

  it('cuts in order for evaluation', () => {
    expect(windowsOf(Uint32Array.from([4, 5, 6]), 2).map((window) => [...window])).toEqual([[4, 5], [6]]);
    expect(() => windowsOf(new Uint32Array(3), 0)).toThrow(
      'batch size: expected a positive integer. Received: 0.',
    );
  });
});

describe('endlessOrder', () => {
  const count = fc.integer({ min: 1, max: 40 });

  it('meets every item once in each pass, in another order each time', () => {
    fc.assert(
      fc.property(count, fc.nat(5), fc.integer(), (items, pass, seed) => {
        const order = endlessOrder(items, Random.seeded(seed));
        expect([...order(pass * items, items)].sort((a, b) => a - b)).toEqual(ascending(items));
      }),
    );
    const order = endlessOrder(50, Random.seeded(1));
    expect(order(0, 50)).not.toEqual(order(50, 50));
  });

  it('is one sequence, whatever was asked of it before and in which order', () => {
    const stretches = fc.array(fc.tuple(fc.nat(120), fc.nat(30)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(count, stretches, fc.integer(), (items, asked, seed) => {
        const whole = endlessOrder(items, Random.seeded(seed))(0, 160);
        const order = endlessOrder(items, Random.seeded(seed));
        for (const [from, length] of asked) {
          expect([...order(from, length)]).toEqual([...whole.slice(from, from + length)]);
        }
      }),
    );
  });
});

describe('stackImages', () => {
  it('puts batches one behind the other, as if they had been gathered at once', async () => {
    const index = fc.array(fc.nat(2), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(index, { minLength: 1, maxLength: 4 }), async (parts) => {
        const stacked = stackImages(await Promise.all(parts.map((part) => dataset.images.read(part))));
        expect(stacked).toEqual(await dataset.images.read(parts.flat()));
      }),
    );
  });
});

describe('interleavedBatches', () => {
  it('is one batch in order where all items fit into it', () => {
    expect(interleavedBatches(100, 1000)).toEqual([Uint32Array.from(ascending(100))]);
    expect(interleavedBatches(0, 1000)).toEqual([new Uint32Array()]);
  });

  it('has batches of one size, of 2 to `most` items, no item twice and few left out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 3000 }), fc.integer({ min: 2, max: 500 }), (items, most) => {
        const batches = interleavedBatches(items, most);
        const [size] = batches.map((batch) => batch.length);
        expect(batches.every((batch) => batch.length === size)).toBe(true);
        expect(size).toBeGreaterThanOrEqual(2);
        expect(size).toBeLessThanOrEqual(Math.max(most, 3));
        const taken = new Set(joined(batches));
        expect(taken.size).toBe(batches.length * size!);
        expect(items - taken.size).toBeLessThan(batches.length);
        expect(Math.max(...taken)).toBeLessThan(items);
      }),
    );
  });

  it('spreads items in the order of their classes over all batches', () => {
    const classOf = (item: number) => Math.floor(item / 1000);
    for (const batch of interleavedBatches(10_000, 1000)) {
      const counts = new Array<number>(10).fill(0);
      for (const item of batch) counts[classOf(item)]!++;
      expect(counts).toEqual(new Array<number>(10).fill(100));
    }
  });
});
