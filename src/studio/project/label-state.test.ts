import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { act, eventOf, hashOf, intents, shown } from '../../../test/support/label-intents.js';
import { newClass } from './class-defaults.js';
import type { LabelEvent } from './label-events.js';
import { LabelState } from './label-state.js';

const images = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => hashOf(from + i));

/** A state after some events. */
function stateAfter(...events: readonly LabelEvent[]): LabelState {
  const state = new LabelState();
  for (const event of events) state.apply(event, state.seq + 1);
  return state;
}

const add = (number: number, name: string, key: string | null = null): LabelEvent => ({
  type: 'add-class',
  class: { id: `c${number}`, name, colour: '#0072b2', key },
});
const label = (id: string, ...hashes: readonly string[]): LabelEvent => ({
  type: 'label',
  labels: [{ class: id, images: hashes }],
});

const undoAll = (state: LabelState): void => {
  while (state.undoable) state.apply({ type: 'undo', of: state.undoable.seq }, state.seq + 1);
};
const redoAll = (state: LabelState): void => {
  while (state.redoable) state.apply({ type: 'redo', of: state.redoable.seq }, state.seq + 1);
};

/** The same by the plainest means: whole copies of everything after each event. */
class Model {
  labels: Record<string, string> = {};
  past: { labels: Record<string, string>; classes: LabelState['classes'] }[] = [];
  future: typeof this.past = [];
  classes: LabelState['classes'] = [];

  apply(event: LabelEvent, classes: LabelState['classes']): void {
    const before = { labels: this.labels, classes: this.classes };
    if (event.type === 'undo' || event.type === 'redo') {
      const [from, to] = event.type === 'undo' ? [this.past, this.future] : [this.future, this.past];
      to.push(before);
      Object.assign(this, from.pop());
      return;
    }
    const labels = { ...this.labels };
    const takeAway = (id: string, then?: string) => {
      for (const [image, was] of Object.entries(labels)) {
        if (was !== id) continue;
        if (then === undefined) delete labels[image];
        else labels[image] = then;
      }
    };
    if (event.type === 'label') {
      for (const { class: id, images } of event.labels) for (const image of images) labels[image] = id;
    } else if (event.type === 'clear') for (const image of event.images) delete labels[image];
    else if (event.type === 'mark') for (const image of event.images) labels[image] = event.mark;
    else if (event.type === 'merge-classes') for (const id of event.classes) takeAway(id, event.into);
    else if (event.type === 'delete-class') takeAway(event.class);
    Object.assign(this, { labels, classes });
    if (JSON.stringify([before.labels, before.classes]) === JSON.stringify([labels, classes])) return;
    this.past.push(before);
    this.future = [];
  }
}

describe('any sequence of events', () => {
  test('does what whole copies do, and the counts equal a recount', () => {
    fc.assert(
      fc.property(intents, (all) => {
        const [state, model] = [new LabelState(), new Model()];
        for (const intent of all) {
          const event = eventOf(intent, state);
          if (event === undefined) continue;
          const effect = state.effectOf(event);
          const [labelled, classes] = [state.labelledCount, state.classes.length];
          state.apply(event, state.seq + 1);
          model.apply(event, state.classes);
          const { labels, counts } = shown(state);
          const recount = Object.fromEntries(Object.keys(counts).map((id) => [id, 0]));
          for (const id of Object.values(labels)) recount[id] = (recount[id] ?? 0) + 1;
          expect([labels, state.classes, counts]).toEqual([model.labels, model.classes, recount]);
          expect(state.labelledCount - labelled).toBe(effect.labelled - effect.unlabelled);
          expect(state.classes.length - classes).toBe(effect.classes);
          expect([state.undoable === undefined, state.redoable === undefined]).toEqual([
            model.past.length === 0,
            model.future.length === 0,
          ]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('undone is the beginning, redone is the end', () => {
    fc.assert(
      fc.property(intents, (all) => {
        const state = new LabelState();
        act(state, all);
        redoAll(state);
        const end = shown(state);
        undoAll(state);
        expect(shown(state)).toEqual({ ...shown(new LabelState()) });
        redoAll(state);
        expect(shown(state)).toEqual(end);
      }),
      { numRuns: 60 },
    );
  });
});

describe('classes', () => {
  const three = () => stateAfter(add(1, 'cat', '1'), add(2, 'dog', '2'), add(3, 'hen'));
  const namesOf = ({ classes }: LabelState) => classes.map(({ name }) => name);

  test('merge says what it moves, moves it, and gives each label back', () => {
    const state = three();
    for (const event of [label('c1', ...images(0, 1000)), label('c2', ...images(1000, 1300))]) {
      state.apply(event, state.seq + 1);
    }
    const before = shown(state);
    const merge: LabelEvent = { type: 'merge-classes', classes: ['c1', 'c3'], into: 'c2' };
    expect(state.effectOf(merge)).toEqual({
      labelled: 0,
      moved: 1000,
      unlabelled: 0,
      marked: 0,
      unmarked: 0,
      classes: -2,
    });
    expect(shown(state)).toEqual(before);
    state.apply(merge, 6);
    expect([namesOf(state), state.countOf('c2'), state.labelOf(hashOf(0))]).toEqual([['dog'], 1300, 'c2']);
    undoAll(state);
    redoAll(state);
    expect(state.countOf('c2')).toBe(1300);
    state.apply({ type: 'undo', of: 6 }, state.seq + 1);
    expect(shown(state)).toEqual(before);
  });

  test('delete takes the labels of its images, and the place of the class comes back with it', () => {
    const state = three();
    state.apply(label('c1', ...images(0, 1000)), 4);
    expect(state.effectOf({ type: 'delete-class', class: 'c1' })).toMatchObject({
      unlabelled: 1000,
      classes: -1,
    });
    state.apply({ type: 'delete-class', class: 'c1' }, 5);
    expect([state.labelledCount, namesOf(state)]).toEqual([0, ['dog', 'hen']]);
    state.apply({ type: 'undo', of: 5 }, 6);
    expect([state.countOf('c1'), namesOf(state)]).toEqual([1000, ['cat', 'dog', 'hen']]);
  });

  test('an id is never given again, also where its class was undone', () => {
    const state = three();
    undoAll(state);
    expect(state.nextClassId).toBe('c4');
    expect(() => state.apply(add(3, 'cow'), state.seq + 1)).toThrow(
      'expected an id that was never given, c4',
    );
    const cow = newClass(state, ' cow ');
    expect(cow).toMatchObject({ id: 'c4', name: 'cow', key: '1' });
    expect(newClass(state, 'owl', { before: [cow] })).toMatchObject({ id: 'c5', key: '2' });
  });

  test('a key belongs to one class, names to one', () => {
    const state = three();
    state.apply({ type: 'set-key', class: 'c3', key: '1' }, 4);
    expect(state.classes.map(({ key }) => key)).toEqual([null, '2', '1']);
    state.apply({ type: 'undo', of: 4 }, 5);
    expect(state.classes.map(({ key }) => key)).toEqual(['1', '2', null]);
    expect(() => state.apply({ type: 'rename-class', class: 'c1', name: 'dog' }, 6)).toThrow(
      'expected a name that no other class has. Received: "dog".',
    );
    expect(() => state.apply(label('c9', hashOf(1)), 6)).toThrow('c9, which is not');
  });

  test('many classes differ in colour', () => {
    const state = new LabelState();
    for (let i = 0; i < 60; i++)
      state.apply({ type: 'add-class', class: newClass(state, `class ${i}`) }, i + 1);
    expect(new Set(state.classes.map(({ colour }) => colour)).size).toBe(60);
    expect(state.classes.every(({ colour }) => /^#[0-9a-f]{6}$/.test(colour))).toBe(true);
  });
});

describe('undo and redo', () => {
  test('redo is lost when something new is done, and kept where nothing is changed', () => {
    const state = stateAfter(add(1, 'cat'), label('c1', hashOf(1)), label('c1', hashOf(2)), {
      type: 'undo',
      of: 3,
    });
    state.apply(label('c1', hashOf(1)), 5); // as it is
    expect(state.redoable?.seq).toBe(3);
    state.apply(label('c1', hashOf(3)), 6);
    expect(state.redoable).toBeUndefined();
    expect(state.undoable).toMatchObject({ seq: 6, type: 'label' });
  });

  test('refuse another event than the last one, and change nothing then', () => {
    const state = stateAfter(add(1, 'cat'), label('c1', hashOf(1)));
    expect(() => state.apply({ type: 'undo', of: 1 }, 3)).toThrow(
      'labels: expected event 1 as the last one. Received: event 2.',
    );
    expect(() => state.apply({ type: 'redo', of: 1 }, 3)).toThrow('Received: nothing.');
    expect([state.seq, state.labelledCount]).toEqual([2, 1]);
  });
});
