import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { decodeSafetensors } from '../../src/store/safetensors.js';
import { type Tensor, type Tensors, tensor } from '../../src/tensor/tensor.js';

/** What a contender's program prints when it is done: one line of JSON. PyTorch's programs print the same. */
export interface Sample {
  /** Of the library that did the work: `onnxruntime-node 1.30.0`. */
  readonly version: string;
  readonly imagesPerStep: number;
  /** Wall clock of each timed step. */
  readonly stepMs: readonly number[];
  /** Largest resident set of the process. */
  readonly peakMemoryBytes: number;
  /** Numbers that all contenders of a row must agree on: losses, logits, corners of gradients. */
  readonly checks: readonly number[];
}

type Flags = Readonly<Record<string, string | number>>;
type Parsed<F extends Flags> = { readonly [K in keyof F]: F[K] extends number ? number : string };

/** Flags that every program knows. */
const timingFlags = { threads: 1, warmup: 1, steps: 3 };

/** The command line as `--name value` pairs, typed by their defaults; an unknown flag is an error. */
export function readFlags<F extends Flags>(defaults: F): Parsed<F & typeof timingFlags> {
  const all: Flags = { ...timingFlags, ...defaults };
  const options = Object.fromEntries(Object.keys(all).map((name) => [name, { type: 'string' } as const]));
  const { values } = parseArgs({ options });
  const parsed = Object.entries(all).map(([name, start]) => {
    const given = values[name] ?? start;
    return [name, typeof start === 'number' ? Number(given) : given];
  });
  return Object.fromEntries(parsed);
}

/** Run `step` `warmup` times untimed, then `steps` times; the wall clock of each in milliseconds. */
export async function timeSteps(
  { warmup, steps }: { readonly warmup: number; readonly steps: number },
  step: (index: number) => unknown,
): Promise<number[]> {
  const stepMs: number[] = [];
  for (let i = 0; i < warmup + steps; i++) {
    const started = performance.now();
    await step(i);
    if (i >= warmup) stepMs.push(performance.now() - started);
  }
  return stepMs;
}

/** Print the result; nothing else may be on stdout. */
export function report(sample: Omit<Sample, 'peakMemoryBytes'> & Partial<Sample>): void {
  const line: Sample = { peakMemoryBytes: peakMemoryBytes(), ...sample };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Largest resident set of a process; not by `maxRSS` where it can be helped: a child begins with its parent's. */
export function peakMemoryBytes(pid: number | 'self' = 'self'): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
    return Number(kibibytes) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

/** The tensors of a safetensors file. */
export function readTensors(path: string): Record<string, Tensor> {
  return decodeSafetensors(path, readFileSync(path)).tensors;
}

/** Batches of a file whose tensors have one more axis in front: one `{ images, targets }` for each. */
export function batchesOf(stacked: Tensors): Record<string, Tensor>[] {
  const count = Object.values(stacked)[0]!.shape[0]!;
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      Object.entries(stacked).map(([name, { dtype, shape, data }]) => {
        const size = data.length / count;
        const part = data.subarray(i * size, (i + 1) * size) as typeof data;
        return [name, tensor(dtype, shape.slice(1), part)];
      }),
    ),
  );
}
