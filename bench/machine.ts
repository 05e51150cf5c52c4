import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { delimiter } from 'node:path';
import { formatBytes } from '../src/report/format.js';
import { untunedEnvironment } from './contender.js';
import type { PyTorch } from './torch.js';

/** What was found of PyTorch, and a line for each Python that was named and has none. */
export interface PyTorchSearch {
  readonly pytorches: readonly PyTorch[];
  readonly notes: readonly string[];
}

/**
 * Every PyTorch that PYTHON names, its Pythons separated by `:` as in PATH; else that of the system's Python, where
 * Debian's python3-torch lies.
 */
export function findPyTorches(): PyTorchSearch {
  const named = (process.env.PYTHON ?? '').split(delimiter).filter(Boolean);
  const candidates = named.length > 0 ? named : ['/usr/bin/python3', 'python3'];
  const versions = candidates.map((python) => ({ python, version: torchVersion(python) }));
  const having = versions.filter(({ version }) => version !== undefined);
  const taken = named.length > 0 ? having : having.slice(0, 1);
  const pytorches = taken.map(({ python, version }) => {
    const twice = taken.filter((other) => other.version === version).length > 1;
    return { python, label: `PyTorch ${version}${twice ? ` of ${python}` : ''}` };
  });
  const without = named.length > 0 ? versions.filter(({ version }) => version === undefined) : [];
  return {
    pytorches,
    notes: [
      ...without.map(
        ({ python }) => `PYTHON names ${python}, which cannot \`import torch\` and is left out.`,
      ),
      ...(pytorches.length === 0 ? [missingPyTorch] : []),
    ],
  };
}

/** `2.6.0`, without the builder's mark behind `+`; undefined where there is no PyTorch. */
function torchVersion(python: string): string | undefined {
  const { status, stdout } = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], {
    encoding: 'utf8',
    env: untunedEnvironment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout.trim().split('+')[0] : undefined;
}

const missingPyTorch =
  'PyTorch is left out: no Python here can `import torch`. On Debian and Ubuntu `apt-get install python3-torch`; ' +
  'else `pip install torch` and name that Python in PYTHON. Without it no losses are compared.';

/** `2 × Intel(R) Xeon(R) Processor @ 2.70GHz, 24.0 GiB, linux x64`. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const system = `${process.platform} ${process.arch}`;
  return `${availableParallelism()} × ${model}, ${formatBytes(totalmem())}, ${system}`;
}

/** Processes that wanted to run in the last minute, ours not yet among them. */
export function loadAverage(): number {
  return loadavg()[0]!;
}
