import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { cli } from '../support/cli.js';
import { encodeGlyphClassifier, glyph, glyphClasses, glyphPng } from '../support/glyph-classifier.js';

let cwd: string;
const quarterturn = (...args: readonly string[]) => cli(args, { cwd });

/** A blurred, dimmed glyph: the model is less sure of it. */
async function picture(name: (typeof glyphClasses)[number], n: number): Promise<Uint8Array> {
  const pixels = glyph(name).map((value, i) => (value * (40 + 7 * n)) / 255 + ((i * 31 * (n + 1)) % 60));
  return glyphPng(pixels);
}

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-evaluate-'));
  await fs.writeFile(join(cwd, 'model.onnx'), encodeGlyphClassifier());
  for (const [k, name] of glyphClasses.entries()) {
    const folder = join(cwd, 'photos', name);
    await fs.mkdir(folder, { recursive: true });
    for (let n = 0; n < 8; n++) {
      // The last of each class shows the next one: a mistake of whoever sorted them.
      const shown = n === 7 ? (glyphClasses[(k + 1) % 3] ?? name) : name;
      await fs.writeFile(join(folder, `${n}.png`), await picture(shown, n));
    }
  }
  await fs.mkdir(join(cwd, 'photos/owl'));
  await fs.writeFile(join(cwd, 'photos/owl/0.png'), await picture('3', 0));
  await fs.writeFile(join(cwd, 'photos/1/cut.png'), (await picture('1', 0)).subarray(0, 60));
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

const rowsSchema = z.array(z.looseObject({ file: z.string(), label: z.string(), probability: z.number() }));
const evaluationSchema = z.looseObject({
  accuracy: z.number(),
  interval: z.object({ low: z.number(), high: z.number() }),
  correct: z.int(),
  total: z.int(),
  confusions: z.array(z.object({ actual: z.string(), predicted: z.string(), count: z.int() })),
  calibration: z.array(z.looseObject({ high: z.number(), count: z.int(), meanConfidence: z.number() })),
  mistakes: z.array(
    z.object({ file: z.string(), label: z.string(), predicted: z.string(), confidence: z.number() }),
  ),
  unknownClasses: z.array(z.looseObject({ name: z.string(), count: z.int() })),
  skipped: z.array(z.looseObject({ name: z.string() })),
});

test('figures are those of the rows that predict gives for the same pictures', async () => {
  const evaluated = await quarterturn('evaluate', 'model.onnx', 'photos', '--json', '--html', 'page.html');
  expect(evaluated.code, evaluated.stderr).toBe(0);
  expect(evaluated.stderr).toContain('Evaluated on all 26 labelled images: the data has no test set.');
  expect(evaluated.stderr).toMatch(/Set aside {2}.*1\/cut\.png/);
  const figures = evaluationSchema.parse(JSON.parse(evaluated.stdout));

  const files = glyphClasses.flatMap((name) =>
    Array.from({ length: 8 }, (_, n) => `photos/${name}/${n}.png`),
  );
  const predicted = await quarterturn('predict', 'model.onnx', ...files, '--json');
  expect(predicted.code, predicted.stderr).toBe(0);
  const rows = rowsSchema.parse(JSON.parse(predicted.stdout)).map((row) => ({
    ...row,
    actual: row.file.split('/')[1] ?? '',
  }));
  const wrong = rows.filter((row) => row.label !== row.actual);
  expect(figures).toMatchObject({ total: 24, correct: 24 - wrong.length });
  expect(figures.accuracy).toBeCloseTo((24 - wrong.length) / 24, 12);
  expect(figures.interval.low).toBeLessThan(figures.accuracy);
  const byConfidence = wrong.toSorted((a, b) => b.probability - a.probability);
  expect(figures.mistakes.map(({ file, predicted }) => [file, predicted])).toEqual(
    byConfidence.map((row) => [row.file.slice('photos/'.length), row.label]),
  );
  for (const [i, { confidence }] of figures.mistakes.entries()) {
    expect(confidence).toBeCloseTo(byConfidence[i]?.probability ?? Number.NaN, 5);
  }
  const pairs = figures.confusions.reduce((sum, { count }) => sum + count, 0);
  expect(pairs).toBe(wrong.length);
  const sure = rows.filter(({ probability }) => probability > 0.9);
  expect(figures.calibration.at(-1)?.count).toBe(sure.length);
  expect(figures.unknownClasses).toMatchObject([{ name: 'owl', count: 1 }]);
  expect(figures.skipped).toMatchObject([{ name: '1/cut.png' }]);

  const page = await fs.readFile(join(cwd, 'page.html'), 'utf8');
  expect(page).toContain('All mistakes, the surest ones first');
  expect(page).toContain(`title="${figures.mistakes[0]?.file}"`);
});

test('what cannot be done is said', async () => {
  const refused = await quarterturn('evaluate', 'model.onnx', 'photos', '--size', '32');
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('expected no --size with a model and data');
  const alone = await quarterturn('evaluate', 'model.onnx');
  expect(alone).toMatchObject({ code: 2 });
  expect(alone.stderr).toContain('expected labelled images after the model');
});
