import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import { doubtsSection } from './sections/doubts.js';

test('labels that look wrong are listed where there are any', () => {
  const label = {
    image: '0a',
    index: 20415,
    label: 'seven',
    suggested: '<one>',
    probability: 0.981,
    wrong: 0.93,
  };
  const doubts = { doubted: [label], labels: 1200, checked: 1199, expectedWrong: 4.4, judges: ['selfTrain'] };
  const text = `${doubtsSection({ ...sampleRecord(), doubts })}`
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\s\u00a0]+/g, ' ');
  expect(text).toContain('1 label of 1,200 is contradicted by the rest');
  expect(text).toContain('20,415 seven &lt;one&gt; 98 % 93 %');
  expect(text).toContain('Of the 1,199 that were checked, about 4 are wrong in all');
  expect(doubtsSection({ ...sampleRecord(), doubts: { ...doubts, doubted: [] } })).toBeNull();
  expect(doubtsSection(sampleRecord())).toBeNull();
});
