/** Names that a message shows before it counts the rest. */
const shownNames = 3;

/** The first names of many for a message: `a.jpg, b.jpg, c.jpg and 9 more`. */
export function firstNames(names: readonly string[], shown = shownNames): string {
  const more = names.length - shown;
  const first = names.slice(0, shown).join(', ');
  return more > 0 ? `${first} and ${more} more` : first;
}
