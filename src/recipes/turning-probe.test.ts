import { expect, test } from 'vitest';
import { imagesInMemory } from '../data/image-source.js';
import { readMnist } from '../data/mnist.node.js';
import { Random } from '../random/random.js';
import { probeTurning } from './turning-probe.js';

test('digits have an up', async () => {
  const { train } = await readMnist();
  const probe = await probeTurning(train.images);
  expect(probe?.accuracy).toBeGreaterThan(0.7);
});

test('blobs of any orientation have none, and too few or oblong images are not judged', async () => {
  const [count, side] = [300, 28];
  const random = Random.seeded(2);
  const pixels = new Uint8Array(count * side * side);
  for (let n = 0; n < count; n++) {
    const [angle, flat, size] = [random.uniform(0, Math.PI), random.uniform(0.3, 1), random.uniform(3, 9)];
    for (let i = 0; i < side * side; i++) {
      const [y, x] = [Math.floor(i / side) - (side - 1) / 2, (i % side) - (side - 1) / 2];
      const u = x * Math.cos(angle) + y * Math.sin(angle);
      const v = (y * Math.cos(angle) - x * Math.sin(angle)) / flat;
      pixels[n * side * side + i] = 200 * Math.exp(-Math.hypot(u, v) / size) + random.uniform(0, 20);
    }
  }
  const blobs = { name: 'blobs', height: side, width: side, channels: 1 };
  const probe = await probeTurning(imagesInMemory({ ...blobs, pixels }));
  expect(probe).toMatchObject({ images: 300 });
  expect(probe?.accuracy).toBeLessThan(0.33);
  const few = pixels.subarray(0, 127 * side * side);
  expect(await probeTurning(imagesInMemory({ ...blobs, pixels: few }))).toBeUndefined();
  expect(await probeTurning(imagesInMemory({ ...blobs, pixels, height: 14, width: 56 }))).toBeUndefined();
});
