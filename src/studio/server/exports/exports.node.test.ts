import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zipOf } from '../../../../test/support/archives.js';
import { filesBelow, writePictures } from '../../../../test/support/picture-folder.js';
import { sampleClasses, sampleClassifier } from '../../../../test/support/sample-classifier.js';
import { FakeInquiries } from '../../../../test/support/studio.js';
import { openZipTree } from '../../../data/readers/zip-tree.node.js';
import { exportClassifier, loadClassifier } from '../../../index.js';
import { createNodeRuntime, predictImages } from '../../../node.js';
import { type ExportFile, exportName } from '../../project/export-names.js';
import { Project } from '../../project/project.node.js';
import { unpackProject } from '../../project/unpack-project.node.js';
import { createApp } from '../app.node.js';
import { createKeys } from '../keys.js';
import { projectsOnDisk } from '../open-project.node.js';
import { readPile } from '../read-pile.node.js';
import { Studio } from '../studio.node.js';
import { classifyTry } from '../tries/classify-try.node.js';
import { Tries } from '../tries/tries.node.js';
import type { KeptTry, TryAnswer } from '../tries/try-messages.js';

const keys = createKeys();
let folder: string;
let studio: Studio;
let app: ReturnType<typeof createApp>;
const faults: unknown[] = [];
const file = (...parts: string[]) => join(folder, ...parts);
beforeAll(async () => {
  folder = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'quarterturn-exports-')));
  process.env.XDG_CONFIG_HOME = file('config');
  await writePictures(file('photos'), { counts: { bar: 6, corner: 5 }, jpeg: true });
  studio = new Studio({
    findProject: projectsOnDisk(),
    openPile: (source, options) => readPile(source, { ...options, cacheFolder: file('cache') }),
    inquire: new FakeInquiries().inquire,
    startTraining: () => {
      throw new Error('nothing is trained here');
    },
    onFault: (error) => faults.push(error),
  });
  const tries = new Tries(studio, { call: classifyTry, close: async () => {} });
  app = createApp({ studio, tries, keys, port: () => 4321, onFault: (error) => faults.push(error) });
  await studio.open({ path: file('photos') });
  await studio.readAnew();
  const { facts } = studio.pile;
  const models = join(studio.project.folder, 'runs', 'quick-1', 'models');
  await fs.mkdir(models, { recursive: true });
  const { network, weights } = sampleClassifier('compact', [facts.height, facts.width, facts.channels]);
  const model = exportClassifier({ network, weights, classNames: sampleClasses });
  await fs.writeFile(join(models, 'classifier.onnx'), model);
});
afterAll(async () => {
  await studio.close();
  await fs.rm(folder, { recursive: true });
  expect(faults).toEqual([]);
});

const headers = { host: '127.0.0.1:4321', 'x-quarterturn-token': keys.token };
const get = (path: string) => app.request(path, { headers });
const post = (path: string, body?: Uint8Array<ArrayBuffer>) =>
  app.request(path, { method: 'POST', headers, ...(body && { body }) });
const modelPath = () => join(studio.project.folder, 'runs', 'quick-1', 'models', 'classifier.onnx');

describe('a picture that somebody tries', () => {
  /** Turned by its EXIF data, transparent in part, grey, of other proportions, in another format. */
  const pictures = async (): Promise<Record<string, Uint8Array<ArrayBuffer>>> => {
    const base = sharp({ create: { width: 90, height: 40, channels: 4, background: '#c0402080' } });
    const source = await base
      .composite([{ input: file('photos/bar/000.png'), left: 3, top: 5 }])
      .png()
      .toBuffer();
    const bytes = async (image: Sharp) => Uint8Array.from(await image.toBuffer());
    return {
      'turned.jpg': await bytes(sharp(source).flatten().withMetadata({ orientation: 6 }).jpeg()),
      'clear.png': await bytes(sharp(source).png()),
      'grey.webp': await bytes(sharp(source).flatten().greyscale().webp({ lossless: true })),
      'own.png': Uint8Array.from(await fs.readFile(file('photos/corner/002.png'))),
    };
  };

  test('gets what `quarterturn predict` says, sees what the model sees, and finds its like', async () => {
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    await using classifier = await loadClassifier('model', await fs.readFile(modelPath()), { runtime });
    for (const [name, bytes] of Object.entries(await pictures())) {
      const answer = await post(`/api/tries?name=${name}`, bytes);
      expect(answer.status).toBe(200);
      const { probabilities, seen, nearest, height, width, run, canKeep } =
        (await answer.json()) as TryAnswer;
      await fs.writeFile(file(name), bytes);
      for await (const row of predictImages(classifier, [file(name)])) {
        if (!('probabilities' in row)) throw new Error(row.skipped.reason);
        const expected = Object.fromEntries(sampleClasses.map((each, k) => [each, row.probabilities[k]]));
        expect(Object.fromEntries(probabilities.map((each) => [each.class, each.probability]))).toEqual(
          expected,
        );
        expect(probabilities[0]?.class).toBe(row.label);
      }
      expect([run, canKeep]).toEqual(['quick-1', true]);
      expect([height, width]).toEqual({ 'turned.jpg': [90, 40], 'own.png': [32, 32] }[name] ?? [40, 90]);
      const picture = await app.request(`${seen}?key=${keys.viewKey}`, { headers: { host: headers.host } });
      const { info } = await sharp(await picture.arrayBuffer())
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([info.height, info.width]).toEqual([studio.pile.facts.height, studio.pile.facts.width]);
      expect(nearest).toHaveLength(8);
      if (name !== 'own.png') continue;
      expect(nearest[0]).toMatchObject({ label: 'c2', distance: expect.closeTo(0, 5) });
    }
  });

  test('what is none, or too large, is refused', async () => {
    const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    const bomb = Buffer.from(png);
    bomb.writeUInt32BE(40_000, 16);
    bomb.writeUInt32BE(40_000, 20);
    const refused: readonly (readonly [Uint8Array, number])[] = [
      [new Uint8Array(), 422],
      [Buffer.from('hello'), 422],
      [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 422],
      [png.subarray(0, 40), 422],
      [bomb, 400],
      [zipOf([{ name: 'a.png', data: png }]), 422],
    ];
    for (const [bytes, status] of refused) {
      const answer = await post('/api/tries', Uint8Array.from(bytes));
      expect([answer.status, await answer.text()]).toEqual([
        status,
        expect.stringMatching(/expected .*Received/),
      ]);
    }
    const large = { ...headers, 'content-length': String(2 ** 26 + 1) };
    expect((await app.request('/api/tries', { method: 'POST', headers: large, body: 'x' })).status).toBe(413);
    expect((await get('/api/tries/x/seen')).status).toBe(404);
    expect((await post('/api/tries/x/keep')).status).toBe(404);
    expect((await post('/api/tries?run=../../x', Uint8Array.from(png))).status).toBe(404);
  });

  test('can be added to the pile, under a name that is free', async () => {
    const { 'turned.jpg': bytes = new Uint8Array() } = await pictures();
    const before = studio.pile.facts.count;
    const keep = async () => {
      const { id } = (await (await post('/api/tries?name=../../bar.png', bytes)).json()) as TryAnswer;
      return (await (await post(`/api/tries/${id}/keep`)).json()) as KeptTry;
    };
    const kept = await keep();
    expect(kept).toMatchObject({ name: 'bar.jpg', isNew: true });
    expect(studio.state.pile).toMatchObject({ phase: 'ready', count: before + 1 });
    // The same picture twice is one image.
    expect(await keep()).toEqual({ ...kept, isNew: false });
    expect(await fs.readdir(file('photos'))).not.toContain('bar-2.jpg');
    // It can be looked at and labelled at once, and is the same image when all are read.
    const [label] = studio.project.labels.state.classes;
    await studio.label({ type: 'label', labels: [{ class: label?.id ?? '', images: [kept.id] }] });
    expect((await get(`/api/images/${kept.id}`)).status).toBe(200);
    const tile = await get(`/api/images/${kept.id}/tile`);
    expect(await sharp(await tile.arrayBuffer()).metadata()).toMatchObject({ width: 40, height: 90 });
    await studio.readAnew();
    const { id = '' } = studio.pile.images.find(({ name }) => name === 'bar.jpg') ?? {};
    expect(studio.labelled.labelOf(id)).toBe(label?.id);
    await studio.label({ type: 'clear', images: [id] });
    await fs.rm(file('photos', 'bar.jpg'));
    await studio.readAnew();
  });
});

describe('what leaves the studio', () => {
  const download = async (name: ExportFile) => {
    const answer = await app.request(`/api/exports/${name}?key=${keys.viewKey}`, {
      headers: { host: headers.host },
    });
    const saved = exportName('photos', name);
    expect(answer.headers.get('content-disposition')).toContain(`attachment; filename="${saved}"`);
    expect(answer.status).toBe(200);
    return Buffer.from(await answer.arrayBuffer());
  };
  const unzipped = async (name: string, bytes: Uint8Array) => {
    await fs.writeFile(file(name), bytes);
    const tree = await openZipTree(file(name), { keepHidden: true });
    await tree.close();
    return tree.entries.filter(({ kind }) => kind === 'file').map(({ path }) => path);
  };

  test('the classifier, its card, labels as a table and in folders', async () => {
    expect(await download('model.onnx')).toEqual(await fs.readFile(modelPath()));
    expect((await download('card.md')).toString()).toContain('photos.onnx');
    const rows = (await download('labels.csv')).toString().trim().split('\r\n');
    expect(rows.slice(0, 2)).toEqual(['file,label', 'bar/000.png,bar']);
    expect(rows).toHaveLength(12);
    const classes = await unzipped('classes.zip', await download('classes.zip'));
    expect(classes).toEqual(
      Object.keys(await filesBelow(file('photos'))).filter((name) => !name.startsWith('.')),
    );
    expect((await get('/api/exports/model.onnx?run=none')).status).toBe(404);
    expect((await get('/api/exports/else.zip')).status).toBe(404);
  });

  test('the whole project opens again elsewhere', async () => {
    const zip = await download('project.zip');
    const names = await unzipped('project.zip', zip);
    expect(names).toContain('photos/.quarterturn/runs/quick-1/models/classifier.onnx');
    expect(names).not.toContain('photos/.quarterturn/studio.json');
    for (const name of ['photos', 'photos-2']) {
      const opened = await unpackProject(file('project.zip'), file('elsewhere'));
      expect(opened).toMatchObject({ name, path: file('elsewhere', name) });
      await using project = await Project.open(opened.path, { who: 'studio', make: false });
      expect(project.data).toEqual({ path: file('elsewhere', name) });
      expect([...project.labels.state.labels()]).toEqual([...studio.project.labels.state.labels()]);
      expect(await fs.readFile(join(opened.path, 'bar/001.png'))).toEqual(
        await fs.readFile(file('photos/bar/001.png')),
      );
    }
    const into = encodeURIComponent(file('imported'));
    const answer = await post(`/api/projects/import?into=${into}`, Uint8Array.from(zip));
    expect([answer.status, await answer.json()]).toEqual([
      201,
      {
        name: 'photos',
        path: file('imported/photos'),
        folder: file('imported/photos/.quarterturn'),
        count: names.length,
      },
    ]);
    expect(studio.project.data).toEqual({ path: file('imported/photos') });
    expect(await fs.readdir(file('imported'))).toEqual(['photos']);
    await studio.readAnew();
  });

  test('an archive that leads out, is made to fill the disk, or holds no project leaves nothing behind', async () => {
    const project = (path: string) =>
      Buffer.from(
        JSON.stringify({
          ...{ schema: 'quarterturn-project', version: 1, name: 'a', madeAt: '2026-11-28T00:00:00.000Z' },
          data: { given: 'a', path },
        }),
      );
    const own = { name: 'a/.quarterturn/project.json', data: project('..') };
    const bad: readonly (readonly [string, Parameters<typeof zipOf>[0]])[] = [
      ['leads out', [own, { name: '../evil.txt', data: Buffer.from('x') }]],
      ['leads out', [own, { name: '/etc/evil.txt', data: Buffer.from('x') }]],
      ['leads out', [own, { name: 'a\\..\\..\\evil.txt', data: Buffer.from('x') }]],
      ['without a project', [{ name: 'a/1.png', data: Buffer.from('x') }]],
      ['without a project', [own, { name: 'b/1.png', data: Buffer.from('x') }]],
      ['elsewhere', [{ ...own, data: project('/etc') }]],
      ['elsewhere', [{ ...own, data: project('../../..') }]],
      ['far more', [own, { name: 'a/0', data: Buffer.alloc(9), isDeflated: true, sizeBytes: 2 ** 28 + 1 }]],
    ];
    for (const [why, members] of bad) {
      const into = encodeURIComponent(file('bad'));
      const answer = await post(`/api/projects/import?into=${into}`, zipOf(members));
      expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining(why)]);
    }
    expect((await post('/api/projects/import', new Uint8Array(9))).status).toBe(422);
    expect(await fs.readdir(file('bad'))).toEqual([]);
    expect(await fs.readdir(folder)).not.toContain('evil.txt');
  });
});
