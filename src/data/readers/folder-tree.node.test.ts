import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFolderTree } from './folder-tree.node.js';

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'quarterturn-folder-'));
});
afterAll(() => fs.rm(root, { recursive: true }));

/** A folder with files, each holding its own name. */
async function folderWith(name: string, files: readonly string[]): Promise<string> {
  const folder = join(root, name);
  await fs.mkdir(folder);
  for (const file of files) {
    await fs.mkdir(join(folder, file, '..'), { recursive: true });
    await fs.writeFile(join(folder, file), file);
  }
  return folder;
}

const reasonsOf = (skipped: readonly { name: string; reason: string }[]) =>
  Object.fromEntries(skipped.map(({ name, reason }) => [name, reason]));

test('files and folders in the order of their names, hidden and system ones left out and not looked into', async () => {
  const hidden = [
    '.git/objects/ab/cd',
    'cat/.ipynb_checkpoints/1.png',
    '@eaDir/cat/thumb.jpg',
    '__MACOSX/cat/._1.png',
  ];
  const files = ['cat/1.png', 'cat/._1.png', 'cat/Thumbs.db', 'dog/~$1.png', 'dog/desktop.ini', '.DS_Store'];
  const folder = await folderWith('junk', [...hidden, ...files]);
  await fs.mkdir(join(folder, 'empty'));
  const tree = await openFolderTree(folder);
  expect(tree.entries.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'folder cat',
    'file cat/1.png',
    'folder dog',
    'folder empty',
  ]);
  const stats = await fs.stat(join(folder, 'cat/1.png'));
  expect(tree.entries[1]).toEqual({
    path: 'cat/1.png',
    kind: 'file',
    sizeBytes: 9,
    modifiedMs: stats.mtimeMs,
  });
  expect(reasonsOf(tree.skipped)).toEqual({
    '.git': 'hidden or system folder',
    '@eaDir': 'hidden or system folder',
    __MACOSX: 'hidden or system folder',
    'cat/.ipynb_checkpoints': 'hidden or system folder',
    'cat/._1.png': 'hidden or system file',
    'cat/Thumbs.db': 'hidden or system file',
    'dog/~$1.png': 'hidden or system file',
    'dog/desktop.ini': 'hidden or system file',
    '.DS_Store': 'hidden or system file',
  });
});

test('links within the folder are followed; out of it, in a circle and to nothing they are not; pipes are not read', async () => {
  const folder = await folderWith('links', ['a/1.png', 'a/deep/2.png', 'b/3.png']);
  await folderWith('elsewhere', ['4.png']);
  const link = (target: string, name: string) => fs.symlink(target, join(folder, name));
  await link('../a/1.png', 'b/file.png');
  await link(join(folder, 'a/1.png'), 'b/absolute.png');
  await link('a/deep', 'same');
  await link('..', 'a/up');
  await link('.', 'itself');
  await link('../elsewhere', 'out');
  await link('../elsewhere/4.png', 'out.png');
  await link('/etc/passwd', 'passwd.png');
  await link('none', 'nothing');
  await link('circle-2', 'circle-1');
  await link('circle-1', 'circle-2');
  execFileSync('mkfifo', [join(folder, 'pipe.png')]);
  const tree = await openFolderTree(relative(process.cwd(), folder));
  const files = tree.entries.filter(({ kind }) => kind === 'file').map(({ path }) => path);
  expect(files).toEqual(['a/1.png', 'a/deep/2.png', 'b/3.png', 'b/absolute.png', 'b/file.png', 'same/2.png']);
  expect(Buffer.from(await tree.read('same/2.png')).toString()).toBe('a/deep/2.png');
  expect(Buffer.from(await tree.read('b/absolute.png')).toString()).toBe('a/1.png');
  expect(reasonsOf(tree.skipped)).toEqual({
    'a/up': 'link to a folder that holds it',
    itself: 'link to a folder that holds it',
    out: 'link out of the folder',
    'out.png': 'link out of the folder',
    'passwd.png': 'link out of the folder',
    nothing: 'link to nothing in the folder',
    'circle-1': 'link in a circle',
    'circle-2': 'link in a circle',
    'pipe.png': 'pipe, socket or device',
  });
});

test('a folder that is itself a link is the folder that it leads to', async () => {
  const folder = await folderWith('real', ['a/1.png']);
  await fs.symlink(folder, join(root, 'linked'));
  const tree = await openFolderTree(join(root, 'linked'));
  expect(tree.entries.map(({ path }) => path)).toEqual(['a', 'a/1.png']);
});

test('names that mean something to somebody are files like any other', async () => {
  const names = [
    '-dash',
    '#hash?query',
    '%d',
    '*',
    '4B:1z',
    'a%20b',
    'photo[1]',
    'two\nlines',
    'x.png[page=1]',
    '‮gnp.7',
    'é',
    ' lead',
    'trail ',
  ];
  const folder = await folderWith('hostile', [...names, 'back\\slash']);
  const tree = await openFolderTree(folder);
  expect(tree.entries.map(({ path }) => path)).toEqual([...names, 'back\\slash'].sort());
  for (const name of names) expect(Buffer.from(await tree.read(name)).toString()).toBe(name);
});

test('names that are no UTF-8 are read as Latin-1, also of folders', async () => {
  const folder = await folderWith('latin', ['a']);
  const inner = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.of(0xe9)]);
  await fs.mkdir(inner);
  await fs.writeFile(Buffer.concat([inner, Buffer.from('/'), Buffer.of(0xe8)]), 'found');
  await fs.writeFile(Buffer.concat([inner, Buffer.from('/plain')]), 'too');
  const tree = await openFolderTree(folder);
  expect(tree.entries.map(({ path }) => path)).toEqual(['a', 'café', 'café/plain', 'café/è']);
  expect(Buffer.from(await tree.read('café/è')).toString()).toBe('found');
  expect(Buffer.from(await tree.read('café/plain')).toString()).toBe('too');
});

test('files are read at any number at once, and what is gone or too large is named', async () => {
  const names = Array.from({ length: 3000 }, (_, i) => `${i}.png`);
  const folder = await folderWith('many', names);
  const tree = await openFolderTree(folder);
  const read = await Promise.all(names.map((name) => tree.read(name)));
  expect(read.map((bytes) => Buffer.from(bytes).toString())).toEqual(names);
  await fs.rm(join(folder, '7.png'));
  await expect(tree.read('7.png')).rejects.toMatchObject({
    code: 'data',
    message: expect.stringContaining('7.png'),
  });
  await expect(tree.read('../latin/a')).rejects.toMatchObject({ code: 'data' });
  await expect(tree.read('8.png', { maxBytes: 4 })).rejects.toThrow(
    '8.png: expected a file of at most 4 bytes',
  );
  const part = await tree.open('1234.png');
  expect(Buffer.from(await part.read(2, 5)).toString()).toBe('34.');
  await part.close();
  await expect(openFolderTree(folder, { maxEntries: 2998 })).rejects.toThrow(
    'at most 2998 files and folders',
  );
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(openFolderTree(folder, { signal })).rejects.toThrow('enough');
});

test('a folder that is not there is named', async () => {
  const failure = openFolderTree(join(root, 'none'));
  await expect(failure).rejects.toThrow(/none: expected a readable folder\. Received: no such file/);
});
