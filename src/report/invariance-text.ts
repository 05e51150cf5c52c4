import { countOf, formatCount } from '../counts.js';
import type { Invariance, InvarianceName } from '../store/invariance.js';
import { formatPercent } from './format.js';

const words: Readonly<
  Record<InvarianceName, { alike: string; natural: string; found: string; made: string }>
> = {
  mirroring: {
    alike: 'of images look more like the mirror image of another than like any other as it is',
    natural: 'where left and right are the same, half of them do',
    found: 'neighbours recover',
    made: 'mirrored',
  },
  tones: {
    alike: 'of images, made lighter, darker, stronger or fainter, look as much like another image as before',
    natural: 'where light varies, half of them do',
    found: 'the nearest labelled image tells',
    made: 'changed in tone',
  },
};

/** Whether images are changed in a way to learn from, and why, in sentences. */
export function invarianceText({ change, holds, share, reason, labels }: Invariance): string {
  const { alike, natural, found, made } = words[change];
  const said = `${formatPercent(share, 0)} ${alike}; ${natural}`;
  if (!labels) {
    return reason === 'unconfirmed'
      ? `${said}. No label can confirm it, so images are not ${made} to learn from.`
      : `${said}. Images are therefore not ${made} to learn from.`;
  }
  const counts = `${found} ${formatCount(labels.changed)} of ${countOf(labels.of, 'label')} with the change and ${formatCount(labels.asTheyAre)} without`;
  return holds
    ? `${said}. Labels do not contradict: ${counts}. Images are therefore ${made} to learn from.`
    : `${said}. Labels contradict: ${counts}. Images are therefore not ${made} to learn from.`;
}
