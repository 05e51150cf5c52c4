import type { LabelClass } from './label-events.js';

/**
 * A change that is its own inverse: to make it, each place takes the value that the change holds, and the change takes the
 * value that was there. Made forth and back, all is as it was.
 */
export interface Swap {
  /** Places of images; the same one may come twice, then the last value counts. */
  readonly at: Int32Array;
  /** For each, what it is to become: the number of a class, of a mark (below 0), or 0 for neither. */
  readonly values: Int32Array;
  /** What the list of classes is to become; undefined: it stays. */
  classes: readonly LabelClass[] | undefined;
}

/** A swap of classes alone. */
export const swapOfClasses = (classes: readonly LabelClass[] | undefined): Swap => ({
  at: new Int32Array(0),
  values: new Int32Array(0),
  classes,
});

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
  state: { readonly values: Int32Array; readonly classes: readonly LabelClass[] },
  { direction = 'forth' }: { readonly direction?: Direction } = {},
): Effect {
  const effect = { labelled: 0, moved: 0, unlabelled: 0, marked: 0, unmarked: 0 };
  const seen = new Uint8Array(state.values.length);
  for (let k = 0; k < at.length; k++) {
    // Of an image that comes twice, the value that it comes to in the end.
    const i = direction === 'forth' ? at.length - 1 - k : k;
    const place = at[i] ?? 0;
    if (seen[place] === 1) continue;
    seen[place] = 1;
    const [was, now] = [state.values[place] ?? 0, values[i] ?? 0];
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
export function changesNothing(
  { at, values, classes }: Swap,
  now: { readonly get: (place: number) => number },
): boolean {
  if (classes !== undefined) return false;
  let seen: Set<number> | undefined;
  for (let i = at.length - 1; i >= 0; i--) {
    const place = at[i] ?? 0;
    if (seen?.has(place)) continue;
    if (now.get(place) !== values[i]) return false;
    seen ??= new Set();
    seen.add(place);
  }
  return true;
}
