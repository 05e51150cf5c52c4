import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type SampleSize,
  sampleClasses,
  sampleClassifier,
  sampleImages,
} from '../../test/support/sample-classifier.js';
import { type ImageSource, imagesInMemory } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import { decodeModel } from '../onnx/decode.js';
import { encodeModel } from '../onnx/encode.js';
import type { OnnxModel } from '../onnx/model.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { float32 } from '../tensor/tensor.js';
import { abstentionKey } from './abstention.js';
import { classNamesKey, exportClassifier, preprocessingKey } from './export-model.js';
import { type LoadedClassifier, loadClassifier } from './load-classifier.js';

const size: SampleSize = [28, 28, 1];
const sample = sampleClassifier('compact', size);
const abstention = { threshold: 0.6, accepted: 0.96, low: 0.9, high: 0.98, level: 0.95, heldBack: 100 };
const bytes = exportClassifier({ ...sample, classNames: sampleClasses, meanBrightness: 33.25, abstention });
const whole = decodeModel('whole', bytes);

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

function digits(pixels: Uint8Array, [height, width, channels] = size): ImageSource {
  return imagesInMemory({ name: 'digits.idx', pixels, height, width, channels });
}

function samples(count: number): ImageSource {
  return digits(sampleImages(count, size).data);
}

/** The error of loading a file, which has to be one of ours. */
async function refusal(file: Uint8Array): Promise<QuarterturnError> {
  try {
    await (await loadClassifier('m.onnx', file, { runtime })).release();
  } catch (error) {
    if (error instanceof QuarterturnError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

const changed = (change: (model: OnnxModel) => Partial<OnnxModel>): Uint8Array =>
  encodeModel({ ...whole, ...change(whole) });
const withMetadata = (metadata: Readonly<Record<string, string>>) => changed(() => ({ metadata }));
const withOutputShape = (...shape: (number | string)[]) =>
  changed(({ outputs }) => ({ outputs: [{ ...outputs[0]!, shape }], metadata: {} }));
const withInputShape = (...shape: (number | string)[]) =>
  changed(({ inputs }) => ({ inputs: [{ ...inputs[0]!, shape }] }));

describe('a loaded classifier', () => {
  let classifier: LoadedClassifier;
  beforeAll(async () => {
    classifier = await loadClassifier('m.onnx', bytes, { runtime });
  });
  afterAll(() => classifier.release());

  test('knows its images, its classes, how pictures are fitted and when it is unsure', () => {
    const { height, width, channels, classNames, preprocessing } = classifier;
    expect(classifier.abstention).toEqual(abstention);
    expect({ height, width, channels, classNames, preprocessing }).toEqual({
      height: 28,
      width: 28,
      channels: 1,
      classNames: sampleClasses,
      preprocessing: {
        height: 28,
        width: 28,
        channels: 1,
        layout: 'NHWC',
        dtype: 'uint8',
        colour: 'grey',
        greyWeights: [0.299, 0.587, 0.114],
        fit: 'contain',
        filter: 'lanczos3',
        background: 0,
        alphaGround: 0,
        exifOrientation: true,
        meanBrightness: 33.25,
      },
    });
  });

  test('classifies any number of images, also at the same time: each as by itself', async () => {
    const all = await classifier.classify(samples(300));
    expect(all.length).toBe(300 * sampleClasses.length);
    const [one, three, none] = await Promise.all(
      [1, 3, 0].map((count) => classifier.classify(samples(count))),
    );
    expect(none!.length).toBe(0);
    for (const some of [one!, three!]) {
      some.forEach((p, i) => {
        expect(p).toBeCloseTo(all[i]!, 6);
      });
    }
  });

  test('tells how far it is, stops when it is asked to, and can be used again', async () => {
    const stop = new AbortController();
    const told: string[] = [];
    const classified = classifier.classify(samples(300), {
      emit: ({ title, done, total }) => {
        told.push(`${title}: ${done} of ${total}`);
        if (done > 128) stop.abort();
      },
      signal: stop.signal,
    });
    await expect(classified).rejects.toMatchObject({
      code: 'interrupted',
      message: 'classifying digits.idx: stopped after 256 images.',
    });
    expect(told).toEqual(['classifying digits.idx: 128 of 300', 'classifying digits.idx: 256 of 300']);
    expect(await classifier.classify(samples(3))).toHaveLength(3 * sampleClasses.length);
  });

  test('refuses images of another size', async () => {
    const images = digits(new Uint8Array(2 * 784), [14, 56, 1]);
    await expect(classifier.classify(images)).rejects.toMatchObject({
      code: 'usage',
      message: 'm.onnx: expected images of 28×28×1. Received: digits.idx, 2 of 14×56×1.',
    });
  });

  test('is released once, and then takes no image', async () => {
    const other = await loadClassifier('other.onnx', bytes, { runtime });
    await other[Symbol.asyncDispose]();
    await other.release();
    await expect(other.classify(samples(1))).rejects.toMatchObject({
      code: 'runtime',
      message: 'other.onnx: expected a run before its release. Received: one after it.',
    });
  });
});

describe('an older file', () => {
  test('says nothing of pictures, and numbers its classes', async () => {
    const classifier = await loadClassifier('old.onnx', withMetadata({}), { runtime });
    expect(classifier.preprocessing).toBeUndefined();
    expect(classifier.classNames).toEqual(['0', '1', '2', '3', '4']);
    await classifier.release();
  });
});

describe('a file that is no classifier is refused by its name and by what it is', () => {
  const text = (content: string) => new TextEncoder().encode(content);
  const lfs = 'version https://git-lfs.github.com/spec/v1\noid sha256:fedcba98\nsize 868328\n';

  test.each([
    ['an empty file', new Uint8Array(0), 'an empty file', /download/],
    ['a Git LFS pointer', text(lfs), 'a Git LFS pointer in place of the file', /git lfs pull/],
    ['a web page', text('<!DOCTYPE html><html></html>'), 'a web page (HTML)', /Download the file itself/],
    ['a JSON file', text('{\n  "stages": []\n}'), 'a JSON file', /\.onnx/],
    ['a PNG image', Uint8Array.from([0x89, 0x50, 0x4e, 0x47]), 'a PNG image', /\.onnx/],
    ['a ZIP archive', text('PK\x03\x04'), 'a ZIP archive, or a PyTorch file', /Unpack/],
  ])('%s', async (_, file, received, hint) => {
    const error = await refusal(file);
    expect(error.code).toBe('data');
    expect(error.message).toBe(`m.onnx: expected an ONNX model. Received: ${received}.`);
    expect(error.hint).toMatch(hint);
  });

  test('a file that is cut off', async () => {
    const error = await refusal(bytes.subarray(0, bytes.length / 2));
    expect(error).toMatchObject({
      code: 'data',
      message: 'm.onnx, model: expected a complete protobuf message. Received: bytes that end too early.',
    });
  });

  test('a file of a version to come', async () => {
    const future = bytes.slice();
    expect(future[0]).toBe(0x08);
    future[1] = 99;
    const { code, message } = await refusal(future);
    expect(code).toBe('runtime');
    expect(message).toMatch(/^m\.onnx: expected a model .+ Received: IR version 99 with operator set 13/);
  });

  test('a model of another kind', async () => {
    const float = changed(({ inputs }) => ({
      inputs: [{ ...inputs[0]!, dtype: 'float32', shape: ['N', 3, 224, 224] }],
    }));
    const expected =
      'm.onnx: expected a classifier that makes float32 [N, K] of one uint8 [N, H, W, C], all but N of a fixed size. Received: probabilities float32 [N, 5] of ';
    expect((await refusal(float)).message).toBe(`${expected}images float32 [N, 3, 224, 224].`);
    expect((await refusal(withInputShape('N', 'H', 'W', 3))).message).toBe(
      `${expected}images uint8 [N, H, W, 3].`,
    );
  });

  test.each([
    ['class names', classNamesKey, '["a","b"]', '5 names as a JSON array'],
    ['class names', classNamesKey, '["a"', '5 names as a JSON array'],
    [
      'doubts',
      abstentionKey,
      '{"threshold":61}',
      'below which probability the classifier is unsure, as JSON',
    ],
    ['fitting', preprocessingKey, '{}', 'how pictures are fitted into 28×28×1, as JSON'],
    ['fitting', preprocessingKey, whole.metadata[preprocessingKey]!.replace('28', '32'), 'how pictures'],
  ])('a file whose %s do not fit', async (_, key, value, expected) => {
    const { code, message } = await refusal(withMetadata({ ...whole.metadata, [key]: value }));
    expect(code).toBe('data');
    expect(message).toContain(`m.onnx, metadata ${key}: expected ${expected}`);
  });
});

describe('a file that says something else than it does', () => {
  test.each([8, 4, 2_000_000_000])('%i classes where it has 5', async (classes) => {
    expect(await refusal(withOutputShape('N', classes))).toMatchObject({
      code: 'data',
      message: `m.onnx: expected probabilities of ${classes} classes, as the file says: float32 [2, ${classes}]. Received: float32 [2, 5].`,
    });
  });

  test('images that no machine holds', async () => {
    const { code, message } = await refusal(withInputShape('N', 100_000, 100_000, 3));
    expect(code).toBe('data');
    expect(message).toContain('Received: one of images of 100000×100000×3.');
  });

  const failing = (size: string) => ({
    code: 'data',
    message: `m.onnx: expected a classifier of any number of images of ${size}, as the file says. Received: one that fails on two blank ones.`,
  });

  test('images of another size than it takes', async () => {
    // Patches cannot be cut of 29×29.
    const error = await refusal(
      changed(({ inputs }) => ({ inputs: [{ ...inputs[0]!, shape: ['N', 29, 29, 1] }], metadata: {} })),
    );
    expect(error).toMatchObject(failing('29×29×1'));
  });

  test('any number of images where it takes one', async () => {
    const tracedWithOne = changed(({ initializers }) => ({
      initializers: Object.fromEntries(
        Object.entries(initializers).map(([name, t]) => [
          name,
          t.data instanceof BigInt64Array ? { ...t, data: t.data.map((n) => (n === -1n ? 1n : n)) } : t,
        ]),
      ),
    }));
    expect(await refusal(tracedWithOne)).toMatchObject(failing('28×28×1'));
  });
});

describe('numbers that are no probabilities', () => {
  const withHead = (change: (kernel: Float32Array) => void): Uint8Array => {
    const kernel = Float32Array.from(sample.weights['head.kernel']!.data as Float32Array);
    change(kernel);
    const weights = { ...sample.weights, 'head.kernel': float32([kernel.length / 5, 5], kernel) };
    return exportClassifier({ ...sample, weights, classNames: sampleClasses });
  };

  test('for every image: the file is refused', async () => {
    const damaged = withHead((kernel) => {
      kernel[7] = Number.NaN;
    });
    expect(await refusal(damaged)).toMatchObject({
      code: 'data',
      message: 'm.onnx: expected probabilities from 0 to 1. Received: NaN for a blank image.',
    });
  });

  test('for some images: an error that names file and image', async () => {
    // NaN only for bright images: 255 overflows where 0 does not.
    const network = decodeModel('whole', bytes);
    const scale = network.nodes.find(({ opType }) => opType === 'Mul')!.inputs[1]!;
    const model = encodeModel({
      ...network,
      initializers: { ...network.initializers, [scale]: float32([], [3e38]) },
    });
    const classifier = await loadClassifier('bright.onnx', model, { runtime });
    const images = digits(new Uint8Array(3 * 784).fill(255, 784));
    await expect(classifier.classify(images)).rejects.toMatchObject({
      code: 'data',
      message: 'bright.onnx: expected probabilities from 0 to 1. Received: NaN for image 1 of digits.idx.',
    });
    const titleOf = (index: number) => `picture${index}.png`;
    await expect(classifier.classify(images, { titleOf })).rejects.toThrow('NaN for picture1.png.');
    await classifier.release();
  });

  test('a file whose weights are overwritten gives probabilities or an error of ours', async () => {
    const change = fc.tuple(
      fc.nat({ max: bytes.length - 1 }),
      fc.uint8Array({ minLength: 1, maxLength: 16 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const damaged = bytes.slice();
        for (const [at, values] of changes) damaged.set(values.subarray(0, bytes.length - at), at);
        try {
          const classifier = await loadClassifier('m.onnx', damaged, { runtime });
          const rows = await classifier.classify(samples(3)).finally(() => classifier.release());
          expect(rows.every((p) => p >= 0 && p <= 1.0001)).toBe(true);
        } catch (error) {
          if (!(error instanceof QuarterturnError)) throw error;
          expect(error.message).toMatch(/^m\.onnx\b.*: expected .*Received: /s);
        }
      }),
      { numRuns: 100 },
    );
  });
});
