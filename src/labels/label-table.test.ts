import { describe, expect, it } from 'vitest';
import { type LabelTableOptions, readLabelTable } from './label-table.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const utf16 = (text: string, littleEndian: boolean) => {
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), littleEndian);
  return bytes;
};
const read = (text: string | Uint8Array, name = 'labels.csv', options: LabelTableOptions = {}) =>
  readLabelTable(name, typeof text === 'string' ? utf8(text) : text, options);
/** Files and labels, without the places where they stand. */
const pairs = (...args: Parameters<typeof read>) =>
  read(...args).rows.map(({ file, label }) => [file, label]);

const three = [
  ['1.png', 'cat'],
  ['2.png', 'dog, small'],
  ['3.png', 'cat'],
];
const table = (
  delimiter = ',',
  end = '\n',
  rows = ['file label', '1.png cat', '2.png "dog,\u00a0small"', '3.png cat'],
) => rows.map((row) => row.replace(' ', delimiter).replace('\u00a0', ' ') + end).join('');
const plain = table();

describe('the same table in every dialect', () => {
  it.each<[string, string | Uint8Array, string?]>([
    ['plain', plain],
    ['byte order mark', `\ufeff${plain}`],
    ['CRLF', table(',', '\r\n')],
    ['CR alone', table(',', '\r')],
    ['lines that end in different ways', table().replace('cat\n', 'cat\r\n')],
    ['semicolons and CRLF behind a byte order mark', `\ufeff${table(';', '\r\n')}`],
    ['tabs', table('\t'), 'labels.tsv'],
    ['bars', table('|')],
    ['a line that says the delimiter', `sep=;\r\n${table(';', '\r\n')}`],
    ['UTF-16 with its mark', utf16(`\ufeff${plain}`, true)],
    ['UTF-16 of the other order', utf16(`\ufeff${plain}`, false)],
    ['UTF-16 without a mark', utf16(plain, true)],
    ['UTF-16 of the other order without a mark', utf16(plain, false)],
    ['blank lines', `\n${plain.replace('3.png', '\n3.png')}\n\n`],
    ['blanks around values', 'file , label\n 1.png , cat \n 2.png , "dog, small"\n3.png,cat\n'],
    ['no line break at the end', plain.trimEnd()],
    ['a comment', `# exported on a Monday\n${plain}`],
    ['the header twice', `${plain}file,label\n`],
    ['no header', plain.replace('file,label\n', '')],
    ['other columns', 'id,image_path,width,class\n1,1.png,16,cat\n2,2.png,16,"dog, small"\n3,3.png,16,cat\n'],
    ['an index without a name', ',file,label\n0,1.png,cat\n1,2.png,"dog, small"\n2,3.png,cat\n'],
    [
      'quoted line breaks and quotes',
      'file,label,comment\n1.png,cat,"two\nlines, and ""quotes"""\n2.png,"dog, small",\n3.png,cat,x\n',
    ],
    ['names in another language', plain.replace('file,label', 'bild,klasse')],
    [
      'other columns, of which one alone holds paths',
      'nr,bild,klasse,class\n1,1.png,-,cat\n2,2.png,-,"dog, small"\n3,3.png,-,cat\n',
    ],
    ['columns the other way round', 'label,file\ncat,1.png\n"dog, small",2.png\ncat,3.png\n'],
    ['delimiters left at the ends', 'file,label,,\n1.png,cat,,\n2.png,"dog, small",,,\n3.png,cat,,\n'],
    [
      'JSON Lines',
      three.map(([file, label]) => `${JSON.stringify({ file, label })}\n`).join('\n'),
      'l.jsonl',
    ],
    [
      'JSON Lines called JSON',
      three.map(([file, label]) => JSON.stringify({ file, label })).join('\n'),
      'l.json',
    ],
    ['JSON', JSON.stringify(three.map(([file_name, label]) => ({ id: 0, file_name, label }))), 'l.json'],
    ['JSON of UTF-16', utf16(`\ufeff${JSON.stringify(Object.fromEntries(three))}`, true), 'l.json'],
    [
      'JSON that holds a list',
      JSON.stringify({ version: 1, images: three.map(([image, y]) => ({ image, y })) }),
      'l.json',
    ],
  ])('%s', (_, text, name) => {
    expect(pairs(text, name)).toEqual(three);
  });

  it('Windows paths', () => {
    const found = read('file,label\r\nimages\\1.png,cat\r\n.\\images\\2.png,dog\r\n');
    expect(found.rows.map(({ file }) => file)).toEqual(['images/1.png', './images/2.png']);
    expect(found.notes).toEqual(['labels.csv: \\ between folders is read as / in 2 rows.']);
  });

  it('Windows-1252, and says so', () => {
    const bytes = Uint8Array.from(utf8('file,label\n1.png,K?fer\n2.png,cat\n'), (byte) =>
      byte === 0x3f ? 0xe4 : byte,
    );
    const found = read(bytes);
    expect(found.rows[0]).toEqual({ file: '1.png', label: 'Käfer', at: 2 });
    expect(found.notes).toEqual([
      'labels.csv is not UTF-8 and was read as Windows-1252 ("Käfer" in line 2).',
    ]);
    expect(() => read(bytes, 'labels.csv', { encoding: 'utf-8' })).toThrow(
      'Received: bytes that are not UTF-8.',
    );
    expect(() => read(bytes.map((byte) => (byte === 0xe4 ? 0x81 : byte)))).toThrow(
      'bytes that are not UTF-8',
    );
  });
});

describe('what was sniffed', () => {
  it('is said', () => {
    expect(read(`\ufeff${table(';', '\r\n')}`).sniffed).toEqual({
      format: 'csv',
      encoding: 'utf-8',
      delimiter: ';',
      hasHeader: true,
      fileColumn: 'file',
      labelColumn: 'label',
      unit: 'line',
    });
    const bare = read('1.png,cat\n2.png,dog\n');
    expect(bare.sniffed).toMatchObject({ hasHeader: false, fileColumn: 'column 1', labelColumn: 'column 2' });
    expect(bare.notes).toEqual(['labels.csv has no header: column 1 is read as files, column 2 as labels.']);
  });

  it('can be overruled', () => {
    const text = 'file,label,species\n1.png,7,cat\n';
    expect(pairs(text)).toEqual([['1.png', '7']]);
    expect(pairs(text, 'l.csv', { labelColumn: 'Species' })).toEqual([['1.png', 'cat']]);
    expect(pairs(text, 'l.csv', { labelColumn: 3 })).toEqual([['1.png', 'cat']]);
    expect(
      pairs('a;b,c;d\n', 'l.csv', { delimiter: ',', header: false, fileColumn: 1, labelColumn: 2 }),
    ).toEqual([['a;b', 'c;d']]);
    expect(pairs('a,b\n', 'l.csv', { header: false, fileColumn: 2, labelColumn: 1 })).toEqual([['b', 'a']]);
    expect(pairs('[{"file":"a","label":"b"}]', 'l.txt', { format: 'json' })).toEqual([['a', 'b']]);
  });
});

describe('labels', () => {
  it('are text as it stands there', () => {
    const rows = ['007', '7', '1e3', 'NA', 'null', 'true', ' 7', '-1', '#1', 'C#'];
    const text = rows.map((label, i) => `${i}.png,"${label}"\n`).join('');
    expect(read(`file,label\n${text}`).rows.map(({ label }) => label)).toEqual(rows);
  });

  it('of JSON may be numbers', () => {
    const text =
      '[{"file":"a","label":7},{"file":"b","label":"7"},{"file":"c","label":7.0},{"file":"d","label":false}]';
    expect(read(text, 'l.json').rows.map(({ label }) => label)).toEqual(['7', '7', '7', 'false']);
  });

  it('that are empty are none', () => {
    expect(pairs('file,label\n1.png,\n2.png,""\n3.png,x\n')).toEqual([
      ['1.png', undefined],
      ['2.png', undefined],
      ['3.png', 'x'],
    ]);
    expect(pairs('[{"file":"a","label":null},{"file":"b"},{"file":"c","label":"x"}]', 'l.json')).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['c', 'x'],
    ]);
  });

  it('are normalised, and two spellings that become one are said', () => {
    const found = read('file,label\n1.png,Löwe\n2.png,Lo\u0308we\n');
    expect(found.rows.map(({ label }) => label)).toEqual(['Löwe', 'Löwe']);
    expect(found.notes).toEqual([
      'labels.csv: labels written with different Unicode characters are one class: Löwe.',
    ]);
  });

  it('that look alike stay apart, and are said', () => {
    const found = read(
      '[{"file":"a","label":" 7"},{"file":"b","label":"７"},{"file":"c","label":7}]',
      'l.json',
    );
    expect(found.notes).toEqual(['l.json: different classes whose names look alike: " 7" and "７" and "7".']);
  });

  it('keep the line where their row begins', () => {
    const text = '\n# x\nfile,label,note\n1.png,a,"1\n2\n3"\n\n2.png,b,\r\n3.png,c,\n';
    expect(read(text).rows.map(({ at }) => at)).toEqual([4, 8, 9]);
    expect(
      read('\n{"file":"a","label":1}\n\n{"file":"b","label":2}', 'l.jsonl').rows.map(({ at }) => at),
    ).toEqual([2, 4]);
  });
});

describe('what is wrong is named with its place', () => {
  it.each<[string, string | Uint8Array, string, string?]>([
    ['an empty file', '', 'expected a table with the columns file and label. Received: an empty file.'],
    ['blanks', ' \n\n', 'Received: nothing but blanks.'],
    ['a header alone', 'file,label\n', 'Received: a header without rows.'],
    ['a workbook', 'PK\x03\x04\x14\0\x06\0', 'Received: an Excel workbook or another ZIP archive.'],
    ['a web page', '<!DOCTYPE html><html></html>', 'Received: a web page (HTML).'],
    [
      'one column',
      'file\n1.png\n',
      'labels.csv, line 1: expected a table with the columns file and label. Received: one column, "file".',
    ],
    [
      'no known column',
      'a,b,c\n1,2,3\n',
      'labels.csv, line 1: expected a table with the columns file and label. Received: 3 columns, none of a usual name; in the first row "a", "b", "c".',
    ],
    ['no labels', 'file,size,date\n1.png,2,3\n', 'Received: the columns "file", "size", "date".'],
    [
      'a column twice',
      'file,label,label\n1.png,cat,dog\n',
      'line 1, column 3: expected each column once. Received: "label" a second time.',
    ],
    [
      'a comma without quotes',
      'file,label\n1.png,cat\n2.png,dog,small\n',
      'labels.csv, line 3, column 3: expected 2 values, as in the first row. Received: 3.',
    ],
    [
      'a row without a label',
      'file,label\n1.png,cat\n3.png\n',
      'labels.csv, line 3, column 2: expected 2 values, as in the first row. Received: 1.',
    ],
    [
      'no file',
      'file,label\n1.png,cat\n,dog\n',
      'labels.csv, line 3, column 1 (file): expected a file. Received: nothing.',
    ],
    [
      'a zero byte',
      'file,label\n1.png,c\0at\n',
      'labels.csv, line 2, column 2 (label): expected a text. Received: one with a control character, "c\\u0000at".',
    ],
    [
      'an open quote',
      'file,label\n1.png,cat\n2.png,"dog\n3.png,cat\n',
      'labels.csv, line 3: expected a closing quote ("). Received: the end of the file.',
    ],
    [
      'text behind a quote',
      'file,label\n1.png,"cat"x\n',
      'labels.csv, line 2: expected a delimiter (,) or the end of the line behind a closing quote.',
    ],
    [
      'a quote that swallows rows',
      'file,label\n1.png,"cat\n2.png,dog"\n',
      'line 2, column 2 (label): expected one line. Received: a text with a line break, "cat\\n2.png,dog".',
    ],
    [
      'a trailing comma',
      '[{"file":"a","label":"b"},\n]',
      'l.json: expected a value at line 2, column 1.',
      'l.json',
    ],
    [
      'a bad line',
      '{"file":"a","label":"b"}\n{"file":}',
      'l.jsonl: expected a value at line 2, column 9. Received: "}".',
      'l.jsonl',
    ],
    [
      'a name twice',
      '{"a.png":"x",\n"a.png":"y"}',
      'l.json: expected each name once in an object at line 2, column 1.',
      'l.json',
    ],
    [
      'several labels',
      '[{"file":"a","label":["x","y"]}]',
      'l.json, item 1, label: expected a text. Received: ["x","y"].',
      'l.json',
    ],
    [
      'a number too long',
      '{"a.png":12345678901234567890}',
      'l.json, item 1, label: expected a text.',
      'l.json',
    ],
    [
      'another document',
      '{"data":null,"images":[{"index":0,"label":"7"}]}',
      'l.json: expected a table with the columns file and label. Received: the columns "index", "label".',
      'l.json',
    ],
    [
      'no objects',
      '[1,2]',
      'l.json, item 1: expected a table with the columns file and label. Received: 1.',
      'l.json',
    ],
    [
      'an empty list',
      '[]',
      'l.json: expected a table with the columns file and label. Received: no rows.',
      'l.json',
    ],
  ])('%s', (_, text, message, name) => {
    expect(() => read(text, name)).toThrowError(
      expect.objectContaining({ code: 'data', message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ['nr,bild,klasse\n1,1.png,cat\n', 'which column holds the labels: --label-columns label=<column>'],
    ['nr,bild,class\n1,a,cat\n', 'which column holds the files: --label-columns file=<column>'],
    ['p,q,r\n1,2,3\n', 'and which column holds the labels: --label-columns file=<column>,label=<column>'],
  ])('says what to say of %j', (text, hint) => {
    expect(() => read(text)).toThrowError(
      expect.objectContaining({ code: 'data', hint: expect.stringContaining(hint) }),
    );
  });

  it('names a column that was asked for and is not there', () => {
    expect(() => read(plain, 'labels.csv', { labelColumn: 'klass' })).toThrow(
      'labels.csv, line 1: expected a column "klass" with the labels. Received: "file", "label".',
    );
  });
});

it('reads 100,000 rows', () => {
  const lines = Array.from(
    { length: 100_000 },
    (_, i) => `train/${i % 1000}/img_${i}.png,class ${i % 1000}\n`,
  );
  const { rows } = read(`file,label\n${lines.join('')}`);
  expect(rows).toHaveLength(100_000);
  expect(rows.at(-1)).toEqual({ file: 'train/999/img_99999.png', label: 'class 999', at: 100_001 });
});
