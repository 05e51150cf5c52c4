import * as ort from 'onnxruntime-node';
import { expect, test, vi } from 'vitest';
import { graph, input, mul } from '../graph/index.js';
import { lower } from '../lower/lower.js';
import { encodeModel } from '../onnx/encode.js';
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

test('says in plain words that memory ran out', async () => {
  const theirs =
    'Non-zero status code returned while running Conv node. bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1179648';
  vi.spyOn(ort.InferenceSession, 'create').mockImplementation(async () => {
    vi.restoreAllMocks();
    const session = await ort.InferenceSession.create(encodeModel(lower(doubled, 'cpu')));
    vi.spyOn(session, 'run').mockRejectedValue(new Error(theirs));
    return session;
  });
  const doubled = graph({ twice: mul(input('x', 'float32', [3]), 2) });
  const runtime = new SessionRuntime(ort, {
    device: 'cpu',
    version: 'test',
    session: { executionProviders: ['cpu'] },
    writesInPlace: true,
  });
  const program = await runtime.compile(doubled);
  await expect(program.run({ x: float32([3], [1, 2, 3]) })).rejects.toMatchObject({
    code: 'runtime',
    message: 'graph: expected memory for a run. Received: none is left for a buffer of 1179648 bytes.',
    hint: expect.stringContaining('Smaller batches'),
  });
  await program.release();
});
