import type { LabelClass } from './label-events.js';

/**
 * A change that is its own inverse: to make it, each place takes the value that the change holds, and the change takes the
 * value that was there. Made forth and back, all is as it was.
 */
export interface Swap {
  /** Places of images; the same one may come twice, then the last value counts. */
  readonly at: readonly number[];
  /** For each, what it is to become: the number of a class, of a mark (below 0), or 0 for neither. */
  readonly values: number[];
  /** What the list of classes is to become; undefined: it stays. */
  classes: readonly LabelClass[] | undefined;
}

/** Going back, an image that comes twice takes its first value last: the one that it had. */
export type Direction = 'forth' | 'back';

/** How many labels an event changes, each image counted once. */
export interface Effect {
  /** Images that get a label and had none. */
  readonly labelled: number;
  /** Images whose label becomes that of another class. */
  readonly moved: number;
  /** Images that lose their label. */
  readonly unlabelled: number;
  /** Images that get a mark, or another one. */
  readonly marked: number;
  /** Images that lose a mark, and get no other. */
  readonly unmarked: number;
  /** Classes more than before; below 0: fewer. */
  readonly classes: number;
}

/** What a swap would change in a state. */
export function effectOf(
  { at, values, classes }: Swap,
  state: { readonly values: readonly number[]; readonly classes: readonly LabelClass[] },
  { direction = 'forth' }: { readonly direction?: Direction } = {},
): Effect {
  const after = new Map<number, number>();
  for (const [i, place] of at.entries()) {
    if (direction === 'forth' || !after.has(place)) after.set(place, values[i] ?? 0);
  }
  const effect = { labelled: 0, moved: 0, unlabelled: 0, marked: 0, unmarked: 0 };
  for (const [place, now] of after) {
    const was = state.values[place] ?? 0;
    if (was === now) continue;
    if (now > 0 && was <= 0) effect.labelled++;
    if (now > 0 && was > 0) effect.moved++;
    if (now <= 0 && was > 0) effect.unlabelled++;
    if (now < 0) effect.marked++;
    if (was < 0 && now >= 0) effect.unmarked++;
  }
  return { ...effect, classes: classes === undefined ? 0 : classes.length - state.classes.length };
}

/** Whether all stays as it is. The first place that does not settles it: from the end, where the values are that count. */
export function changesNothing({ at, values, classes }: Swap, now: readonly number[]): boolean {
  if (classes !== undefined) return false;
  const seen = new Set<number>();
  for (let i = at.length - 1; i >= 0; i--) {
    const place = at[i] ?? 0;
    if (seen.has(place)) continue;
    if (now[place] !== values[i]) return false;
    seen.add(place);
  }
  return true;
}
