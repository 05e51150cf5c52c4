import { beforeAll, describe, expect, test } from 'vitest';
import { imagesInMemory } from '../../src/data/image-source.js';
import { type FrozenEncoder, openEncoder } from '../../src/features/onnx-encoder.js';
import { composeClassifier, type LinearHead } from '../../src/model/compose.js';
import { describeModel } from '../../src/model/describe-model.js';
import { loadClassifier } from '../../src/model/load-classifier.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import { zeros } from '../../src/tensor/tensor.js';
import { composedNetworks, sampleHead } from '../support/composed.js';
import { expectClose } from '../support/numeric.js';
import { checkOnnx, classifyWithOpenCv, pythonWith } from '../support/python.js';
import { sampleClasses, sampleCounts, sampleImages } from '../support/sample-classifier.js';

const python = { cv2: await pythonWith('cv2'), onnx: await pythonWith('onnx') };

/** The two steps apart: features by the encoder, then the head in float64. */
async function expectedFrom(
  encoder: FrozenEncoder,
  head: LinearHead,
  images: ReturnType<typeof sampleImages>,
) {
  const [count = 0, height = 0, width = 0, channels = 0] = images.shape;
  const source = imagesInMemory({ name: 'gratings', pixels: images.data, height, width, channels });
  const { data } = await encoder.describe(source);
  const [d = 0, classes = 0] = head.kernel.shape;
  return Array.from({ length: count }, (_, n) => {
    const logits = Array.from({ length: classes }, (_, k) => {
      let sum = head.bias.data[k] ?? 0;
      for (let i = 0; i < d; i++) sum += (data[n * d + i] ?? 0) * (head.kernel.data[i * classes + k] ?? 0);
      return sum;
    });
    const most = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - most));
    const total = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / total);
  }).flat();
}

describe.each(composedNetworks)('$what with a head', ({ bytes, size, options, inOpenCv }) => {
  const [height, width, channels] = size;
  const images = sampleImages(128, size);
  let runtime: Runtime;
  let model: Uint8Array;
  let expected: readonly number[];
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    await using encoder = await openEncoder('net.onnx', bytes, { runtime, ...options });
    const pixels = images.data.slice(0, 5 * height * width * channels);
    const few = imagesInMemory({ name: 'five', pixels, height, width, channels });
    const head = sampleHead(await encoder.describe(few));
    const image = { height, width, channels };
    model = composeClassifier({ encoder, head, image, classNames: sampleClasses, meanBrightness: 12 });
    expected = await expectedFrom(encoder, head, images);
  });
  const firstRows = (count: number) => ({
    shape: [count, sampleClasses.length],
    data: expected.slice(0, count * sampleClasses.length),
  });

  test.each(sampleCounts)('%i at once, in ONNX Runtime for Node: as the two steps apart', async (count) => {
    await using classifier = await loadClassifier('composed.onnx', model, { runtime });
    expect(classifier.classNames).toEqual(sampleClasses);
    expect(classifier.preprocessing).toMatchObject({ height, width, channels, meanBrightness: 12 });
    const pixels = images.data.slice(0, count * height * width * channels);
    const source = imagesInMemory({ name: 'gratings', pixels, height, width, channels });
    const probabilities = await classifier.classify(source);
    expectClose(
      { shape: [count, 5], data: probabilities },
      firstRows(count),
      { absolute: 1e-4 },
      'probabilities',
    );
  });

  test('answers differently to different images', () => {
    const spreads = sampleClasses.map((_, k) => {
      const column = expected.filter((_, i) => i % sampleClasses.length === k);
      return Math.max(...column) - Math.min(...column);
    });
    expect(Math.max(...spreads)).toBeGreaterThan(0.04);
  });

  test('1, 3 and 128 at once, in OpenCV', async ({ skip }) => {
    if (!python.cv2) return skip('no Python here can import cv2');
    if (!inOpenCv) return skip("OpenCV's reader has no operator that this network needs");
    const answers = await classifyWithOpenCv(python.cv2, model, images, sampleCounts);
    sampleCounts.forEach((count, i) => {
      expectClose(answers[i] ?? { shape: [], data: [] }, firstRows(count), { absolute: 1e-4 }, `of ${count}`);
    });
  });

  test('passes the ONNX checker, and says what is in it', async ({ skip }) => {
    const found = describeModel('composed.onnx', model);
    expect(found).toMatchObject({
      input: 'images',
      output: 'probabilities',
      classes: 5,
      height,
      width,
      channels,
    });
    expect(found.operators.Softmax).toBeGreaterThan(0);
    if (!python.onnx) return skip('no Python here can import onnx');
    expect((await checkOnnx(python.onnx, model)).ir).toBeGreaterThanOrEqual(4);
  });
});

test('a head that does not fit is refused', async () => {
  const [network] = composedNetworks;
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  await using encoder = await openEncoder('net.onnx', network.bytes, { runtime });
  const image = { height: 28, width: 28, channels: 3 };
  const composed = () =>
    composeClassifier({
      encoder,
      head: sampleHead(zeros('float32', [5, 7])),
      image,
      classNames: sampleClasses,
    });
  expect(composed).toThrow(/expected a kernel \[24, 5\]/);
});
