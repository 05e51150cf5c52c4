import { expect, test } from 'vitest';
import { tinyPictures, tinySettings } from '../../../test/support/tiny-run.js';
import { abstentionOf } from './abstention.js';

test('the answers of all folds count, without those that diverged, at the temperature of the classifier', async () => {
  const context = {
    settings: tinySettings,
    data: { train: tinyPictures('train', 40), origin: 'photos', checksums: {} },
  };
  const fold = { positions: [0], targets: [0], sample: new Int32Array() };
  const answers = [
    { ...fold, fold: 0, positions: [0, 3], targets: [0, 1], logits: Float32Array.of(0, 4, 6, 0) },
    { ...fold, fold: 1, logits: null },
    { ...fold, fold: 2, positions: [2], logits: Float32Array.of(2, 0) },
  ];
  const found = await abstentionOf(context, answers, { temperature: 2, pile: undefined });
  expect(found?.threshold).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
  expect(found).toMatchObject({ heldBack: 3, accepted: 1 });
  expect(found?.likeness?.centre).toHaveLength(10);
  expect(found?.farthest).toBeGreaterThan(0);
  const pile = Array.from({ length: 100 }, (_, i) => i / 100);
  expect(await abstentionOf(context, answers, { temperature: 2, pile })).toMatchObject({ threshold: 0.05 });
  const diverged = [{ ...fold, fold: 0, logits: null }];
  expect(await abstentionOf(context, diverged, { temperature: 1, pile: [0.5] })).toBeUndefined();
});
