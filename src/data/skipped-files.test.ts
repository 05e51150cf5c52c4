import { expect, test } from 'vitest';
import { describeSkipped, skippedCsv } from './skipped-files.js';

const cut = { reason: 'JPEG file that is cut off', hint: 'Copy or download the file again.' };
const skipped = [
  { name: 'Thumbs.db', reason: 'hidden file' },
  ...['a/1.jpg', 'b/2.jpg', 'b/3, "new".jpg', 'b/4.jpg'].map((name) => ({ name, ...cut })),
];

test('what was set aside is told in one line a kind, the commonest first', () => {
  expect(describeSkipped(skipped)).toEqual([
    'JPEG file that is cut off: 4 (a/1.jpg, b/2.jpg, b/3, "new".jpg and 1 more). Copy or download the file again.',
    'hidden file: 1 (Thumbs.db).',
  ]);
  expect(describeSkipped([])).toEqual([]);
});

test('all of it is a table', () => {
  expect(skippedCsv(skipped.slice(0, 4))).toBe(
    'file,reason,hint\r\n' +
      'Thumbs.db,hidden file,\r\n' +
      'a/1.jpg,JPEG file that is cut off,Copy or download the file again.\r\n' +
      'b/2.jpg,JPEG file that is cut off,Copy or download the file again.\r\n' +
      '"b/3, ""new"".jpg",JPEG file that is cut off,Copy or download the file again.\r\n',
  );
});
