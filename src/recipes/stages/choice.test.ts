import { describe, expect, test } from 'vitest';
import { Random } from '../../random/random.js';
import { areToldApart, bestOf, optimismOfChoice } from './choice.js';
import type { HeldBackEvidence } from './evidence.js';
import { seenByMixtures } from './stage.js';

const learnsFrom = {
  mixture: seenByMixtures,
  selfTrain: 'pile',
  finetune: 'pretraining',
  scratch: 'labels',
} as const;
type Name = keyof typeof learnsFrom;

/** As a run of an earlier version kept it. */
const counts = (stage: string, found: number, of = 100): HeldBackEvidence => ({
  summary: { stage, found, of },
  answers: [],
});

/** Of labels of two classes, those at these positions found. */
function answered(stage: string, of: number, isFound: (position: number) => boolean): HeldBackEvidence {
  const positions = Array.from({ length: of }, (_, i) => i);
  const targets = positions.map((i) => i % 2);
  const logits = Float32Array.from(
    positions.flatMap((i) => (isFound(i) === (i % 2 === 0) ? [1, 0] : [0, 1])),
  );
  const found = positions.filter(isFound).length;
  const answers = [{ fold: 0, positions, targets, logits, sample: new Int32Array() }];
  return { summary: { stage, found, of }, answers };
}

const candidate = (stage: Name, evidence?: HeldBackEvidence) => ({
  stage,
  learnsFrom: learnsFrom[stage],
  evidence,
});
const kept = (...candidates: readonly ReturnType<typeof candidate>[]) => bestOf(candidates)?.stage;
const found = (stage: Name, count?: number) =>
  candidate(stage, count === undefined ? undefined : counts(stage, count));

describe('bestOf', () => {
  test('keeps what found most labels where the difference is no chance', () => {
    expect(kept(found('finetune', 70), found('scratch', 66), found('selfTrain', 26))).toBe('finetune');
    expect(kept(found('finetune', 40), found('scratch', 66), found('selfTrain', 26))).toBe('scratch');
    expect(kept(found('finetune', 70), found('scratch', 66), found('selfTrain', 80))).toBe('selfTrain');
  });

  test('within one standard error it keeps what has learned from more images', () => {
    // √(0.7 · 0.3 / 100 + 0.66 · 0.34 / 100) is 6.6 labels.
    expect(kept(found('finetune', 70), found('selfTrain', 66))).toBe('selfTrain');
    expect(kept(found('finetune', 70), found('selfTrain', 60))).toBe('finetune');
    expect(kept(found('scratch', 70), found('finetune', 66))).toBe('finetune');
  });

  test('keeps a mixture unless another is better for certain', () => {
    // The mixture misses five labels more; each finds some that the other misses.
    const mixture = candidate(
      'mixture',
      answered('mixture', 100, (i) => i >= 25),
    );
    const better = (also: number) =>
      candidate(
        'finetune',
        answered('finetune', 100, (i) => i >= 20 - also && i < 100 - also),
      );
    expect(bestOf([better(5), mixture])?.stage).toBe('mixture');
    expect(bestOf([better(0), mixture])?.stage).toBe('finetune');
  });

  test('one that has lost a class is kept only if it found the most', () => {
    const lost = (count?: number) => ({ ...found('selfTrain', count), lostClass: true });
    expect(kept(found('finetune', 66), lost(66))).toBe('finetune');
    expect(kept(found('finetune', 70), lost(66))).toBe('finetune');
    expect(kept(found('scratch', 62), lost(66))).toBe('selfTrain');
    expect(kept(found('scratch'), lost())).toBe('scratch');
    expect(kept(lost(66))).toBe('selfTrain');
  });

  test('on the same labels, a small difference counts where few labels tell the two apart', () => {
    // 70 and 66 of 100, four labels apart: √(4 − 16 / 100) / 100 is 2 labels.
    const best = answered('finetune', 100, (i) => i < 70);
    expect(
      kept(
        candidate('finetune', best),
        candidate(
          'selfTrain',
          answered('selfTrain', 100, (i) => i < 66),
        ),
      ),
    ).toBe('finetune');
    // The same counts, 64 labels apart: √(64 − 16 / 100) / 100 is 8.
    const apart = answered('selfTrain', 100, (i) => i >= 34);
    expect(kept(candidate('finetune', best), candidate('selfTrain', apart))).toBe('selfTrain');
  });

  test('without evidence the order alone decides, and a single classifier needs none', () => {
    expect(kept(found('scratch'), found('selfTrain'), found('finetune'))).toBe('selfTrain');
    expect(kept(found('scratch'))).toBe('scratch');
    expect(kept()).toBeUndefined();
  });
});

test('two are told apart by labels that one alone finds, by two standard errors', () => {
  const first = answered('one', 100, (i) => i < 60);
  expect(
    areToldApart(
      first,
      answered('other', 100, (i) => i < 63),
    ),
  ).toBe(false);
  expect(
    areToldApart(
      first,
      answered('other', 100, (i) => i < 66),
    ),
  ).toBe(true);
  // The same counts, found elsewhere, say less.
  expect(
    areToldApart(
      first,
      answered('other', 100, (i) => i >= 34),
    ),
  ).toBe(false);
});

describe('optimismOfChoice', () => {
  const random = () => Random.seeded(3);
  const guess = (seed: number) => {
    const coin = Random.seeded(seed);
    const found = Array.from({ length: 100 }, () => coin.uniform() < 0.5);
    return answered('scratch', 100, (i) => found[i]!);
  };

  test('the best of several that only guess looks better than it is', () => {
    const candidates = Array.from({ length: 8 }, (_, i) => candidate('scratch', guess(i)));
    // The largest of eight normal deviates is 1.42 on average, and a share of 100 labels is known to 5 points.
    const optimism = optimismOfChoice(candidates, random());
    expect(optimism).toBeGreaterThan(0.035);
    expect(optimism).toBeLessThan(0.11);
  });

  test('where the choice is clear, and where there is none, nothing is flattered', () => {
    const clear = [
      candidate(
        'finetune',
        answered('finetune', 100, (i) => i % 10 > 0),
      ),
      candidate(
        'scratch',
        answered('scratch', 100, (i) => i % 2 > 0),
      ),
    ];
    expect(optimismOfChoice(clear, random())).toBeLessThan(0.005);
    expect(optimismOfChoice(clear.slice(0, 1), random())).toBe(0);
    expect(optimismOfChoice([found('finetune', 70), found('selfTrain', 66)], random())).toBe(0);
    expect(optimismOfChoice([], random())).toBe(0);
  });
});
