import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CompiledFolder, compile } from '../../test/support/compile.js';
import { foundIn, makeOld } from '../../test/support/found-folder.js';
import { importImages } from './import-images.node.js';

const count = 400;
const [side, fit] = [64, { size: 64, colours: 'rgb' }] as const;

let parent: string;
let folder: string;
let cacheFolder: string;
let compiled: CompiledFolder;
let program: string;
/** `images.u8` of an import that nothing disturbs, and how long it takes. */
let undisturbed: Buffer;
let durationMs: number;

beforeAll(async () => {
  parent = await fs.mkdtemp(join(tmpdir(), 'quarterturn-import-kill-'));
  folder = join(parent, 'pictures');
  cacheFolder = join(parent, 'cache');
  await fs.mkdir(folder);
  for (let i = 0; i < count; i++) {
    const pixels = Uint8Array.from({ length: side * side * 3 }, (_, at) =>
      at < 2 ? [i, i >> 8][at]! : (at * (i + 3)) % 256,
    );
    const raw = { height: side, width: side, channels: 3 } as const;
    await sharp(pixels, { raw })
      .png()
      .toFile(join(folder, `${String(i).padStart(4, '0')}.png`));
  }
  await makeOld(folder);
  // A process of its own cannot load TypeScript.
  compiled = await compile(['src/data/import-images.node.ts', 'test/support/found-folder.ts']);
  const moduleUrl = (path: string) => JSON.stringify(pathToFileURL(join(compiled.path, path)).href);
  program = join(parent, 'import.mjs');
  await fs.writeFile(
    program,
    `import { importImages } from ${moduleUrl('src/data/import-images.node.js')};
    import { foundIn } from ${moduleUrl('test/support/found-folder.js')};
    const found = await foundIn(process.argv[2]);
    process.stdout.write('begins\\n');
    const started = performance.now();
    const { source } = await importImages(found, { cacheFolder: process.argv[3], ...${JSON.stringify(fit)} });
    process.stdout.write(JSON.stringify({ ms: performance.now() - started, path: source.file.path }) + '\\n');`,
  );
  const { ms, path } = JSON.parse(await finished(join(parent, 'undisturbed')));
  undisturbed = await fs.readFile(path);
  durationMs = ms;
});
afterAll(async () => {
  await compiled.remove();
  await fs.rm(parent, { recursive: true });
});
beforeEach(() => fs.rm(cacheFolder, { recursive: true, force: true }));

/** Import in a process of its own; what it says at the end. */
async function finished(cache: string): Promise<string> {
  const child = spawn(process.execPath, [program, folder, cache], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  await once(child, 'close');
  return Buffer.concat(output).toString().trim().split('\n').at(-1)!;
}

/** Begin to import in a process of its own, and kill it a while later. */
async function kill(afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [program, folder, cacheFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit'); // it may be done before it is killed
  await once(child.stdout, 'data');
  await sleep(afterMs);
  child.kill('SIGKILL');
  await exited;
}

async function importHere() {
  await using imported = await importImages(await foundIn(folder), { cacheFolder, ...fit });
  const { source, images, decoded } = imported;
  const bytes = await fs.readFile(source.file.path);
  return { isSame: bytes.equals(undisturbed), rows: images.map(({ row }) => row), decoded };
}
const allRows = Array.from({ length: count }, (_, i) => i);

/** `npm run nightly` kills it a hundred times. */
const kills = Number(process.env.QUARTERTURN_KILL_ROUNDS ?? 3);

/** A round takes two seconds, and several times as long where the machine has other work. */
const timeout = Math.max(180_000, 20_000 * kills);

test('killed at random moments, the next import gives the same bytes each time', { timeout }, async () => {
  let saved = 0;
  for (let round = 0; round < kills; round++) {
    // At a random moment of each part of the import, so that few rounds have early and late ones, too.
    await kill(((round + Math.random()) / kills) * durationMs);
    const { isSame, rows, decoded } = await importHere();
    expect({ isSame, rows }).toEqual({ isSame: true, rows: allRows });
    saved += count - decoded;
    expect(await fs.readdir(cacheFolder)).toHaveLength(1);
    await fs.rm(cacheFolder, { recursive: true });
  }
  // What was written before the kill is not decoded again: on average half of it, where a machine is not slower by then.
  expect(saved).toBeGreaterThan((kills * count) / 8);
});

test('killed again and again, it comes to its end', async () => {
  for (let round = 0; round < Math.max(4, kills / 10); round++) {
    await kill(Math.random() * durationMs * 0.5);
    expect((await fs.readdir(cacheFolder).catch(() => [])).length).toBeLessThanOrEqual(3);
  }
  const { isSame, rows } = await importHere();
  expect({ isSame, rows }).toEqual({ isSame: true, rows: allRows });
  expect(await fs.readdir(cacheFolder)).toHaveLength(1);
});

test('two processes at once, and a third that is killed, do not disturb each other', async () => {
  const both = Promise.all([finished(cacheFolder), finished(cacheFolder)]);
  await kill(durationMs / 2);
  const paths = (await both).map((line) => JSON.parse(line).path as string);
  expect(paths[0]).toBe(paths[1]);
  expect((await fs.readFile(paths[0]!)).equals(undisturbed)).toBe(true);
  const { isSame, decoded } = await importHere();
  expect({ isSame, decoded }).toEqual({ isSame: true, decoded: 0 });
  expect(await fs.readdir(dirname(paths[0]!))).toEqual(
    expect.arrayContaining(['images.u8', 'index.jsonl', 'pack.json']),
  );
});
