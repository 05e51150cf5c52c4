import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { graph, input, mul } from '../graph/index.js';
import { float32, zeros } from '../tensor/tensor.js';
import { SessionRuntime } from './session.js';

test.each([true, false])(
  'fills given buffers whether or not kernels write into them (%s)',
  async (writesInPlace) => {
    const runtime = new SessionRuntime(ort, {
      device: 'cpu',
      version: 'test',
      session: { executionProviders: ['cpu'] },
      writesInPlace,
    });
    const x = input('x', 'float32', [3]);
    const program = await runtime.compile(graph({ twice: mul(x, 2), thrice: mul(x, 3) }));
    const into = { twice: zeros('float32', [3]) };
    const outputs = await program.run({ x: float32([3], [1, -2, 0.5]) }, into);
    expect(outputs.twice).toBe(into.twice);
    expect(Array.from(into.twice.data)).toEqual([2, -4, 1]);
    expect(outputs.thrice).toEqual(float32([3], [3, -6, 1.5]));
    await program.release();
  },
);
