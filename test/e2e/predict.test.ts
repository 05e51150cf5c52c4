import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { preprocessingKey } from '../../src/model/export-model.js';
import { preprocessingFor } from '../../src/model/preprocessing.js';
import { type CliOptions, cli } from '../support/cli.js';
import {
  encodeGlyphClassifier,
  type GlyphClass,
  glyph,
  glyphClasses,
  glyphSize,
} from '../support/glyph-classifier.js';
import { inProcess } from '../support/in-process.js';
import { byNight } from '../support/nightly.js';
import { idx } from '../support/tiny-data.js';

let cwd: string;
const predict = (args: readonly string[], options: Omit<CliOptions, 'cwd'> = {}) =>
  cli(['predict', 'model.onnx', ...args], { cwd, ...options });
const put = (name: string, content: string | Uint8Array) => fs.writeFile(join(cwd, name), content);
const png = (name: GlyphClass) =>
  sharp(glyph(name), { raw: { width: glyphSize, height: glyphSize, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();

/** Class of each row; every line has to be one. */
function classesIn(stdout: string): string[] {
  const row = / {2}([137]) {2} *\d+\.\d\d %$/;
  const lines = stdout.split('\n').slice(0, -1);
  for (const line of lines) expect(line).toMatch(row);
  return lines.map((line) => row.exec(line)![1]!);
}

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-predict-'));
  await put('model.onnx', encodeGlyphClassifier());
  for (const name of glyphClasses) await put(`${name}.png`, await png(name));
  await put('cut.png', (await png('7')).subarray(0, 60));
  await put('empty.png', '');
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

describe('a command line as long as a shell makes of *.png', () => {
  // ONNX Runtime's usage data overflowed the stack here from some 32 kB on.
  test.each(byNight ? [1000, 4000] : [1000])('%i names', async (count) => {
    const names = Array.from({ length: count }, (_, i) => `photographs-of-a-long-afternoon-${i}.png`);
    await Promise.all(
      names.map((name, i) => fs.link(join(cwd, `${glyphClasses[i % 3]}.png`), join(cwd, name))),
    );
    expect(names.join(' ').length).toBeGreaterThan(32_768);
    const { code, stdout, stderr } = await predict(names);
    // What takes longer than two seconds says how long.
    expect({ code, stderr: stderr.replace(/^[\d,]+ images in .*\n$/, '') }).toEqual({ code: 0, stderr: '' });
    expect(classesIn(stdout)).toEqual(names.map((_, i) => glyphClasses[i % 3]));
    await Promise.all(names.map((name) => fs.rm(join(cwd, name))));
  });

  test('nothing of the use is written down for anybody', async () => {
    const home = join(cwd, 'home');
    await fs.mkdir(home);
    const env = { HOME: home, XDG_CACHE_HOME: join(home, '.cache'), TMPDIR: home };
    expect((await predict(['7.png'], { env })).code).toBe(0);
    expect(await fs.readdir(home)).toEqual([]);
  });
});

describe('names come from elsewhere', () => {
  test('from a list, with zero bytes between where a name has a line break', async () => {
    await put('two\nlines.png', await png('3'));
    await put('list.txt', '7.png\r\n1.png\n');
    await put('zeros.txt', 'two\nlines.png\0' + '7.png\0');
    expect(classesIn((await predict(['--files-from', 'list.txt'])).stdout)).toEqual(['7', '1']);
    const { stdout } = await predict(['3.png', '--files-from', 'zeros.txt']);
    expect(classesIn(stdout)).toEqual(['3', '3', '7']);
    expect(stdout).toContain('two\\nlines.png  3');
  });

  test.each([
    [['-'], 2000], // with a command line they would not fit
    [['--files-from', '-'], 129],
  ])('from standard input, asked for by %j: %i names', async (args, count) => {
    const stdin = Array.from({ length: count }, (_, i) => `./${glyphClasses[i % 3]}.png`).join('\n');
    const { code, stdout } = await predict(args, { stdin });
    expect(code).toBe(0);
    expect(classesIn(stdout)).toEqual(Array.from({ length: count }, (_, i) => glyphClasses[i % 3]));
  });

  test('from a folder, without what is no picture', async () => {
    await fs.mkdir(join(cwd, 'scans/more'), { recursive: true });
    for (const [name, shown] of [
      ['b.png', '7'],
      ['a', '1'],
      ['more/c.jpeg', '3'],
    ] as const) {
      await put(`scans/${name}`, await png(shown));
    }
    for (const name of ['.DS_Store', '._a', 'labels.csv', 'more/Thumbs.db']) await put(`scans/${name}`, 'x');
    const { code, stdout, stderr } = await predict(['scans']);
    expect(code).toBe(0);
    expect(stdout.match(/^\S+ +\d/gm)).toEqual([
      'scans/a            1',
      'scans/b.png        7',
      'scans/more/c.jpeg  3',
    ]);
    expect(stderr).toMatch(
      /^Passed over in folders, .*: 4 \(scans\/\.DS_Store, scans\/\._a, scans\/labels\.csv, …\)\n$/,
    );
  });

  test('none at all is wrong usage', async () => {
    const { code, stderr } = await predict([]);
    expect(code).toBe(2);
    expect(stderr).toContain('predict: expected files, folders or --files-from. Received: none.');
  });
});

describe('bad files among good ones', () => {
  const files = ['1.png', 'cut.png', '3.png', 'empty.png', '7.png'];

  test('are named, and the others answered', async () => {
    const { code, stdout, stderr } = await predict(files);
    expect(code).toBe(0);
    expect(classesIn(stdout)).toEqual(['1', '3', '7']);
    const named = [
      'set aside: cut.png: expected a readable image file. Received: a PNG file that is cut off. Copy or download the file again.',
      'set aside: empty.png: expected a readable image file. Received: an empty file. Copy or download the file again.',
    ];
    expect(stderr.trimEnd().split('\n')).toEqual(named);
    const strict = await predict([...files, '--strict']);
    expect(strict).toMatchObject({ code: 1, stdout });
    expect(strict.stderr.split('\n').slice(0, 3)).toEqual([
      ...named,
      'error: predict: expected readable files only. Received: 2 of 5 unreadable.',
    ]);
  });

  test('leave JSON whole', async () => {
    const { code, stdout } = await predict([...files, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).map(({ file }: { file: string }) => file)).toEqual(['1.png', '3.png', '7.png']);
    const nothing = await predict(['empty.png', '--json']);
    expect({ ...nothing, stdout: JSON.parse(nothing.stdout) }).toMatchObject({ code: 1, stdout: [] });
  });
});

describe('a file of answers', () => {
  const files = ['1.png', 'cut.png', '3.png', '7.png'];

  test('is a table, a list of what was set aside beside it, and a word on both', async () => {
    const { code, stdout, stderr } = await predict([...files, '--out', 'answers.csv', '--unsure', '0.5']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const rows = (await fs.readFile(join(cwd, 'answers.csv'), 'utf8')).split('\r\n');
    expect(rows.map((row) => row.replace(/,[\d.]+,false$/, ',p,false'))).toEqual([
      'file,index,label,probability,unsure',
      ...['1', '3', '7'].map((name) => `${name}.png,,${name},p,false`),
      '',
    ]);
    expect(await fs.readFile(join(cwd, 'answers.csv.skipped.csv'), 'utf8')).toContain(
      'cut.png,PNG file that is cut off',
    );
    expect(stderr.split('\n').slice(0, 4)).toEqual([
      'Set aside  PNG file that is cut off: 1 (cut.png). Copy or download the file again.',
      'All of it is named in answers.csv.skipped.csv.',
      expect.stringMatching(/^3 images in .*, [\d.,]+ images\/s; 1 set aside\.$/),
      'Written  answers.csv',
    ]);
    expect((await predict([...files, '--out', 'answers.csv', '--strict', '--overwrite'])).code).toBe(1);
    expect(await predict([...files, '--out', 'answers.csv'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('give --overwrite'),
    });
  });

  test('is put together of the parts of several processes', async () => {
    for (const i of [1, 2]) {
      expect((await predict([...files, '--shard', `${i}/2`, '--out', `a-${i}.part`])).code).toBe(0);
    }
    const merged = await cli(['merge', 'a-1.part', 'a-2.part', '--out', 'merged.jsonl'], { cwd });
    expect(merged.code).toBe(0);
    const lines = (await fs.readFile(join(cwd, 'merged.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).file)).toEqual(['1.png', '3.png', '7.png']);
  });

  test('stands beside the pictures that are sorted', async () => {
    expect((await predict([...files, '--sort-into', 'sorted'])).code).toBe(0);
    expect((await fs.readdir(join(cwd, 'sorted'), { recursive: true })).sort()).toEqual([
      ...['1', '1/1.png', '3', '3/3.png', '7', '7/7.png', 'predictions.csv', 'predictions.csv.skipped.csv'],
    ]);
  });

  test.each([
    ['--out answers.txt', 'expected a name that ends in .csv, .jsonl, .json or .parquet'],
    ['--shard 1/2', 'expected --out with --shard. Received: none.'],
    ['--shard 3/2 --out a.part', '--shard: expected a part of all, such as 1/4. Received: 3/2.'],
    ['--shard 1/2 --out a.csv', 'a name that ends in .part'],
    ['--link', 'expected --sort-into with --link. Received: none.'],
    ['--unsure 70', '--unsure: expected a probability from 0 to 1. Received: 70.'],
    ['--format parquet', 'expected --out with --format parquet. Received: none.'],
    ['--json --format csv', "'--json' cannot be used with"],
  ])('%s is wrong usage', async (args, message) => {
    const { code, stderr } = await inProcess(['predict', 'model.onnx', '7.png', ...args.split(' ')], { cwd });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });
});

describe('names that mean something to somebody', () => {
  const names = [
    ...['photo[1].png', 'scan[1]', 'photo.png[page=1]', '4B:1z.png', '100%.png', '%d.png', '*.png', '~.png'],
    ...['$(x).png', '#hash?query.png', 'a%20b.png', 'back\\slash.png', `quote's "x".png`, ' leading.png'],
    ...[
      'trailing.png ',
      'tab\there.png',
      'three\nlines\n.png',
      '\x1b[31mred.png',
      '\u202egnp.7.png',
      'é🦊.png',
    ],
  ];

  test('are names and nothing else, a line each', async () => {
    await fs.mkdir(join(cwd, 'hostile'));
    for (const name of names) await put(`hostile/${name}`, await png('7'));
    await put('hostile/scan', await png('3'));
    const paths = [...names, 'scan'].map((name) => `hostile/${name}`);
    const { code, stdout, stderr } = await predict(paths);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(classesIn(stdout)).toEqual([...names.map(() => '7'), '3']);
    for (const raw of ['\x1b', '\u202e', '\t']) expect(stdout).not.toContain(raw);
    const json = JSON.parse((await predict([...paths, '--json'])).stdout);
    expect(json.map(({ file }: { file: string }) => file)).toEqual(paths);
  });

  test.runIf(process.platform === 'linux')('may be no UTF-8', async () => {
    await fs.mkdir(join(cwd, 'latin1'));
    const path = Buffer.concat([Buffer.from(join(cwd, 'latin1/')), Buffer.from([0xe9, 0x2e, 0x70])]);
    await fs.writeFile(path, await png('7'));
    expect(classesIn((await predict(['latin1'])).stdout)).toEqual(['7']);
    expect(classesIn((await predict(['latin1/\ufffd.p'])).stdout)).toEqual(['7']);
  });

  test('a dash at the beginning needs -- or ./, and the message says so', async () => {
    await put('-dash.png', await png('7'));
    const { code, stderr } = await predict(['-dash.png']);
    expect(code).toBe(2);
    expect(stderr).toContain('predict: expected an option. Received: -dash.png, the name of a file.');
    expect(stderr).toContain('Write ./-dash.png, or -- before the names of files.');
    expect(classesIn((await predict(['--', '-dash.png'])).stdout)).toEqual(['7']);
    expect(classesIn((await predict(['./-dash.png'])).stdout)).toEqual(['7']);
    expect((await predict(['--limt', '3', '7.png'])).stderr).toContain('Did you mean --limit?');
  });
});

test('what a file holds decides, whatever its name', async () => {
  const two = idx([2, glyphSize, glyphSize], Buffer.concat([glyph('7'), glyph('1')]));
  await put('idx-called.png', two);
  await put('packed-idx', gzipSync(two));
  await put('members', Buffer.concat([gzipSync(two.subarray(0, 700)), gzipSync(two.subarray(700))]));
  await put('png-called.jpg', await png('3'));
  await put('noextension', await png('3'));
  await put('packed-png', gzipSync(await png('3')));
  await put('nothing.idx', idx([0, glyphSize, glyphSize], new Uint8Array()));
  const args = ['idx-called.png', 'packed-idx', 'members', 'png-called.jpg', 'noextension', 'packed-png'];
  const { code, stdout } = await predict(args);
  expect(code).toBe(0);
  expect(classesIn(stdout)).toEqual(['7', '1', '7', '1', '7', '1', '3', '3', '3']);
  expect(await predict(['nothing.idx'])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'warning: nothing.idx: holds no images.\n',
  });
});

test('of an IDX file no more is unpacked than --limit asks for', async () => {
  const names = Array.from({ length: 3000 }, (_, i) => glyphClasses[i % 3]!);
  const whole = gzipSync(idx([3000, glyphSize, glyphSize], Buffer.concat(names.map(glyph))));
  // What is missing would be found by whoever goes on to the end.
  await put('half.gz', whole.subarray(0, whole.length / 2));
  const { code, stdout } = await predict(['half.gz', '--limit', '3']);
  expect({ code, classes: classesIn(stdout) }).toEqual({ code: 0, classes: names.slice(0, 3) });
  expect((await predict(['half.gz'])).code).toBe(1);
});

test.runIf(process.platform === 'linux')('a full disk is told in one message', async () => {
  const bin = resolve(import.meta.dirname, '../../bin/quarterturn.js');
  const command = `"${process.execPath}" "${bin}" predict model.onnx 7.png > /dev/full`;
  const { status, stderr } = spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^error: standard output: expected to write it\. Received: ENOSPC, .*\.\nhint: .*\n$/,
  );
});

test('a negative is told where the model says how bright its images were, and --invert answers for it', async () => {
  const preprocessing = preprocessingFor(
    { height: glyphSize, width: glyphSize, channels: 1 },
    { meanBrightness: 25 },
  );
  await put('telling.onnx', encodeGlyphClassifier({ [preprocessingKey]: JSON.stringify(preprocessing) }));
  await put(
    'negative.png',
    await sharp(await png('3'))
      .negate()
      .png()
      .toBuffer(),
  );
  const ask = (...args: string[]) => cli(['predict', 'telling.onnx', 'negative.png', ...args], { cwd });
  const { code, stderr } = await ask();
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /^warning: negative\.png: looks like the negative of the training images .* use --invert\.\n$/,
  );
  const inverted = await ask('--invert');
  expect(inverted.stderr).toBe('');
  expect(classesIn(inverted.stdout)).toEqual(['3']);
});

describe('a stop', () => {
  const names = (count: number) => Array.from({ length: count }, () => '7.png').join('\n');

  test('Ctrl-C exits 130 and leaves whole rows', async () => {
    const signal = { name: 'SIGINT', when: /^set aside: empty\.png/m, afterMs: 200 } as const;
    const { code, stdout, stderr } = await predict(['-'], { stdin: `empty.png\n${names(100_000)}`, signal });
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopped: after [\d,]+ images; their rows are printed\./);
    const said = Number(/after ([\d,]+) images/.exec(stderr)![1]!.replaceAll(',', ''));
    expect(classesIn(stdout)).toHaveLength(said);
    expect(said).toBeLessThan(100_000);
  });

  test('JSON is whole all the same', async () => {
    const signal = { name: 'SIGINT', when: /^set aside: empty\.png/m, afterMs: 200 } as const;
    const args = ['-', '--json'];
    const { code, stdout } = await predict(args, { stdin: `empty.png\n${names(100_000)}`, signal });
    expect(code).toBe(130);
    expect(JSON.parse(stdout).every((each: { label: string }) => each.label === '7')).toBe(true);
  });

  test('a reader that leaves early is no failure', async () => {
    const { code, stderr } = await predict(['-'], { stdin: names(2000), closeStdout: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
