import type { Contender, Files, Flags } from './contender.js';
import { source } from './places.js';

/** A library of a Python that takes part, above all PyTorch. */
export interface PythonLibrary {
  /** The Python that it belongs to. */
  readonly python: string;
  /** `PyTorch 2.6.0` */
  readonly label: string;
}

/**
 * How the C library hands out memory. As installed, glibc gives every large block back after its use, so that each map of
 * each step is faulted in again; PyTorch's tuning guide says to use another allocator. Thresholds beyond every block make
 * glibc keep its memory as such an allocator does. ONNX Runtime holds memory in an arena of its own: they change nothing
 * for ours.
 */
const allocators: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'as installed': {},
  'allocator tuned': {
    MALLOC_MMAP_THRESHOLD_: `${2 ** 32}`,
    MALLOC_TRIM_THRESHOLD_: `${2 ** 33}`,
    MALLOC_TOP_PAD_: `${2 ** 28}`,
  },
};

/** Memory layouts: which one is faster depends on the work. */
export const layouts = ['channels_last', 'contiguous'] as const;

/** A program in Python, and what it works on. */
export interface PythonProgram {
  /** A file of `bench/python`. */
  readonly path: string;
  readonly flags: Flags;
  readonly files: Files;
}

/** A program by the name of its file. */
export function pythonProgram(file: string, flags: Flags, files: Files): PythonProgram {
  return { path: source(`bench/python/${file}`), flags, files };
}

/**
 * Each library with each allocator in each of the layouts; none where there is no library.
 * @param layouts none are told to a program whose work knows none
 */
export function pythonPeers(
  libraries: readonly PythonLibrary[],
  { path, flags, files }: PythonProgram,
  layouts: readonly (string | undefined)[] = [undefined],
): Contender[] {
  return libraries.flatMap(({ python, label }) =>
    Object.entries(allocators).flatMap(([allocator, env]) =>
      layouts.map(
        (layout): Contender => ({
          name: [label, allocator, layout, flags.script && 'TorchScript'].filter(Boolean).join(', '),
          role: 'peer',
          program: [python, path],
          flags: { ...flags, ...(layout !== undefined && { layout }) },
          env,
          files,
        }),
      ),
    ),
  );
}

/** The same losses without float32's rounding, which all others are judged by. */
export function float64Reference(
  { python, label }: PythonLibrary,
  { path, flags, files }: PythonProgram,
): Contender {
  return {
    name: `${label} in float64`,
    role: 'reference',
    program: [python, path],
    flags: { ...flags, layout: 'contiguous', double: 1 },
    env: allocators['allocator tuned']!,
    files,
  };
}

/**
 * Each PyTorch in each layout, for how far its float32 is from float64. The layout matters: in channels_last BatchNorm adds
 * in float32, in contiguous maps in float64. The allocator does not.
 */
export function float32Witnesses(
  pytorches: readonly PythonLibrary[],
  { path, flags, files }: PythonProgram,
): Contender[] {
  return pytorches.flatMap(({ python, label }) =>
    layouts.map((layout) => ({
      name: `${label} in float32, ${layout}`,
      role: 'reference',
      program: [python, path],
      flags: { ...flags, layout },
      env: allocators['allocator tuned']!,
      files,
    })),
  );
}
