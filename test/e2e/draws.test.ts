import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../support/compile.js';
import { byNight } from '../support/nightly.js';
import { writePictures } from '../support/picture-folder.js';

const settings = {
  network: { width: 0.0625 },
  pretrain: { epochs: 1, batchSize: 32, stepsPerEpoch: 5 },
  finetune: { epochs: 3, batchSize: 16 },
  selfTrain: { epochs: 1, stepsPerEpoch: 4, labelledPerStep: 6, pairsPerStep: 8 },
  baseline: { epochs: 1, batchSize: 16 },
};

let cwd: string;
beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-draws-'));
  await writePictures(join(cwd, 'photos'));
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify(settings));
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

test.runIf(byNight)(
  'npm run draws: the table of what was kept against the best stage, each run once',
  async () => {
    const args =
      'photos --config tiny.json --labels 12 --balance 4 --given proportionally --draws 1 --out table';
    const draws = async () => {
      const child = spawn(process.execPath, [join(root, 'scripts/draws.mjs'), ...args.split(' ')], {
        cwd,
        env: { ...process.env, XDG_CACHE_HOME: join(cwd, 'cache') },
      });
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      const journal = await fs.readFile(join(cwd, 'table/draws.jsonl'), 'utf8');
      return { stdout, stderr, journal };
    };
    const { stdout, stderr, journal } = await draws();
    expect(stdout.trim().split('\n')).toHaveLength(3);
    expect(stdout).toMatch(/\| 12 \| 4:1 \| proportionally \| 1 \|/);
    expect(stderr).toMatch(/^1 of 1 {2}12 labels, 4:1, proportionally, draw 1: kept \w+ [\d.]+ %, best /m);
    const row = JSON.parse(journal);
    const { kept, stages, pile } = row;
    // The largest class has four times as many images as the smallest, and no class more than there are.
    expect(pile).toBeGreaterThan(60);
    expect(pile).toBeLessThan(190);
    expect(stages[kept].accuracy).toBeGreaterThan(0.2);
    expect(stages[kept].macroF1).toBeLessThanOrEqual(1);
    const again = await draws();
    expect(again).toMatchObject({ stdout, journal });
    expect(again.stderr).toContain('1 run, 1 of them finished before.');
    // A kill in the middle of a line: the same run is made again, on a line of its own.
    await fs.writeFile(join(cwd, 'table/draws.jsonl'), journal.slice(0, -30));
    const after = await draws();
    expect(after.stderr).toContain('draws.jsonl, line 1: expected a run.');
    const { seconds: _, ...rest } = JSON.parse(after.journal.split('\n')[1] ?? '');
    expect(row).toMatchObject(rest);
    expect(after.stdout).toBe(stdout);
  },
);
