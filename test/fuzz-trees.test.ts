import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FoundImages } from '../src/data/readers/found-images.js';
import { openFound } from '../src/data/readers/open-found.node.js';
import { QuarterturnError } from '../src/errors.js';
import { paxRecord, tarOf, zipOf } from './support/archives.js';
import { changedBytes, fuzzRuns, readsOrRefuses } from './support/fuzz.js';

const timeout = 60_000 * Math.max(1, fuzzRuns / 500);

/** Where everything is; beside it lies what no archive may reach. */
let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'quarterturn-fuzz-trees-'));
  await fs.writeFile(join(root, 'secret.png'), 'secret');
});
afterAll(() => fs.rm(root, { recursive: true }));

const data = (text: string) => new TextEncoder().encode(text.repeat(150));
const files = [
  { name: 'train/cat/1.png', data: data('1') },
  { name: 'train/cat/2.png', data: data('ab') },
  { name: 'train/dog/3.png', data: data('abc') },
  { name: 'test/dog/é.png', data: data('xyz') },
];
const tar = tarOf([
  ...files,
  { name: 'pax', type: 'x', data: paxRecord('path', `long/${'x'.repeat(150)}.png`) },
  { name: 'y', data: data('y') },
  { name: '././@LongLink', type: 'L', data: data('name/') },
  { name: 'z', data: data('z') },
  { name: 'link.png', type: '2', link: 'train/cat/1.png' },
  { name: 'hard.png', type: '1', link: 'train/cat/1.png' },
  { name: 'folder', type: '5' },
]);
const zip = zipOf([
  ...files.map((file, i) => ({ ...file, isDeflated: i % 2 === 0 })),
  { name: 'link.png', mode: 0o120777, data: new TextEncoder().encode('train/cat/1.png') },
  { name: 'folder/' },
]);

/** All of a source is read; what cannot be is refused as a file of its own. */
async function readAll(path: string): Promise<FoundImages> {
  const found = await openFound(path, { scratchFolder: root });
  for (const image of found.images) {
    const bytes = await image.read().catch((error: unknown) => {
      if (!(error instanceof QuarterturnError)) throw error;
      expect(error.message).toMatch(/: expected .* Received: /s);
    });
    if (bytes?.kind === 'file') expect(Buffer.from(bytes.bytes).toString()).not.toContain('secret');
  }
  await found.close?.();
  return found;
}

function expectInside({ images, skipped }: FoundImages): void {
  const names = images.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) {
    expect(name).not.toMatch(/^$|^[\\/]|^[A-Za-z]:[\\/]|\0/);
    expect(name.split(/[\\/]/)).not.toContain('..');
  }
  expect(skipped.every(({ reason }) => reason !== '')).toBe(true);
}

test.each([
  ['tar', [tar]],
  ['tar.gz', [gzipSync(tar)]],
  ['zip', [zip]],
  ['any', [tar, zip, gzipSync(tar), gzipSync(zip)]],
] as const)('archives: %s', { timeout }, async (name, originals) => {
  const file = `some.${name}`;
  await readsOrRefuses(changedBytes([...originals]), {
    file,
    read: async (bytes) => {
      await fs.writeFile(join(root, file), bytes);
      return readAll(join(root, file));
    },
    check: expectInside,
  });
  expect((await fs.readdir(root)).filter((each) => each.endsWith('.tmp'))).toEqual([]);
});

/** Headers that are right in themselves and say anything. */
const parts = [
  'a',
  'b',
  'train',
  'test',
  'unlabelled',
  '..',
  '.',
  '',
  '.git',
  'C:',
  'secret.png',
  '1.png',
  'é',
  'e\u0301',
  '\\',
];
const anyPath = fc
  .array(fc.constantFrom(...parts), { minLength: 1, maxLength: 6 })
  .map((names) => names.join('/'));
const anyMember = fc.record({
  name: anyPath,
  type: fc.constantFrom('0', '0', '0', '1', '2', '3', '5', '6', 'L', 'S', 'V'),
  link: anyPath,
  data: fc.uint8Array({ minLength: 0, maxLength: 20 }),
});

test('archives that name anything', { timeout }, async () => {
  const archives = fc.array(anyMember, { maxLength: 12 }).map((members) => ({
    tar: tarOf(members),
    zip: zipOf(
      members.map(({ name, type, link, data: bytes }) =>
        type === '2'
          ? { name, mode: 0o120777, data: new TextEncoder().encode(link) }
          : { name, data: bytes, mode: type === '6' ? 0o010644 : 0o100644 },
      ),
    ),
  }));
  await readsOrRefuses(archives, {
    dailyShare: 0.4,
    file: 'named.',
    read: async (made) => {
      await fs.writeFile(join(root, 'named.tar'), made.tar);
      await fs.writeFile(join(root, 'named.zip'), made.zip);
      return [await readAll(join(root, 'named.tar')).catch(refused), await readAll(join(root, 'named.zip'))];
    },
    check: (found) => {
      for (const each of found) if (each) expectInside(each);
    },
  });
});

function refused(error: unknown): undefined {
  if (!(error instanceof QuarterturnError)) throw error;
}

test('folders with anything in them', { timeout }, async () => {
  const plain = fc.array(
    fc.array(fc.constantFrom(...parts.filter((part) => !['..', '.', '', '\\'].includes(part))), {
      minLength: 1,
      maxLength: 5,
    }),
    { maxLength: 8 },
  );
  const links = fc.array(fc.tuple(fc.constantFrom('l1', 'a/l2', 'b/l3.png', 'train/l4'), anyPath), {
    maxLength: 4,
  });
  let round = 0;
  await readsOrRefuses(fc.tuple(plain, links), {
    dailyShare: 0.4,
    file: 'tree-',
    read: async ([paths, targets]) => {
      const folder = join(root, `tree-${round++}`);
      await fs.mkdir(folder);
      const make = async (path: string, write: (path: string) => Promise<void>) => {
        await fs.mkdir(join(folder, path, '..'), { recursive: true }).then(
          () => write(join(folder, path)),
          () => {},
        );
      };
      for (const path of paths) {
        await make(path.join('/'), (at) => fs.writeFile(at, 'x').catch(() => {}));
      }
      for (const [path, target] of targets)
        await make(path, (at) => fs.symlink(target || '.', at).catch(() => {}));
      try {
        return await readAll(folder);
      } finally {
        await fs.rm(folder, { recursive: true });
      }
    },
    check: expectInside,
  });
});
