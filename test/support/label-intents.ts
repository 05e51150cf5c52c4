import fc from 'fast-check';
import type { LabelEvent } from '../../src/studio/project/label-events.js';
import { labelEventSchema } from '../../src/studio/project/label-events.js';
import type { LabelState } from '../../src/studio/project/label-state.js';

/** What somebody is about to do, before it is known which classes there are: numbers that choose among them. */
export interface Intent {
  readonly what: number;
  readonly images: readonly number[];
  readonly a: number;
  readonly b: number;
}

/** Few images, so that labels of one image meet. */
export const intents: fc.Arbitrary<Intent[]> = fc.array(
  fc.record({
    what: fc.nat({ max: 14 }),
    images: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 6 }),
    a: fc.nat({ max: 100 }),
    b: fc.nat({ max: 100 }),
  }),
  { maxLength: 60 },
);

/** The hash of a made-up image. */
export const hashOf = (i: number): string => i.toString(16).padStart(32, '0');

/** An event that is possible in a state; undefined where what is meant is not. */
export function eventOf({ what, images, a, b }: Intent, state: LabelState): LabelEvent | undefined {
  const hashes = images.map(hashOf);
  const { classes, nextClassId } = state;
  const [one, other] = [classes[a % classes.length], classes[b % classes.length]];
  const colour = `#${(a * 1000).toString(16).padStart(6, '0')}`;
  const key = b % 3 === 0 ? null : String(b % 10);
  const made = { id: nextClassId, name: `${nextClassId} of ${a}`, colour, key };
  if (what === 0) return { type: 'add-class', class: made };
  if (what === 1) return { type: 'mark', mark: a % 2 ? 'skipped' : 'unsure', images: hashes };
  if (what === 2) return { type: 'clear', images: hashes };
  if (what === 3 || what === 4) return state.undoable && { type: 'undo', of: state.undoable.seq };
  if (what === 5) return state.redoable && { type: 'redo', of: state.redoable.seq };
  if (one === undefined || other === undefined) {
    return { type: 'label', newClasses: [made], labels: [{ class: made.id, images: hashes }] };
  }
  if (what === 6) return { type: 'rename-class', class: one.id, name: `named ${one.id} ${b}` };
  if (what === 7) return { type: 'recolour-class', class: one.id, colour };
  if (what === 8) return { type: 'set-key', class: one.id, key };
  if (what === 9) return { type: 'move-class', class: one.id, before: b % 4 ? other.id : null };
  if (what === 10)
    return one === other ? undefined : { type: 'merge-classes', classes: [one.id], into: other.id };
  if (what === 11) return { type: 'delete-class', class: one.id };
  if (what === 12) {
    const labels = [
      { class: one.id, images: hashes },
      { class: other.id, images: hashes.slice(0, 2) },
    ];
    return { type: 'label', labels };
  }
  return { type: 'label', labels: [{ class: one.id, images: hashes }] };
}

/** What a state says, all of it, for comparison. */
export function shown(state: LabelState) {
  const counts: [string, number][] = ['skipped', 'unsure', ...state.classes.map(({ id }) => id)].map(
    (id): [string, number] => [id, state.countOf(id)],
  );
  return {
    labels: Object.fromEntries([...state.labels()].sort(([a], [b]) => (a < b ? -1 : 1))),
    classes: state.classes,
    counts: Object.fromEntries(counts),
    labelled: state.labelledCount,
  };
}

/** Let intents happen; returns the events that came of them. */
export function act(state: LabelState, all: readonly Intent[]): LabelEvent[] {
  return all.flatMap((intent) => {
    const event = eventOf(intent, state);
    if (event === undefined) return [];
    state.apply(labelEventSchema.parse(event), state.seq + 1);
    return [event];
  });
}
