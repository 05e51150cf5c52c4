import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exportClassifier, preprocessingKey } from '../../src/model/export-model.js';
import { decodeModel } from '../../src/onnx/decode.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { root } from '../support/compile.js';
import { exampleOf } from '../support/documents.js';
import { expectClose } from '../support/numeric.js';
import { classifyWithOldRuntime, hasOldRuntime } from '../support/old-runtime.js';
import { checkOnnx, classifyWithOpenCv, pythonWith, runPython } from '../support/python.js';
import {
  type SampleClassifier,
  type SampleSize,
  sampleBackbones,
  sampleClasses,
  sampleClassifier,
  sampleCounts,
  sampleImages,
  sampleMixture,
  sampleSizes,
} from '../support/sample-classifier.js';
import { trainingProbabilities } from '../support/training-forward.js';

const python = {
  cv2: await pythonWith('cv2'),
  onnx: await pythonWith('onnx'),
  ort: await pythonWith('onnxruntime, PIL'),
};

/** A classifier to be exported, and what it says in the graph that it was trained in. */
interface Exported extends SampleClassifier {
  expected(runtime: Runtime, images: Tensor<'uint8'>): Promise<Float32Array>;
}

const exported: Readonly<Record<string, (size: SampleSize) => Exported>> = {
  ...Object.fromEntries(
    sampleBackbones.map((backbone) => [
      backbone,
      (size: SampleSize) => {
        const classifier = sampleClassifier(backbone, size);
        const expected: Exported['expected'] = (runtime, images) =>
          trainingProbabilities(runtime, classifier, size, images);
        return { ...classifier, expected };
      },
    ]),
  ),
  mixture(size) {
    const { parts, ...mixture } = sampleMixture('compact', size);
    const expected: Exported['expected'] = async (runtime, images) => {
      const sum = new Float32Array(128 * sampleClasses.length);
      for (const { classifier, share } of parts) {
        const own = await trainingProbabilities(runtime, classifier, size, images);
        own.forEach((p, i) => {
          sum[i] = Number(sum[i]) + share * p;
        });
      }
      return sum;
    };
    return { ...mixture, expected };
  },
};

/** A mixture is made of one of the others, whose sizes are all tried: the smallest, and one in colour whose patches are of 5. */
const sizesOf = (name: string) => (name === 'mixture' ? [0, 3].map((i) => sampleSizes[i]!) : sampleSizes);

describe.each(Object.entries(exported))('an exported %s', (name, exportedFor) => {
  describe.each(sizesOf(name))('for images of %i×%i×%i', (...size) => {
    const classifier = exportedFor(size);
    const model = exportClassifier({ ...classifier, classNames: sampleClasses, meanBrightness: 33.3 });
    const images = sampleImages(128, size);
    const imageSize = images.data.length / 128;
    let runtime: Runtime;
    let expected: Float32Array;
    beforeAll(async () => {
      runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
      expected = await classifier.expected(runtime, images);
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

    test('1, 3 and 128 at once, in ONNX Runtime 1.14: as in training', async ({ skip }) => {
      if (!hasOldRuntime) return skip('test/old-runtime is not installed: npm test does it');
      const answers = await classifyWithOldRuntime(model, images, sampleCounts);
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

describe('docs/model-file.md', () => {
  const page = readFileSync(join(root, 'docs/model-file.md'), 'utf8');
  const exampleIn = (language: string, about?: RegExp) => exampleOf(page, language, about);
  const size: SampleSize = [28, 28, 1];
  const model = exportClassifier({
    ...sampleClassifier('compact', size),
    classNames: sampleClasses,
    meanBrightness: 33.3,
  });

  test('says what stands in the metadata', () => {
    const { metadata } = decodeModel('model', model);
    expect(JSON.parse(metadata[preprocessingKey]!)).toEqual(JSON.parse(exampleIn('json')));
  });

  test('its example of ONNX Runtime in Python names the class of training', async ({ skip }) => {
    if (!python.ort) return skip('no Python here can import onnxruntime and PIL');
    const images = sampleImages(32, size);
    const picture = sharp(images.data.slice(0, 28 * 28), { raw: { width: 28, height: 28, channels: 1 } });
    const files = { 'model.onnx': model, 'digit.png': await picture.png().toBuffer() };
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    const expected = await trainingProbabilities(runtime, sampleClassifier('compact', size), size, images);
    const printed = await runPython(python.ort, exampleIn('python', /onnxruntime/), files);
    const row = expected.slice(0, sampleClasses.length);
    expect(printed.trim()).toBe(sampleClasses[row.indexOf(Math.max(...row))]);
  });

  test('its Python example gives the probabilities of training', async ({ skip }) => {
    if (!python.cv2) return skip('no Python here can import cv2');
    const images = sampleImages(32, size);
    const picture = sharp(images.data.slice(0, 28 * 28), { raw: { width: 28, height: 28, channels: 1 } });
    const files = { 'model.onnx': model, 'digit.png': await picture.png().toBuffer() };
    const printed = await runPython(python.cv2, exampleIn('python'), files);
    const [row] = z.array(z.array(z.number())).length(1).parse(JSON.parse(printed));
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    const expected = await trainingProbabilities(runtime, sampleClassifier('compact', size), size, images);
    expectClose(row!, expected.slice(0, 5), { absolute: 1e-5 }, 'probabilities');
  });
});
