import { beforeAll, describe, expect, it } from 'vitest';
import { strengths } from '../../data/augmentation-policy.js';
import { imagesInMemory } from '../../data/image-source.js';
import { Random } from '../../random/random.js';
import { createNodeRuntime } from '../../runtime/node.js';
import type { Runtime } from '../../runtime/runtime.js';
import { MemoryStore } from '../../store/checkpoint.js';
import type { Invariance, InvarianceName } from '../../store/invariance.js';
import type { RunEvent } from '../../store/run-event.js';
import type { RecipeContext } from '../context.js';
import { presets, settingsFor } from '../presets.js';
import { openInvariances } from '../settings.js';
import { figuresOf, runStages } from '../stages.js';
import { scratchStage } from './finetune-stage.js';
import { judgeInvariances, withInvariances } from './invariances.js';
import type { Stage } from './stage.js';

const [count, side, classes] = [600, 28, 3];

/** How far from the top-left corner, 0 … 1, along which a shape has ink: `x` and `y` are 0 … 27. */
type Shape = (x: number, y: number) => boolean;
/** A corner, a flag and a hook, none of which is its own mirror image. */
const shapes: readonly Shape[] = [
  (x, y) => x < 4 || y < 4,
  (x, y) => x < 3 || (y > 6 && y < 16 && x < 16),
  (x, y) => Math.abs(x - 12) < 2 || (y > 16 && Math.abs(x + y - 30) < 3),
];

interface PileOptions {
  /** The class of an image, by its shape and whether it is drawn mirrored. */
  classOf(shape: number, isMirrored: boolean): number;
  /** Share of the images that are drawn mirrored. */
  readonly mirrored: number;
  readonly labelsPerClass?: number;
  /** Levels by which light differs, besides noise; default: all images are lit alike. */
  readonly light?: number;
  /** Whether there is nothing but light, and it is the class: dark, medium, bright. */
  readonly isLight?: boolean;
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

/** A pile of shapes in noise, each a little moved. */
function pile({
  classOf,
  mirrored,
  labelsPerClass = 10,
  light = 0,
  isLight = false,
}: PileOptions): RecipeContext {
  const random = Random.seeded(5);
  const pixels = new Uint8ClampedArray(count * side * side);
  const labels = Int32Array.from({ length: count }, (_, n) => {
    const shape = n % shapes.length;
    const isMirrored = random.uniform() < mirrored;
    const [level, spread, ink] = [random.uniform(), random.uniform(), isLight ? 0 : light > 0 ? 40 : 160];
    // More light here, less there, unless light is the class.
    const contrast = isLight ? 0 : (spread * light) / 2;
    const lights = Array.from(
      { length: 16 },
      () => light * level + contrast * (random.uniform() + random.uniform() - 1),
    );
    const [right, down] = [2 + random.integer(7), 2 + random.integer(7)];
    for (let at = 0; at < side * side; at++) {
      const [column, row] = [at % side, Math.floor(at / side)];
      const x = (isMirrored ? side - 1 - column : column) - right;
      const isInk = x >= 0 && row >= down && x < 18 && shapes[shape]!(x, row - down);
      pixels[n * side * side + at] =
        20 +
        (isInk ? ink : 0) +
        lights[Math.floor(row / 7) * 4 + Math.floor(column / 7)]! +
        random.integer(20);
    }
    return isLight ? Math.floor(classes * level) : classOf(shape, isMirrored);
  });
  const images = imagesInMemory({
    name: 'shapes',
    pixels: new Uint8Array(pixels.buffer),
    height: side,
    width: side,
    channels: 1,
  });
  const classNames = Array.from({ length: classes }, (_, k) => `class ${k}`);
  const settings = settingsFor('quick', { labelsPerClass });
  const data = { train: { images, labels, classNames }, origin: '', checksums: {} };
  return { settings, data, runtime, store: new MemoryStore() };
}

/** What is found out of a change. */
async function judged(context: RecipeContext, name: InvarianceName): Promise<Invariance> {
  const found = (await judgeInvariances(context, 0)).find(({ change }) => change === name);
  if (!found) throw new Error(`${name}: not judged`);
  return found;
}

const shapeAlone = (shape: number) => shape;

describe('images keep their class when they are mirrored', () => {
  it('where mirror images are at home in the pile and of the same class', async () => {
    const context = pile({ classOf: shapeAlone, mirrored: 0.5 });
    const found = await judged(context, 'mirroring');
    expect(found).toMatchObject({ holds: true, reason: 'labels', labels: { of: 30 } });
    expect(found.share).toBeGreaterThan(0.4);
    expect(found.share).toBeLessThan(0.6);
    expect(await judged(context, 'mirroring')).toEqual(found);
  });

  it('not where nothing is drawn mirrored, whatever labels say', async () => {
    const found = await judged(pile({ classOf: shapeAlone, mirrored: 0 }), 'mirroring');
    expect(found).toMatchObject({ holds: false, reason: 'pile', labels: null });
    expect(found.share).toBeLessThan(0.2);
  });

  it('not where the mirror image of one class is another, as of b and d', async () => {
    const classOf = (shape: number, isMirrored: boolean) => (shape === 2 ? 2 : isMirrored ? 1 : 0);
    const found = await judged(pile({ classOf, mirrored: 0.5 }), 'mirroring');
    expect(found).toMatchObject({ holds: false, reason: 'labels' });
    expect(found.labels?.changed).toBeLessThan((found.labels?.asTheyAre ?? 0) - 5);
  });

  it('not where no label can be held back to confirm it', async () => {
    const context = pile({ classOf: shapeAlone, mirrored: 0.5, labelsPerClass: 1 });
    expect(await judged(context, 'mirroring')).toMatchObject({ holds: false, reason: 'unconfirmed' });
  });
});

describe('images keep their class in other tones', () => {
  const lit = { classOf: shapeAlone, mirrored: 0, light: 210 };

  it('where light varies and says nothing of the class', async () => {
    const found = await judged(pile(lit), 'tones');
    expect(found).toMatchObject({ holds: true, reason: 'labels', labels: { of: 30 } });
    expect(found.share).toBeGreaterThan(0.4);
    expect(await judged(pile(lit), 'tones')).toEqual(found);
  });

  it('not where all are lit alike, as scans are', async () => {
    const found = await judged(pile({ ...lit, light: 0 }), 'tones');
    expect(found).toMatchObject({ holds: false, reason: 'pile', labels: null });
    expect(found.share).toBeLessThan(0.2);
  });

  it('not where light is all that tells classes apart', async () => {
    const found = await judged(pile({ ...lit, light: 240, isLight: true, labelsPerClass: 30 }), 'tones');
    expect(found).toMatchObject({ holds: false, reason: 'labels' });
  });

  it('not where no label can confirm it', async () => {
    const found = await judged(pile({ ...lit, labelsPerClass: 1 }), 'tones');
    expect(found).toMatchObject({ holds: false, reason: 'unconfirmed' });
  });
});

describe('a run', () => {
  /** A stage that looks at the settings that it is given, and learns nothing. */
  const looking = (seen: unknown[]): Stage => ({
    ...scratchStage,
    async train({ context }) {
      seen.push(context.settings.finetune.augmentation?.flipHorizontal);
      return { figures: {}, tested: [] };
    },
  });

  it('trains on mirrored images where they may be, keeps why, and is evaluated with what was found', async () => {
    const events: RunEvent[] = [];
    const emit = (event: RunEvent) => events.push(event);
    const context = { ...pile({ classOf: shapeAlone, mirrored: 0.5 }), emit };
    const seen: unknown[] = [];
    const registry = [looking(seen)];
    const { draws } = await runStages(context, () => true, { registry });
    const found = draws[0]?.invariances ?? [];
    expect(found.map(({ change, holds }) => [change, holds])).toEqual([
      ['mirroring', true],
      ['tones', false],
    ]);
    expect(events.filter(({ type }) => type === 'invariance-judged')).toEqual(
      found.map((each) => ({ type: 'invariance-judged', draw: 0, ...each })),
    );
    const again = await runStages(context, () => true, { registry, readOnly: true });
    expect(figuresOf(again).invariances).toEqual(found);
    expect(seen).toEqual([true, true]);
  });

  it('leaves images as they are where its settings leave no choice, and asks nothing where nothing is distorted', async () => {
    const context = pile({ classOf: shapeAlone, mirrored: 0.5 });
    const settings = { ...context.settings, invariances: 'asSet' as const };
    const seen: unknown[] = [];
    const asSet = await runStages({ ...context, settings }, () => true, { registry: [looking(seen)] });
    expect([asSet.draws[0]?.invariances, seen]).toEqual([[], [false]]);
    const { isDistorted: _, ...undistorted } = looking(seen);
    const { draws } = await runStages(context, () => true, { registry: [undistorted] });
    expect(draws[0]?.invariances).toEqual([]);
  });
});

it('puts the changes that hold into every distortion, and leaves open what one of them does not make', () => {
  const holding = (...names: InvarianceName[]): Invariance[] =>
    names.map((change) => ({ change, holds: true, share: 0.5, reason: 'labels', labels: null }));
  const both = withInvariances(presets.quick, holding('mirroring', 'tones'));
  const tones = { contrast: 0.3, brightness: 0.15 };
  expect(both.finetune.augmentation).toEqual({ ...strengths.strong, ...tones, flipHorizontal: true });
  expect(both.selfTrain?.strong).toEqual(both.finetune.augmentation);
  expect(both.selfTrain?.mild).toEqual({ ...presets.quick.selfTrain?.mild, flipHorizontal: true });
  expect(openInvariances(presets.quick)).toEqual(['mirroring', 'tones']);
  expect(openInvariances(withInvariances(presets.quick, holding('mirroring')))).toEqual(['tones']);
  expect(openInvariances(withInvariances(presets.quick, holding('tones')))).toEqual(['mirroring']);
  expect(openInvariances(presets.notebook)).toEqual([]);
  expect(openInvariances({ ...presets.notebook, invariances: 'evidence' })).toEqual([]);
  expect(withInvariances(presets.notebook, holding('mirroring', 'tones'))).toEqual(presets.notebook);
  // What settings ask for is never made less.
  const { finetune } = presets.quick;
  const harsh = {
    ...presets.quick,
    finetune: { ...finetune, augmentation: { ...strengths.strong, contrast: 0.8 } },
  };
  expect(withInvariances(harsh, holding('tones')).finetune.augmentation).toMatchObject({
    contrast: 0.8,
    brightness: 0.15,
  });
});
