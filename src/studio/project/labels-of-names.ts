import { inNaturalOrder } from '../../data/readers/class-names.js';
import { QuarterturnError } from '../../errors.js';
import { newClass } from './class-defaults.js';
import type { LabelClass, LabelEvent } from './label-events.js';
import type { LabelState } from './label-state.js';

/** An image and the name of its class, as somebody else says. */
export interface NamedLabel {
  /** Hash. */
  readonly image: string;
  /** Of the class. */
  readonly label: string;
  /** How a message names the image. */
  readonly name: string;
}

/**
 * One event that gives images the classes that others name, with the classes that are not there yet, in natural order. Labels
 * that are as they should be already are no part of it; images that are not named stay as they are.
 * @returns undefined where nothing is to be changed
 * @throws QuarterturnError `data` for an image with two labels
 */
export function eventOfNames(state: LabelState, named: readonly NamedLabel[]): LabelEvent | undefined {
  const first = new Map<string, NamedLabel>();
  for (const each of named) {
    const before = first.get(each.image);
    if (before !== undefined && before.label !== each.label) throw twoLabels(before, each);
    if (before === undefined) first.set(each.image, each);
  }
  const nameOf = (text: string) => text.normalize('NFC').trim();
  const byName = new Map(state.classes.map(({ name, id }) => [name, id]));
  const newClasses: LabelClass[] = [];
  for (const name of inNaturalOrder(named.map(({ label }) => nameOf(label)))) {
    if (byName.has(name)) continue;
    const made = newClass(state, name, { before: newClasses });
    newClasses.push(made);
    byName.set(name, made.id);
  }
  const images = new Map<string, string[]>();
  for (const { image, label } of first.values()) {
    const id = byName.get(nameOf(label)) ?? '';
    if (state.labelOf(image) === id) continue;
    const of = images.get(id);
    if (of === undefined) images.set(id, [image]);
    else of.push(image);
  }
  if (images.size === 0) return undefined;
  const labels = [...images].map(([id, of]) => ({ class: id, images: of }));
  return { type: 'label', ...(newClasses.length > 0 && { newClasses }), labels };
}

function twoLabels(one: NamedLabel, other: NamedLabel): QuarterturnError {
  const [a, b] = [one, other].map(({ name, label }) => `${name}: ${JSON.stringify(label)}`);
  return new QuarterturnError(
    'data',
    `labels: expected one label for each image. Received: ${a} and ${b}, the same picture.`,
    {
      hint: 'Delete the wrong one.',
    },
  );
}
