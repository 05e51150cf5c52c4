import { expect, test } from 'vitest';
import { sampleRecord } from '../../test/support/sample-record.js';
import type { ClassNeed, LabelNeeds } from '../store/label-needs.js';
import { formatRun } from './run-report.js';

const need = { labels: 20, heldBack: 20, found: 12, mistaken: 3, share: 0.11, mistakes: 0.3, sure: 0.97 };
const needsOf = (...classes: readonly Pick<ClassNeed, 'className' | 'standsOut'>[]): LabelNeeds => ({
  ...{ stage: 'selfTrain', heldBack: 200, found: 160, sample: 2000, first: 3 },
  classes: classes.map((each) => ({ ...need, ...each })),
});

test('a run ends with the classes that more labels would help most, if any stand out', () => {
  const { result, config } = sampleRecord();
  const text = (needs?: LabelNeeds) => formatRun(result, { report: 'report.html', config, needs });
  const some = needsOf({ className: 'shirt', standsOut: true }, { className: 'bag', standsOut: false });
  expect(text(some)).toMatch(/^More {4}Labels of shirt would probably help most:\n {8}quarterturn suggest \S+$/m);
  expect(text(needsOf({ className: 'bag', standsOut: false }))).toBe(text());
  expect(text()).not.toContain('More ');
});
