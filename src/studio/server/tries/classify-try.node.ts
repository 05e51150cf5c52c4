import { readFile, stat } from 'node:fs/promises';
import sharp from 'sharp';
import { contentOf } from '../../../data/image-content.js';
import { QuarterturnError } from '../../../errors.js';
import { gradientEncoder, imagesInMemory, type LoadedClassifier, loadClassifier } from '../../../index.js';
import { classifyPictures, createNodeRuntime } from '../../../node.js';
import { runFeatures } from './run-features.node.js';
import type { LabelledPicture, TryResult, TryTask } from './try-messages.js';

/** Of an upload: what a camera takes, and half as much again. A few kilobytes can claim billions. */
const maxPixels = 100_000_000;
/** As many as are looked at. */
const nearestCount = 8;

let loaded: { readonly key: string; readonly classifier: LoadedClassifier } | undefined;

/** The classifier of a file; the one before is given up once it is another. */
async function classifierOf(model: string): Promise<LoadedClassifier> {
  const { mtimeMs, size } = await stat(model);
  const key = `${model} ${mtimeMs} ${size}`;
  if (loaded?.key === key) return loaded.classifier;
  await loaded?.classifier.release();
  loaded = undefined;
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const classifier = await loadClassifier('classifier.onnx', await readFile(model), { runtime });
  loaded = { key, classifier };
  return classifier;
}

/**
 * Classify a picture as `quarterturn predict` does, and find the labelled images that are like it.
 * @throws QuarterturnError `data` for what is no picture, `usage` for one of too many pixels
 */
export async function classifyTry({ model, name, bytes, labelled, answers }: TryTask): Promise<TryResult> {
  const { height, width } = await uprightSize(name, bytes);
  const classifier = await classifierOf(model);
  const picture = { name, read: async () => ({ kind: 'file' as const, bytes }) };
  for await (const [outcome] of classifyPictures(classifier, [picture])) {
    if (outcome === undefined) continue;
    if ('error' in outcome) throw outcome.error;
    const { channels, classNames, preprocessing } = classifier;
    const { pixels } = outcome.fitted;
    const size = { height: classifier.height, width: classifier.width, channels };
    const raw = { ...size, channels: channels === 1 ? 1 : 3 } as const;
    return {
      ...{ height, width, classNames, size },
      probabilities: outcome.probabilities,
      seen: await sharp(pixels, { raw }).png().toBuffer(),
      fit: preprocessing?.fit ?? 'contain',
      nearest: answers
        ? await nearestDescribed(answers, { pixels, size, labelled })
        : await nearestOf(pixels, size, labelled),
    };
  }
  throw new RangeError('no outcome of a picture');
}

/** Height and width of a picture that may be decoded, turned upright. */
async function uprightSize(name: string, bytes: Uint8Array) {
  const content = contentOf(bytes);
  if (content.kind !== 'image') {
    const what = content.kind === 'other' ? content.what : `a file of another kind (${content.kind})`;
    throw new QuarterturnError('data', `${name}: expected an image file. Received: ${what}.`, {
      hint: content.kind === 'other' ? content.hint : 'JPEG, PNG, WebP, TIFF, GIF and AVIF can be read.',
    });
  }
  const header = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((cause) => {
      throw new QuarterturnError(
        'data',
        `${name}: expected a readable image file. Received: a ${content.format} file that is damaged or cut off.`,
        { cause },
      );
    });
  const [height, width] =
    (header.orientation ?? 1) >= 5 ? [header.width, header.height] : [header.height, header.width];
  if (height * width <= maxPixels) return { height, width };
  const [most, received] = [maxPixels, height * width].map((n) => `${Math.round(n / 1e6)} million pixels`);
  throw new QuarterturnError('usage', `${name}: expected at most ${most}. Received: ${received}.`, {
    hint: 'Make it smaller first.',
  });
}

/** By what the run's own network sees; those that it has not described are left out. */
async function nearestDescribed(
  folder: string,
  { pixels, size, labelled }: Pick<TryTask, 'labelled'> & { pixels: Uint8Array; size: TryResult['size'] },
): Promise<TryResult['nearest']> {
  const features = await runFeatures(folder);
  if (features === undefined) return [];
  return nearestAmong(labelled, await features.describe(pixels, size), features.rowOf);
}

/** Rows of labelled images by their ids: they are described once. */
const rows = new Map<string, Float32Array>();
let rowsSize = '';

async function nearestOf(
  pixels: Uint8Array,
  size: TryResult['size'],
  labelled: readonly LabelledPicture[],
): Promise<TryResult['nearest']> {
  const key = `${size.height}x${size.width}x${size.channels}`;
  if (key !== rowsSize) rows.clear();
  rowsSize = key;
  for (const { id, png } of labelled) {
    if (png === undefined || rows.has(id)) continue;
    const own = await pixelsOf(png, size);
    if (own) rows.set(id, await described(own, size));
  }
  const row = await described(pixels, size);
  return nearestAmong(labelled, row, (id) => rows.get(id));
}

function nearestAmong(
  labelled: readonly LabelledPicture[],
  row: Float32Array,
  rowOf: (id: string) => Float32Array | undefined,
): TryResult['nearest'] {
  const distances = labelled.flatMap(({ id }) => {
    const other = rowOf(id);
    return other === undefined ? [] : [{ id, distance: Math.max(0, 1 - product(row, other)) }];
  });
  return distances.sort((a, b) => a.distance - b.distance).slice(0, nearestCount);
}

/** Undefined where it has another size: it is an image of other data. */
async function pixelsOf(
  png: Uint8Array,
  { height, width, channels }: TryResult['size'],
): Promise<Uint8Array | undefined> {
  const image = sharp(png).toColourspace(channels === 1 ? 'b-w' : 'srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return info.height === height && info.width === width && info.channels === channels
    ? new Uint8Array(data)
    : undefined;
}

async function described(pixels: Uint8Array, size: TryResult['size']): Promise<Float32Array> {
  const encoder = gradientEncoder(size.channels);
  const { data } = await encoder.describe(imagesInMemory({ name: 'picture', pixels, ...size }));
  return data;
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
