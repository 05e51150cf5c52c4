import { beforeAll, describe, expect, it } from 'vitest';
import { imagesInMemory } from '../../data/image-source.js';
import { Random } from '../../random/random.js';
import { createNodeRuntime } from '../../runtime/node.js';
import type { Runtime } from '../../runtime/runtime.js';
import { MemoryStore } from '../../store/checkpoint.js';
import type { RunEvent } from '../../store/run-event.js';
import type { RecipeContext } from '../context.js';
import { presets, settingsFor } from '../presets.js';
import { figuresOf, runStages } from '../stages.js';
import { scratchStage } from './finetune-stage.js';
import { chooseMirroring, withMirroring } from './mirroring.js';
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
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

/** A pile of shapes in noise, each a little moved. */
function pile({ classOf, mirrored, labelsPerClass = 10 }: PileOptions): RecipeContext {
  const random = Random.seeded(5);
  const pixels = new Uint8Array(count * side * side);
  const labels = Int32Array.from({ length: count }, (_, n) => {
    const shape = n % shapes.length;
    const isMirrored = random.uniform() < mirrored;
    const [right, down] = [2 + random.integer(7), 2 + random.integer(7)];
    for (let at = 0; at < side * side; at++) {
      const [column, row] = [at % side, Math.floor(at / side)];
      const x = (isMirrored ? side - 1 - column : column) - right;
      const isInk = x >= 0 && row >= down && x < 18 && shapes[shape]!(x, row - down);
      pixels[n * side * side + at] = (isInk ? 180 : 20) + random.integer(50);
    }
    return classOf(shape, isMirrored);
  });
  const images = imagesInMemory({ name: 'shapes', pixels, height: side, width: side, channels: 1 });
  const classNames = Array.from({ length: classes }, (_, k) => `class ${k}`);
  const settings = settingsFor('quick', { labelsPerClass });
  const data = { train: { images, labels, classNames }, origin: '', checksums: {} };
  return { settings, data, runtime, store: new MemoryStore() };
}

describe('whether images are mirrored to learn from', () => {
  it('is yes where mirror images are at home in the pile and of the same class', async () => {
    const context = pile({ classOf: (shape) => shape, mirrored: 0.5 });
    const choice = await chooseMirroring(context, 0);
    expect(choice).toMatchObject({ mirrored: true, reason: 'labels', labels: { of: 30 } });
    expect(choice.share).toBeGreaterThan(0.4);
    expect(choice.share).toBeLessThan(0.6);
    expect(await chooseMirroring(context, 0)).toEqual(choice);
  });

  it('is no where nothing is drawn mirrored, whatever labels say', async () => {
    const choice = await chooseMirroring(pile({ classOf: (shape) => shape, mirrored: 0 }), 0);
    expect(choice).toMatchObject({ mirrored: false, reason: 'pile', labels: null });
    expect(choice.share).toBeLessThan(0.2);
  });

  it('is no where the mirror image of one class is another, as of b and d', async () => {
    const classOf = (shape: number, isMirrored: boolean) => (shape === 2 ? 2 : isMirrored ? 1 : 0);
    const choice = await chooseMirroring(pile({ classOf, mirrored: 0.5 }), 0);
    expect(choice).toMatchObject({ mirrored: false, reason: 'labels' });
    expect(choice.labels!.mirrored).toBeLessThan(choice.labels!.asTheyAre - 5);
  });

  it('is no where no label can be held back to confirm it', async () => {
    const context = pile({ classOf: (shape) => shape, mirrored: 0.5, labelsPerClass: 1 });
    expect(await chooseMirroring(context, 0)).toMatchObject({ mirrored: false, reason: 'unconfirmed' });
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
    const context = { ...pile({ classOf: (shape) => shape, mirrored: 0.5 }), emit };
    const seen: unknown[] = [];
    const registry = [looking(seen)];
    const { draws } = await runStages(context, () => true, { registry });
    const [choice] = draws.map(({ mirroring }) => mirroring);
    expect(choice).toMatchObject({ mirrored: true });
    expect(events.find(({ type }) => type === 'mirroring-chosen')).toEqual({
      ...{ type: 'mirroring-chosen', draw: 0 },
      ...choice,
    });
    const again = await runStages(context, () => true, { registry, readOnly: true });
    expect(again.draws[0]?.mirroring).toEqual(choice);
    expect(figuresOf(again).mirroring).toEqual(choice);
    expect(seen).toEqual([true, true]);
  });

  it('leaves images as they are where its settings leave no choice, and asks nothing where nothing is distorted', async () => {
    const context = pile({ classOf: (shape) => shape, mirrored: 0.5 });
    const settings = { ...context.settings, mirroring: 'asSet' as const };
    const seen: unknown[] = [];
    const mirroring = withMirroring(context.settings);
    await runStages({ ...context, settings: mirroring }, () => true, { registry: [looking(seen)] });
    expect(seen.splice(0)).toEqual([true]);
    const asSet = await runStages({ ...context, settings }, () => true, { registry: [looking(seen)] });
    expect([asSet.draws[0]?.mirroring, seen]).toEqual([undefined, [false]]);
    const { isDistorted: _, ...undistorted } = looking(seen);
    const { draws } = await runStages(context, () => true, { registry: [undistorted] });
    expect(draws[0]?.mirroring).toBeUndefined();
  });
});

it('mirrors every distortion of the settings, and nothing where nothing is distorted', () => {
  const { finetune, selfTrain } = withMirroring(presets.quick);
  const flips = [finetune.augmentation, selfTrain?.mild, selfTrain?.strong].map(
    (each) => each?.flipHorizontal,
  );
  expect(flips).toEqual([true, true, true]);
  expect(withMirroring(presets.notebook)).toEqual(presets.notebook);
});
