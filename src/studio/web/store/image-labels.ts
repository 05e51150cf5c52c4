import { type Signal, signal } from '@preact/signals';

/**
 * The label or mark of each image that the page has met, one signal an image: a label that changes draws its own tiles anew and
 * no others.
 *
 * What the server tells bears the number of the event of which it is true, and never gives way to something older. What a person has
 * just done is shown at once, as a supposition above it, until the server has answered.
 */

/** Id of a class, a mark, or null for neither. */
export type Label = string | null;

interface Known {
  readonly told: { readonly label: Label; readonly seq: number };
  readonly supposed?: { readonly label: Label; readonly by: Supposition } | undefined;
}

const known = new Map<string, Signal<Known>>();
const untold: Known = { told: { label: null, seq: -1 } };

function signalOf(id: string): Signal<Known> {
  let found = known.get(id);
  if (found === undefined) {
    found = signal(untold);
    known.set(id, found);
  }
  return found;
}

const shown = ({ told, supposed }: Known): Label => (supposed ?? told).label;

/** The label of an image as it is to be shown; whoever reads it while drawing is drawn again when it changes. */
export const labelOf = (id: string): Label => shown(signalOf(id).value);

/** The same, without following it. */
export const labelNow = (id: string): Label => shown(signalOf(id).peek());

/** What the server has told of an image. */
export function learn(id: string, { label, seq }: { readonly label: Label; readonly seq: number }): void {
  const of = signalOf(id);
  const { told, supposed } = of.peek();
  if (seq >= told.seq) of.value = { told: { label, seq }, supposed };
}

/** What a person has done, until the server has answered. */
export interface Supposition {
  /** It is on the disk, as the event of this number; null: nothing was to be changed. */
  confirm(seq: number | null): void;
  /** It was refused. */
  withdraw(): void;
}

/** Show images with a label that is not yet on the disk. */
export function suppose(ids: Iterable<string>, label: Label): Supposition {
  const images = [...ids];
  const end = (told: (before: Known['told']) => Known['told']): void => {
    for (const id of images) {
      const of = signalOf(id);
      const now = of.peek();
      // A later supposition stands above this one.
      const supposed = now.supposed?.by === by ? undefined : now.supposed;
      of.value = { told: told(now.told), supposed };
    }
  };
  const by: Supposition = {
    confirm: (seq) => end((told) => (seq !== null && seq > told.seq ? { label, seq } : told)),
    withdraw: () => end((told) => told),
  };
  for (const id of images) {
    const of = signalOf(id);
    of.value = { told: of.peek().told, supposed: { label, by } };
  }
  return by;
}

/** For another project. */
export function forgetLabels(): void {
  known.clear();
}
