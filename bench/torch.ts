import type { Contender, Files, Flags } from './contender.js';

/** A PyTorch that takes part, and the Python that it belongs to. */
export interface PyTorch {
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

/** One of PyTorch's programs, and what it works on. */
export interface TorchProgram {
  /** A file of `bench/torch`. */
  readonly path: string;
  readonly flags: Flags;
  readonly files: Files;
}

/** Each PyTorch with each allocator in each of the layouts; none where there is no PyTorch. */
export function torchPeers(
  pytorches: readonly PyTorch[],
  program: TorchProgram,
  layouts: readonly string[],
): Contender[] {
  return pytorches.flatMap(({ python, label }) =>
    Object.entries(allocators).flatMap(([allocator, env]) =>
      layouts.map(
        (layout): Contender => ({
          name: `${label}, ${allocator}, ${layout}${program.flags.script ? ', TorchScript' : ''}`,
          role: 'peer',
          program: [python, program.path],
          flags: { ...program.flags, layout },
          env,
          files: program.files,
        }),
      ),
    ),
  );
}

/** The same losses without float32's rounding, which all others are judged by. */
export function float64Reference(
  { python, label }: PyTorch,
  { path, flags, files }: TorchProgram,
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
  pytorches: readonly PyTorch[],
  { path, flags, files }: TorchProgram,
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
