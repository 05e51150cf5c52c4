import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { root } from '../../../test/support/compile.js';
import { hashOf, shown } from '../../../test/support/label-intents.js';
import { readLabelsFile, withLabelTable } from '../../cli/labels-file.js';
import { openImages } from '../../data/readers/open-images.node.js';
import { undoLast } from './journal.node.js';
import { Project } from './project.node.js';
import { importLabels, projectLabels, readTableFile, writeProjectLabels } from './project-labels.node.js';
import { defaultConfigFolder, forgetRecent, noteRecent, recentProjects } from './recent-projects.node.js';
import { ProjectInUse } from './studio-owner.node.js';

let parent: string;
let photos: string;
beforeEach(async () => {
  parent = await fs.mkdtemp(join(tmpdir(), 'quarterturn-project-'));
  photos = join(parent, 'photos');
  await fs.mkdir(photos);
});
afterEach(() => fs.rm(parent, { recursive: true }));

const who = { who: 'studio' };
const labelled = {
  type: 'label',
  newClasses: [{ id: 'c1', name: 'cat', colour: '#0072b2', key: '1' }],
  labels: [{ class: 'c1', images: [hashOf(1)] }],
} as const;
const image = (i: number, name = `scans/${i}.png`) => ({ image: hashOf(i), name });

describe('a project', () => {
  test('is made in the folder of its pictures, and opened by either', async () => {
    const made = await Project.open(photos, who);
    expect(made).toMatchObject({
      folder: join(photos, '.quarterturn'),
      name: 'photos',
      data: { path: photos },
    });
    await made.labels.append({
      type: 'add-class',
      class: { id: 'c1', name: 'cat', colour: '#0072b2', key: '1' },
    });
    await made.setImages([image(1), image(2)]);
    await made.close();
    expect((await fs.readdir(made.folder)).sort()).toEqual(['images.json', 'labels.jsonl', 'project.json']);
    for (const path of [photos, made.folder]) {
      await using again = await Project.open(path, { ...who, make: false });
      expect(again).toMatchObject({ folder: made.folder, madeAt: made.madeAt, data: { path: photos } });
      expect(again.labels.state.classes[0]?.name).toBe('cat');
      expect(await again.images()).toEqual([image(1), image(2)]);
    }
  });

  test('moves together with its pictures, and is neither one of them nor told as set aside', async () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
      'base64',
    );
    await fs.writeFile(join(photos, '1.png'), png);
    await (await Project.open(photos, who)).close();
    await fs.rename(photos, join(parent, 'moved'));
    await using project = await Project.open(join(parent, 'moved'), who);
    expect(project.data).toEqual({ path: join(parent, 'moved') });
    const { images, skipped } = await openImages(join(parent, 'moved'));
    expect([images.map(({ name }) => name), skipped]).toEqual([['1.png'], []]);
  });

  test('lies beside a file, or where somebody says, and is of one data alone', async () => {
    const [one, other] = [join(parent, 'one.zip'), join(parent, 'other.zip')];
    await fs.writeFile(one, '');
    await fs.writeFile(other, '');
    await using beside = await Project.open(one, { ...who, name: 'Hens' });
    await beside.labels.append(labelled);
    const folder = join(parent, '.quarterturn-one.zip');
    expect(beside).toMatchObject({ folder, name: 'Hens', data: { path: one } });
    // Neither other files nor the folder that it lies in are the same.
    await using second = await Project.open(other, who);
    expect(second.data).toEqual({ path: other });
    await using around = await Project.open(parent, who);
    expect([around.folder, around.data]).toEqual([join(parent, '.quarterturn'), { path: parent }]);
    await expect(Project.open(other, { ...who, folder })).rejects.toMatchObject({
      code: 'usage',
      message: `${folder}: expected a project of ${other}. Received: "Hens", of ${one}.`,
      hint: expect.stringContaining(`Open ${one} to go on with them.`),
    });
    await using elsewhere = await Project.open(other, { ...who, folder: join(parent, 'deep/er') });
    expect(elsewhere.data).toEqual({ path: other });
    await using example = await Project.open({ example: 'mnist' }, { ...who, folder: join(parent, 'mnist') });
    expect([example.name, example.data]).toEqual(['MNIST', { example: 'mnist' }]);
    await example.labels.append(labelled);
    await expect(Project.open(one, { ...who, folder: example.folder })).rejects.toThrow('of an example');
  });

  test('one of other pictures that has no label makes room, and looking for one makes none', async () => {
    const text = join(photos, 'text.zip');
    const left = { ...who, folder: join(photos, '.quarterturn') };
    await fs.writeFile(text, 'hello');
    expect(await Project.find(photos)).toMatchObject({
      folder: join(photos, '.quarterturn'),
      isThere: false,
    });
    expect(await fs.readdir(photos)).toEqual(['text.zip']);
    // As opening a file in place of its folder left behind.
    await (await Project.open(text, left)).close();
    expect(await Project.find(photos)).toMatchObject({ name: 'photos', isThere: false });
    await expect(Project.open(photos, { ...who, make: false })).rejects.toThrow('expected a project.');
    {
      await using served = await Project.open(text, left);
      const studio = await served.serve();
      await expect(Project.find(photos)).rejects.toBeInstanceOf(ProjectInUse);
      await expect(Project.open(photos, who)).rejects.toBeInstanceOf(ProjectInUse);
      await studio.release();
    }
    await using project = await Project.open(photos, who);
    expect(project).toMatchObject({ name: 'photos', data: { path: photos } });
    await project.labels.append(labelled);
    await expect(Project.open(text, left)).rejects.toThrow('expected a project of');
    await project.labels.append(undoLast);
    await fs.mkdir(join(project.folder, 'runs/quick-1'), { recursive: true });
    await expect(Project.find(text, left)).rejects.toThrow('expected a project of');
  });

  test('says what is not there, what is damaged, and what is not made', async () => {
    const said = async (of: string) => {
      const error = await Project.find(of).catch((error) => error);
      return [error.code, error.message, error.hint];
    };
    const wanted = 'expected a folder of images. Received:';
    for (const [name, received, hint] of [
      ['no', 'nothing there', `There is nothing called no in ${parent}.`],
      ['photso', 'nothing there', `Did you mean ${photos}?`],
      ['no/photos', 'nothing there', `There is no folder ${join(parent, 'no')} either.`],
      ['photos/a.JPG', 'one picture', `Open the folder that it lies in: ${photos}`],
    ] as const) {
      const path = join(parent, name);
      if (received === 'one picture') await fs.writeFile(path, '');
      expect(await said(path)).toEqual(['data', `${path}: ${wanted} ${received}.`, hint]);
      if (received === 'one picture') await fs.rm(path);
    }
    await expect(Project.open(photos, { ...who, make: false })).rejects.toMatchObject({ code: 'usage' });
    expect(await fs.readdir(photos)).toEqual([]);
    await fs.mkdir(join(photos, '.quarterturn'));
    const file = join(photos, '.quarterturn/project.json');
    await fs.writeFile(file, '{"schema":"quarterturn-project"');
    await expect(Project.open(photos, who)).rejects.toThrow(`${file}: expected`);
  });

  test('another project.json in the folder of pictures is nothing to it', async () => {
    await fs.writeFile(join(photos, 'project.json'), '{"name":"a web site"}');
    await using project = await Project.open(photos, who);
    expect(project.folder).toBe(join(photos, '.quarterturn'));
  });

  test('labels follow an image that has another hash by now, as one event', async () => {
    await using project = await Project.open(photos, who);
    const named = (i: number, content: string) => ({ ...image(i, `${content}.png`), content });
    await project.setImages([named(1, 'a'), named(2, 'b'), named(3, 'c')]);
    await project.labels.append({
      type: 'label',
      newClasses: [{ id: 'c1', name: 'cat', colour: '#0072b2', key: '1' }],
      labels: [{ class: 'c1', images: [hashOf(1)] }],
    });
    await project.labels.append({ type: 'mark', mark: 'unsure', images: [hashOf(2)] });
    expect(await project.setImages([named(11, 'a'), named(12, 'b'), named(3, 'c')])).toBe(2);
    const { state } = project.labels;
    expect(shown(state).labels).toEqual({ [hashOf(11)]: 'c1', [hashOf(12)]: 'unsure' });
    expect(await project.setImages([named(11, 'a'), named(12, 'b')])).toBe(0);
    await project.labels.append(undoLast);
    expect(shown(state).labels).toEqual({ [hashOf(1)]: 'c1', [hashOf(2)]: 'unsure' });
  });
});

describe('a studio', () => {
  test('has a project alone; a second one is told by whom and where it is served', async () => {
    await using project = await Project.open(photos, who);
    const owner = JSON.stringify(join(root, 'dist/studio/project/studio-owner.node.js'));
    const program = join(parent, 'child.mjs');
    await fs.writeFile(
      program,
      `import { StudioOwner } from ${owner};
      const owner = await StudioOwner.take(process.argv[2]);
      await owner.setAddress('http://127.0.0.1:4321/#token=abc');
      process.send('served');
      setInterval(() => {}, 1000);`,
    );
    const other = fork(program, [project.folder]);
    await once(other, 'message');
    const error = await project.serve().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ProjectInUse);
    expect(error).toMatchObject({
      message: `${project.folder}: expected a project that no other studio serves. Received: process ${other.pid}, at http://127.0.0.1:4321/.`,
      hint: expect.stringContaining('Open http://127.0.0.1:4321/#token=abc, or'),
      ...{ code: 'io', pid: other.pid, address: 'http://127.0.0.1:4321/#token=abc' },
    });
    expect((await fs.stat(join(project.folder, 'studio.json'))).mode & 0o777).toBe(0o600);
    // The command line labels beside it.
    await project.labels.append({
      type: 'add-class',
      class: { id: 'c1', name: 'cat', colour: '#0072b2', key: null },
    });
    other.kill('SIGKILL');
    await once(other, 'exit');
    const mine = await project.serve();
    await expect(project.serve()).rejects.toMatchObject({ pid: process.pid, address: undefined });
    await mine.release();
    expect(await fs.readdir(project.folder)).not.toContain('studio.json');
    await (await project.serve()).release();
  });
});

describe('labels of the command line', () => {
  test('what the studio labelled is a table for a run, and a table is one event here', async () => {
    await using project = await Project.open(photos, who);
    await project.setImages([
      image(1),
      { ...image(2, 'b, "2".jpg'), copies: ['copy of b.jpg'] },
      image(3),
      image(4),
    ]);
    await expect(writeProjectLabels(project, join(parent, 'none.csv'))).rejects.toThrow('expected labels');
    await project.labels.append({
      type: 'label',
      newClasses: [{ id: 'c1', name: 'cat', colour: '#0072b2', key: '1' }],
      labels: [{ class: 'c1', images: [hashOf(1), hashOf(2), hashOf(9)] }],
    });
    const path = join(parent, 'labels.csv');
    expect(await writeProjectLabels(project, path)).toEqual(await projectLabels(project));
    expect(await projectLabels(project)).toEqual({
      rows: [
        { image: hashOf(1), file: 'scans/1.png', label: 'cat' },
        { image: hashOf(2), file: 'b, "2".jpg', label: 'cat' },
      ],
      ...{ classNames: ['cat'], missing: 1, seq: 1 },
    });
    // A run reads the table of the labels as they are; another state of them is another file.
    const table = await withLabelTable({ labels: photos });
    expect(await withLabelTable({ labels: project.folder })).toEqual(table);
    expect(Object.keys(table)).toEqual(['labelTable']);
    expect(await fs.readFile(table.labelTable ?? '', 'utf8')).toBe(await fs.readFile(path, 'utf8'));

    const same = await importLabels(project, await readTableFile(path));
    expect([same.seq, same.effect.labelled]).toEqual([undefined, 0]);

    const before = shown(project.labels.state);
    await fs.writeFile(
      path,
      'file,label\ncopy of b.jpg,dog 10\n1.png,\nscans/3.png, dog 2 \nscans/7.png,dog 2\n',
    );
    const imported = await importLabels(project, await readTableFile(path));
    expect(imported).toMatchObject({
      effect: { labelled: 1, moved: 1, unlabelled: 0, classes: 2 },
      ...{ seq: 2, missing: [{ row: { file: 'scans/7.png' }, reason: 'no such file' }] },
    });
    const { state } = project.labels;
    expect(state.classes.map(({ name, key }) => [name, key])).toEqual([
      ['cat', '1'],
      ['dog 2', '2'],
      ['dog 10', '3'],
    ]);
    expect([1, 2, 3].map((i) => state.labelOf(hashOf(i)))).toEqual(['c1', 'c3', 'c2']);
    expect((await withLabelTable({ labels: photos })).labelTable).not.toBe(table.labelTable);
    expect(await fs.readFile(table.labelTable ?? '', 'utf8')).not.toContain('dog');
    await project.labels.append(undoLast);
    expect(shown(state)).toEqual(before);
    await expect(withLabelTable({ labels: parent })).rejects.toThrow(`${parent}: expected a project.`);
  });

  test('images of arrays are named by their hashes', async () => {
    await using project = await Project.open(photos, who);
    await project.setImages([image(1, 'images[0]'), image(2, 'images[1]')]);
    await project.labels.append({
      type: 'label',
      newClasses: [{ id: 'c1', name: '7', colour: '#0072b2', key: null }],
      labels: [{ class: 'c1', images: [hashOf(2)] }],
    });
    const { labels = '', ...others } = await withLabelTable<{ labels?: string }>({ labels: photos });
    expect(others).toEqual({});
    expect(await readLabelsFile(labels)).toEqual({
      ...{ data: null, classNames: ['7'] },
      images: [{ image: hashOf(2), label: '7' }],
    });
  });

  test('a picture with two labels, and a table of other pictures, are refused', async () => {
    await using project = await Project.open(photos, who);
    await project.setImages([{ ...image(1, 'a.png'), copies: ['b.png'] }]);
    const table = async (text: string) => {
      await fs.writeFile(join(parent, 'l.csv'), `file,label\n${text}`);
      return importLabels(project, await readTableFile(join(parent, 'l.csv')));
    };
    await expect(table('a.png,cat\nb.png,dog\n')).rejects.toThrow(
      'a.png: "cat" and b.png: "dog", the same picture.',
    );
    await expect(table('x.png,cat\n')).rejects.toMatchObject({ code: 'data' });
    await expect(readTableFile(join(parent, 'no.csv'))).rejects.toMatchObject({ code: 'io' });
    expect(project.labels.state.seq).toBe(0);
  });
});

describe('recent projects', () => {
  test('the newest comes first, each once', async () => {
    const configFolder = join(parent, 'config/quarterturn');
    const note = (name: string) =>
      noteRecent({ folder: `/${name}`, name, data: `/${name}` }, { configFolder });
    for (const name of ['a', 'b', 'a', ...Array.from({ length: 25 }, (_, i) => `c${i}`), 'b'])
      await note(name);
    const names = async () => (await recentProjects({ configFolder })).map(({ name }) => name);
    expect(await names()).toHaveLength(20);
    expect((await names()).slice(0, 2)).toEqual(['b', 'c24']);
    await forgetRecent('/b', { configFolder });
    expect((await names())[0]).toBe('c24');
  });

  test('never fail, wherever the list is', async () => {
    const configFolder = join(parent, 'file/in/the/way');
    await fs.writeFile(join(parent, 'file'), '');
    await noteRecent({ folder: '/a', name: 'a', data: '/a' }, { configFolder });
    expect(await recentProjects({ configFolder })).toEqual([]);
    await fs.mkdir(join(parent, 'damaged'));
    await fs.writeFile(join(parent, 'damaged/projects.json'), '{');
    await noteRecent({ folder: '/a', name: 'a', data: '/a' }, { configFolder: join(parent, 'damaged') });
    expect(await recentProjects({ configFolder: join(parent, 'damaged') })).toHaveLength(1);
    vi.stubEnv('XDG_CONFIG_HOME', '/somewhere');
    expect(defaultConfigFolder()).toBe('/somewhere/quarterturn');
    vi.stubEnv('XDG_CONFIG_HOME', 'relative');
    expect(defaultConfigFolder()).not.toContain('relative');
    vi.unstubAllEnvs();
  });
});
