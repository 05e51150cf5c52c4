import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/store/run-record.js';
import { cli, tiniestSettings } from '../support/cli.js';
import { byNight } from '../support/nightly.js';
import { npy, npz, zip } from '../support/npz.js';
import {
  filesBelow,
  pictureClasses,
  pictureOf,
  pictureSize,
  writePictures,
} from '../support/picture-folder.js';

const settings = JSON.stringify(tiniestSettings);
/** For what is learned, however little is known of it: of a single label a class none is held back, which halves a run. */
const briefly = '--config tiny.json --threads 1 --labels-per-class 1';

describe('a folder of somebody’s pictures, with no test set', () => {
  let cwd: string;
  const quarterturn = (args: string) =>
    cli(args.split(' '), { cwd, env: { XDG_CACHE_HOME: join(cwd, 'cache') } });
  const weights = (run: string) => fs.readFile(join(cwd, run, 'models/classifier.onnx'));

  beforeAll(async () => {
    cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-own-'));
    await writePictures(join(cwd, 'photos'), { jpeg: true });
    const whole = await fs.readFile(join(cwd, 'photos/bar/000.png'));
    await fs.writeFile(join(cwd, 'photos/bar/cut.png'), whole.subarray(0, whole.length / 2));
    await fs.writeFile(join(cwd, 'photos/edge/notes.docx'), 'no picture');
    await fs.writeFile(join(cwd, 'tiny.json'), settings);
  });
  afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

  test('goes from run to report, predictions and the same figures once more', async () => {
    const ran = await quarterturn('run --data photos --config tiny.json --threads 1 --out ran --json');
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stderr).toContain(
      'Data  photos: 190 images (2 of 192 files set aside), no test set, 32×32, 3 classes',
    );
    expect(ran.stderr).toMatch(/^Set aside {2}.*: 1 \(bar\/cut\.png\)/m);
    expect(ran.stderr).toMatch(/^Set aside {2}.*: 1 \(edge\/notes\.docx\)/m);
    const skipped = await fs.readFile(join(cwd, 'ran/skipped.csv'), 'utf8');
    const names = skipped.split('\r\n').map((line) => line.split(',')[0]);
    expect(names).toEqual(['file', 'edge/notes.docx', 'bar/cut.png', '']);
    const result: RunResult = JSON.parse(ran.stdout);
    expect(result).toMatchObject({ final: { test: null }, fineTune: { test: null } });
    expect(result.evidence.length).toBeGreaterThan(1);
    const config = JSON.parse(await fs.readFile(join(cwd, 'ran/config.json'), 'utf8'));
    expect(config.reading).toEqual({ size: 32, fit: 'cover', ground: 'black', colours: 'grey' });

    const page = await fs.readFile(join(cwd, 'ran/report.html'), 'utf8');
    expect(page).toContain('corner');
    expect(page).toContain('bar/cut.png');
    expect(page).not.toMatch(/\bNaN\b|\bundefined\b|notebook/);
    expect((await quarterturn('report ran')).code).toBe(0);

    const predicted = await quarterturn('predict ran photos/corner/003.png photos/edge/003.png --json');
    expect(predicted).toMatchObject({ code: 0 });
    const evaluated = await quarterturn('evaluate ran --json');
    expect(evaluated).toMatchObject({ code: 0 });
    expect(JSON.parse(evaluated.stdout).data).toMatchObject({ ofTheRun: true });
  });

  test('is looked at before anything is learned, and what was decoded is listed and cleared', async () => {
    const { code, stdout } = await quarterturn('inspect photos --json --sheet sheet.png');
    expect(code).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      images: { height: 32, width: 32, channels: 1, fit: 'cover' },
      pictures: { different: 1, shorterSides: { smallest: 32, median: 32, largest: 32 } },
      parts: { train: { count: 190, unlabelled: 0 }, val: { count: 0 }, test: { count: 0 } },
      duplicates: [],
      oneColour: [],
      turning: { images: 190 },
    });
    const classes = Object.entries(pictureClasses).map(([name, count]) => ({
      ...{ name, train: count, val: 0, test: 0 },
    }));
    expect(found.classes).toEqual(classes);
    expect(found.skipped).toHaveLength(2);
    expect([...(await fs.readFile(join(cwd, 'sheet.png'))).subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
    const text = (await quarterturn('inspect photos')).stdout;
    expect(text).toMatch(/^Images {4}190 to learn from; no test set$/m);
    expect(text).toMatch(/^ +90 {2}corner$/m);

    const listed = await quarterturn('cache');
    expect(listed.stdout).toMatch(/32×32 grey {2}photos$/m);
    expect((await quarterturn('cache --clear')).stdout).toMatch(/^Deleted .* of 1 data set/);
    expect((await quarterturn('cache')).stdout).toMatch(/^Nothing is kept in/);
  });

  test('is gone on with without naming it again, and not with other pictures', async () => {
    const stopped = await cli(`run --data photos ${briefly} --size 28 --out half`.split(' '), {
      cwd,
      env: { XDG_CACHE_HOME: join(cwd, 'cache') },
      signal: { name: 'SIGINT', when: /Pretraining/ },
    });
    expect(stopped.code).toBe(130);
    await fs.rename(join(cwd, 'photos/bar/001.png'), join(cwd, 'photos/edge/moved.png'));
    const refused = await quarterturn('run --resume half');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/expected the data that it was started with.*train, bar with MD5/);
    await fs.rename(join(cwd, 'photos/edge/moved.png'), join(cwd, 'photos/bar/001.png'));
    const resumed = await quarterturn('run --resume half');
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stderr).toContain('190 images (2 of 192 files set aside), no test set, 28×28, 3 classes');
    expect((await quarterturn(`run --data photos ${briefly} --size 28 --out whole`)).code).toBe(0);
    expect(await weights('half')).toEqual(await weights('whole'));
  });

  // same-data.test.ts has shorter: it asks for the same data.
  test.runIf(byNight)(
    'learns the same from an archive and from arrays of the same pictures, to the bit',
    async () => {
      await writePictures(join(cwd, 'plain'));
      await fs.writeFile(join(cwd, 'plain.zip'), zip(await filesBelow(join(cwd, 'plain'))));
      const names = Object.entries(pictureClasses).flatMap(([name, count]) =>
        Array.from({ length: count }, (_, n) => [name, n] as const),
      );
      const pixels = Buffer.concat(
        names.map(([name, n]) => pictureOf(name as keyof typeof pictureClasses, n)),
      );
      const labels = new Uint32Array(names.length * 6);
      for (const [i, [name]] of names.entries())
        labels.set(
          Array.from(name, (char) => char.charCodeAt(0)),
          i * 6,
        );
      await fs.writeFile(
        join(cwd, 'plain.npz'),
        npz({
          images: npy('|u1', [names.length, pictureSize, pictureSize], pixels),
          labels: npy('<U6', [names.length], labels),
        }),
      );
      for (const [data, run] of [
        ['plain', 'a'],
        ['plain.zip', 'b'],
        ['plain.npz', 'c'],
      ]) {
        const ran = await quarterturn(`run --data ${data} ${briefly} --out ${run}`);
        expect(ran, ran.stderr).toMatchObject({ code: 0 });
      }
      expect(await weights('b')).toEqual(await weights('a'));
      expect(await weights('c')).toEqual(await weights('a'));
    },
  );

  test('learns from the labels of a table, and from all other pictures as pile', async () => {
    await fs.mkdir(join(cwd, 'flat'));
    const rows = ['file;label'];
    for (const [path, bytes] of Object.entries(await filesBelow(join(cwd, 'photos')))) {
      const name = path.replace('/', '-');
      await fs.writeFile(join(cwd, 'flat', name), bytes);
      if (path.includes('/000.')) rows.push(`${name};${path.split('/')[0]}`);
    }
    await fs.writeFile(join(cwd, 'labels.csv'), rows.join('\n'));
    const ran = await quarterturn(
      'run --data flat --labels labels.csv --config tiny.json --threads 1 --out table',
    );
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const record = JSON.parse(await fs.readFile(join(cwd, 'table/labels.json'), 'utf8'));
    expect(record.classNames).toEqual(['bar', 'corner', 'edge']);
    expect(record.draws[0].images).toHaveLength(3);
    // What is suggested is a table to fill in, which is labels again.
    const suggested = await quarterturn('suggest table --count 5 --out more.csv');
    expect(suggested, suggested.stderr).toMatchObject({ code: 0 });
    const [header, ...lines] = (await fs.readFile(join(cwd, 'more.csv'), 'utf8')).trim().split(/\r?\n/);
    // It goes on with the run's own table, as that is written.
    expect(header).toBe('file;label');
    expect(lines.filter((line) => /^(\w+)-000\.(png|jpg);\1$/.test(line))).toHaveLength(3);
    const blank = lines.filter((line) => line.endsWith(';'));
    expect([lines.length, blank.length]).toEqual([8, 5]);
    for (const line of blank)
      expect(suggested.stdout).toMatch(new RegExp(`^ *\\d+ {2}${line.slice(0, -1)} `, 'm'));
    const filled = lines.map((line) => (line.endsWith(';') ? line + line.split('-')[0] : line));
    await fs.writeFile(join(cwd, 'more.csv'), [header, ...filled].join('\r\n'));
    const again = await quarterturn('suggest table --labels more.csv --count 5 --out more.json');
    expect(again, again.stderr).toMatchObject({ code: 0 });
    const { images } = JSON.parse(await fs.readFile(join(cwd, 'more.json'), 'utf8'));
    const given = images.map(({ file, label }: Record<string, string>) => `${file};${label ?? ''}`);
    expect(new Set(given.slice(0, 8))).toEqual(new Set(filled));
    expect(given).toHaveLength(13);
  });
});
