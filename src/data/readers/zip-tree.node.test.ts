import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ZipMember, zipOf } from '../../../test/support/archives.js';
import { pythonWith } from '../../../test/support/python.js';
import type { FileTree, TreeOptions } from './file-tree.js';
import { openZipTree } from './zip-tree.node.js';

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-zip-'));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const file = (name: string, text = name): ZipMember => ({ name, data: bytes(text) });

async function open(content: Uint8Array, options?: TreeOptions): Promise<FileTree> {
  const path = join(folder, 'some.zip');
  await fs.writeFile(path, content);
  return openZipTree(path, options);
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

const python = await pythonWith('zipfile, bz2');

/** What Python's zipfile writes: stored, deflated, streamed without sizes in front, with 64-bit sizes, packed by bzip2. */
const script = `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], 'w')
z.writestr('pets/cat/stored.png', 'stored' * 1000)
z.writestr('pets/cat/é東.png', 'deflated' * 1000, zipfile.ZIP_DEFLATED)
with z.open(zipfile.ZipInfo('pets/dog/64.png'), 'w', force_zip64=True) as f: f.write(b'wide' * 1000)
z.writestr('pets/dog/bzip2.png', 'bzip2' * 1000, zipfile.ZIP_BZIP2)
z.writestr('pets/empty/', '')
link = zipfile.ZipInfo('pets/dog/link.png'); link.create_system = 3; link.external_attr = 0o120777 << 16
z.writestr(link, '../cat/stored.png')
z.close()
class Pipe:
  def __init__(self, path): self.file = open(path, 'wb')
  def write(self, b): return self.file.write(b)
  def flush(self): self.file.flush()
z = zipfile.ZipFile(Pipe(sys.argv[2]), 'w', zipfile.ZIP_DEFLATED)
z.writestr('streamed.png', 'streamed' * 1000)
z.writestr('after.png', 'after' * 1000)
z.close()
`;

test.skipIf(python === undefined)('archives that Python makes', async () => {
  const paths = [join(folder, 'python.zip'), join(folder, 'streamed.zip')] as const;
  execFileSync(python ?? '', ['-c', script, ...paths]);
  const tree = await openZipTree(paths[0]);
  expect(tree.entries.filter(({ kind }) => kind === 'folder').map(({ path }) => path)).toEqual([
    'pets',
    'pets/cat',
    'pets/dog',
    'pets/empty',
  ]);
  for (const [path, text] of [
    ['pets/cat/stored.png', 'stored'],
    ['pets/cat/é東.png', 'deflated'],
  ] as const) {
    const part = await tree.open(path);
    const { length } = text;
    expect(Buffer.from(await part.read(length * 500, length * 501)).toString()).toBe(text);
    await part.close();
  }
  const { files, skipped } = await contentsOf(tree);
  expect(files).toEqual({
    'pets/cat/stored.png': 'stored'.repeat(1000),
    'pets/cat/é東.png': 'deflated'.repeat(1000),
    'pets/dog/64.png': 'wide'.repeat(1000),
    'pets/dog/link.png': 'stored'.repeat(1000),
  });
  expect(skipped).toEqual({ 'pets/dog/bzip2.png': 'file packed by a method that is not read (12)' });
  expect((await contentsOf(await openZipTree(paths[1]))).files).toEqual({
    'streamed.png': 'streamed'.repeat(1000),
    'after.png': 'after'.repeat(1000),
  });
});

test('names that leave the archive, encrypted files and what is no file are left out and counted', async () => {
  const { files, skipped } = await contentsOf(
    await open(
      zipOf([
        file('../outside.png'),
        file('/absolute.png'),
        file('C:\\drive.png'),
        file('a\\..\\..\\up.png'),
        file('a\\windows.png'),
        { name: 'secret.png', data: bytes('x'.repeat(20)), flags: 1 },
        { name: 'pipe', mode: 0o010644 },
        { name: 'out', mode: 0o120777, data: bytes('../../etc/passwd') },
        { name: 'root', mode: 0o120777, data: bytes('/etc/passwd') },
        { name: 'not-text', mode: 0o120777, data: Uint8Array.of(0xff, 0xfe) },
        { name: 'circle', mode: 0o120777, data: bytes('circle') },
        file('__MACOSX/a/._windows.png'),
        file('a/.DS_Store'),
        file('a/Thumbs.db'),
      ]),
    ),
  );
  expect(files).toEqual({ 'a/windows.png': 'a\\windows.png' });
  const outside = 'name that leads out of the folder';
  expect(skipped).toEqual({
    '../outside.png': outside,
    '/absolute.png': outside,
    'C:/drive.png': outside,
    'a/../../up.png': outside,
    'secret.png': 'encrypted file',
    pipe: 'pipe, socket or device',
    out: 'link out of the folder',
    root: 'link out of the folder',
    'not-text': 'link to nothing in the folder',
    circle: 'link in a circle',
    __MACOSX: 'hidden or system folder',
    'a/.DS_Store': 'hidden or system file',
    'a/Thumbs.db': 'hidden or system file',
  });
});

test('names are UTF-8 where they can be, whatever the archive says, else in the code page of DOS', async () => {
  const { files } = await contentsOf(
    await open(
      zipOf([
        { name: 'é.png', data: bytes('1') },
        { name: 'è.png', data: bytes('2'), flags: 0x800 },
        { name: Uint8Array.of(0x82, 0x2e, 0x70), data: bytes('3') },
      ]),
    ),
  );
  expect(files).toEqual({ 'é.png': '1', 'è.png': '2', 'é.p': '3' });
});

test('of files of one name the last stays', async () => {
  const { files, skipped } = await contentsOf(
    await open(zipOf([file('a.png', 'old'), file('a.png', 'new')])),
  );
  expect(files).toEqual({ 'a.png': 'new' });
  expect(skipped).toEqual({ 'a.png': 'name that occurs twice' });
});

describe('archives that lie', () => {
  const zeros = new Uint8Array(2 ** 24);

  test.each<[string, ZipMember, string]>([
    [
      'more than it claims',
      { name: 'a.png', data: zeros, isDeflated: true, sizeBytes: 100 },
      'larger than it claims',
    ],
    [
      'less than it claims',
      { name: 'a.png', data: bytes('x'), isDeflated: true, sizeBytes: 9 },
      '1 bytes of the 9',
    ],
    ['two sizes', { name: 'a.png', data: bytes('x'), sizeBytes: 9 }, 'whose sizes contradict each other'],
    ['a wrong checksum', { name: 'a.png', data: bytes('x'), checksum: 1 }, 'differs from what was packed'],
    ['no packed data', { name: 'a.png', data: bytes('no deflate'), method: 8 }, 'a damaged one'],
    ['a wrong place', { name: 'a.png', data: bytes('x'), offset: 60 }, 'none at its place'],
    ['a place outside', { name: 'a.png', data: bytes('x'), offset: 2 ** 31 }, 'none at its place'],
  ])('%s: the file is refused, the others are read', async (_, member, received) => {
    const tree = await open(zipOf([file('first.png'), member]));
    await expect(tree.read('a.png')).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(received),
    });
    await expect(tree.read('a.png')).rejects.toThrow('some.zip/a.png: expected');
    expect(Buffer.from(await tree.read('first.png')).toString()).toBe('first.png');
    await tree.close();
  });

  test('files that overlap', async () => {
    const members = [file('a.png', 'x'.repeat(100)), { ...file('b.png'), offset: 0 }];
    await expect(open(zipOf(members))).rejects.toThrow('some.zip: expected files that lie apart');
  });

  test('a file larger than any picture is refused by its size', async () => {
    const tree = await open(
      zipOf([{ name: 'a.png', data: bytes('x'), isDeflated: true, sizeBytes: 2 ** 32 - 2 }]),
    );
    await expect(tree.read('a.png')).rejects.toThrow('at most 268435456 bytes. Received: 4294967294');
    await expect(tree.open('a.png')).rejects.toThrow('at most 2147483647 bytes');
    await tree.close();
  });
});

describe('damaged archives', () => {
  const whole = zipOf([file('a.png', 'x'.repeat(500)), file('b.png')]);

  test.each([
    ['empty', new Uint8Array(), 'one that is cut off'],
    ['cut off', whole.subarray(0, whole.length - 30), 'one that is cut off'],
    ['without its beginning', whole.subarray(200), 'one that is cut off'],
  ])('%s', async (_, content, received) => {
    const failure = await open(content).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'data', message: expect.stringContaining(received) });
    expect((failure as Error).message).toContain('some.zip: expected a whole ZIP archive');
  });

  test('more entries than are taken', async () => {
    await expect(open(whole, { maxEntries: 1 })).rejects.toThrow('at most 1 files and folders');
  });
});
