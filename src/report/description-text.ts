import { countOf, formatCount } from '../counts.js';
import type { DescriptionChoice } from '../store/description-choice.js';
import { printable } from './printable.js';

/** What the pile's images are compared by, and how many held-back labels each description found, in sentences; empty if nothing was compared. */
export function descriptionText({ chosen, compared }: DescriptionChoice): string {
  const [usual, ...others] = compared;
  if (usual === undefined) return '';
  const first = `Neighbours by ${printable(usual.title)} recover ${formatCount(usual.found)} of ${countOf(usual.of, 'held-back label')} in a sample of the pile`;
  const rest = others.map(({ title, found }) => `, those by ${printable(title)} ${formatCount(found)}`);
  const name = printable(compared.find(({ kind }) => kind === chosen)?.title ?? usual.title);
  const isAhead = others.some(({ found }) => found > usual.found);
  const why =
    chosen !== usual.kind
      ? `Images are therefore compared by ${name}`
      : isAhead
        ? `That may be chance, so images are compared by ${name}, as usual`
        : `Images are compared by ${name}`;
  return `${first}${rest.join('')}. ${why}.`;
}
