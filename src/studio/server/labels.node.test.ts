import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeStudio, fakePile } from '../../../test/support/studio.js';
import { newClass } from '../project/class-defaults.js';
import { LabelJournal } from '../project/journal.node.js';
import type { Pile } from './pile.js';
import type { StudioDelta, StudioState } from './updates.js';

const idOf = (i: number): string => fakePile(60).images[i]?.id ?? '';
const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => idOf(from + i));

let fake: FakeStudio;
let { piles, projects, studio } = {} as FakeStudio;
beforeEach(async () => {
  fake = await FakeStudio.create();
  ({ piles, projects, studio } = fake);
});
afterEach(() => fake.close());

const openPile = async (changes: Partial<Pile> = {}): Promise<void> => {
  const isReady = told(({ state }) => state?.pile.phase === 'ready');
  await studio.open({ path: '/photos' });
  (await piles.next()).finish({ ...fakePile(60), ...changes });
  await isReady;
};
const post = (path: string, event?: unknown) => fake.ask('POST', path, event);
const queue = (query: string) => fake.ask('GET', `/api/images?${query}`);

interface Told {
  readonly state: StudioState;
  readonly deltas: readonly StudioDelta[];
}

/** What a tab has been told, once it is what is waited for; the state is that of now. */
function told(isIt: (told: Told) => boolean): Promise<Told> {
  return new Promise((resolve) => {
    const deltas: StudioDelta[] = [];
    const tab = studio.hub.subscribe({
      send: async (message) => {
        if (message.kind === 'deltas') deltas.push(...message.deltas);
        if (!isIt({ state: studio.state, deltas })) return;
        tab.end();
        resolve({ state: studio.state, deltas });
      },
    });
  });
}

const cat = { id: 'c1', name: 'cat', colour: '#0072b2', key: '1' };

test('labels are on the disk when the answer comes, told to all tabs, and undone one after the other', async () => {
  await openPile();
  const tab = told(({ deltas }) => deltas.some(({ type }) => type === 'relabelled'));
  const label = { type: 'label', newClasses: [cat], labels: [{ class: 'c1', images: ids(0, 3) }] };
  expect(await post('/api/labels/effect', label)).toMatchObject({ status: 200, labelled: 3, classes: 1 });
  expect(await post('/api/labels', label)).toEqual({ status: 200, seq: 1 });
  const journal = await LabelJournal.open(projects.folder, { who: 'test' });
  expect(journal.state.labelOf(idOf(2))).toBe('c1');
  expect((await tab).deltas.at(-1)).toEqual({
    type: 'relabelled',
    seq: 1,
    images: ids(0, 3).map((id) => [id, 'c1']),
  });
  expect(studio.state.labels).toEqual({
    ...{ seq: 1, labelled: 3, skipped: 0, unsure: 0, undoable: 'label', redoable: null },
    classes: [{ ...cat, count: 3 }],
    nextClassId: 'c2',
  });
  expect(await post('/api/labels', { type: 'mark', mark: 'skipped', images: [idOf(2)] })).toMatchObject({
    seq: 2,
  });
  expect(studio.state.labels).toMatchObject({ labelled: 2, skipped: 1 });
  // Once more is no event.
  expect(await post('/api/labels', { type: 'mark', mark: 'skipped', images: [idOf(2)] })).toMatchObject({
    seq: null,
  });
  expect([await post('/api/labels/undo'), await post('/api/labels/undo')]).toMatchObject([
    { seq: 3 },
    { seq: 4 },
  ]);
  expect(studio.state.labels).toMatchObject({ labelled: 0, classes: [], undoable: null, redoable: 'label' });
  expect(await post('/api/labels/undo')).toEqual({ status: 200, seq: null });
  expect(await post('/api/labels/redo')).toMatchObject({ seq: 5 });
  expect(studio.state.labels).toMatchObject({ labelled: 3 });
  await journal.close();
});

test('what others append is told as well; many at once as one word', async () => {
  await openPile();
  const journal = await LabelJournal.open(projects.folder, { who: 'command line' });
  const one = told(({ deltas }) =>
    deltas.some((delta) => delta.type === 'relabelled' && delta.images !== null),
  );
  await journal.append((state) => ({ type: 'add-class', class: newClass(state, 'dog') }));
  await journal.append({ type: 'label', labels: [{ class: 'c1', images: [idOf(7), 'f'.repeat(32)] }] });
  expect((await one).deltas.at(-1)).toEqual({ type: 'relabelled', seq: 2, images: [[idOf(7), 'c1']] });
  // An image that is not here counts nowhere.
  expect(studio.state.labels).toMatchObject({ labelled: 1, classes: [{ name: 'dog', count: 1 }] });
  expect(await queue('queue=class:c1')).toMatchObject({ total: 1, images: [{ id: idOf(7), label: 'c1' }] });
  const foreign = Array.from({ length: 501 }, (_, i) => (i + 1000).toString(16).padStart(32, '0'));
  await studio.close();
  fake = await FakeStudio.create({}, projects);
  ({ piles, studio } = fake);
  await openPile(fakePile(2000));
  const many = told(({ deltas }) => deltas.some((delta) => delta.type === 'relabelled'));
  await journal.append({ type: 'mark', mark: 'unsure', images: foreign });
  expect((await many).deltas.at(-1)).toMatchObject({ type: 'relabelled', images: null });
  expect(studio.state.labels).toMatchObject({ unsure: 501 });
  await journal.close();
});

test('a queue keeps its order while it is gone through', async () => {
  await openPile();
  await post('/api/labels', {
    type: 'label',
    newClasses: [cat],
    labels: [{ class: 'c1', images: ids(10, 20) }],
  });
  const first = await queue('queue=unlabelled&count=20');
  expect(first).toMatchObject({ seq: 1, total: 50, from: 0 });
  expect(first.images.map(({ id }: { id: string }) => id)).toEqual([...ids(0, 10), ...ids(20, 30)]);
  await post('/api/labels', { type: 'label', labels: [{ class: 'c1', images: ids(0, 5) }] });
  const next = await queue('queue=unlabelled&seq=1&from=20&count=20');
  expect(next).toMatchObject({ seq: 1, total: 50, images: ids(30, 50).map((id) => ({ id })) });
  const again = await queue('queue=unlabelled&seq=1&count=1');
  expect(again.images).toEqual([{ id: idOf(0), name: 'photos/0.png', label: 'c1' }]);
  expect(await queue('queue=unlabelled')).toMatchObject({ seq: 2, total: 45 });
  expect(await queue('queue=labelled')).toMatchObject({ total: 15 });
  expect(await queue('queue=skipped')).toMatchObject({ total: 0 });
  expect(await queue('queue=labelled&seq=1')).toMatchObject({ status: 409, error: { code: 'conflict' } });
  for (const odd of ['class:', 'class:c0', 'class:cat', 'none', 'constructor']) {
    expect(await queue(`queue=${odd}`)).toMatchObject({ status: 400 });
  }
});

test('events that cannot be are refused, and change nothing', async () => {
  expect(await post('/api/labels/undo')).toMatchObject({ status: 409 });
  await openPile();
  const odd: readonly (readonly [unknown, number])[] = [
    [{ type: 'label', labels: [{ class: 'c1', images: [idOf(0)] }] }, 400],
    [{ type: 'label', newClasses: [cat], labels: [{ class: 'c1', images: ['f'.repeat(32)] }] }, 404],
    [{ type: 'clear', images: ['../../etc/passwd'] }, 400],
    [{ type: 'mark', mark: 'unsure', images: ['f'.repeat(32)] }, 404],
    [{ type: 'move-labels', moves: [{ from: idOf(0), to: idOf(1) }] }, 404],
    [{ type: 'undo', of: 1 }, 404],
    [{ type: 'delete-class', class: 'c9' }, 400],
    [{ type: 'merge-classes', classes: ['c1'], into: 'c1' }, 400],
    [{ type: 'add-class', class: { ...cat, colour: 'url(//evil.example)' } }, 400],
    [{ type: 'other' }, 400],
    [[], 400],
  ];
  for (const [event, status] of odd) {
    expect(await post('/api/labels', event), JSON.stringify(event)).toMatchObject({ status });
    expect((await post('/api/labels/effect', event)).status).toBe(status);
  }
  expect(studio.state.labels).toMatchObject({ seq: 0, classes: [] });
});

test('folders that name classes are the first labels of a project, which are undone as one', async () => {
  const { images, facts } = fakePile(60);
  const sorted = images.map((image, i) => (i < 40 ? { ...image, foundClass: i % 2 } : image));
  const found: Partial<Pile> = {
    images: sorted,
    facts: { ...facts, classNames: ['cat', 'dog'] },
    duplicates: [{ names: ['photos/3.png', 'photos/copy.png'], labels: [] }],
  };
  await openPile(found);
  expect(studio.state.labels).toMatchObject({
    seq: 1,
    labelled: 40,
    classes: [{ name: 'cat', count: 20 }, { name: 'dog' }],
  });
  expect(projects.images[3]).toEqual({ image: idOf(3), name: 'photos/3.png', copies: ['photos/copy.png'] });
  expect(await post('/api/labels/undo')).toMatchObject({ seq: 2 });
  expect(studio.state.labels).toMatchObject({ labelled: 0, classes: [] });
  // Whoever undid that does not get them again.
  await studio.open({ path: '/photos' });
  const isReady = told(({ state }) => state.pile.phase === 'ready');
  (await piles.next()).finish({ ...fakePile(60), ...found });
  await isReady;
  expect(studio.state.labels).toMatchObject({ seq: 2, labelled: 0 });
  expect(projects.closed).toBe(0);
});
