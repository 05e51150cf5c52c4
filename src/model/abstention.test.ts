import { describe, expect, test } from 'vitest';
import { pictureTraits } from '../data/picture-traits.js';
import { Random } from '../random/random.js';
import { abstentionSchema, fitAbstention, type HeldBackImage, looksUnlike } from './abstention.js';
import { distanceFrom, distancesFromOthers, fitLikeness } from './likeness.js';

const random = Random.seeded(3);
const grey = { height: 28, width: 28, channels: 1 };
const colour = { height: 32, width: 32, channels: 3 };

/** Soft spots of any place and brightness, as photographs have them, with noise. */
function spots({ height, width, channels }: typeof grey): Uint8Array {
  const [x0, y0, size, light] = [8, 8, 4, 40].map((least) => least + random.uniform() * 2 * least);
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    const spot = Math.exp(-((x - x0!) ** 2 + (y - y0!) ** 2) / size! ** 2);
    return 60 + light! * spot + (i % channels) * 20 + 12 * random.uniform();
  });
}
/** Black letters on white, as a screenshot has them. */
function screenshot({ height, width, channels }: typeof grey): Uint8Array {
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    return y % 6 < 3 && (x * 7 + y) % 5 < 2 ? 0 : 255;
  });
}

describe('when a classifier is unsure', () => {
  const likeness = fitLikeness([Float64Array.of(0), Float64Array.of(1)]);
  const known = (n: number): HeldBackImage[] =>
    Array.from({ length: n }, () => ({ confidence: random.uniform(), distance: random.uniform() }));

  test('is below what 5 % of the pile are below, and beyond the second largest distance of a hundred', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => ({
      confidence: (1 + ((37 * i) % 100)) / 100,
      distance: 1 + ((63 * i) % 100),
    }));
    const pile = Array.from({ length: 2000 }, (_, i) => ((7 * i) % 2000) / 2000);
    const found = fitAbstention(hundred, { pile, likeness });
    expect(found).toMatchObject({ threshold: 0.05, farthest: 99, level: 0.95, heldBack: 100, likeness });
    const outside = hundred.filter((each) => each.confidence < 0.05 || each.distance > 99).length;
    expect(found?.accepted).toBeCloseTo(1 - outside / 100, 12);
    const alone = { pile: [], likeness };
    expect(fitAbstention(hundred.slice(0, 4), alone)).toMatchObject({ accepted: 1, heldBack: 4 });
    expect(fitAbstention(hundred, alone)?.threshold).toBe(0.05);
    expect(fitAbstention([], { pile, likeness })).toBeUndefined();
    expect(abstentionSchema.parse(JSON.parse(JSON.stringify(found)))).toEqual(found);
  });

  test.each([40, 100, 300])(
    'found by %i labels alone, it accepts 92.5 %% of other images on average',
    (n) => {
      let accepted = 0;
      const draws = 400;
      for (let draw = 0; draw < draws; draw++) {
        const { threshold = 0, farthest = 1 } = fitAbstention(known(n), { pile: [], likeness }) ?? {};
        accepted += ((1 - threshold) * farthest) / draws; // of uniform numbers
      }
      expect(accepted).toBeGreaterThan(0.92);
      expect(accepted).toBeLessThan(0.94);
    },
  );
});

describe.each([grey, colour])('images of $height×$width×$channels', (size) => {
  const rows = Array.from({ length: 60 }, () => pictureTraits(spots(size), size));

  test('have traits that say what they say', () => {
    const { height, width, channels } = size;
    const ramp = Uint8Array.from(
      { length: height * width * channels },
      (_, i) => 5 * (Math.floor(i / channels) % width),
    );
    const [mean, deviation, across, down, largest, flatAcross, flatDown, black, white, middle] =
      pictureTraits(ramp, size);
    expect(mean).toBeCloseTo((5 * (width - 1)) / 2 / 255, 6);
    expect(deviation).toBeCloseTo((5 / 255) * Math.sqrt((width ** 2 - 1) / 12), 5);
    for (const step of [across, largest]) expect(step).toBeCloseTo(Math.log(5 / 255 + 1e-3), 5);
    expect(down).toBeCloseTo(Math.log(1e-3), 6);
    expect([flatAcross, flatDown, white]).toEqual([0, 1, 0]);
    expect(black).toBeCloseTo(2 / width, 12);
    expect(middle).toBeCloseTo(0, 6);
    for (const value of pictureTraits(new Uint8Array(ramp.length), size)) expect(value).not.toBeNaN();
  });

  test('a screenshot among photographs is unlike them, and other photographs are not', () => {
    const distances = distancesFromOthers(rows);
    const images = Array.from(distances, (distance) => ({ confidence: 1, distance }));
    const abstention = fitAbstention(images, { pile: [], likeness: fitLikeness(rows) })!;
    expect(looksUnlike(abstention, { pixels: screenshot(size), size })).toBe(true);
    const others = Array.from({ length: 200 }, () => looksUnlike(abstention, { pixels: spots(size), size }));
    expect(others.filter(Boolean).length).toBeLessThan(20);
    const { likeness: _, ...without } = abstention;
    expect(looksUnlike(without, { pixels: screenshot(size), size })).toBe(false);
  });

  test('a distance is that of the whitened traits, and grows by the square', () => {
    const likeness = fitLikeness(rows);
    const d = likeness.centre.length;
    expect(distanceFrom(likeness, Float64Array.from(likeness.centre))).toBe(0);
    const along = (i: number, times: number) =>
      Float64Array.from(likeness.centre, (x, k) => (k === i ? x + times * likeness.scale[k]! : x));
    for (let i = 0; i < d; i++) {
      const one = distanceFrom(likeness, along(i, 1));
      expect(one).toBeGreaterThan(0.99);
      expect(distanceFrom(likeness, along(i, 3))).toBeCloseTo(9 * one, 6);
    }
    // Of the images themselves it is D on average, less what the shrinkage takes.
    const own = rows.reduce((sum, row) => sum + distanceFrom(likeness, row), 0) / rows.length;
    expect(own).toBeGreaterThan(0.3 * d);
    expect(own).toBeLessThan(1.5 * d);
  });
});
