import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  encodeDynamicallyQuantised,
  encodeMobileNet,
  encodeVisionTransformer,
} from '../../test/support/encoders.js';
import { sampleCounts, sampleImages } from '../../test/support/sample-classifier.js';
import { imagesInMemory } from '../data/image-source.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { type OpenEncoderOptions, openEncoder } from './onnx-encoder.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

const open = (bytes: Uint8Array<ArrayBuffer>, options: Omit<OpenEncoderOptions, 'runtime'> = {}) =>
  openEncoder('net.onnx', bytes, { ...options, runtime });

function source(count: number, size: readonly [number, number, number]) {
  const [height, width, channels] = size;
  const { data: pixels } = sampleImages(count, size);
  return imagesInMemory({ name: 'gratings', pixels, height, width, channels });
}

function expectClose(received: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(received.length).toBe(expected.length);
  const difference = Array.from(received, (value, i) => Math.abs(value - (expected[i] ?? Number.NaN)));
  expect(Math.max(...difference)).toBeLessThan(tolerance);
}

describe('a network is recognised by its graph', () => {
  test('a vision transformer: class token and mean of the patches, ImageNet scaling', async () => {
    await using encoder = await open(encodeVisionTransformer({ size: 28, features: 16 }), { size: 28 });
    expect(encoder).toMatchObject({
      name: 'net',
      dimensions: 32,
      input: { height: 28, width: 28, channels: 3 },
    });
    expect(encoder.options).toMatchObject({
      ...{ layout: 'NCHW', output: 'last_hidden_state', pool: 'cls+mean', size: 28 },
      mean: [0.485, 0.456, 0.406],
    });
  });

  test('a classifier is cut before its last product', async () => {
    await using encoder = await open(encodeMobileNet({ features: 24 }));
    expect(encoder.dimensions).toBe(24);
    expect(encoder.options).toMatchObject({ size: 32, layout: 'NCHW', pool: 'none' });
  });

  test.each([
    ['maps are averaged', { end: 'maps' }, { pool: 'mean', layout: 'NCHW' }],
    ['channels last', { layout: 'NHWC' }, { pool: 'none', layout: 'NHWC' }],
    ['grey', { channels: 1 }, { pool: 'none', mean: [0.5], std: [0.5] }],
    ['an older version', { opset: 11, end: 'maps' }, { pool: 'mean' }],
  ] as const)('%s', async (_, network, expected) => {
    await using encoder = await open(encodeMobileNet(network));
    expect(encoder.dimensions).toBe(24);
    expect(encoder.options).toMatchObject(expected);
    const { data } = await encoder.describe(source(3, [28, 28, 3]));
    expect(Math.hypot(...data.subarray(0, 24))).toBeCloseTo(1, 5);
  });

  test('what it is told overrules the graph', async () => {
    const bytes = encodeVisionTransformer({ size: 28, features: 16 });
    await using cls = await open(bytes, { size: 28, pool: 'cls', name: 'small' });
    expect(cls).toMatchObject({ name: 'small', dimensions: 16 });
    await using pooler = await open(bytes, { size: 28, output: 'pooler_output' });
    const images = source(3, [28, 28, 3]);
    const [a, b] = [await cls.describe(images), await pooler.describe(images)];
    expectClose(a.data, b.data, 1e-5);
    await using logits = await open(encodeMobileNet(), { output: 'logits' });
    expect(logits.dimensions).toBe(10);
    expect(new Set([cls.fingerprint, pooler.fingerprint, logits.fingerprint]).size).toBe(3);
  });
});

test("another exporter's file: constants as nodes, branches, static quantisation, weights among the inputs", async () => {
  const file = new URL('../../test/golden/exported-encoder.onnx', import.meta.url);
  await using encoder = await open(Uint8Array.from(readFileSync(file)));
  // Sixteen tokens are a square: there is no class token among them. The text that another output needs is not asked for.
  expect(encoder.options).toMatchObject({ size: 28, output: 'last_hidden_state', pool: 'mean' });
  const { data } = await encoder.describe(source(3, [28, 28, 3]));
  expect(Math.hypot(...data.subarray(0, 8))).toBeCloseTo(1, 5);
  await expect(
    open(Uint8Array.from(readFileSync(file)), { output: 'logits_per_text' }),
  ).rejects.toMatchObject({
    code: 'data',
    message: expect.stringContaining('one that needs text_embeds, too'),
  });
});

describe('features', () => {
  test('are those of the network: resized, scaled, of length 1', async () => {
    const bytes = encodeMobileNet({ size: 32, features: 24 });
    await using encoder = await open(bytes, { mean: [0.4], std: [0.2] });
    const images = source(3, [16, 16, 3]);
    const { data, shape } = await encoder.describe(images);
    expect(shape).toEqual([3, 24]);
    // The same by hand: bilinear between centres, then the network's own logits from its own file.
    const pixels = (await images.read([0, 1, 2])).data;
    const input = new Float32Array(3 * 3 * 32 * 32);
    const at = (n: number, y: number, x: number, c: number) => pixels[((n * 16 + y) * 16 + x) * 3 + c] ?? 0;
    for (let n = 0; n < 3; n++)
      for (let c = 0; c < 3; c++)
        for (let y = 0; y < 32; y++)
          for (let x = 0; x < 32; x++) {
            const [v, u] = [y, x].map((i) => Math.min(Math.max((i + 0.5) / 2 - 0.5, 0), 15)) as [
              number,
              number,
            ];
            const [top, left] = [Math.floor(v), Math.floor(u)];
            const [bottom, right] = [Math.min(top + 1, 15), Math.min(left + 1, 15)];
            const mix = (a: number, b: number, t: number) => a + t * (b - a);
            const above = mix(at(n, top, left, c), at(n, top, right, c), u - left);
            const below = mix(at(n, bottom, left, c), at(n, bottom, right, c), u - left);
            input[((n * 3 + c) * 32 + y) * 32 + x] = (mix(above, below, v - top) / 255 - 0.4) / 0.2;
          }
    await using program = await runtime.load(bytes);
    const { logits } = await program.run({
      pixel_values: { dtype: 'float32', shape: [3, 3, 32, 32], data: input },
    });
    await using whole = await open(bytes, { mean: [0.4], std: [0.2], output: 'logits' });
    const described = await whole.describe(images);
    for (let n = 0; n < 3; n++) {
      const row = Array.from(logits?.data.subarray(n * 10, (n + 1) * 10) ?? [], Number);
      const length = Math.hypot(...row);
      expectClose(
        described.data.subarray(n * 10, (n + 1) * 10),
        row.map((value) => value / length),
        1e-4,
      );
      expect(Math.hypot(...data.subarray(n * 24, (n + 1) * 24))).toBeCloseTo(1, 5);
    }
  });

  test.each(sampleCounts)('%i images: each as it would be alone', async (count) => {
    await using encoder = await open(encodeVisionTransformer({ size: 28 }), { size: 28 });
    const images = source(count, [28, 28, 1]);
    const { data, shape } = await encoder.describe(images);
    expect(shape).toEqual([count, 32]);
    const last = await encoder.describe({ ...images, count: 1, read: () => images.read([count - 1]) });
    expectClose(last.data, data.subarray((count - 1) * 32), 1e-5);
  });

  test('stops when it is asked to, and tells how far it is', async () => {
    await using encoder = await open(encodeMobileNet());
    const controller = new AbortController();
    const emit = () => controller.abort();
    await expect(
      encoder.describe(source(200, [32, 32, 3]), { emit, signal: controller.signal }),
    ).rejects.toMatchObject({
      code: 'interrupted',
      message: 'features of 200 images: stopped after 128 images.',
    });
  });
});

describe('a file is refused', () => {
  test.each([
    ['dynamic quantisation', encodeDynamicallyQuantised(), {}, /quantised dynamically/],
    [
      'features that depend on the batch',
      encodeMobileNet({ end: 'batch mean' }),
      {},
      /whatever stands beside it/,
    ],
    ['another size than its own', encodeMobileNet({ size: 32 }), { size: 64 }, /its own height, 32/],
    ['an output that is not there', encodeMobileNet(), { output: 'embeddings' }, /outputs logits/],
    ['tokens of maps', encodeMobileNet({ end: 'maps' }), { pool: 'cls' }, /tokens for --encoder-pool cls/],
    ['a size that fails', encodeVisionTransformer({ size: 28 }), { size: 42 }, /42×42×3/],
    ['no network', new TextEncoder().encode('hello') as Uint8Array<ArrayBuffer>, {}, /net\.onnx/],
  ] as const)('%s', async (_, bytes, options, message) => {
    await expect(open(bytes, options)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(message),
    });
  });

  test('images that are neither grey nor in colour', async () => {
    await using encoder = await open(encodeMobileNet());
    const pixels = new Uint8Array(32 * 32 * 4);
    const images = imagesInMemory({ name: 'x', pixels, height: 32, width: 32, channels: 4 });
    await expect(encoder.describe(images)).rejects.toMatchObject({ code: 'usage' });
  });
});
