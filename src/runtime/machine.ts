import { add, type Graph, graph, input, matMul, reduceSum, type Value } from '../graph/index.js';
import type { Machine } from '../lower/cost.js';
import { type Shape, sizeOf, type Tensor, tensor } from '../tensor/tensor.js';
import type { Runtime } from './runtime.js';

/** Side of the matrices: their product takes long beside all that a run costs besides. */
const matrixSide = 1024;

/** Floats of the summands: 64 MiB each, more than caches hold. */
const streamFloats = 2 ** 24;

const repetitions = 4;

/**
 * Measures the peak rates of a device through this runtime: matrix products, memory traffic, calls. Takes about a second.
 *
 * Each is the difference between a long chain of operators and a short one, so that what a run costs besides (feeding,
 * starting threads, the last sum) falls out; the shortest of several runs, because whatever disturbs makes it longer.
 */
export async function measureMachine(runtime: Runtime): Promise<Machine> {
  const square = [matrixSide, matrixSide] as const;
  const productMs = await perStep(runtime, square, 1 / matrixSide, [1, 4], (y, x) => matMul(y, x));
  const sumMs = await perStep(runtime, [streamFloats], 1, [2, 8], (y, x) => add(y, x));
  const callMs = await perStep(runtime, [1], 1, [2, 258], (y, x) => add(y, x));
  return {
    flopsPerSecond: (2 * matrixSide ** 3) / (productMs / 1000),
    // Two operands are read and one result is written.
    bytesPerSecond: (3 * streamFloats * Float32Array.BYTES_PER_ELEMENT) / (sumMs / 1000),
    callMs,
  };
}

/** Time of one step in a chain x, f(x, x), f(f(x, x), x), … over a tensor that holds `fill` everywhere. */
async function perStep(
  runtime: Runtime,
  shape: Shape,
  fill: number,
  [short, long]: readonly [number, number],
  step: (y: Value, x: Value) => Value,
): Promise<number> {
  const x = tensor('float32', shape, new Float32Array(sizeOf(shape)).fill(fill));
  const chain = (length: number): Graph => {
    const start = input('x', 'float32', shape);
    let y = start;
    for (let i = 0; i < length; i++) y = step(y, start);
    return graph({
      sum: reduceSum(
        y,
        shape.map((_, axis) => axis),
      ),
    }); // a scalar: nothing large comes out
  };
  const [shortMs, longMs] = [
    await shortest(runtime, chain(short), x),
    await shortest(runtime, chain(long), x),
  ];
  // On a busy machine the difference can come out as nothing; a time is above 0.
  return Math.max(longMs - shortMs, 1e-6) / (long - short);
}

async function shortest(runtime: Runtime, measured: Graph, x: Tensor): Promise<number> {
  const program = await runtime.compile(measured);
  try {
    await program.run({ x });
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repetitions; i++) {
      const started = performance.now();
      await program.run({ x });
      best = Math.min(best, performance.now() - started);
    }
    return best;
  } finally {
    await program.release();
  }
}
