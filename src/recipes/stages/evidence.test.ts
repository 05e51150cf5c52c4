import { describe, expect, test } from 'vitest';
import { tinyPictures, tinySettings } from '../../../test/support/tiny-run.js';
import { createNodeRuntime } from '../../runtime/node.js';
import { MemoryStore } from '../../store/checkpoint.js';
import { bestOf, crossValidate, isClearlyWorse } from './evidence.js';

const learnsFrom = { selfTrain: 'pile', finetune: 'pretraining', scratch: 'labels' } as const;
const candidate = (stage: keyof typeof learnsFrom, found?: number) => ({
  stage,
  learnsFrom: learnsFrom[stage],
  evidence: found === undefined ? undefined : { stage, found, of: 100 },
});
const kept = (...candidates: readonly ReturnType<typeof candidate>[]) => bestOf(candidates)?.stage;

describe('bestOf', () => {
  test('keeps what found most labels where the difference is no chance', () => {
    expect(kept(candidate('finetune', 70), candidate('scratch', 66), candidate('selfTrain', 26))).toBe(
      'finetune',
    );
    expect(kept(candidate('finetune', 40), candidate('scratch', 66), candidate('selfTrain', 26))).toBe(
      'scratch',
    );
    expect(kept(candidate('finetune', 70), candidate('scratch', 66), candidate('selfTrain', 80))).toBe(
      'selfTrain',
    );
  });

  test('within one standard error it keeps what has learned from more images', () => {
    // √(0.7 · 0.3 / 100 + 0.66 · 0.34 / 100) is 6.6 labels.
    expect(kept(candidate('finetune', 70), candidate('selfTrain', 66))).toBe('selfTrain');
    expect(kept(candidate('finetune', 70), candidate('selfTrain', 60))).toBe('finetune');
    expect(kept(candidate('scratch', 70), candidate('finetune', 66))).toBe('finetune');
  });

  test('without evidence the order alone decides, and a single classifier needs none', () => {
    expect(kept(candidate('scratch'), candidate('selfTrain'), candidate('finetune'))).toBe('selfTrain');
    expect(kept(candidate('scratch'))).toBe('scratch');
    expect(kept()).toBeUndefined();
  });
});

test('isClearlyWorse asks for more than the standard error of the difference', () => {
  expect(isClearlyWorse({ found: 50, of: 100 }, { found: 57, of: 100 })).toBe(false);
  expect(isClearlyWorse({ found: 50, of: 100 }, { found: 58, of: 100 })).toBe(true);
  expect(isClearlyWorse({ found: 500, of: 1000 }, { found: 530, of: 1000 })).toBe(true);
  expect(isClearlyWorse({ found: 10, of: 10 }, { found: 10, of: 10 })).toBe(false);
});

test('labels held back from a training that diverges are not found, and the run does not end for it', async () => {
  const train = tinyPictures('train', 60);
  // Weights grow a thousand million times at each step.
  const finetune = {
    ...tinySettings.finetune,
    schedule: { kind: 'constant', learningRate: 1e9 },
    optimizer: { kind: 'sgd', momentum: 0, weightDecay: 1 },
  } as const;
  const context = {
    settings: { ...tinySettings, finetune },
    data: { train, origin: '', checksums: {} },
    runtime: await createNodeRuntime({ device: 'cpu', threads: 1 }),
    store: new MemoryStore(),
    emit: () => {},
  };
  expect(await crossValidate(context, 0, 'scratch', undefined)).toEqual({
    stage: 'scratch',
    found: 0,
    of: 8,
  });
});
