import { formatCount } from '../counts.js';
import type { LabelNeeds } from '../store/label-needs.js';
import { formatPercent } from './format.js';
import { printable } from './printable.js';

/** A class for which new labels would gain most, and what says so. */
interface NeedText {
  readonly className: string;
  /** `12 of 20 held-back labels found, 11 % of the pile, 97 % sure`. */
  readonly why: string;
}

/** The order may be wrong for reasons that no drawing of labels shows. */
const surest = 0.99;

/** The classes that stand out, in words; an empty list where none does. */
export function classNeedTexts({ classes }: LabelNeeds): readonly NeedText[] {
  return classes
    .filter(({ standsOut }) => standsOut)
    .map(({ className, heldBack, found, share, sure }) => ({
      className: printable(className),
      why: [
        heldBack === 0
          ? 'none of its labels held back'
          : `${formatCount(found)} of ${formatCount(heldBack)} held-back labels found`,
        ...(share === null ? [] : [`${formatPercent(share, share < 0.095 ? 1 : 0)} of the pile`]),
        `${formatPercent(Math.min(sure, surest), 0)} sure`,
      ].join(', '),
    }));
}

/** What the classes that stand out were told by, a line each. */
export function needsBasis({ heldBack, sample }: LabelNeeds, stageTitle: string): readonly string[] {
  return [
    `${formatCount(heldBack)} held-back labels of “${stageTitle}”`,
    ...(sample > 0 ? [`${formatCount(sample)} answers for images of the pile`] : []),
  ];
}
