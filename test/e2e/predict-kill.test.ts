import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { zipOf } from '../support/archives.js';
import { root } from '../support/compile.js';
import { encodeGlyphClassifier, glyph, glyphAt, glyphPng, glyphSize } from '../support/glyph-classifier.js';
import { filesBelow } from '../support/picture-folder.js';
import { idx } from '../support/tiny-data.js';

/** How often it is killed at random moments; `npm run nightly` has time for a hundred. */
const kills = Number(process.env.QUARTERTURN_KILL_ROUNDS ?? 1);

let cwd: string;
const inputs = ['scans', 'scans.zip', 'rows.idx', 'bad.png'];
const counts = { scans: 300, zip: 100, rows: 600 };

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-predict-kill-'));
  await fs.writeFile(join(cwd, 'model.onnx'), encodeGlyphClassifier());
  const pngs = await Promise.all([0, 1, 2].map((i) => glyphPng(glyphAt(i))));
  const png = (i: number) => pngs[i % 3] ?? Buffer.of();
  await fs.mkdir(join(cwd, 'scans'));
  for (let i = 0; i < counts.scans; i++) await fs.writeFile(join(cwd, `scans/${i}.png`), png(i));
  const members = Array.from({ length: counts.zip }, (_, i) => ({ name: `${i}.png`, data: png(i) }));
  await fs.writeFile(join(cwd, 'scans.zip'), zipOf(members));
  const rows = Buffer.concat(Array.from({ length: counts.rows }, (_, i) => glyph(glyphAt(i))));
  await fs.writeFile(join(cwd, 'rows.idx'), idx([counts.rows, glyphSize, glyphSize], rows));
  await fs.writeFile(join(cwd, 'bad.png'), 'no picture');
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

/** @returns whether it ended by itself before it was killed */
async function predictUntil(args: readonly string[], killAfterMs: number): Promise<boolean> {
  const program = join(root, 'bin/quarterturn.js');
  const child = spawn(process.execPath, [program, 'predict', 'model.onnx', ...inputs, ...args], {
    cwd,
    stdio: 'ignore',
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  if (code !== null) expect(code).toBe(0);
  return code !== null;
}

test(`killed ${kills} times and started again, predict comes to the same files`, async () => {
  const began = performance.now();
  expect(await predictUntil(['--out', 'whole.csv', '--sort-into', 'whole', '--probabilities'], 300_000)).toBe(
    true,
  );
  const wholeMs = performance.now() - began;
  const whole = await fs.readFile(join(cwd, 'whole.csv'), 'utf8');
  expect(whole.trimEnd().split('\r\n')).toHaveLength(1 + counts.scans + counts.zip + counts.rows);
  const sorted = await filesBelow(join(cwd, 'whole'));
  const skipped = await fs.readFile(join(cwd, 'whole.csv.skipped.csv'), 'utf8');

  // Rounds of a few kills each: a round is over when the command ends by itself.
  let [killed, rounds] = [0, 0];
  while (killed < kills) {
    const out = `round-${++rounds}.csv`;
    const into = `round-${rounds}`;
    const args = ['--out', out, '--sort-into', into, '--probabilities'];
    const isStopping = () => killed >= kills;
    while (!(await predictUntil(args, isStopping() ? 300_000 : Math.random() * wholeMs))) killed++;
    expect(await fs.readFile(join(cwd, out), 'utf8')).toBe(whole);
    expect(await fs.readFile(join(cwd, `${out}.skipped.csv`), 'utf8')).toBe(skipped);
    expect(await filesBelow(join(cwd, into))).toEqual(sorted);
    expect((await fs.readdir(cwd)).filter((name) => name.includes('partial'))).toEqual([]);
  }
  expect(killed).toBeGreaterThanOrEqual(kills);
}, 1_800_000);
