import { describe, expect, test } from 'vitest';
import { readLabelTable } from './label-table.js';
import { appendedTable } from './table-append.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const append = (text: string | Uint8Array, ...files: string[]) =>
  appendedTable('labels.csv', { bytes: typeof text === 'string' ? bytesOf(text) : text, files });

describe('appendedTable', () => {
  test.each([
    ['as suggest writes it', 'file,label\r\na.png,cat\r\nb.png,\r\n', 'c.png,\r\n'],
    ['without a break at its end', 'file,label\na.png,cat', '\nc.png,\n'],
    ['other columns and comments', '# mine\nid;class;path;who\n1;cat;a.png;me\n', ';;c.png;\n'],
    ['no header', 'a.png\tcat\nb.png\tdog\n', 'c.png\t\n'],
    ["Excel's first line", 'sep=;\r\nfile;label\r\na.png;cat\r\n', 'c.png;\r\n'],
  ])('%s: what stands there stays, byte for byte', (_, before, added) => {
    expect(append(before, 'c.png')).toBe(before + added);
    const { rows } = readLabelTable('labels.csv', bytesOf(before + added));
    expect(rows.at(-1)).toMatchObject({ file: 'c.png' });
    expect(rows.at(-1)).not.toHaveProperty('label');
    expect(rows[0]).toMatchObject({ file: 'a.png', label: 'cat' });
  });

  test('columns that are not told by their names are said', () => {
    const text = 'nr;bild;wer;was\n1;a;me;cat\n';
    const columns = { fileColumn: 'bild', labelColumn: 4 };
    const after = appendedTable('labels.csv', { bytes: bytesOf(text), files: ['c.png'], ...columns });
    expect(after).toBe(`${text};c.png;;\n`);
  });

  test('names that need quotes, and letters that need a mark', () => {
    const text = append('file;label\na.png;cat\n', 'x;1.png', 'ä.png');
    expect(text).toBe('\uFEFFfile;label\na.png;cat\n"x;1.png";\nä.png;\n');
    const { rows } = readLabelTable('labels.csv', bytesOf(text));
    expect(rows.map(({ file }) => file)).toEqual(['a.png', 'x;1.png', 'ä.png']);
  });

  test('other encodings become UTF-8 with its mark, which stays where it is', () => {
    const western = Uint8Array.from('file,label\nä.png,cat\n', (letter) => letter.charCodeAt(0));
    expect(append(western, 'c.png')).toBe('\uFEFFfile,label\nä.png,cat\nc.png,\n');
    expect(append('\uFEFFfile,label\na.png,cat\n')).toBe('\uFEFFfile,label\na.png,cat\n');
  });

  test('a table in JSON is left to its owner', () => {
    expect(() => append('[{"file": "a.png", "label": "cat"}]', 'b.png')).toThrow();
    const bytes = bytesOf('{"file": "a.png", "label": "cat"}\n');
    expect(() => appendedTable('labels.jsonl', { bytes, files: [] })).toThrow(
      'labels.jsonl: expected a table of CSV or TSV to add rows to. Received: JSONL.',
    );
  });
});
