import { formatCount } from '../counts.js';
/** Names that a message shows before it counts the rest. */
export const shownNames = 3;

/**
 * The first names of many for a message: `a.jpg, b.jpg, c.jpg and 9 more`.
 * @param count how many there are, where only the first are at hand
 */
export function firstNames(names: readonly string[], count = names.length): string {
  const first = names.slice(0, shownNames).join(', ');
  return count > shownNames ? `${first} and ${formatCount(count - shownNames)} more` : first;
}
