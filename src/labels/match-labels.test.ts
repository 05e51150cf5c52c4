import { describe, expect, it } from 'vitest';
import type { FoundImage, Split } from '../data/readers/found-images.js';
import { readLabelTable } from './label-table.js';
import { matchLabels } from './match-labels.js';

const table = (text: string) => readLabelTable('labels.csv', new TextEncoder().encode(`file,label\n${text}`));
const image = (name: string, label?: string, split?: Split): FoundImage => ({
  name,
  ...(label !== undefined && { label }),
  ...(split !== undefined && { split }),
  read: async () => ({ kind: 'file', bytes: new TextEncoder().encode(name) }),
});
const folder = ['a.png', 'b.JPG', 'sub/a.png', 'unlisted.png'].map((name) => image(name));
const labelsOf = (text: string, images: readonly FoundImage[] = folder) =>
  Object.fromEntries(matchLabels(table(text), images).images.map(({ name, label }) => [name, label]));
const none = { 'a.png': undefined, 'b.JPG': undefined, 'sub/a.png': undefined, 'unlisted.png': undefined };

describe('matchLabels', () => {
  it('labels what is named, and leaves the rest to the pile', async () => {
    const { images, classNames, labelledCount, missing, notes } = matchLabels(
      table('a.png,10\nsub/a.png,2\nb.JPG,\n'),
      folder,
    );
    expect(images.map(({ name, label }) => [name, label])).toEqual([
      ['a.png', '10'],
      ['b.JPG', undefined],
      ['sub/a.png', '2'],
      ['unlisted.png', undefined],
    ]);
    expect([classNames, labelledCount, missing]).toEqual([['2', '10'], 2, []]);
    expect(notes).toEqual(['Images that labels.csv does not name belong to the pile.']);
    expect(await images[2]?.read()).toEqual(await folder[2]?.read());
  });

  it.each<[string, string, Partial<Record<string, string>>, string]>([
    [
      'the folder itself written too',
      'images/a.png,x\nimages/sub/a.png,y\n',
      { 'a.png': 'x', 'sub/a.png': 'y' },
      '2 rows of labels.csv name their images by the path within another folder ("images/a.png" is "a.png").',
    ],
    [
      'a path of another machine',
      'C:\\data\\images\\sub\\a.png,y\n/mnt/other/b.JPG,z\n',
      { 'sub/a.png': 'y', 'b.JPG': 'z' },
      '2 rows of labels.csv name their images by the path within another folder ("C:/data/images/sub/a.png" is "sub/a.png").',
    ],
    [
      'the folder left out',
      'unlisted.png,x\na.png,y\nlonely/b.JPG,z\n',
      { 'unlisted.png': 'x', 'a.png': 'y', 'b.JPG': 'z' },
      '1 row of labels.csv names its image by the path within another folder ("lonely/b.JPG" is "b.JPG").',
    ],
    [
      'other case',
      'b.jpg,x\nSUB/A.PNG,y\n',
      { 'b.JPG': 'x', 'sub/a.png': 'y' },
      '2 rows of labels.csv name their images in other upper and lower case ("b.jpg" is "b.JPG").',
    ],
    [
      'no extension',
      'a,x\nb,y\n',
      { 'a.png': 'x', 'b.JPG': 'y' },
      '2 rows of labels.csv name their images without the extension ("a" is "a.png").',
    ],
  ])('finds %s, and says so', (_, text, labels, note) => {
    expect(labelsOf(text)).toEqual({ ...none, ...labels });
    expect(matchLabels(table(text), folder).notes[0]).toBe(note);
  });

  it('finds names in either spelling of Unicode', () => {
    expect(labelsOf('Ka\u0308fer.png,x\n', [image('Käfer.png')])).toEqual({ 'Käfer.png': 'x' });
    expect(labelsOf('Käfer.png,x\n', [image('Ka\u0308fer.png')])).toEqual({ 'Ka\u0308fer.png': 'x' });
  });

  it('lists rows that find no image, with the nearest name', () => {
    const { missing, notes } = matchLabels(
      table(
        'a.png,x\nunlsited.png,y\nghost.tiff,z\n../outside.png,z\n../a.png,z\nhttps://x.org/a.png,z\nb.png,z\n',
      ),
      [...folder, image('deep/x.png'), image('deeper/x.png'), image('outside.png')],
    );
    expect(missing.map(({ row, reason, nearest }) => [row.at, row.file, reason, nearest])).toEqual([
      [3, 'unlsited.png', 'no such file', 'unlisted.png'],
      [4, 'ghost.tiff', 'no such file', undefined],
      [5, '../outside.png', 'outside the folder', 'outside.png'],
      [6, '../a.png', 'outside the folder', 'a.png'],
      [7, 'https://x.org/a.png', 'an address', 'a.png'],
      [8, 'b.png', 'no such file', 'a.png'],
    ]);
    expect(notes[0]).toBe(
      '6 rows of labels.csv find no image: "unlsited.png" (line 3, is "unlisted.png" meant?), "ghost.tiff" (line 4), "../outside.png" (line 5, outside the folder, is "outside.png" meant?), "../a.png" (line 6, outside the folder, is "a.png" meant?), "https://x.org/a.png" (line 7, an address, is "a.png" meant?), "b.png" (line 8, is "a.png" meant?).',
    );
  });

  it('does not guess between several', () => {
    const images = [image('deep/x.png'), image('deeper/x.png'), image('y.png')];
    const { missing } = matchLabels(table('x.png,a\nelse/x.png,b\ny.png,c\n'), images);
    expect(missing.map(({ row, reason }) => [row.file, reason])).toEqual([
      ['x.png', 'several such files'],
      ['else/x.png', 'several such files'],
    ]);
    // One image, two rows that could mean it: neither is taken for another's folder.
    expect(() => matchLabels(table('cat/1.png,cat\ndog/1.png,dog\n'), [image('pile/1.png')])).toThrow(
      'Received: none in 2 rows',
    );
    // A name that is written in full is not found again by less.
    expect(labelsOf('a.png,x\nelse/b.JPG,y\nold/a.png,z\n', folder.slice(0, 2))).toEqual({
      'a.png': 'x',
      'b.JPG': 'y',
    });
  });

  it('refuses a table that names nothing', () => {
    expect(() => matchLabels(table('x.png,cat\ny.png,dog\n'), folder)).toThrowError(
      expect.objectContaining({
        code: 'data',
        message:
          'labels.csv: expected names of images that are there. Received: none in 2 rows: "x.png" (line 2, is "a.png" meant?), "y.png" (line 3, is "a.png" meant?).',
      }),
    );
  });

  it('names the other columns where the files may be in one of them', () => {
    const bytes = new TextEncoder().encode('name,scan,class\nMiller,a,cat\n');
    expect(() => matchLabels(readLabelTable('labels.csv', bytes), folder)).toThrowError(
      expect.objectContaining({
        hint: 'Write each path as it is within the folder of the images. Files were read from the column "name". Is another one meant, of "scan"? --label-columns file=<column> names it.',
      }),
    );
  });

  it('the same file twice', () => {
    expect(matchLabels(table('a.png,x\na.png,x\n./a.png,\n'), folder).notes.at(-1)).toBe(
      '2 rows of labels.csv name images again, without another label.',
    );
    expect(labelsOf('a.png,\na.png,x\n')).toEqual({ ...none, 'a.png': 'x' });
    expect(() => matchLabels(table('a.png,cat\nb.JPG,dog\n./a.png,dog\nb.jpg,cat\n'), folder)).toThrowError(
      expect.objectContaining({
        code: 'data',
        message:
          'labels.csv: expected one label for each image. Received: a.png is "cat" in line 2 and "dog" in line 4.',
      }),
    );
  });

  it("wins over folders' labels, and says so", () => {
    const images = [
      image('train/cat/1.png', 'cat', 'train'),
      image('train/cat/2.png', 'cat', 'train'),
      image('train/dog/1.png', 'dog', 'train'),
      image('test/dog/1.png', 'dog', 'test'),
      image('test/dog/2.png', 'dog', 'test'),
    ];
    const { images: matched, notes } = matchLabels(
      table('train/cat/1.png,dog\ntrain/cat/2.png,cat\ntest/dog/1.png,cat\n'),
      images,
    );
    expect(matched.map(({ label, split }) => [label, split])).toEqual([
      ['dog', 'train'],
      ['cat', 'train'],
      [undefined, 'train'],
      ['cat', 'test'],
      ['dog', 'test'],
    ]);
    expect(notes).toEqual([
      '2 labels of labels.csv differ from the source\'s own and are taken (train/cat/1.png: "dog" for "cat"; test/dog/1.png: "cat" for "dog").',
      'Images that labels.csv does not name belong to the pile; 1 label of the source is not used.',
      '1 image of validation and test that labels.csv does not name keeps its label.',
    ]);
  });

  it('matches 100,000 rows against 100,000 images, in whatever way they are written', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `${i % 1000}/img_${Math.floor(i / 1000)}.png`);
    const images = names.map((name) => image(name));
    const whole = table(names.map((name) => `${name},x\n`).join(''));
    for (const write of [
      (name: string) => name,
      (name: string) => `data/${name}`,
      (name: string) => name.toUpperCase(),
    ]) {
      const rows = whole.rows.map((row) => ({ ...row, file: write(row.file) }));
      const { labelledCount } = matchLabels({ ...whole, rows }, images);
      expect(labelledCount).toBe(100_000);
    }
  });
});
