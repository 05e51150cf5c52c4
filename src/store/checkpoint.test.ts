import { describe, expect, test } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { zeros } from '../tensor/tensor.js';
import { assertSameArchitecture, decodeCheckpoint, encodeCheckpoint, encodeJson } from './checkpoint.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

describe('encodeCheckpoint', () => {
  test('is one safetensors file that other tools can read, the state beside its tensors', () => {
    const bytes = encodeCheckpoint('latest', { tensors: { w: zeros('float32', [2]) }, state: { step: 3 } });
    const { tensors, metadata } = decodeSafetensors('f', bytes);
    expect(Object.keys(tensors)).toEqual(['w']);
    expect(metadata).toEqual({ quarterturn_checkpoint: '1', state: '{"step":3}' });
  });

  test('keeps what a stage remembers apart from the tensors that it trains', () => {
    const saved = {
      tensors: { w: zeros('float32', [2]) },
      memory: { classes: zeros('int32', [3]) },
      state: { step: 3 },
    };
    const bytes = encodeCheckpoint('latest', saved);
    expect(Object.keys(decodeSafetensors('f', bytes).tensors).sort()).toEqual(['memory.classes', 'w']);
    expect(decodeCheckpoint('latest', bytes)).toEqual(saved);
    const taken = { tensors: { 'memory.classes': zeros('int32', [3]) }, state: {} };
    expect(() => encodeCheckpoint('latest', taken)).toThrow(
      `checkpoint 'latest': expected tensors whose names do not begin with "memory.". Received: "memory.classes".`,
    );
  });
});

describe('decodeCheckpoint', () => {
  test('refuses a safetensors file of somebody else, and a later version', () => {
    expect(() => decodeCheckpoint('weights', encodeSafetensors({}, { format: 'pt' }))).toThrow(
      'weights: expected a Quarterturn checkpoint, version 1. Received: version none.',
    );
    const later = encodeSafetensors({}, { quarterturn_checkpoint: '2', state: '{}' });
    expect(() => decodeCheckpoint('weights', later)).toThrow('Received: version 2.');
  });

  test('refuses a state that is no JSON', () => {
    const bytes = encodeSafetensors({}, { quarterturn_checkpoint: '1', state: '{' });
    expect(() => decodeCheckpoint('weights', bytes)).toThrow(
      'weights, state: expected a name in double quotes or a closing brace at line 1, column 2. Received: its end.',
    );
  });

  test.each(['null', '[1]', '"text"', '3'])('refuses the state %s, which is no object', (state) => {
    const bytes = encodeSafetensors({}, { quarterturn_checkpoint: '1', state });
    expect(() => decodeCheckpoint('weights', bytes)).toThrow('weights, state: expected a JSON object.');
  });
});

describe('encodeJson', () => {
  test.each([Number.NaN, Number.NEGATIVE_INFINITY, 1n, undefined])('refuses %s', (value) => {
    expect(() => encodeJson('state', value)).toThrow(QuarterturnError);
  });
});

describe('assertSameArchitecture', () => {
  const tensors = { 'conv1.weight': zeros('float32', [48, 1, 5, 5]), 'dense.bias': zeros('float32', [4]) };

  test('accepts the same leaves with the same shapes in any order', () => {
    assertSameArchitecture({ 'dense.bias': [4], 'conv1.weight': [48, 1, 5, 5] }, tensors, 'latest');
  });

  test('names every leaf that is missing, unexpected or of another shape, in one error', () => {
    const expected = { 'conv1.weight': [192, 1, 5, 5], 'dense.weight': [4, 192] };
    expect(() => assertSameArchitecture(expected, tensors, 'runs/a/latest')).toThrow(
      expect.objectContaining({
        code: 'checkpoint',
        message:
          'runs/a/latest: expected the tensors of this network. Received: ' +
          'conv1.weight is [48, 1, 5, 5], not [192, 1, 5, 5]; dense.weight [4, 192] is missing; ' +
          'dense.bias [4] is unexpected.',
        hint: expect.stringContaining('--width'),
      }),
    );
  });

  test('counts what it does not list', () => {
    const expected = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`w${i}`, [1]]));
    expect(() => assertSameArchitecture(expected, {}, 'latest')).toThrow('w5 [1] is missing; and 3 more.');
  });

  test('a leaf named like a method of every object is missing all the same', () => {
    expect(() => assertSameArchitecture({ constructor: [1] }, {}, 'latest')).toThrow(
      'constructor [1] is missing',
    );
  });
});
