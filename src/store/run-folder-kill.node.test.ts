import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compile } from '../../test/support/compile.js';
import { RunFolder } from './run-folder.node.js';
import type { EpochRecord } from './run-record.js';

let parent: string;
let path: string;
beforeEach(async () => {
  parent = await fs.mkdtemp(join(tmpdir(), 'quarterturn-'));
  path = join(parent, 'run');
});
afterEach(() => fs.rm(parent, { recursive: true }));

const epoch: EpochRecord = {
  stage: 'pretrain',
  draw: 0,
  epoch: 1,
  step: 1,
  train: { accuracy: 0.5, loss: 0.7 },
  learningRate: 0.1,
  durationMs: 1,
  imagesPerSecond: 1,
};

const elements = 1 << 18; // 1 MiB: large enough that a kill lands inside a write
const childProgram = (module: string): string => `
  import { RunFolder } from ${JSON.stringify(pathToFileURL(module).href)};
  const path = process.argv[2];
  const folder = await RunFolder.open(path).catch(() => RunFolder.create(path));
  let step = (await folder.loadCheckpoint('latest'))?.state.step ?? 0;
  for (;;) {
    step++;
    const w = { dtype: 'float32', shape: [${elements}], data: new Float32Array(${elements}).fill(step) };
    await folder.saveCheckpoint('latest', { tensors: { w }, state: { step } });
    await folder.appendEpoch({ ...${JSON.stringify(epoch)}, step });
    process.stdout.write(step + '\\n');
  }`;

/** Kill the child a while after its first step; returns the last step that it reported as saved. */
async function runAndKill(child: ChildProcess, delayMs: number): Promise<number> {
  let output = '';
  let errors = '';
  child.stdout!.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(child, 'exit');
  await Promise.race([once(child.stdout!, 'data'), exited]);
  await sleep(delayMs);
  child.kill('SIGKILL');
  await exited;
  expect(errors).toBe('');
  return Number(output.split('\n').slice(0, -1).at(-1));
}

test('a kill -9 at any moment leaves the newest checkpoint whole, and its lock is taken over', async () => {
  // A process of its own cannot load TypeScript.
  const compiled = await compile(['src/store/run-folder.node.ts']);
  const script = join(parent, 'child.mjs');
  await fs.writeFile(script, childProgram(join(compiled.path, 'src/store/run-folder.node.js')));
  let before = 0;
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, [script, path]);
    const reported = await runAndKill(child, Math.random() * 60);
    expect(reported).toBeGreaterThan(before);

    const folder = await RunFolder.open(path);
    const { tensors, state } = (await folder.loadCheckpoint('latest'))!;
    expect(state.step).toBeGreaterThanOrEqual(reported);
    expect(tensors.w!.data.length).toBe(elements);
    expect(tensors.w!.data.every((value) => value === state.step)).toBe(true);
    const steps = (await folder.readEpochs()).map((record) => record.step);
    expect(steps.at(-1)).toBeGreaterThanOrEqual(reported);
    expect(await fs.readdir(join(path, 'checkpoints'))).toEqual(['latest.safetensors']);
    await folder.close();
    before = state.step as number;
  }
  await compiled.remove();
});
