import { countOf, formatCount } from '../counts.js';
import type { MirroringChoice } from '../store/mirroring-choice.js';
import { formatPercent } from './format.js';

/** Whether images are mirrored to learn from, and why, in sentences. */
export function mirroringText({ mirrored, share, reason, labels }: MirroringChoice): string {
  const alike = `${formatPercent(share, 0)} of images look more like the mirror image of another than like any other as it is; where left and right are the same, half of them do`;
  if (!labels) {
    return reason === 'unconfirmed'
      ? `${alike}. No label can be held back to confirm it, so images are not mirrored to learn from.`
      : `${alike}. Images are therefore not mirrored to learn from.`;
  }
  const found = `neighbours recover ${formatCount(labels.mirrored)} of ${countOf(labels.of, 'held-back label')} with mirror images and ${formatCount(labels.asTheyAre)} without`;
  return mirrored
    ? `${alike}, and ${found}. Images are therefore mirrored to learn from.`
    : `${alike}, but ${found}. Mirroring seems to change the class, so images are not mirrored to learn from.`;
}
