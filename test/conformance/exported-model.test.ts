import { beforeAll, describe, expect, test } from 'vitest';
import { gradients, graph, input, reduceSum, softmax, type Value } from '../../src/graph/index.js';
import { imagesToMaps } from '../../src/nn/images.js';
import { Bindings } from '../../src/nn/network.js';
import { applyBlocks } from '../../src/nn/rotnet.js';
import { decodeModel } from '../../src/onnx/decode.js';
import { exportClassifier } from '../../src/recipes/export-model.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { expectClose } from '../support/numeric.js';
import { checkOnnx, classifyWithOpenCv, pythonWith } from '../support/python.js';
import {
  type SampleClassifier,
  type SampleSize,
  sampleBackbones,
  sampleClasses,
  sampleClassifier,
  sampleCounts,
  sampleImages,
  sampleSizes,
} from '../support/sample-classifier.js';

/**
 * What a training step computes on its way to the loss, on maps stored as training stores them: the reference for the
 * exported file. The gradient is asked for only to make it a training step.
 */
async function trainingProbabilities(
  runtime: Runtime,
  { network, weights }: SampleClassifier,
  size: SampleSize,
  images: Tensor<'uint8'>,
): Promise<Float32Array> {
  const batchSize = 32;
  const values: Record<string, Value> = Object.fromEntries(
    network.specs.map(({ name, shape }) => [name, input(name, 'float32', shape)]),
  );
  const bindings = new Bindings(values);
  const x = imagesToMaps(input('images', 'uint8', [batchSize, ...size]));
  const features = applyBlocks(network, x, bindings, { frozen: network.blocks.length, norm: 'stored' });
  const probabilities = softmax(network.head.apply(features, bindings, 'stored'));
  const kernel = network.specs.findLast(({ name }) => name.endsWith('.kernel') && name !== 'head.kernel')!;
  const [gradient] = gradients(reduceSum(probabilities, [0, 1]), [values[kernel.name]!]);
  const program = await runtime.compile(graph({ probabilities, gradient: gradient! }));
  const [count, imageSize] = [images.shape[0]!, images.data.length / images.shape[0]!];
  const rows = new Float32Array(count * sampleClasses.length);
  for (let from = 0; from < count; from += batchSize) {
    const data = images.data.slice(from * imageSize, (from + batchSize) * imageSize);
    const batch = { dtype: 'uint8', shape: [batchSize, ...size], data } as const;
    const outputs = await program.run({ ...weights, images: batch });
    rows.set(outputs.probabilities!.data as Float32Array, from * sampleClasses.length);
  }
  await program.release();
  return rows;
}

const python = { cv2: await pythonWith('cv2'), onnx: await pythonWith('onnx') };

describe.each(sampleBackbones)('an exported %s', (backbone) => {
  describe.each(sampleSizes)('for images of %i×%i×%i', (...size) => {
    const classifier = sampleClassifier(backbone, size);
    const model = exportClassifier({ ...classifier, classNames: sampleClasses, meanBrightness: 33.3 });
    const images = sampleImages(128, size);
    const imageSize = images.data.length / 128;
    let runtime: Runtime;
    let expected: Float32Array;
    beforeAll(async () => {
      runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
      expected = await trainingProbabilities(runtime, classifier, size, images);
    });

    const firstRows = (count: number) => ({
      shape: [count, sampleClasses.length],
      data: expected.slice(0, count * sampleClasses.length),
    });

    test('answers differently to different images', () => {
      const spreads = sampleClasses.map((_, k) => {
        const column = expected.filter((_, i) => i % sampleClasses.length === k);
        return Math.max(...column) - Math.min(...column);
      });
      expect(Math.max(...spreads)).toBeGreaterThan(0.04);
    });

    test.each(sampleCounts)('%i at once, in ONNX Runtime for Node: as in training', async (count) => {
      const program = await runtime.load(model);
      const data = images.data.slice(0, count * imageSize);
      const { probabilities } = await program.run({
        images: { dtype: 'uint8', shape: [count, ...size], data },
      });
      await program.release();
      expectClose(probabilities!, firstRows(count), { absolute: 1e-5 }, 'probabilities');
    });

    test('1, 3 and 128 at once, in OpenCV: as in training', async ({ skip }) => {
      if (!python.cv2) return skip('no Python here can import cv2');
      const answers = await classifyWithOpenCv(python.cv2, model, images, sampleCounts);
      sampleCounts.forEach((count, i) => {
        expectClose(answers[i]!, firstRows(count), { absolute: 1e-5 }, `probabilities of ${count}`);
      });
    });

    test('passes the ONNX checker', async ({ skip }) => {
      if (!python.onnx) return skip('no Python here can import onnx');
      expect(await checkOnnx(python.onnx, model)).toEqual({ ir: 7, opsets: { '': 13 } });
    });

    test('holds plain operators, the cast of the images first', () => {
      const { nodes, inputs, outputs } = decodeModel('model', model);
      expect(inputs).toEqual([{ name: 'images', dtype: 'uint8', shape: ['N', ...size] }]);
      expect(outputs).toEqual([
        { name: 'probabilities', dtype: 'float32', shape: ['N', sampleClasses.length] },
      ]);
      expect(nodes[0]).toMatchObject({ opType: 'Cast', inputs: ['images'] });
      expect(nodes.filter((node) => node.inputs.includes('images')).length).toBe(1);
      expect(nodes.filter((node) => node.domain !== '')).toEqual([]);
      for (const { opType, attributes } of nodes) {
        if (opType === 'Conv') expect(attributes.kernel_shape).toMatchObject({ kind: 'ints' });
      }
    });
  });
});
