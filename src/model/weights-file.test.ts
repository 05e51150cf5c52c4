import { describe, expect, test } from 'vitest';
import { expectClose } from '../../test/support/numeric.js';
import {
  sampleBackbones,
  sampleClasses,
  sampleClassifier,
  sampleImages,
} from '../../test/support/sample-classifier.js';
import { createNodeRuntime } from '../runtime/node.js';
import { decodeSafetensors, encodeSafetensors } from '../store/safetensors.js';
import { exportClassifier } from './export-model.js';
import { decodeWeights, encodeWeights, networkKey } from './weights-file.js';

const given = { ...sampleClassifier('residual', [32, 32, 3]), classNames: sampleClasses };
const bytes = encodeWeights({ ...given, metadata: { more: 'said' } });

describe('weights as a safetensors file', () => {
  test('begin with the length of a JSON header that is padded to 8 bytes, and data without gaps', () => {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    const { __metadata__, ...tensors } = header;
    expect(JSON.parse(__metadata__[networkKey])).toMatchObject({
      ...{ backbone: 'residual', width: 0.125, classes: 5, image: { height: 32, width: 32, channels: 3 } },
    });
    expect(__metadata__.more).toBe('said');
    expect(Object.keys(tensors).sort()).toEqual(given.network.specs.map(({ name }) => name).sort());
    let at = 0;
    for (const { dtype, shape, data_offsets } of Object.values<{
      dtype: string;
      shape: number[];
      data_offsets: [number, number];
    }>(tensors)) {
      const size = shape.reduce((a, b) => a * b, 4);
      expect({ dtype, data_offsets }).toEqual({ dtype: 'F32', data_offsets: [at, at + size] });
      at += size;
    }
    expect(bytes.length).toBe(8 + length + at);
  });

  test.each(sampleBackbones)('of a %s give the classifier that they came from, to the byte', (backbone) => {
    const sample = { ...sampleClassifier(backbone, [28, 28, 1]), classNames: sampleClasses };
    const read = decodeWeights('w', encodeWeights(sample));
    expect(read.weights).toEqual(sample.weights);
    expect(exportClassifier(read)).toEqual(exportClassifier(sample));
  });

  test('classify 1, 3 and 128 images as before', async () => {
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    const [before, after] = await Promise.all(
      [given, decodeWeights('w', bytes)].map((each) => runtime.load(exportClassifier(each))),
    );
    for (const count of [1, 3, 128]) {
      const images = sampleImages(count, [32, 32, 3]);
      const expected = (await before!.run({ images })).probabilities!;
      expectClose((await after!.run({ images })).probabilities!, expected, { absolute: 0 }, 'probabilities');
    }
  });

  test('of another network, or without its settings, are refused', () => {
    const { tensors, metadata } = decodeSafetensors('w', bytes);
    const { 'head.bias': _, ...less } = tensors;
    expect(() => decodeWeights('w', encodeSafetensors(less, metadata))).toThrow(
      /^w: expected the tensors of this network\. Received: head\.bias \[5\] is missing\.$/,
    );
    expect(() => decodeWeights('w', encodeSafetensors(tensors, {}))).toThrow(
      /^w, metadata quarterturn\.network: expected .* Received: none\.$/,
    );
    const odd = { ...metadata, [networkKey]: '{"backbone":"none"}' };
    expect(() => decodeWeights('w', encodeSafetensors(tensors, odd))).toThrow(/Received: \{"backbone"/);
    expect(() => encodeWeights({ ...given, classNames: ['one'] })).toThrow(/expected 5, one for each class/);
  });
});
