import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pictureOf, writePictures } from '../../test/support/picture-folder.js';
import { Project } from '../studio/project/project.node.js';
import { importLabels, readTableFile } from '../studio/project/project-labels.node.js';
import { withLabelsSince, withProjectLabels } from './project-of-data.js';

let folder: string;
const place = (name: string) => join(folder, name);
const who = { who: 'studio' };
/** Give two images of a folder a label, as the studio does. */
async function label(path: string, files: readonly string[]): Promise<void> {
  await using project = await Project.open(path, who);
  await project.setImages(files.map((name, i) => ({ image: i.toString(16).padStart(32, '0'), name })));
  const rows = files.map((file, i) => `${file},${['cat', 'dog'][i % 2]}\n`);
  await fs.writeFile(place('given.csv'), `file,label\n${rows.join('')}`);
  await importLabels(project, await readTableFile(place('given.csv')));
}
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-own-labels-'));
  await writePictures(place('sorted'), { counts: { bar: 2, corner: 2 } });
  for (const name of ['pile', 'bare']) {
    await fs.mkdir(place(name));
    for (const n of [0, 1, 2]) await fs.writeFile(join(place(name), `${n}.png`), pictureOf('bar', n));
  }
  await label(place('pile'), ['0.png', '1.png']);
});
afterAll(() => fs.rm(folder, { recursive: true }));

const taken = async (flags: Parameters<typeof withProjectLabels>[0]) => {
  const notes: string[] = [];
  const found = await withProjectLabels(flags, { note: (text) => notes.push(text) });
  const { labelTable } = found;
  return { notes, labels: labelTable && (await fs.readFile(labelTable, 'utf8')), isSame: found === flags };
};

test('labels of the project in the data are taken where nothing else says any, and that is said', async () => {
  const data = place('pile');
  expect(await taken({ data })).toEqual({
    notes: [`Labels  2 of the studio's project in ${data}; --labels names others`],
    labels: 'file,label\r\n0.png,cat\r\n1.png,dog\r\n',
    isSame: false,
  });
  const same = { notes: [], labels: undefined, isSame: true };
  for (const flags of [
    {},
    { data: place('bare') },
    { data: place('none') },
    { data, labels: 'labels.json' },
  ]) {
    expect(await taken(flags)).toEqual(same);
  }
  // Folders say the classes; labels that were changed since have to be asked for.
  const sorted = place('sorted');
  await label(sorted, ['bar/000.png', 'corner/000.png']);
  expect(await taken({ data: sorted })).toEqual(same);
  await label(sorted, ['bar/000.png', 'corner/000.png', 'bar/001.png']);
  expect(await taken({ data: sorted })).toMatchObject({
    notes: [`Labels  those of the data; --labels ${sorted} takes the 3 of the studio's project in ${sorted}`],
    isSame: true,
  });
});

test('a look at a run takes them where the run had none of its own', async () => {
  const dataFolder = place('pile');
  const note = (): void => {};
  const { labelTable: ofProject } = await withProjectLabels({ data: dataFolder }, { note });
  const since = (config: Record<string, unknown>, labels: unknown = null) =>
    withLabelsSince({}, { config: { dataFolder, ...config }, labels, note });
  for (const config of [{}, { project: { seq: 1 } }, { reading: { labelTable: ofProject } }]) {
    expect((await since(config)).labelTable).toBe(ofProject);
  }
  expect(await since({ project: { seq: 1 } }, { images: [] })).toEqual({ labelTable: ofProject });
  expect([await since({}, { images: [] }), await since({ reading: { labelTable: '/l.csv' } })]).toEqual([
    {},
    {},
  ]);
});
