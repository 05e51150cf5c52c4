import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listInputFiles, parseNames } from './input-files.js';

describe('a list of names', () => {
  const bytes = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding);

  test.each([
    ['one a line', bytes('a.png\nb c.png\n'), ['a.png', 'b c.png']],
    ['without a last line break', bytes('a.png\nb.png'), ['a.png', 'b.png']],
    ['as Windows writes lines', bytes('a.png\r\nb.png\r\n'), ['a.png', 'b.png']],
    ['with blank lines', bytes('\na.png\n\n'), ['a.png']],
    ['with zero bytes between', bytes('two\nlines.png\0b.png\0'), ['two\nlines.png', 'b.png']],
    ['with a byte order mark', bytes('\ufeffa.png\n'), ['a.png']],
    ['as PowerShell writes it', bytes('\ufeffé.png\r\nb.png', 'utf16le'), ['é.png', 'b.png']],
    ['of nothing', bytes(''), []],
  ])('%s', (_, list, names) => {
    expect(parseNames(list)).toEqual(names);
  });

  test('of more names than a call takes arguments', () => {
    const names = Array.from({ length: 200_000 }, (_, i) => `${i}.png`);
    expect(parseNames(bytes(names.join('\n')))).toEqual(names);
  });
});

describe('a folder', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-input-'));
    for (const path of ['b/2.png', 'b/10.png', 'a.JPG', 'noextension', 'c/deep/er/x.png']) await put(path);
    const junk = ['.DS_Store', 'b/Thumbs.db', 'b/._2.png', 'labels.csv', '.cache/y.png', '__MACOSX/z.png'];
    for (const path of junk) await put(path);
    await fs.symlink('../a.JPG', join(folder, 'b/link.png'));
    await fs.symlink('nowhere.png', join(folder, 'broken.png'));
    await fs.symlink('..', join(folder, 'c/circle'));
  });
  afterAll(() => fs.rm(folder, { recursive: true }));
  const put = async (path: string) => {
    await fs.mkdir(join(folder, path, '..'), { recursive: true });
    await fs.writeFile(join(folder, path), '');
  };

  test('is walked by name; what is hidden, junk or no file is left out and told', async () => {
    const { files, passedOver } = await listInputFiles([folder, 'given.png']);
    const expected = ['a.JPG', 'b/10.png', 'b/2.png', 'b/link.png', 'c/deep/er/x.png', 'noextension'];
    expect(files).toEqual([...expected.map((path) => join(folder, path)), 'given.png']);
    expect(passedOver).toEqual(
      [
        ...['.DS_Store', '.cache', '__MACOSX', 'b/._2.png', 'b/Thumbs.db'],
        ...['broken.png', 'c/circle', 'labels.csv'],
      ].map((path) => join(folder, path)),
    );
  });

  test('what is named outright is taken as it is', async () => {
    const hidden = join(folder, 'b/._2.png');
    expect(await listInputFiles([hidden, 'missing.png'])).toEqual({
      files: [hidden, 'missing.png'],
      passedOver: [],
    });
  });

  test('lists come behind the arguments', async () => {
    const list = join(folder, 'list.txt');
    await fs.writeFile(list, 'x.png\ny.png\n');
    expect((await listInputFiles(['a.png'], [list])).files).toEqual(['a.png', 'x.png', 'y.png']);
    await fs.rm(list);
    await expect(listInputFiles([], [list])).rejects.toThrow(
      'expected a list of names. Received: no such file.',
    );
  });
});
