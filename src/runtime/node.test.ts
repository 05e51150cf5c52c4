import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { add, graph, input, matMul, mul, reduceSum, softmax, sub } from '../graph/index.js';
import { lower } from '../lower/lower.js';
import { encodeModel } from '../onnx/encode.js';
import { float32, sizeOf, type Tensor, type Tensors, tensor, zeros } from '../tensor/tensor.js';
import { createNodeRuntime } from './node.js';
import type { DeviceName, Program, Runtime } from './runtime.js';

/** Numbers that have no short binary form: an order of summation that changes shows. */
const waves = (shape: readonly number[], step: number) =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(step * i)),
  );

describe('createNodeRuntime', () => {
  test('tells device and version', async () => {
    const runtime = await createNodeRuntime({ device: 'cpu' });
    expect(runtime.device).toBe('cpu');
    expect(runtime.version).toMatch(/^onnxruntime-node 1\.\d+\.\d+$/);
  });

  test.each([
    ['wasm', 'wasm is for browsers; in Node use cpu.'],
    ['cuda', 'Use --device cpu.'],
  ])('refuses %s, naming the devices there are', async (device, hint) => {
    await expect(createNodeRuntime({ device: device as DeviceName })).rejects.toMatchObject({
      code: 'usage',
      message: `device: expected cpu or webgpu. Received: ${device}.`,
      hint,
    });
  });
});

describe('whatever inputs and outputs are called', () => {
  /** Names that lowering gives, now or once gave, beside any others. */
  const name = fc.oneof(
    fc.constantFrom(
      'constant_0',
      'Mul_0:out',
      'Add_1:out',
      'block1/Mul_0:out',
      'Mul_0',
      'output/y',
      'toString',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  );

  test('a graph computes the same, or its name is refused', async () => {
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    const names = fc.uniqueArray(name, { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(names, async ([a, b, product, sum]) => {
        // Objects give the name __proto__ a meaning of its own; no input of a run can have it.
        fc.pre(![a, b, product, sum].includes('__proto__'));
        const [x, y] = [input(a!, 'float32', []), input(b!, 'float32', [])];
        const twice = mul(x, 2);
        const program = await runtime.compile(graph({ [product!]: twice, [sum!]: add(twice, y) }));
        const outputs = await program.run({ [a!]: float32([], [5]), [b!]: float32([], [0.5]) });
        await program.release();
        expect(outputs[product!]!.data).toEqual(Float32Array.of(10));
        expect(outputs[sum!]!.data).toEqual(Float32Array.of(10.5));
      }),
      { numRuns: 200 },
    );
  });
});

test.each([-3, 0, 1.5, 1e9, Number.NaN])('createNodeRuntime refuses %d threads', async (threads) => {
  await expect(createNodeRuntime({ device: 'cpu', threads })).rejects.toMatchObject({
    code: 'usage',
    message: `threads: expected a whole number from 1 to 1024. Received: ${threads}.`,
  });
});

describe('a program', () => {
  let runtime: Runtime;
  let program: Program;
  const inputs = { a: waves([64, 48], 0.7), b: waves([48, 32], 1.3), c: waves([32], 2.9) };
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 2 });
    const a = input('a', 'float32', [64, 48]);
    const b = input('b', 'float32', [48, 32]);
    const c = input('c', 'float32', [32]);
    const product = add(matMul(a, b), c);
    program = await runtime.compile(
      graph({ product, rows: softmax(product), total: reduceSum(product, [0, 1]) }),
    );
  });
  afterAll(() => program.release());

  const data = (outputs: Tensors) =>
    Object.fromEntries(
      Object.entries(outputs).map(([name, t]) => [name, Array.from(t.data as Float32Array)]),
    );

  test('names what it takes and gives', () => {
    expect([...program.inputNames].sort()).toEqual(['a', 'b', 'c']);
    expect(program.outputNames).toEqual(['product', 'rows', 'total']);
  });

  test('takes its inputs in any order', async () => {
    const { a, b, c } = inputs;
    const x = input('x', 'float32', [2]);
    const y = input('y', 'float32', [2]);
    const difference = await runtime.compile(graph({ z: sub(mul(x, 10), y) }));
    const [one, two] = [float32([2], [1, 2]), float32([2], [3, 4])];
    expect((await difference.run({ x: one, y: two })).z).toEqual(float32([2], [7, 16]));
    expect((await difference.run({ y: two, x: one })).z).toEqual(float32([2], [7, 16]));
    expect(data(await program.run({ c, b, a }))).toEqual(data(await program.run(inputs)));
    await difference.release();
  });

  test('gives the same bits each time, and leaves its inputs alone', async () => {
    const before = data(inputs);
    const first = data(await program.run(inputs));
    for (let i = 0; i < 5; i++) expect(data(await program.run(inputs))).toEqual(first);
    expect(data(inputs)).toEqual(before);
  });

  test('results of one run outlive the next', async () => {
    const { product } = await program.run(inputs);
    const kept = Array.from(product!.data as Float32Array);
    await program.run({ ...inputs, c: waves([32], 0.1) });
    expect(Array.from(product!.data as Float32Array)).toEqual(kept);
  });

  test('writes into the buffers it is given, whatever they hold', async () => {
    const fresh = await program.run(inputs);
    const into = { product: zeros('float32', [64, 32]), total: zeros('float32', []) };
    into.product.data.fill(Number.NaN);
    const outputs = await program.run(inputs, into);
    expect(outputs.product).toBe(into.product);
    expect(outputs.total).toBe(into.total);
    expect(data({ ...into, rows: outputs.rows! })).toEqual(data(fresh));
  });

  test('two sets of buffers in turn, as a training loop has them, walk like fresh ones', async () => {
    const w = input('w', 'float32', [1000]);
    const step = await runtime.compile(graph({ next: mul(w, 1.01) }));
    let fresh: Tensor = waves([1000], 1);
    let [current, other]: [Tensor, Tensor] = [waves([1000], 1), zeros('float32', [1000])];
    for (let i = 0; i < 6; i++) {
      fresh = (await step.run({ w: fresh })).next!;
      await step.run({ w: current }, { next: other });
      [current, other] = [other, current];
    }
    expect(current.data).toEqual(fresh.data);
    await step.release();
  });

  test('every dtype comes back as it went in', async () => {
    const tensors = {
      f: float32([2], [1.5, -2]),
      b: tensor('uint8', [2], Uint8Array.of(0, 255)),
      i: tensor('int32', [2], Int32Array.of(-1, 2 ** 31 - 1)),
      l: tensor('int64', [2], BigInt64Array.of(-1n, 2n ** 53n)),
      t: tensor('bool', [2], Uint8Array.of(1, 0)),
    };
    const echo = await runtime.compile(
      graph(
        Object.fromEntries(
          Object.entries(tensors).map(([name, t]) => [`${name}Out`, input(name, t.dtype, t.shape)]),
        ),
      ),
    );
    const outputs = await echo.run(tensors);
    for (const [name, t] of Object.entries(tensors)) {
      const { dtype, shape, data } = outputs[`${name}Out`]!;
      expect({ dtype, shape, data }).toEqual(t);
    }
    await echo.release();
  });

  test('misses an input: names it and what came', async () => {
    const { a, c } = inputs;
    await expect(program.run({ a, c })).rejects.toMatchObject({
      code: 'runtime',
      message: 'graph: expected an input "b". Received: a, c.',
    });
  });

  test.each<[string, Tensor, RegExp]>([
    ['shape', zeros('float32', [48, 31]), /^graph: expected .*Got invalid dimensions for input: b /],
    ['rank', zeros('float32', [48 * 32]), /^graph: expected .*Invalid rank for input: b Got: 1 Expected: 2/],
    [
      'dtype',
      zeros('int32', [48, 32]),
      /^graph: expected .*Actual: \(tensor\(int32\)\) , expected: \(tensor\(float\)\)/,
    ],
  ])('an input of another %s: an error that says so', async (_, b, message) => {
    await expect(program.run({ ...inputs, b })).rejects.toMatchObject({
      code: 'runtime',
      message: expect.stringMatching(message),
    });
  });

  test('a buffer of another shape: an error that names it', async () => {
    await expect(program.run(inputs, { product: zeros('float32', [32, 64]) })).rejects.toMatchObject({
      code: 'runtime',
      message: expect.stringMatching(/^graph: expected .*Got invalid dimensions for output: product /),
    });
  });

  test('a file that is no model: an error that says so', async () => {
    await expect(runtime.load(Uint8Array.of(1, 2, 3), 'notes.onnx')).rejects.toMatchObject({
      code: 'runtime',
      message: expect.stringMatching(
        /^notes\.onnx: expected a model that onnxruntime-node 1\.\d+\.\d+ loads on cpu\. Received: bytes that are no ONNX model, which it refuses \(.+\)\.$/,
      ),
    });
  });

  test('a file of a version to come: an error that says which', async () => {
    const bytes = encodeModel(lower(graph({ y: mul(input('x', 'float32', []), 2) }), 'cpu'));
    // Its first field is the IR version.
    expect([...bytes.subarray(0, 2)]).toEqual([0x08, 7]);
    bytes[1] = 99;
    await expect(runtime.load(bytes, 'new.onnx')).rejects.toMatchObject({
      code: 'runtime',
      message: expect.stringMatching(
        /^new\.onnx: expected a model .+ Received: IR version 99 with operator set 13, which it refuses \(.+99.+\)\.$/,
      ),
    });
  });

  test('runs that are asked for at the same time run one after the other', async () => {
    const alone = data(await program.run(inputs));
    const together = await Promise.all(Array.from({ length: 16 }, () => program.run(inputs)));
    for (const outputs of together) expect(data(outputs)).toEqual(alone);
  });

  test('is released after the runs before, and then takes no other', async () => {
    const short = await runtime.compile(graph({ y: mul(input('x', 'float32', []), 2) }));
    const x = float32([], [4]);
    const [{ y }] = await Promise.all([short.run({ x }), short.release()]);
    expect(y!.data[0]).toBe(8);
    await short[Symbol.asyncDispose]();
    await expect(short.run({ x })).rejects.toMatchObject({
      code: 'runtime',
      message: 'graph: expected a run before its release. Received: one after it.',
    });
  });
});
