import fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeStudio, fakePile, until } from '../../../../test/support/studio.js';
import { openZipTree } from '../../../data/readers/zip-tree.node.js';
import { QuarterturnError } from '../../../errors.js';
import { RunFolder } from '../../../store/run-folder.node.js';
import { answersFolder, writeAnswers } from './answer-files.node.js';
import type { RunAnswers } from './run-answers.js';

const count = 200;
const ids = fakePile(count).images.map(({ id }) => id);
const names = ['cat', 'dog', 'eel'];

let fake: FakeStudio;
let { projects, inquiries, studio, app } = {} as FakeStudio;
beforeEach(async () => {
  fake = await FakeStudio.create();
  ({ projects, inquiries, studio, app } = fake);
  await fake.open(fakePile(count));
  const colour = '#0072b2';
  for (const [i, name] of names.entries()) {
    await studio.label({ type: 'add-class', class: { id: `c${i + 1}`, name, colour, key: null } });
  }
});
afterEach(() => fake.close());

const get = (path: string) => fake.ask('GET', path);
const queue = (name: string, more = '') => get(`/api/images?queue=${encodeURIComponent(name)}${more}`);
const label = (classId: string, images: readonly string[]) =>
  studio.label({ type: 'label', labels: [{ class: classId, images: [...images] }] });

/** A run that is done; image i is taken for class i mod 3, the surer the greater i. */
async function writeRun(
  id: string,
  { shift = 0, startedAt = '2026-01-01T00:00:00.000Z', state = 'finished', known = ids } = {},
) {
  const folder = await RunFolder.create(join(projects.folder, 'runs', id));
  await folder.writeJson('config', {
    ...{ startedAt, preset: 'quick', stages: ['finetune'] },
    project: { seq: 3, classes: ['c1', 'c2', 'c3'] },
  });
  const images = ids.slice(0, 12).map((image, index) => ({
    ...{ image, index, label: names[index % 3], by: 'given' },
  }));
  await folder.writeJson('labels', { classNames: names, draws: [{ draw: 0, images }] });
  await folder.writeJson('status', {
    ...{ state, run: id, stages: ['finetune'], draws: 1, stage: null, draw: 0, step: 0 },
    ...{ totalSteps: 0, epoch: 0, epochs: 0, pass: null, etaMs: null, train: null, evaluated: null },
    ...{ evidence: [], reason: null, pid: 1, host: 'here', updatedAt: startedAt },
  });
  await folder.close();
  const row = (said: number, sure: number) => names.map((_, k) => (k === said ? sure : (1 - sure) / 2));
  const answers: RunAnswers = {
    ...{ schema: 'quarterturn-answers', version: 1, run: id, classNames: names, images: known },
    probabilities: Float32Array.from(known.flatMap((_, i) => row((i + shift) % 3, 0.4 + (0.5 * i) / count))),
    // Of the images that it learned from, networks without the label of the first say eel.
    heldBack: ids.slice(0, 2),
    heldBackProbabilities: Float32Array.from([...row(2, 0.99), ...row(1, 0.5)]),
    doubted: [{ image: ids[0] ?? '', label: 'cat', suggested: 'eel', wrong: 0.8 }],
    unsure: { below: 0.411, unlike: ids.slice(199) },
    features: null,
  };
  return () => writeAnswers(answersFolder(projects.folder, id), { answers, features: undefined });
}

test('the answers for the whole pile are a table and folders, for which the pile is asked first', async () => {
  const write = await writeRun('one');
  const models = join(projects.folder, 'runs', 'one', 'models');
  await fs.mkdir(models, { recursive: true });
  await fs.writeFile(join(models, 'classifier.onnx'), 'a classifier');
  const asking = app.request('/api/exports/predictions.csv', { headers: fake.headers });
  await until(() => inquiries.asked.length > 0);
  expect(inquiries.asked[0]).toMatchObject({ name: 'answers', task: { runId: 'one' } });
  await write();
  inquiries.asked[0]?.answer(null);
  const lines = (await (await asking).text()).trim().split('\r\n');
  expect(lines).toHaveLength(1 + count);
  expect(lines[0]).toBe('file,label,probability,unsure,p_cat,p_dog,p_eel');
  expect(lines[2]).toMatch(/^photos\/1\.png,dog,0\.4025,true,/);
  expect(lines[6]).toMatch(/^photos\/5\.png,eel,0\.4125,false,/);
  // An example has no files: what the model sees of it is packed.
  await studio.open({ example: 'mnist' });
  (await fake.piles.next()).finish(fakePile(count));
  await studio.settled();
  // In folders, labels come first, and a class that was renamed since is the same one.
  await label('c3', ids.slice(0, 1));
  await studio.label({ type: 'rename-class', class: 'c2', name: 'unsure' });
  const zip = await app.request('/api/exports/sorted.zip', { headers: fake.headers });
  await fs.writeFile(join(projects.folder, 'sorted.zip'), Buffer.from(await zip.arrayBuffer()));
  const tree = await openZipTree(join(projects.folder, 'sorted.zip'));
  await tree.close();
  const files = tree.entries.flatMap(({ kind, path }) => (kind === 'file' ? [path] : []));
  const inFolder = (folder: string) => files.filter((path) => path.startsWith(`${folder}/`));
  expect(['cat', 'unsure', 'eel', 'unsure-2'].map((folder) => inFolder(folder).length)).toEqual([
    65, 64, 66, 5,
  ]);
  expect(files).toHaveLength(count);
  expect(inFolder('unsure-2')).toEqual([1, 199, 2, 3, 4].map((i) => `unsure-2/${i}.png`));
  expect(inFolder('eel')).toContain('eel/0.png');
  const failing = await writeRun('two', { startedAt: '2026-02-01T00:00:00.000Z' });
  await failing();
  await fs.rm(answersFolder(projects.folder, 'two'), { recursive: true });
  await fs.cp(models, join(projects.folder, 'runs', 'two', 'models'), { recursive: true });
  const refused = app.request('/api/exports/predictions.csv?run=two', { headers: fake.headers });
  await until(() => inquiries.asked.length > 1);
  inquiries.asked[1]?.fail(new QuarterturnError('data', 'pictures: expected them. Received: none.'));
  expect((await refused).status).toBe(422);
});

test('the count of each cell of the confusion is that of its queue, whatever is relabelled', async () => {
  await (await writeRun('one'))();
  await label('c1', ids.slice(0, 40));
  await label('c2', ids.slice(40, 70));
  const compare = async () => {
    const { rows, columns, counts } = await get('/api/runs/one/confusion');
    expect(rows.map(({ id }: { id: string }) => id)).toEqual(columns.map(({ id }: { id: string }) => id));
    const cells = rows.flatMap((row: { id: string }, r: number) =>
      columns.map((column: { id: string }, c: number) => [row.id, column.id, counts[r][c]]),
    );
    for (const [said, taken, cell] of cells) {
      expect(await queue(`confused:one:${said}:${taken}`), `${said} ${taken}`).toMatchObject({ total: cell });
    }
    const wrong = cells.reduce(
      (sum: number, [said, taken, cell]: [string, string, number]) => sum + (said === taken ? 0 : cell),
      0,
    );
    expect(await queue('mistakes:one')).toMatchObject({ total: wrong });
    return counts;
  };
  // Image 0 counts as those say that did not learn it.
  const before = await compare();
  expect(before).toEqual([
    [13, 13, 14],
    [10, 10, 10],
    [0, 0, 0],
  ]);
  const mistakes = await queue('mistakes:one', '&count=2');
  expect(mistakes.images[0]).toMatchObject({
    ...{ id: ids[0], label: 'c1' },
    prediction: { class: 'c3', name: 'eel' },
  });
  await label('c3', [ids[0] ?? '']);
  const { seq } = mistakes;
  expect(await compare()).toEqual([
    [13, 13, 13],
    [10, 10, 10],
    [0, 0, 1],
  ]);
  // Who goes through the queue goes through it as it was.
  expect(await queue('mistakes:one', `&seq=${seq}&count=2`)).toMatchObject({ total: mistakes.total });
  await studio.undo();
  expect(await compare()).toEqual(before);
  // A class that is renamed is the same one.
  await studio.label({ type: 'rename-class', class: 'c3', name: 'moray' });
  expect(await compare()).toEqual(before);
});

test('queues of the newest run: what waits and is taken for a class, by probability, labels that are doubted', async () => {
  await (await writeRun('old'))();
  await (await writeRun('new', { shift: 1, startedAt: '2026-02-01T00:00:00.000Z' }))();
  await label('c1', ids.slice(0, 12));
  const predicted = await queue('predicted:c2', '&count=3');
  // Of 188 that wait, each third; the surest first.
  expect(predicted.total).toBe(63);
  expect(predicted.images.map(({ id }: { id: string }) => ids.indexOf(id))).toEqual([198, 195, 192]);
  expect(predicted.images[0].prediction).toEqual({
    ...{ class: 'c2', name: 'dog', probability: expect.closeTo(0.895) },
  });
  expect((await queue('by-probability:c2')).total).toBe(count);
  expect(await queue('doubted')).toMatchObject({
    total: 1,
    images: [
      {
        id: ids[0],
        label: 'c1',
        reason: { kind: 'doubted', wrong: 0.8, suggested: { id: 'c3', name: 'eel' } },
      },
    ],
  });
  // Images of other lists bear what is said of them, too.
  expect((await queue('unlabelled', '&count=1')).images[0].prediction).toMatchObject({ class: 'c2' });
  await label('c3', ids.slice(0, 1));
  expect(await queue('doubted')).toMatchObject({ total: 0 });
  expect(await get('/api/runs/old/compare/new')).toMatchObject({
    ...{ asked: count, differing: 198, labelled: 12, right: [4, 5] },
  });
  expect(await queue('differing:old:new')).toMatchObject({ total: 198 });
  for (const bad of ['predicted:cat', 'confused:one:c1', 'mistakes:', 'suggested:c1']) {
    expect(await queue(bad), bad).toMatchObject({ status: 400 });
  }
  expect(await queue('mistakes:other')).toMatchObject({ status: 404 });
  expect(await queue('mistakes:..')).toMatchObject({ status: 404 });
});

test('images that came later are asked about, once; a run that is not done says nothing', async () => {
  await (await writeRun('one', { known: ids.slice(0, 150) }))();
  await writeRun('two', { state: 'interrupted' });
  await label('c1', ids.slice(140, 160));
  expect(await get('/api/runs/one/confusion')).toMatchObject({
    counts: [[3, 3, 4], expect.anything(), expect.anything()],
    unasked: 10,
  });
  await until(() => inquiries.asked.length === 1);
  inquiries.asked[0]?.answer(null);
  await until(() => studio.state.looks === 1);
  expect(await get('/api/runs/one/confusion')).toMatchObject({ unasked: 10 });
  expect(inquiries.asked).toHaveLength(1);
  for (const path of ['confusion', 'map', 'compare/one']) {
    expect(await get(`/api/runs/two/${path}`), path).toMatchObject({ status: 409 });
  }
  expect(await queue('mistakes:two')).toMatchObject({ status: 409 });
});

test('what takes long is asked for once, and told when it is there', async () => {
  const answer = await writeRun('one');
  await label('c1', ids.slice(0, 2));
  expect(await queue('predicted:c1')).toMatchObject({ total: 0, pending: true });
  expect(await get('/api/runs/one/confusion')).toEqual({ status: 200, pending: true });
  await until(() => inquiries.asked.length === 1);
  expect(inquiries.asked[0]).toMatchObject({
    ...{ name: 'answers', task: { runId: 'one', folder: answersFolder(projects.folder, 'one') } },
  });
  await answer();
  inquiries.asked[0]?.answer(null);
  await until(() => studio.state.looks === 1);
  expect(await queue('predicted:c1')).toMatchObject({ total: 66 });

  // Suggestions: those without a label, with the reason; others are looked for when few are left.
  expect(await queue('suggested')).toMatchObject({ total: 0, pending: true });
  await until(() => inquiries.asked.length === 2);
  expect(inquiries.asked[1]).toMatchObject({
    name: 'suggest',
    task: {
      source: { path: '/photos' },
      labelled: ids.slice(0, 2),
      run: join(projects.folder, 'runs', 'one'),
    },
  });
  inquiries.asked[1]?.answer([
    { image: ids[1], reason: { kind: 'typical', share: 0.1 } },
    { image: ids[9], reason: { kind: 'typical', share: 0.1 } },
    { image: ids[5], reason: { kind: 'unsure', between: [{ name: 'dog', probability: 0.5 }] } },
  ]);
  await until(() => studio.state.looks === 2);
  const suggested = await queue('suggested');
  expect(suggested.images.map(({ id }: { id: string }) => id)).toEqual([ids[9], ids[5]]);
  expect(suggested.images[1].reason).toEqual({
    kind: 'unsure',
    between: [{ class: 'c2', name: 'dog', probability: 0.5 }],
  });
  expect(await get('/api/near-duplicates')).toMatchObject({ total: 0, pending: true });
  await until(() => inquiries.asked.length === 3);
  inquiries.asked[2]?.answer([[ids[3], ids[4]]]);
  await until(() => studio.state.looks === 3);
  expect(await get('/api/near-duplicates')).toMatchObject({ total: 1, groups: [[ids[3], ids[4]]] });
  // What fails is said, and not tried for ever.
  expect(await get('/api/runs/one/learning-curve')).toMatchObject({ pending: true });
  await until(() => inquiries.asked.length === 4);
  inquiries.asked[3]?.fail(new Error('no memory'));
  await until(() => studio.state.looks === 4);
  expect(await get('/api/runs/one/learning-curve')).toMatchObject({ status: 500 });
  expect(inquiries.asked).toHaveLength(4);
});
