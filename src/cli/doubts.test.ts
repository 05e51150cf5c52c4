import { expect, test } from 'vitest';
import type { LabelDoubts } from '../store/label-doubts.js';
import { formatDoubts } from './doubts.js';

const doubted = [
  {
    image: '0a',
    index: 20415,
    file: 'scans/0815.png',
    label: 'seven',
    suggested: 'one',
    probability: 0.981,
    wrong: 0.93,
  },
  {
    image: '0b',
    index: 7,
    file: 'b\n.png',
    label: 'two',
    suggested: 'three',
    probability: 0.7,
    wrong: 0.152,
  },
];
const found: LabelDoubts = {
  doubted,
  labels: 1200,
  checked: 1199,
  expectedWrong: 4.4,
  judges: ['selfTrain', 'neighbours'],
};

test('a line for each doubted label, with file or index, by whom it was judged, and what to type next', () => {
  const text = formatDoubts(found, { columns: 80, out: 'doubts.csv', data: 'my scans' });
  expect(text.split('\n')).toEqual([
    '',
    '2 of 1,200 labels look wrong, the likeliest first:',
    '',
    'file            label  the rest says  how sure  label wrong',
    'scans/0815.png  seven            one      98 %         93 %',
    'b\\n.png           two          three      70 %         15 %',
    '',
    'Judged by  “Self-training on the unlabelled pile” without the label, and images that look alike',
    'Wrong      about 4 of 1,199 in all, by their estimate',
    'Not asked  1 label',
    'Labels     doubts.csv: all 1,200, those above first; correct each label that is wrong',
    "Next       quarterturn run 'my scans' --labels doubts.csv",
    '',
  ]);
  const items = doubted.map(({ file: _, ...item }) => item);
  expect(formatDoubts({ ...found, doubted: items }, { columns: 80 })).toMatch(
    /^image {2}label.*\n20415 {2}seven /m,
  );
});

test('nothing that looks wrong is said, too', () => {
  const text = formatDoubts({ ...found, doubted: [], judges: ['neighbours'] }, { columns: 80 });
  expect(text).toContain('Of 1,200 labels, none is contradicted with confidence.');
  expect(text).toContain('Judged by  images that look alike\n');
  expect(text).not.toMatch(/Labels|Next/);
});
