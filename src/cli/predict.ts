import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ImageDataset } from '../data/dataset.js';
import { readIdx } from '../data/idx.js';
import { QuarterturnError } from '../errors.js';
import { type LoadedClassifier, loadClassifier } from '../recipes/load-classifier.js';
import { formatPercent } from '../report/format.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { type PlaceFlags, placeOf } from './place.js';

interface PredictFlags extends PlaceFlags {
  readonly limit?: number;
  readonly json?: boolean;
}

/** What is said of one image. */
interface Prediction {
  readonly file: string;
  /** Position in its file, from 0. */
  readonly index: number;
  readonly class: string;
  readonly probability: number;
  /** Of every class, in the model's order. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** `quarterturn predict`: use a saved classifier. */
export function addPredictCommand(program: Command): void {
  const command = program
    .command('predict')
    .summary('classify images with a saved model')
    .description(
      'Classify images: IDX files of many, plain or .gz, or PNG, JPEG, WebP, TIFF, GIF, AVIF files of one. The model knows its image size and its classes; image files are fitted into that size.',
    )
    .argument('<model>', 'an .onnx file that a run saved, or the folder of the run')
    .argument('<files...>', 'IDX or image files');
  addGroup(command, 'What to do:', [option.limit(), option.device(), option.threads()]);
  addOutputGroup(command, [option.json('predictions')]);
  addExamples(command, [
    ['quarterturn predict runs/five digit.png', 'one line: file, class, probability'],
    ['quarterturn predict model.onnx *.png --json', 'every probability, for programs'],
    ['quarterturn predict model.onnx t10k-images-idx3-ubyte --limit 20', 'the first 20 test images'],
  ]);
  command.action(predict);
}

async function predict(modelPath: string, files: readonly string[], flags: PredictFlags): Promise<void> {
  const model = await fileContent(await modelFile(modelPath), 'an ONNX model');
  const { createNodeRuntime } = await import('../runtime/node.js');
  const runtime = await createNodeRuntime(placeOf(flags));
  const classifier = await loadClassifier(model.path, model.bytes, runtime);
  const predictions: Prediction[] = [];
  for (const file of files) {
    const images = await readImages(file, classifier, flags.limit);
    predictions.push(...predictionsOf(file, await classifier.classify(images), classifier.classNames));
  }
  process.stdout.write(flags.json ? `${JSON.stringify(predictions, null, 2)}\n` : formatLines(predictions));
}

/** The model itself, or the one in a run's folder. */
async function modelFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? join(path, 'models', 'classifier.onnx') : path;
}

async function fileContent(path: string, what: string): Promise<{ path: string; bytes: Uint8Array }> {
  try {
    const { buffer, byteOffset, byteLength } = await readFile(path);
    return { path, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const received = code === 'ENOENT' ? 'no such file' : `${code}, a file that cannot be read`;
    throw new QuarterturnError('io', `${path}: expected ${what}. Received: ${received}.`, {
      hint: 'Check the path and its permissions.',
      cause,
    });
  }
}

/** All images of a file, in the classifier's size. */
async function readImages(
  file: string,
  { height, width, channels }: LoadedClassifier,
  limit = Number.POSITIVE_INFINITY,
): Promise<ImageDataset> {
  const { bytes } = await fileContent(file, 'an IDX or image file');
  if (!isIdx(bytes)) {
    // Loaded only now: IDX files need no image library.
    const { readImageFiles } = await import('../data/image-files.node.js');
    return readImageFiles([file], { height, width, channels });
  }
  const { shape, data } = await readIdx(file, bytes);
  const [count, ...size] = shape.length === 3 ? [...shape, 1] : shape;
  if (size.join() !== [height, width, channels].join()) {
    throw new QuarterturnError(
      'data',
      `${file}: expected images of ${height}×${width}×${channels}, as the model was trained on. Received: an array of ${shape.join(' × ')}.`,
      { hint: 'Use images of that size, or a model that was trained on this size.' },
    );
  }
  const images = { name: file, count: Math.min(count!, limit), height, width, channels, classNames: [] };
  return { ...images, images: data };
}

/** IDX begins with two zero bytes and the type ubyte; no image format is gzipped. */
function isIdx([a, b, c]: Uint8Array): boolean {
  return (a === 0 && b === 0 && c === 8) || (a === 0x1f && b === 0x8b);
}

function predictionsOf(
  file: string,
  probabilities: Float32Array,
  classNames: readonly string[],
): Prediction[] {
  const k = classNames.length;
  return Array.from({ length: probabilities.length / k }, (_, index) => {
    const row = [...probabilities.subarray(index * k, (index + 1) * k)];
    const probability = Math.max(...row);
    return {
      file,
      index,
      class: classNames[row.indexOf(probability)]!,
      probability,
      probabilities: Object.fromEntries(row.map((p, i) => [classNames[i]!, p])),
    };
  });
}

/** One aligned line an image: its file (and its place, where the file holds several), class, probability. */
function formatLines(predictions: readonly Prediction[]): string {
  const several = new Set(predictions.filter(({ index }) => index > 0).map(({ file }) => file));
  const labels = predictions.map(({ file, index }) => (several.has(file) ? `${file}[${index}]` : file));
  const widthOf = (texts: readonly string[]) =>
    texts.reduce((width, text) => Math.max(width, text.length), 0);
  const [labelWidth, classWidth] = [widthOf(labels), widthOf(predictions.map((p) => p.class))];
  return predictions
    .map(
      (p, i) =>
        `${labels[i]!.padEnd(labelWidth)}  ${p.class.padEnd(classWidth)}  ${formatPercent(p.probability).padStart(8)}\n`,
    )
    .join('');
}
