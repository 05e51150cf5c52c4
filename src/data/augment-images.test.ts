import { expect, it } from 'vitest';
import { Random } from '../random/random.js';
import { tensor } from '../tensor/tensor.js';
import { augmentImages } from './augment-images.js';
import { augmentBatch } from './augmentation.js';
import { policyFor, strengths } from './augmentation-policy.js';

it('augmentImages changes a batch in place, lengths taken from its shorter side', () => {
  const pixels = Uint8Array.from({ length: 2 * 10 * 7 * 3 }, (_, i) => (i * 37) % 256);
  const images = tensor('uint8', [2, 10, 7, 3], pixels.slice());
  augmentImages(images, { ...strengths.strong, cutoutFraction: 0.5 }, Random.seeded(4));
  const policy = policyFor(10, 7, { ...strengths.strong, cutoutFraction: 0.5 });
  const shape = { count: 2, height: 10, width: 7, channels: 3 };
  expect(images.data).toEqual(augmentBatch(pixels, shape, policy, Random.seeded(4)));
});
