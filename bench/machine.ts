import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { delimiter } from 'node:path';
import { formatBytes } from '../src/report/format.js';
import { untunedEnvironment } from './contender.js';
import type { Searcher } from './neighbours-row.js';
import type { PythonLibrary } from './python.js';

/** What was found of PyTorch, and a line for each Python that was named and has none. */
export interface PyTorchSearch {
  readonly pytorches: readonly PythonLibrary[];
  readonly notes: readonly string[];
}

/**
 * Every PyTorch that PYTHON names, its Pythons separated by `:` as in PATH; else that of the system's Python, where
 * Debian's python3-torch lies.
 */
export function findPyTorches(): PyTorchSearch {
  const named = namedPythons();
  const versions = pythons().map((python) => ({ python, version: versionOf('torch', python) }));
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

/** Other libraries that find neighbours, each in the first Python that has it, and a line for those that are missing. */
export function findSearchers(): {
  readonly searchers: readonly Searcher[];
  readonly notes: readonly string[];
} {
  const found = Object.entries(searchLibraries).map(([library, title]) => {
    for (const python of pythons()) {
      const version = versionOf(library, python);
      if (version !== undefined) return { library, python, label: `${title} ${version}` };
    }
    return { library };
  });
  const searchers = found.filter((each): each is Searcher => 'python' in each);
  const missing = found.filter((each) => !('python' in each)).map(({ library }) => library);
  return { searchers, notes: missing.length === 0 ? [] : [missingSearchers(missing)] };
}

const searchLibraries = { faiss: 'faiss', sklearn: 'scikit-learn' } as const;

const missingSearchers = (libraries: readonly string[]) =>
  `Left out: ${libraries.join(', ')}. On Debian and Ubuntu ` +
  `\`apt-get install ${libraries.map((library) => `python3-${library}`).join(' ')}\`.`;

/** The Pythons that PYTHON names. */
function namedPythons(): string[] {
  return (process.env.PYTHON ?? '').split(delimiter).filter(Boolean);
}

/** Where libraries are looked for. */
function pythons(): string[] {
  const named = namedPythons();
  return named.length > 0 ? named : ['/usr/bin/python3', 'python3'];
}

/** `2.6.0`, without the builder's mark behind `+`; undefined where there is no such library. */
function versionOf(library: string, python: string): string | undefined {
  const { status, stdout } = spawnSync(python, ['-c', `import ${library} as l; print(l.__version__)`], {
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
