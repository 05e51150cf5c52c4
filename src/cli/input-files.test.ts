import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listInputs, parseNames } from './input-files.js';

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

test('what is named is taken as it is, and lists come behind it', async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-input-'));
  const list = join(folder, 'list.txt');
  await fs.writeFile(list, 'x.png\ny.png\n');
  expect(await listInputs(['b/._2.png', folder, 'missing.png'], [list])).toEqual([
    ...['b/._2.png', folder, 'missing.png'],
    ...['x.png', 'y.png'],
  ]);
  await fs.rm(folder, { recursive: true });
  await expect(listInputs([], [list])).rejects.toThrow('expected a list of names. Received: no such file.');
});
