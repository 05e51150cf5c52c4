import sharp from 'sharp';
import { classNamesKey } from '../../src/model/export-model.js';
import { type LoadedClassifier, loadClassifier } from '../../src/model/load-classifier.js';
import { encodeModel } from '../../src/onnx/encode.js';
import { int, type OnnxNode } from '../../src/onnx/model.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import { tensor } from '../../src/tensor/tensor.js';

/** Side of the glyphs. */
export const glyphSize = 28;
export const glyphClasses = ['1', '3', '7'] as const;
export type GlyphClass = (typeof glyphClasses)[number];

/** Strokes as polylines, in pixels of a {@link glyphSize} square. */
const strokes: Readonly<Record<GlyphClass, readonly (readonly [x: number, y: number])[]>> = {
  1: [
    [10, 8],
    [14, 4],
    [14, 23],
  ],
  3: [
    [8, 5],
    [19, 5],
    [12, 13],
    [19, 17],
    [15, 23],
    [7, 22],
  ],
  7: [
    [7, 5],
    [20, 5],
    [12, 23],
  ],
};

/** A white digit on black, uint8 [28, 28], of strokes about three pixels wide with soft edges. */
export function glyph(name: GlyphClass): Uint8Array {
  const pixels = new Uint8Array(glyphSize * glyphSize);
  const points = strokes[name];
  for (let i = 0; i < pixels.length; i++) {
    const [x, y] = [i % glyphSize, Math.floor(i / glyphSize)];
    let distance = Number.POSITIVE_INFINITY;
    for (let k = 1; k < points.length; k++) {
      distance = Math.min(distance, distanceToSegment([x, y], points[k - 1]!, points[k]!));
    }
    pixels[i] = Math.round(255 * Math.min(Math.max(2 - distance, 0), 1));
  }
  return pixels;
}

/** The glyph that picture number i shows, where all are taken in turn. */
export function glyphAt(i: number): GlyphClass {
  return glyphClasses[i % glyphClasses.length] ?? '1';
}

/** Grey pixels of a glyph's size, uint8 [28, 28], or those of a glyph, as a PNG file. */
export function glyphPng(picture: GlyphClass | Uint8Array): Promise<Buffer> {
  const pixels = typeof picture === 'string' ? glyph(picture) : picture;
  const raw = { width: glyphSize, height: glyphSize, channels: 1 } as const;
  return sharp(pixels, { raw }).toColourspace('b-w').png().toBuffer();
}

/** The classifier of {@link encodeGlyphClassifier}, ready to classify; to be released. */
export async function loadGlyphClassifier(): Promise<LoadedClassifier> {
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  return loadClassifier('glyphs', encodeGlyphClassifier(), { runtime });
}

type Point = readonly [x: number, y: number];

function distanceToSegment([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0), 1);
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/**
 * A classifier of the glyphs with weights that are known, in the form that a run saves: uint8 [N, 28, 28, 1] in,
 * probabilities float32 [N, 3] out. A logit is the product of the pixels with a glyph that has mean 0 and length 1, over 64:
 * every pixel counts, and an image of one colour gets 1/3 for each class.
 */
export function encodeGlyphClassifier(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const pixels = glyphSize * glyphSize;
  const weights = new Float32Array(pixels * glyphClasses.length);
  for (const [k, name] of glyphClasses.entries()) {
    const image = glyph(name);
    const mean = image.reduce((a, b) => a + b) / pixels;
    const length = Math.hypot(...[...image].map((v) => v - mean));
    for (let i = 0; i < pixels; i++) weights[i * glyphClasses.length + k] = (image[i]! - mean) / length / 64;
  }
  const node = (opType: string, inputs: string[], output: string, attributes = {}): OnnxNode => ({
    name: output,
    opType,
    domain: '',
    inputs,
    outputs: [output],
    attributes,
  });
  return encodeModel({
    name: 'glyphs',
    nodes: [
      node('Cast', ['images'], 'floats', { to: int(1) }),
      node('Flatten', ['floats'], 'rows', { axis: int(1) }),
      node('MatMul', ['rows', 'weights'], 'logits'),
      node('Softmax', ['logits'], 'probabilities', { axis: int(1) }),
    ],
    initializers: { weights: tensor('float32', [pixels, glyphClasses.length], weights) },
    inputs: [{ name: 'images', dtype: 'uint8', shape: ['N', glyphSize, glyphSize, 1] }],
    outputs: [{ name: 'probabilities', dtype: 'float32', shape: ['N', glyphClasses.length] }],
    metadata: { [classNamesKey]: JSON.stringify(glyphClasses), ...metadata },
  });
}
