import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { formatBytes } from '../src/report/format.js';

/** A Python that has PyTorch: PYTHON where it is set, else the system's, where Debian's python3-torch lies. */
export function findPython(): string | undefined {
  const candidates = process.env.PYTHON ? [process.env.PYTHON] : ['/usr/bin/python3', 'python3'];
  return candidates.find(
    (python) => spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
  );
}

export const missingPython =
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
