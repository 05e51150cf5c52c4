import { describe, expect, test } from 'vitest';
import type { Inspection } from './inspection.js';
import { formatInspection } from './inspection-text.js';

const found: Inspection = {
  data: '/photos/birds',
  images: { height: 64, width: 64, channels: 3, fit: 'cover', why: '64×64 in colour: the shorter side' },
  pictures: {
    different: 3,
    commonest: [{ height: 1080, width: 1920, count: 700 }],
    shorterSides: { smallest: 300, median: 1080, largest: 4000 },
  },
  parts: {
    train: { count: 1000, unlabelled: 900 },
    val: { count: 20, unlabelled: 0 },
    test: { count: 50, unlabelled: 0 },
  },
  classes: [
    { name: 'Parus major', train: 60, val: 12, test: 30 },
    { name: 'tit\nmouse', train: 40, val: 8, test: 20 },
  ],
  duplicates: [{ files: ['a.jpg', 'b.jpg'], labels: ['Parus major', 'tit'], splits: ['train', 'test'] }],
  nearDuplicates: [
    { files: ['c.jpg', 'd.jpg'], labels: [], splits: ['train'] },
    { files: ['e.jpg', 'f.jpg', 'g.jpg'], labels: [], splits: ['train', 'test'] },
  ],
  lookAlikes: [40, 12],
  oneColour: ['white.png'],
  turning: { accuracy: 0.27, images: 512 },
  skipped: [{ name: 'x.heic', reason: 'HEIC photograph', hint: 'Export it as JPEG.' }],
  notes: ['Taken for folders of images.'],
};

describe('an inspection', () => {
  test('says all of it, the groups that do harm before others', () => {
    expect(formatInspection(found)).toBe(
      [
        'Data      /photos/birds',
        'Images    1,020 to learn from (20 of them from a part for validation), 900 of them without a label; 50 to test with',
        'Size      64×64 in colour: the shorter side',
        'Pictures  3 sizes, the commonest 1920×1080 (700 pictures, width × height); shorter sides from 300 to 4000 pixels, 1080 in the median',
        'Copies    1 picture comes more than once, across parts, with several labels',
        'Alike     5 images in 2 groups look nearly the same, 1 of them across parts (e.jpg ~ f.jpg and 1 more, c.jpg ~ d.jpg); 52 more look alike in groups of over ten, as pictures of one kind may',
        'Blank     1 image is of one colour (white.png)',
        'Turning   edges alone tell how an image was turned 27 % of the time (25 % by chance). These pictures seem to have no up: learning from turned images may teach little about them',
        '',
        '    train      val     test  class',
        '       60       12       30  Parus major',
        '       40        8       20  tit\\nmouse',
        '',
        'Taken for folders of images.',
        '',
        'Set aside HEIC photograph: 1 (x.heic). Export it as JPEG.',
      ].join('\n'),
    );
  });

  test.each([40, 80])('fits into %i columns', (columns) => {
    const lines = formatInspection(found, columns).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    // Nothing is lost by that.
    const words = (text: string) => text.split(/\s+/);
    expect(words(lines.join(' '))).toEqual(words(formatInspection(found)));
  });

  test('of very many classes shows the smallest and the largest', () => {
    const classes = Array.from({ length: 1000 }, (_, k) => ({ name: `c${k}`, train: k, val: 0, test: 0 }));
    const none = { count: 0, unlabelled: 0 };
    const parts = { train: { count: 499_500, unlabelled: 0 }, val: none, test: none };
    const text = formatInspection({ ...found, classes, parts }, 80);
    expect(text).toContain('       14  c14\n      985  c985\n');
    expect(text).toContain('The 15 smallest and the 15 largest of 1,000 classes.');
    expect(text).not.toContain('c500');
  });

  test('of a pile says that there are no classes', () => {
    const parts = { ...found.parts, train: { count: 30, unlabelled: 30 }, val: { count: 0, unlabelled: 0 } };
    const text = formatInspection({ ...found, classes: [], parts, turning: null, pictures: null });
    expect(text).toContain('Images    30 to learn from, none of them labelled; 50 to test with\n');
    expect(text).toContain('There are no classes: no image has a label.');
    expect(text).toContain('too few images to say whether they have an up');
  });
});
