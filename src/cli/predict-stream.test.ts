import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type GlyphClass,
  glyph,
  glyphClasses,
  glyphPng,
  glyphSize,
  loadGlyphClassifier,
} from '../../test/support/glyph-classifier.js';
import { idx } from '../../test/support/tiny-data.js';
import { meanOf } from '../data/brightness.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { preprocessingFor } from '../model/preprocessing.js';
import { jsonFormat } from '../runs/prediction-text.js';
import type { RunEvent } from '../store/run-event.js';
import { createOutput } from './output.js';
import { predictStream } from './predict-stream.js';
import { tableFormat } from './prediction-output.js';

let folder: string;
let classifier: LoadedClassifier;

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-predict-'));
  classifier = await loadGlyphClassifier();
  for (const name of glyphClasses) await save(name, glyph(name));
  await save(
    'negative',
    glyph('7').map((v) => 255 - v),
  );
  await save(
    'negative-3',
    glyph('3').map((v) => 255 - v),
  );
  await save('grey', new Uint8Array(glyphSize ** 2).fill(120));
  await fs.writeFile(join(folder, 'text.png'), 'no picture');
});
afterAll(async () => {
  await classifier.release();
  await fs.rm(folder, { recursive: true });
});

const save = async (name: string, pixels: Uint8Array) =>
  fs.writeFile(join(folder, `${name}.png`), await glyphPng(pixels));
const glyphs = (names: readonly GlyphClass[]) => Buffer.concat(names.map(glyph));

interface Run {
  /** What the rows show: which image, and its class. */
  readonly labels: string[];
  readonly classes: string[];
  readonly notes: string[];
  /** What the progress was told. */
  readonly passes: readonly Extract<RunEvent, { type: 'pass' }>[];
  /** Images that the model was asked about. */
  readonly asked: number;
  readonly error: unknown;
}

interface RunOptions {
  readonly invert?: boolean;
  readonly strict?: boolean;
  readonly tellClasses?: boolean;
  readonly model?: LoadedClassifier;
  readonly stream?: PassThrough;
  /** Stop once the model was asked about so many images. */
  readonly abortAfter?: number;
  readonly unsure?: number;
}

/** Classify files of the folder, as the command does. */
async function run(files: readonly string[], options: RunOptions = {}): Promise<Run> {
  const {
    invert = false,
    strict,
    tellClasses,
    model = classifier,
    stream = new PassThrough(),
    abortAfter,
  } = options;
  const notes: string[] = [];
  const passes: Extract<RunEvent, { type: 'pass' }>[] = [];
  const controller = new AbortController();
  let asked = 0;
  const counting: LoadedClassifier = {
    ...model,
    classify: async (images) => {
      asked += images.count;
      if (asked >= (abortAfter ?? Number.POSITIVE_INFINITY)) controller.abort();
      return model.classify(images);
    },
  };
  const local = (text: string) => text.replaceAll(`${folder}/`, '');
  const emit = (event: RunEvent) => {
    if (event.type === 'pass') passes.push(event);
  };
  const error = await predictStream(
    counting,
    files.map((name) => join(folder, name)),
    {
      format: tableFormat({ ...model, probabilities: false }),
      output: createOutput(stream),
      session: {
        emit,
        note: (text) => notes.push(local(text)),
        signal: controller.signal,
        clear: () => {},
        atEnd: () => {},
      },
      invert,
      strict,
      tellClasses,
      unsure: options.unsure,
    },
  ).catch((reason: unknown) => reason);
  stream.end();
  const text = stream.destroyed ? '' : local(Buffer.concat(await stream.toArray()).toString());
  const rows = [...text.matchAll(/^(\S+) +(\d) +[\d.]+ %\n/gm)];
  expect(rows.map(([row]) => row).join('')).toBe(text);
  return {
    labels: rows.map((row) => row[1]!),
    classes: rows.map((row) => row[2]!),
    notes,
    passes,
    asked,
    error,
  };
}

test.each([1, 3, 128])('%i images in one file and in as many are the same', async (count) => {
  const names = Array.from({ length: count }, (_, i) => glyphClasses[i % 3]!);
  await fs.writeFile(join(folder, 'many.idx'), idx([count, glyphSize, glyphSize], glyphs(names)));
  const files = names.map((name) => `${name}.png`);
  expect(await run(files)).toEqual({
    labels: files,
    classes: names,
    notes: [],
    passes: [],
    asked: count,
    error: undefined,
  });
  const labels = count === 1 ? ['many.idx'] : names.map((_, i) => `many.idx[${i}]`);
  expect(await run(['many.idx'])).toMatchObject({ labels, classes: names, error: undefined });
});

describe('bad files', () => {
  const files = ['1.png', 'text.png', '3.png', 'missing.png', '7.png'];
  const named = [
    'set aside: text.png: expected a readable image file. Received: a text file. JPEG, PNG, WebP, TIFF, GIF and AVIF can be read.',
    'set aside: missing.png: expected an image file, an archive or a folder. Received: no such file. Check the path and its permissions.',
  ];

  test('are named as they come, and neither stop the others nor fail the command', async () => {
    const { labels, notes, error } = await run(files);
    expect({ labels, notes, error }).toEqual({
      labels: ['1.png', '3.png', '7.png'],
      notes: named,
      error: undefined,
    });
  });

  test.each([
    ['where that is asked for', files, { strict: true }, '2 of 5'],
    ['where nothing else is there', ['text.png', 'missing.png'], {}, '2 of 2'],
  ])('fail it %s', async (_, given, options, share) => {
    const { notes, error } = await run(given, options);
    expect(notes).toEqual(named);
    expect(error).toMatchObject({
      code: 'data',
      message: `predict: expected readable files only. Received: ${share} unreadable.`,
    });
  });
});

describe('warnings', () => {
  const known = (): LoadedClassifier => ({
    ...classifier,
    preprocessing: preprocessingFor(classifier, { meanBrightness: meanOf(glyph('7')) }),
  });

  test('a picture of one colour gets its row, and a word', async () => {
    const { labels, notes } = await run(['grey.png']);
    expect(labels).toEqual(['grey.png']);
    expect(notes).toEqual(['warning: grey.png: the picture is of one colour: its class says nothing.']);
  });

  test('of many pictures of one colour the first get a word, and the others are counted', async () => {
    const { labels, notes } = await run(Array.from({ length: 13 }, () => 'grey.png'));
    expect(labels).toHaveLength(13);
    expect(notes).toHaveLength(11);
    expect(notes.at(-1)).toBe('warning: more pictures of one colour, or almost: 3.');
  });

  test('images of one colour in an IDX file are counted', async () => {
    const pixels = Buffer.concat([glyph('7'), new Uint8Array(784), glyph('3'), new Uint8Array(784).fill(9)]);
    await fs.writeFile(join(folder, 'blank.idx'), idx([4, glyphSize, glyphSize], pixels));
    expect((await run(['blank.idx'])).notes).toEqual([
      'warning: blank.idx: 2 of 4 images are almost or wholly of one colour, [1] first: their classes say nothing.',
    ]);
  });

  test('a negative is noticed where the model says how bright its images were', async () => {
    const { notes } = await run(['7.png', 'negative.png', 'negative-3.png'], { model: known() });
    expect(notes).toEqual([
      expect.stringMatching(
        /^warning: negative\.png: looks like the negative of the training images \(its mean brightness is 2\d\d, theirs \d\d\)\. Where dark and light have changed places, use --invert\.$/,
      ),
      'warning: more images that look like negatives: 1.',
    ]);
    expect((await run(['negative.png'])).notes).toEqual([]);
  });

  test('--invert answers for the negative, and is warned of where it is wrong', async () => {
    expect((await run(['negative.png', 'negative-3.png'], { invert: true })).classes).toEqual(['7', '3']);
    expect((await run(['negative.png'], { invert: true, model: known() })).notes).toEqual([]);
    expect((await run(['7.png'], { invert: true, model: known() })).notes).toEqual([
      expect.stringContaining('Try without --invert.'),
    ]);
    await fs.writeFile(
      join(folder, 'negative.idx'),
      idx(
        [1, glyphSize, glyphSize],
        glyph('7').map((v) => 255 - v),
      ),
    );
    expect((await run(['negative.idx'], { invert: true })).classes).toEqual(['7']);
  });
});

test('many pictures end with how many are of which class, where that is asked for', async () => {
  const { notes } = await run(['1.png', '3.png', '1.png', 'text.png'], { tellClasses: true });
  expect(notes.slice(1)).toEqual(['  1  2   66.7 %', '  3  1   33.3 %']);
  expect((await run(['1.png'], { tellClasses: true })).notes).toEqual([]);
});

test('how many images are unsure is told of more than one', async () => {
  const { notes } = await run(['1.png', '3.png', 'grey.png'], { unsure: 0.5 });
  expect(notes.at(-1)).toBe(
    '1 of 3 images is unsure and may show none of the classes: 1 of a probability below 0.50.',
  );
  expect((await run(['1.png', '3.png'], { unsure: 0.5 })).notes).toEqual([]);
});

test('what takes longer than two seconds tells how far it is', async () => {
  const clock = vi.spyOn(performance, 'now');
  let now = 0;
  clock.mockImplementation(() => now);
  const slow: LoadedClassifier = {
    ...classifier,
    classify: (images) => {
      now += 1500;
      return classifier.classify(images);
    },
  };
  const { passes } = await run(
    Array.from({ length: 128 }, () => '7.png'),
    { model: slow },
  );
  clock.mockRestore();
  // The second batch is known after 3 s: half of the files, and as long again to go.
  expect(passes[0]).toEqual({
    ...{ type: 'pass', title: 'Classifying', done: 64, total: 128, etaMs: 3000 },
    imagesPerSecond: 64 / 3,
  });
  expect(passes.at(-1)).toMatchObject({ done: 128, etaMs: 0 });
});

test('a model that fails leaves whole what is printed', async () => {
  let calls = 0;
  const failing: typeof classifier = {
    ...classifier,
    classify: async (images) => {
      if (++calls === 3) throw new Error('broken');
      return classifier.classify(images);
    },
  };
  const stream = new PassThrough();
  const files = Array.from({ length: 100 }, () => join(folder, '7.png'));
  const options = {
    format: jsonFormat({ ...failing, probabilities: true }),
    output: createOutput(stream),
    invert: false,
  };
  const session = {
    emit: () => {},
    note: () => {},
    signal: new AbortController().signal,
    clear: () => {},
    atEnd: () => {},
  };
  await expect(predictStream(failing, files, { ...options, session })).rejects.toThrow('broken');
  stream.end();
  expect(JSON.parse(Buffer.concat(await stream.toArray()).toString())).toHaveLength(64);
});

test('a stop leaves whole rows and says how many', async () => {
  const files = Array.from({ length: 500 }, (_, i) => `${glyphClasses[i % 3]}.png`);
  const { labels, error } = await run(files, { abortAfter: 60 });
  expect(labels).toEqual(files.slice(0, 64));
  expect(error).toMatchObject({ code: 'interrupted', message: 'after 64 images; their rows are printed.' });
});

test('a reader that has left ends the work without a failure', async () => {
  const stream = new PassThrough();
  stream.on('error', () => {});
  stream.destroy();
  const files = Array.from({ length: 500 }, () => '7.png');
  expect(await run(files, { stream })).toMatchObject({ asked: 32, error: undefined });
});
