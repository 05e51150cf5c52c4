import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FoundImage } from '../src/data/readers/found-images.js';
import { type LabelTable, readLabelTable } from '../src/labels/label-table.js';
import { matchLabels } from '../src/labels/match-labels.js';
import { changedBytes, changedJson, fuzzRuns, readsOrRefuses } from './support/fuzz.js';

const timeout = 60_000 * Math.max(1, fuzzRuns / 500);

const utf8 = (text: string) => new TextEncoder().encode(text);
const files = ['a.png', 'sub/b.JPG', 'Käfer/ü.png', 'x y.png'];
const rows = files.map((file, i) => [file, `class ${i}`]);
const delimited = (delimiter: string, end: string) =>
  ['file', 'label'].join(delimiter) +
  end +
  rows.map((row) => row.map((cell) => `"${cell}"`).join(delimiter) + end).join('');

const images: readonly FoundImage[] = files.map((name) => ({
  name,
  label: 'folder',
  read: () => Promise.reject(new Error('not read here')),
}));

function checkTable({ rows: read }: LabelTable): void {
  for (const { file, label, at } of read) {
    expect(file).not.toBe('');
    expect(label).not.toBe('');
    expect(label).toBe(label?.normalize('NFC'));
    expect(at).toBeGreaterThan(0);
  }
}

test('tables of labels as bytes', { timeout }, async () => {
  const originals = [
    ...[
      delimited(',', '\n'),
      delimited(';', '\r\n'),
      delimited('\t', '\r'),
      `\ufeffsep=|\n${delimited('|', '\n')}`,
    ],
    rows.map(([file, label]) => JSON.stringify({ file, label })).join('\n'),
    JSON.stringify(Object.fromEntries(rows)),
  ].flatMap((text) => [utf8(text), Uint8Array.from(Buffer.from(`\ufeff${text}`, 'utf16le'))]);
  const inputs = fc.record({
    bytes: changedBytes(originals),
    name: fc.constantFrom('labels.csv', 'labels', 'labels.jsonl', 'labels.json'),
  });
  await readsOrRefuses(inputs, {
    file: 'labels',
    read: ({ bytes, name }) => readLabelTable(name, bytes),
    check: checkTable,
  });
});

test('tables of labels as JSON', { timeout }, async () => {
  const list = rows.map(([file_name, label]) => ({ file_name, label }));
  await readsOrRefuses(changedJson([list, { images: list }, Object.fromEntries(rows)]), {
    file: 'labels.json',
    read: (text) => readLabelTable('labels.json', utf8(text)),
    check: checkTable,
  });
});

test('paths that people write', { timeout }, async () => {
  const part = fc.constantFrom(
    'a.png',
    'a',
    '..',
    '.',
    '',
    'sub',
    'SUB',
    'b',
    'b.jpg',
    'C:',
    'https:',
    'Käfer',
    'ü.png',
    '~',
    '__proto__',
    'x y.png',
    'x'.repeat(3000),
  );
  const path = fc
    .array(part, { minLength: 1, maxLength: 5 })
    .chain((parts) => fc.constantFrom('/', '\\', '//').map((slash) => parts.join(slash)));
  const written = fc.array(fc.tuple(path, fc.constantFrom('x', 'y', '')), { minLength: 1, maxLength: 8 });
  await readsOrRefuses(written, {
    file: 'labels.json',
    read: (pairs) =>
      matchLabels(
        readLabelTable('labels.json', utf8(JSON.stringify(pairs.map(([file, label]) => ({ file, label }))))),
        images,
      ),
    check({ images: matched, missing, labelledCount }) {
      // A table names what is there, and adds nothing.
      expect(matched.map(({ name }) => name)).toEqual(files);
      expect(matched.filter(({ label }) => label !== undefined)).toHaveLength(labelledCount);
      for (const { row, reason } of missing)
        if (row.file.startsWith('../..')) expect(reason).toBe('outside the folder');
    },
  });
});
