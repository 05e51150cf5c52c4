import { expect, test } from 'vitest';
import { textOf } from '../../test/support/report-text.js';
import { sampleRecord } from '../../test/support/sample-record.js';
import type { ClassNeed, LabelNeeds } from '../store/label-needs.js';
import { labelNeedsSection } from './sections/label-needs.js';

const need = { labels: 20, heldBack: 20, found: 12, mistaken: 3, share: 0.11, mistakes: 0.3, sure: 0.97 };
const needsOf = (...classes: readonly Partial<ClassNeed>[]): LabelNeeds => ({
  ...{ stage: 'selfTrain', heldBack: 200, found: 160, sample: 2000, first: 3 },
  classes: classes.map((each) => ({ ...need, className: 'bag', standsOut: true, ...each })),
});

test('the classes that more labels would help most are named where any stand out, with how sure that is', () => {
  const shirt = { className: '<shirt>', sure: 0.68 };
  const needs = needsOf(shirt, {}, { className: 'boot', standsOut: false });
  const text = textOf(`${labelNeedsSection({ ...sampleRecord(), needs })}`);
  expect(text).toContain('More labels of &lt;shirt&gt; , bag would probably help most, as far as 200');
  expect(text).toContain('200 held-back labels of “Self-training on the unlabelled pile”');
  expect(text).toContain('&lt;shirt&gt; 12 of 20 held-back labels found, 11 % of the pile, 68 % sure bag');
  expect(text).toContain('an indication and not more');
  expect(text).toContain('how often the class stays among the first 3');
  expect(text).not.toContain('boot');
  expect(labelNeedsSection({ ...sampleRecord(), needs: needsOf({ standsOut: false }) })).toBeNull();
  expect(labelNeedsSection(sampleRecord())).toBeNull();
});
