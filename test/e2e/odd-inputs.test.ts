import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { cli, tiniestSettings } from '../support/cli.js';
import { idx } from '../support/tiny-data.js';

let cwd: string;
const quarterturn = (...args: string[]) => cli(args, { cwd });

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-odd-'));
  const settings = { ...tiniestSettings, labelsPerClass: 1 };
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify(settings));
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

const side = 28;

/** Pictures of 28×28: a bright bar whose place and length tell the class, on a dark ground of its own. */
function pictures(labels: readonly number[]): Uint8Array {
  const pixels = new Uint8Array(labels.length * side * side);
  for (const [n, label] of labels.entries()) {
    for (let i = 0; i < side * side; i++) pixels[n * side * side + i] = (n * 17 + i * 3) % 40;
    const row = label % side;
    pixels.fill(220, (n * side + row) * side, (n * side + row) * side + 8 + (label % 19));
  }
  return idx([labels.length, side, side], pixels);
}

/** Labels of two bytes each, as a file of more than 256 classes has to have them. */
function shorts(labels: readonly number[]): Uint8Array {
  const bytes = idx([labels.length], new Uint8Array(2 * labels.length));
  bytes[2] = 11;
  const view = new DataView(bytes.buffer, 8);
  for (const [i, label] of labels.entries()) view.setInt16(2 * i, label);
  return bytes;
}

async function writeData(
  folder: string,
  prefix: string,
  [train, test]: readonly [number[], number[]],
  encode: (labels: readonly number[]) => Uint8Array,
): Promise<void> {
  await fs.mkdir(join(cwd, folder));
  for (const [part, labels] of [['train', train] as const, ['test', test] as const]) {
    await fs.writeFile(join(cwd, folder, `${prefix}${part}-images-idx3-ubyte`), pictures(labels));
    await fs.writeFile(join(cwd, folder, `${prefix}${part}-labels-idx1-ubyte`), encode(labels));
  }
}

/** `count` labels from `first` on, in turn. */
const inTurn = (count: number, first: number, classes: number) =>
  Array.from({ length: count }, (_, i) => first + (i % classes));

const exhibitsSchema = z.looseObject({
  // Without what the classifier found in the pile.
  classCounts: z.array(z.object({ name: z.string(), train: z.int(), labelled: z.int() })),
  confusions: z.array(
    z.looseObject({
      classNames: z.array(z.string()),
      cells: z.array(z.tuple([z.int(), z.int(), z.int()])),
    }),
  ),
});

async function exhibitsOf(run: string) {
  return exhibitsSchema.parse(JSON.parse(await fs.readFile(join(cwd, run, 'exhibits.json'), 'utf8')));
}

test('letters whose labels count from 1, under names with a prefix: 26 classes, said before training', async () => {
  const bytes = (labels: readonly number[]) => idx([labels.length], Uint8Array.from(labels));
  await writeData('letters', 'emnist-letters-', [inTurn(520, 1, 26), inTurn(52, 1, 26)], bytes);
  const run = await quarterturn(
    'run',
    '--data',
    'letters',
    '--config',
    'tiny.json',
    '--threads',
    '1',
    '--out',
    'letters-run',
  );
  expect(run.code, run.stderr).toBe(0);
  expect(run.stderr).toMatch(
    /26 classes\n.*Classes are the 26 labels that occur \(1 to 26\)[^\n]*\n.*Run {3}/s,
  );
  const { classCounts } = await exhibitsOf('letters-run');
  expect(classCounts).toEqual(inTurn(26, 1, 26).map((k) => ({ name: `${k}`, train: 20, labelled: 1 })));

  const file = 'letters/emnist-letters-test-images-idx3-ubyte';
  const said = await quarterturn('predict', 'letters-run', file, '--limit', '1', '--json');
  const rows = z
    .array(z.looseObject({ label: z.string(), probabilities: z.record(z.string(), z.number()) }))
    .parse(JSON.parse(said.stdout));
  expect(Object.keys(rows[0]!.probabilities)).toEqual(inTurn(26, 1, 26).map(String));
});

test('300 classes: each test image is counted under its own, in a whole run', async () => {
  await writeData('many', '', [inTurn(900, 0, 300), inTurn(300, 0, 300)], shorts);
  const run = await quarterturn(
    'run',
    '--data',
    'many',
    '--config',
    'tiny.json',
    '--threads',
    '1',
    '--out',
    'many-run',
  );
  expect(run.code, run.stderr).toBe(0);
  const { classCounts, confusions } = await exhibitsOf('many-run');
  expect(classCounts).toEqual(inTurn(300, 0, 300).map((k) => ({ name: `${k}`, train: 3, labelled: 1 })));
  const ofClasses = confusions.filter(({ classNames }) => classNames.length === 300);
  expect(ofClasses.length).toBeGreaterThan(2);
  for (const { cells } of ofClasses) {
    expect(cells.map(([actual, , count]) => [actual, count])).toEqual(inTurn(300, 0, 300).map((k) => [k, 1]));
  }
});

test('a batch size that grouped turns cannot have is refused before the folder is made', async () => {
  await fs.writeFile(join(cwd, 'fifty.json'), '{ "pretrain": { "batchSize": 50 } }');
  const { code, stderr } = await quarterturn('run', '--config', 'fifty.json', '--out', 'fifty');
  expect(code).toBe(2);
  expect(stderr).toContain('pretrain.batchSize: expected a multiple of 4');
  await expect(fs.stat(join(cwd, 'fifty'))).rejects.toMatchObject({ code: 'ENOENT' });
});
