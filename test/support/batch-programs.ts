import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect } from 'vitest';
import { type CompiledFolder, compile } from './compile.js';

const preamble = `
  import { BatchWorker } from './src/data/batch-worker.node.js';
  import { makeBatch } from './src/data/batch-maker.js';
  import { strengths } from './src/data/augmentation-policy.js';
  import { imagesInMemory, selectImages } from './src/data/image-source.js';
  import { rotatedCopies } from './src/data/rotation.js';
  import { Random } from './src/random/random.js';
  const pixels = Uint8Array.from({ length: 500 * 784 }, (_, i) => (i * 31 + (i >> 7)) % 256);
  const source = imagesInMemory({ name: 'digits', pixels, height: 28, width: 28, channels: 1 });
  const notes = [];
  const worker = new BatchWorker({ note: (text) => notes.push(text) });
  const print = (value) => console.log(JSON.stringify(value));
  process.on('unhandledRejection', (error) => print({ unhandled: String(error) }));
  const requestOf = (seed, length = 128) => {
    const random = Random.seeded(seed);
    const all = random.permutation(source.count);
    return [
      { indices: all.subarray(0, length) },
      { indices: all.subarray(length, 2 * length), augmentation: { strength: strengths.strong, random: random.state() } },
    ];
  };
  const same = (a, b) => String(a.shape) === String(b.shape) && Buffer.compare(a.data, b.data) === 0;
`;

/**
 * Runs programs with a `BatchWorker` as it is shipped, in processes of their own: threads find plain modules alone.
 *
 * @returns what such a program printed, line by line; it has to end by itself
 */
export function useBatchPrograms(): (program: string) => Promise<unknown[]> {
  let compiled: CompiledFolder;
  beforeAll(async () => {
    compiled = await compile([
      ...['src/index.ts', 'src/node.ts', 'src/data/batch-maker.ts', 'src/data/batch-thread.node.ts'],
      'test/support/tiny-run.ts',
    ]);
  });
  afterAll(() => compiled?.remove());
  return (program) => outputOf(compiled.path, program);
}

async function outputOf(cwd: string, program: string): Promise<unknown[]> {
  const file = join(cwd, `program-${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(file, preamble + program);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], {
    cwd,
    timeout: 290_000,
  });
  expect(stderr).toBe('');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
