import type { HeldBackSplit } from '../../labels/held-back.js';
import type { RecipeContext } from '../context.js';

/** A fold that is held back, and what a network learns from in its place. */
export interface Fold extends HeldBackSplit {
  /** From 0. */
  readonly fold: number;
  /** The context of a training that is only tried: it keeps nothing, and its steps are told as those of a pass. */
  readonly context: RecipeContext;
}
