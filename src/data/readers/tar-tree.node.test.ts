import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paxRecord, type TarMember, tarOf } from '../../../test/support/archives.js';
import type { FileTree } from './file-tree.js';
import { openTarTree, type TarOptions } from './tar-tree.node.js';

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-tar-'));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const file = (name: string, text = name): TarMember => ({ name, data: bytes(text) });

async function open(content: Uint8Array, options?: TarOptions): Promise<FileTree> {
  const path = join(folder, 'some.tar');
  await fs.writeFile(path, content);
  return openTarTree(path, options);
}

/** Files and what is in them; what was left out, with its reason. */
async function contentsOf(tree: FileTree) {
  const files: Record<string, string> = {};
  for (const { path, kind } of tree.entries) {
    if (kind === 'file') files[path] = Buffer.from(await tree.read(path)).toString();
  }
  const skipped = Object.fromEntries(tree.skipped.map(({ name, reason }) => [name, reason]));
  await tree.close();
  return { files, skipped };
}

describe('archives that tar makes', () => {
  const names = [
    'cat/1.png',
    `cat/${'long '.repeat(40)}.png`,
    'dog/é.png',
    'dog/7-ж-東.png',
    `${'deep/'.repeat(30)}x.png`,
  ];
  beforeAll(async () => {
    for (const name of names) {
      const path = join(folder, 'pets', name);
      await fs.mkdir(join(path, '..'), { recursive: true });
      await fs.writeFile(path, name.repeat(100));
    }
    await fs.link(join(folder, 'pets/cat/1.png'), join(folder, 'pets/dog/same.png'));
    await fs.symlink('../cat/1.png', join(folder, 'pets/dog/link.png'));
  });

  test.each([['gnu'], ['posix'], ['gnu', '--gzip'], ['posix', '--gzip', '--label=x']])(
    '%s %s',
    async (format, ...more) => {
      const path = join(folder, 'real.tar');
      execFileSync('tar', [
        '--create',
        `--format=${format}`,
        ...more,
        '--file',
        path,
        '-C',
        join(folder, 'pets'),
        '.',
      ]);
      const { files, skipped } = await contentsOf(await openTarTree(path));
      const expected = Object.fromEntries(names.map((name) => [name, name.repeat(100)]));
      const cat = 'cat/1.png'.repeat(100);
      expect(files).toEqual({ ...expected, 'dog/same.png': cat, 'dog/link.png': cat });
      expect(skipped).toEqual({});
    },
  );

  test('times and sizes are theirs, and folders are listed', async () => {
    const path = join(folder, 'times.tar');
    await fs.utimes(join(folder, 'pets/cat/1.png'), 1_500_000_000, 1_500_000_000);
    execFileSync('tar', ['-cf', path, '-C', join(folder, 'pets'), 'cat/1.png']);
    const tree = await openTarTree(path);
    expect(tree.entries).toEqual([
      { path: 'cat', kind: 'folder', sizeBytes: 0, modifiedMs: 0 },
      { path: 'cat/1.png', kind: 'file', sizeBytes: 900, modifiedMs: 1_500_000_000_000 },
    ]);
    const part = await tree.open('cat/1.png');
    expect(Buffer.from(await part.read(9, 13)).toString()).toBe('cat/');
    await expect(part.read(890, 901)).rejects.toMatchObject({ code: 'data' });
    await tree.close();
  });

  test('files with holes are left out, and what stands behind them is found', async () => {
    const handle = await fs.open(join(folder, 'holes'), 'w');
    for (let i = 0; i < 30; i++) await handle.write('x', 2 ** 20 * i);
    await handle.close();
    await fs.writeFile(join(folder, 'z.png'), 'after');
    for (const format of ['gnu', 'posix']) {
      const path = join(folder, 'sparse.tar');
      execFileSync('tar', ['-cSf', path, `--format=${format}`, '-C', folder, 'holes', 'z.png']);
      const { files, skipped } = await contentsOf(await openTarTree(path));
      expect(files).toEqual({ 'z.png': 'after' });
      expect(skipped).toEqual({ holes: 'file with holes (sparse)' });
    }
  });
});

test('names that leave the archive, and what is no file, are left out and counted', async () => {
  const { files, skipped } = await contentsOf(
    await open(
      tarOf([
        file('../outside.png'),
        file('/etc/absolute.png'),
        file('a/../../up.png'),
        file('C:/drive.png'),
        file('./C:/drive.png'),
        file('.//etc/fine.png'),
        file('..\\windows.png'),
        file('./a//fine.png'),
        { name: 'pipe', type: '6' },
        { name: 'device', type: '3' },
        { name: 'out', type: '2', link: '../../etc/passwd' },
        { name: 'root', type: '2', link: '/etc/passwd' },
        { name: 'hard-out', type: '1', link: '../../etc/passwd' },
        { name: 'nothing', type: '2', link: 'a/none.png' },
        { name: 'circle-1', type: '2', link: 'circle-2' },
        { name: 'circle-2', type: '2', link: 'circle-1' },
        { name: 'a/up', type: '2', link: '..' },
        { name: '__MACOSX/._1.png', data: bytes('x') },
        { name: '__MACOSX/._2.png', data: bytes('x') },
        { name: 'a/._fine.png', data: bytes('x') },
      ]),
    ),
  );
  expect(files).toEqual({ 'a/fine.png': './a//fine.png', 'etc/fine.png': './/etc/fine.png' });
  const outside = 'name that leads out of the folder';
  expect(skipped).toEqual({
    '../outside.png': outside,
    '/etc/absolute.png': outside,
    'a/../../up.png': outside,
    'C:/drive.png': outside,
    './C:/drive.png': outside,
    '..\\windows.png': outside,
    pipe: 'pipe, socket or device',
    device: 'pipe, socket or device',
    out: 'link out of the folder',
    root: 'link out of the folder',
    'hard-out': 'link out of the folder',
    nothing: 'link to nothing in the folder',
    'circle-1': 'link in a circle',
    'circle-2': 'link in a circle',
    'a/up': 'link to a folder that holds it',
    __MACOSX: 'hidden or system folder',
    'a/._fine.png': 'hidden or system file',
  });
});

test('of files of one name the last stays; a file cannot have the name of a folder', async () => {
  const tree = await open(
    tarOf([file('a.png', 'old'), file('a.png', 'new'), file('b', 'x'), file('b/c.png')]),
  );
  const { files, skipped } = await contentsOf(tree);
  expect(files).toEqual({ 'a.png': 'new', 'b/c.png': 'b/c.png' });
  expect(skipped).toEqual({ 'a.png': 'name that occurs twice', b: 'file with the name of a folder' });
});

test('a link to a folder stands for its files, whatever the order', async () => {
  const { files } = await contentsOf(
    await open(
      tarOf([
        { name: 'latest', type: '2', link: 'v2' },
        { name: 'v2/also', type: '2', link: 'latest' },
        file('v2/deep/1.png'),
        { name: 'v3/again', type: '2', link: '../latest' },
      ]),
    ),
  );
  expect(Object.keys(files).sort()).toEqual(['latest/deep/1.png', 'v2/deep/1.png', 'v3/again/deep/1.png']);
});

test('a link cannot make a name that is refused elsewhere', async () => {
  const { files, skipped } = await contentsOf(
    await open(tarOf([{ name: 'C:', type: '2', link: 'a' }, file('a/1.png')])),
  );
  expect(Object.keys(files)).toEqual(['a/1.png']);
  expect(skipped).toEqual({ 'C:/1.png': 'name that leads out of the folder' });
});

test('names that are no UTF-8 are read as Latin-1', async () => {
  const { files } = await contentsOf(
    await open(tarOf([{ name: Uint8Array.of(0x61, 0xe9, 0x62), data: bytes('x') }])),
  );
  expect(files).toEqual({ aéb: 'x' });
});

test('extensions say name, size and target', async () => {
  const long = `cat/${'x'.repeat(300)}.png`;
  const extension = Buffer.concat([
    paxRecord('path', long),
    paxRecord('size', '5'),
    paxRecord('comment', 'é'),
  ]);
  const tree = await open(
    tarOf([
      { name: 'pax', type: 'x', data: extension },
      { name: 'short', data: bytes('hello'), sizeBytes: 0 },
      file('next.png'),
    ]),
  );
  expect((await contentsOf(tree)).files).toEqual({ [long]: 'hello', 'next.png': 'next.png' });
});

describe('damaged archives', () => {
  const whole = tarOf([file('a.png', 'x'.repeat(2000)), file('b.png')]);

  test.each([
    ['empty', new Uint8Array(), 'an empty file'],
    ['something else', bytes('x'.repeat(2000)), 'something else'],
    ['cut off within a file', whole.slice(0, 1500), 'one that is cut off within a.png'],
    ['cut off within a header', whole.slice(0, 2560 + 100), 'damaged or cut off at byte 2560'],
    ['a damaged header', whole.map((byte, i) => (i === 2565 ? 7 : byte)), 'damaged or cut off at byte 2560'],
    [
      'a damaged extension',
      tarOf([{ name: 'x', type: 'x', data: bytes('99 path=a\n') }]),
      'a damaged header at byte 0',
    ],
    ['a gzip file that is cut off', gzipSync(whole).subarray(0, 60), 'cut off or damaged'],
  ])('%s', async (_, content, received) => {
    const failure = await open(content).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'data', message: expect.stringContaining(received) });
    expect((failure as Error).message).toContain('some.tar');
  });

  test('without the end mark it is read, and a note says so', async () => {
    const tree = await open(tarOf([file('a.png')], { hasEnd: false }));
    expect(tree.notes).toEqual([expect.stringContaining("without tar's end mark")]);
    expect((await contentsOf(tree)).files).toEqual({ 'a.png': 'a.png' });
  });
});

describe('gzipped archives', () => {
  const content = gzipSync(tarOf([file('a.png', 'x'.repeat(5000))]));

  test('are unpacked into a file that has no name, and is gone afterwards', async () => {
    const scratchFolder = join(folder, 'scratch', 'new');
    const tree = await open(content, { scratchFolder });
    expect(await fs.readdir(scratchFolder)).toEqual([]);
    expect((await contentsOf(tree)).files).toEqual({ 'a.png': 'x'.repeat(5000) });
    expect(await fs.readdir(scratchFolder)).toEqual([]);
  });

  test('are listed once: an unchanged one is unpacked when a file is asked for, a changed one is listed anew', async () => {
    const listingFolder = join(folder, 'listings');
    const path = join(folder, 'kept.tar.gz');
    const members = [
      file('dog/b.png', 'x'.repeat(5000)),
      file('a.png'),
      file('.DS_Store'),
      { name: 'same.png', type: '2', link: 'dog/b.png' },
    ];
    await fs.writeFile(path, gzipSync(tarOf(members)));
    const without = await openTarTree(path);
    const first = await openTarTree(path, { listingFolder });
    await first.close();
    // Nothing may be unpacked to list it again.
    const tree = await openTarTree(path, { listingFolder, maxUnpackedBytes: 1 });
    for (const key of ['entries', 'skipped', 'notes', 'modifiedMs', 'container', 'origin'] as const)
      expect(tree[key], key).toEqual(without[key]);
    await expect(tree.read('a.png')).rejects.toThrow('at most 1 bytes unpacked');
    await tree.close();
    const again = await openTarTree(path, { listingFolder });
    expect(await contentsOf(again)).toEqual(await contentsOf(without));

    const [kept = ''] = await fs.readdir(listingFolder);
    for (const damaged of ['', '{"schema"', '[]']) {
      await fs.writeFile(join(listingFolder, kept), damaged);
      const listed = await openTarTree(path, { listingFolder });
      expect(listed.entries).toHaveLength(4);
      await listed.close();
    }
    await fs.writeFile(path, gzipSync(tarOf([file('c.png')])));
    const changed = await openTarTree(path, { listingFolder });
    expect((await contentsOf(changed)).files).toEqual({ 'c.png': 'c.png' });
    expect(await fs.readdir(listingFolder)).toEqual([kept]);
  });

  test('may be made of several members', async () => {
    const plain = tarOf([file('a.png', 'x'.repeat(5000))]);
    const tree = await open(Buffer.concat([gzipSync(plain.subarray(0, 700)), gzipSync(plain.subarray(700))]));
    expect(Object.keys((await contentsOf(tree)).files)).toEqual(['a.png']);
  });

  test('that unpack without end are refused before they have', async () => {
    const scratchFolder = join(folder, 'bomb');
    const bomb = gzipSync(tarOf([{ name: 'zeros.png', data: new Uint8Array(2 ** 26) }]));
    expect(bomb.length).toBeLessThan(100_000);
    const maxUnpackedBytes = 2 ** 22;
    await expect(open(bomb, { scratchFolder, maxUnpackedBytes })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('at most 4194304 bytes unpacked'),
    });
    expect(await fs.readdir(scratchFolder)).toEqual([]);
  });

  test('stop on request', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(open(content, { signal })).rejects.toThrow('enough');
  });
});

test('more entries than are taken, and files larger than are asked for, are refused', async () => {
  await expect(open(tarOf([file('a/b/1.png'), file('c')]), { maxEntries: 3 })).rejects.toThrow(
    'at most 3 files',
  );
  const tree = await open(tarOf([file('a.png', 'x'.repeat(100))]));
  await expect(tree.read('a.png', { maxBytes: 99 })).rejects.toThrow('at most 99 bytes. Received: 100');
  await expect(tree.read('b.png')).rejects.toMatchObject({ code: 'data' });
  await tree.close();
});
