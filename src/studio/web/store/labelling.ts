import { computed, effect, signal } from '@preact/signals';
import { newClass } from '../../project/class-defaults.js';
import type { LabelClass, LabelEvent, Mark } from '../../project/label-events.js';
import { ApiError, api } from '../api/client.js';
import { closeOffers, toastError } from '../ui/toast.js';
import { forgetLabels, type Label, learn, type Supposition, suppose } from './image-labels.js';
import { classes, labels, onDelta, projectFolder } from './studio.js';

/**
 * All that a person does to labels. It shows at once, and is sent in the order in which it was done; it is called saved once
 * the server has answered, which is when the disk has it.
 */

/** What was done and is not yet on the disk. */
const waiting = signal(0);
const failure = signal<string | null>(null);

export type Saved =
  | { readonly phase: 'saved' | 'saving' }
  | { readonly phase: 'failed'; readonly text: string };

export const saved = computed<Saved>(() => {
  if (failure.value !== null) return { phase: 'failed', text: failure.value };
  return { phase: waiting.value > 0 ? 'saving' : 'saved' };
});

let last: Promise<unknown> = Promise.resolve();

/** Send something after all that was done before; whether it is on the disk now. */
function inTurn(work: () => Promise<unknown>): Promise<boolean> {
  waiting.value++;
  closeOffers();
  const done = last.then(work).then(
    () => {
      failure.value = null;
      return true;
    },
    (error) => {
      made = [];
      failure.value = error instanceof ApiError ? error.text : String(error);
      toastError(error);
      return false;
    },
  );
  last = done.then(() => {
    waiting.value--;
  });
  return done;
}

/** Let something happen that is not about single images, such as to a class. */
export function change(event: LabelEvent): Promise<boolean> {
  return inTurn(() => api.label(event));
}

/** What is said of images. */
export type Verdict =
  /** Id of a class. */
  | { readonly class: string }
  /** Name of a class that is made with it. */
  | { readonly newClass: string }
  | { readonly mark: Mark }
  /** Neither label nor mark. */
  | { readonly clear: true };

/** Say something of images, all in one event; whether it is on the disk now. */
export function judge(images: readonly string[], verdict: Verdict): Promise<boolean> {
  if (images.length === 0) return Promise.resolve(true);
  const { label, event } = eventOf(images, verdict);
  return send(event, [suppose(images, label)]);
}

/** Give several classes to several images, all in one event. */
export function labelGroups(
  groups: readonly { readonly class: string; readonly images: readonly string[] }[],
): Promise<boolean> {
  const labels = groups.filter(({ images }) => images.length > 0);
  if (labels.length === 0) return Promise.resolve(true);
  return send(
    { type: 'label', labels },
    labels.map(({ class: id, images }) => suppose(images, id)),
  );
}

function send(event: LabelEvent, suppositions: readonly Supposition[]): Promise<boolean> {
  return inTurn(async () => {
    try {
      const { seq } = await api.label(event);
      for (const each of suppositions) each.confirm(seq);
    } catch (error) {
      for (const each of suppositions) each.withdraw();
      throw error;
    }
  });
}

function eventOf(images: readonly string[], verdict: Verdict): { label: Label; event: LabelEvent } {
  if ('clear' in verdict) return { label: null, event: { type: 'clear', images } };
  if ('mark' in verdict) return { label: verdict.mark, event: { type: 'mark', mark: verdict.mark, images } };
  if ('class' in verdict) {
    return { label: verdict.class, event: { type: 'label', labels: [{ class: verdict.class, images }] } };
  }
  const made = makeClass(verdict.newClass);
  return {
    label: made.id,
    event: { type: 'label', newClasses: [made], labels: [{ class: made.id, images }] },
  };
}

/** Undo what was done last, by whomever, also before a restart. */
export function undo(): Promise<boolean> {
  return inTurn(async () => lookFor((await api.undo()).seq));
}

export function redo(): Promise<boolean> {
  return inTurn(async () => lookFor((await api.redo()).seq));
}

/** Images of what this tab has undone or redone last, once they are told; null: more than are told one by one. */
export const undone = signal<readonly string[] | null>([]);

/** Number of an event whose images are yet to be told. */
let awaited: number | null = null;
/** What was told last: it may come before the answer. */
let told: readonly { readonly seq: number; readonly images: readonly string[] | null }[] = [];
const toldKept = 16;

function lookFor(seq: number | null): void {
  awaited = seq;
  const found = seq === null ? undefined : told.find((each) => each.seq >= seq);
  if (found) tellUndone(found.images);
}

function tellUndone(images: readonly string[] | null): void {
  awaited = null;
  undone.value = images;
}

/** Classes that were made and are not yet told of. */
let made: readonly LabelClass[] = [];

/** A class of a name, with an id, a colour and a key that are free. */
export function makeClass(name: string): LabelClass {
  const nextClassId = labels.value?.nextClassId ?? 'c1';
  const isUntold = ({ id }: LabelClass): boolean => Number(id.slice(1)) >= Number(nextClassId.slice(1));
  const before = made.filter(isUntold);
  const each = newClass({ nextClassId, classes: classes.value }, name, { before });
  made = [...before, each];
  return each;
}

effect(() => {
  projectFolder.value;
  forgetLabels();
});
onDelta((delta) => {
  if (delta.type !== 'relabelled') return;
  const { seq } = delta;
  for (const [id, label] of delta.images ?? []) learn(id, { label, seq });
  const images = delta.images?.map(([id]) => id) ?? null;
  told = [...told, { seq, images }].slice(-toldKept);
  if (awaited !== null && seq >= awaited) tellUndone(images);
});
