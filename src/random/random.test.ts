import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.js';

const take = (random: Random, n: number) => Array.from({ length: n }, () => random.nextUint32());
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

function correlation(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [mean(x), mean(y)];
  const covariance = mean(x.map((value, i) => (value - mx) * (y[i]! - my)));
  const spread = (values: readonly number[], m: number) => Math.sqrt(mean(values.map((v) => (v - m) ** 2)));
  return covariance / (spread(x, mx) * spread(y, my));
}

describe('generator', () => {
  it('gives the first outputs of the reference xoshiro128** 1.1 from state 1, 2, 3, 4', () => {
    const random = Random.fromState({ key: [0, 0, 0, 0], words: [1, 2, 3, 4] });
    expect(take(random, 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('gives each bit half the time', () => {
    const draws = take(Random.seeded(1), 20_000);
    for (let bit = 0; bit < 32; bit++) {
      const ones = draws.filter((x) => (x >>> bit) & 1).length;
      expect(Math.abs(ones / draws.length - 0.5)).toBeLessThan(0.016); // 4.5 standard errors
    }
  });

  it('goes on from a saved state, through JSON, and keeps its children', () => {
    const random = Random.seeded(12).split('a');
    random.normal();
    const resumed = Random.fromState(JSON.parse(JSON.stringify(random.state())));
    expect(take(resumed, 5)).toEqual(take(random, 5));
    expect(take(resumed.split('child'), 5)).toEqual(take(random.split('child'), 5));
  });

  it.each([
    { key: [1, 2, 3], words: [1, 2, 3, 4] },
    { key: [1, 2, 3, 4], words: [0, 0, 0, 0] },
    { key: [1, 2, 3, 4], words: [1, 2, 3, -4] },
    { key: [1, 2, 3, 4], words: [1, 2, 3, 0.5] },
  ])('refuses %j as a state', (state) => {
    expect(() => Random.fromState(state)).toThrow(/random state: expected/);
  });

  it('refuses a seed that is no integer', () => {
    expect(() => Random.seeded(1.5)).toThrow('seed: expected an integer. Received: 1.5.');
    expect(() => Random.seeded(Number.NaN)).toThrow('Received: NaN');
  });
});

describe('split', () => {
  it('depends on seed and path alone, not on what was drawn', () => {
    const fresh = Random.seeded(7);
    const used = Random.seeded(7);
    take(used, 100);
    expect(take(used.split('shuffle', 3), 8)).toEqual(take(fresh.split('shuffle', 3), 8));
  });

  it('concatenates paths', () => {
    const random = Random.seeded(7);
    expect(take(random.split('a', 1), 4)).toEqual(take(random.split('a').split(1), 4));
  });

  it('keeps its streams from version to version, or old runs could not be resumed or repeated', () => {
    expect(take(Random.seeded(12).split('shuffle', 1), 3)).toEqual([710357110, 3698277120, 2619663090]);
  });

  it('gives another stream for every seed and path', () => {
    const streams = [
      ...Array.from({ length: 500 }, (_, seed) => Random.seeded(seed)),
      ...Array.from({ length: 500 }, (_, k) => Random.seeded(0).split('shuffle', k)),
      ...Array.from({ length: 500 }, (_, k) => Random.seeded(0).split(k)),
      Random.seeded(-1),
      Random.seeded(2 ** 32),
      Random.seeded(0).split('1'),
      Random.seeded(0).split('ab'),
      Random.seeded(0).split('a', 'b'),
      Random.seeded(0).split('a\u0002b'), // 2 is how a string begins inside a path
      Random.seeded(0).split('a', ''),
      Random.seeded(0).split(''),
    ];
    expect(new Set(streams.map((stream) => take(stream, 2).join())).size).toBe(streams.length);
  });

  it('gives streams that do not go together', () => {
    const draws = (random: Random) => Array.from({ length: 4000 }, () => random.uniform());
    const root = Random.seeded(0);
    const streams = [root.split(0), root.split(1), root.split('0'), Random.seeded(1).split(0)].map(draws);
    streams.push(draws(root));
    for (const [i, x] of streams.entries()) {
      // 4.4 standard errors; lag 0 and lag 1.
      for (const y of streams.slice(i + 1)) {
        expect(Math.abs(correlation(x, y))).toBeLessThan(0.07);
        expect(Math.abs(correlation(x.slice(1), y.slice(0, -1)))).toBeLessThan(0.07);
      }
    }
  });

  it('gives unrelated first draws to neighbouring children', () => {
    const first = Array.from({ length: 4000 }, (_, k) => Random.seeded(3).split('image', k).uniform());
    expect(Math.abs(mean(first) - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(correlation(first.slice(1), first.slice(0, -1)))).toBeLessThan(0.07);
  });

  it('refuses an empty path', () => {
    expect(() => Random.seeded(0).split()).toThrow(/at least one purpose/);
  });
});

describe('draws', () => {
  it('uniform: within bounds, mean and variance right', () => {
    const random = Random.seeded(5);
    const draws = Array.from({ length: 50_000 }, () => random.uniform(-2, 4));
    expect(draws.every((x) => x >= -2 && x < 4)).toBe(true);
    expect(mean(draws)).toBeCloseTo(1, 1);
    expect(mean(draws.map((x) => (x - 1) ** 2))).toBeCloseTo(3, 1); // 6^2 / 12
  });

  it('integer: every value equally often (chi-squared)', () => {
    const random = Random.seeded(6);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]!++;
    const chiSquared = counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0);
    expect(chiSquared).toBeLessThan(22.5); // 6 degrees of freedom, p = 0.001
  });

  it('integer: unbiased where n does not divide 2^32', () => {
    // Taken modulo 3 * 2^30 without rejection, the lowest third would come up half the time.
    const random = Random.seeded(6);
    const n = 3 * 2 ** 30;
    const low = Array.from({ length: 30_000 }, () => random.integer(n)).filter((x) => x < n / 3).length;
    expect(Math.abs(low / 30_000 - 1 / 3)).toBeLessThan(0.012);
  });

  it.each([0, -1, 1.5, 2 ** 32 + 1])('integer refuses n = %d', (n) => {
    expect(() => Random.seeded(0).integer(n)).toThrow(/expected n to be an integer from 1/);
  });

  it('normal: moments 0, 1, 0, 3 and 68 % within one deviation', () => {
    const random = Random.seeded(8);
    const draws = Array.from({ length: 100_000 }, () => random.normal());
    const moment = (p: number) => mean(draws.map((x) => x ** p));
    expect(Math.abs(moment(1))).toBeLessThan(0.015);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02);
    expect(Math.abs(moment(3))).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.15);
    expect(draws.filter((x) => Math.abs(x) < 1).length / draws.length).toBeCloseTo(0.6827, 2);
  });

  it('shuffle: every order of four equally often', () => {
    const random = Random.seeded(9);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.shuffle([0, 1, 2, 3]).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquared = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquared).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
  });

  it('permutation: each of 0 ... n - 1 once', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(300), (seed, n) => {
        const sorted = Random.seeded(seed).permutation(n).sort();
        expect([...sorted]).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });
});
