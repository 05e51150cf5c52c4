import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../support/compile.js';
import { instructions } from '../support/documents.js';
import { smallestSettings, writeMnistSubset } from '../support/mnist-subset.js';
import { idx } from '../support/tiny-data.js';

/** The package as README says to make and to install it, in a folder that was empty. */
let home: string;
let project: string;
/** Why npm cannot install here; undefined where it could. */
let unreachable: string | undefined;

interface Outcome {
  readonly ok: boolean;
  readonly stdout: string;
  readonly output: string;
}

async function shell(command: string, cwd: string): Promise<Outcome> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_|^ONNXRUNTIME|^FORCE_COLOR$/i.test(name),
  );
  const env = { ...Object.fromEntries(inherited), npm_config_update_notifier: 'false' };
  return promisify(execFile)('sh', ['-c', command], { cwd, env }).then(
    ({ stdout, stderr }) => ({ ok: true, stdout, output: stderr + stdout }),
    ({ stdout, stderr }: { stdout: string; stderr: string }) => ({
      ok: false,
      stdout,
      output: stderr + stdout,
    }),
  );
}

/** @throws Error with all that it said where a command fails */
async function succeed(command: string, cwd = project): Promise<string> {
  const { ok, stdout, output } = await shell(command, cwd);
  if (!ok) throw new Error(`${command}\n${output}`);
  return stdout;
}

/** The three lines of README, from the clone to the first word of the installed program. */
async function readmeCommands(): Promise<readonly [pack: string, install: string, version: string]> {
  const documents = await instructions();
  const { commands } = documents.find(({ source }) => source === 'README.md')!;
  const texts = commands.map(({ text }) => text);
  const at = texts.indexOf('npm pack');
  const [pack, install, version] = texts.slice(at, at + 3);
  expect(install).toMatch(
    /^ONNXRUNTIME_NODE_INSTALL=skip npm install \.\.\/quarterturn\/quarterturn-[\d.]+\.tgz$/,
  );
  return [pack!, install!, version!];
}

/** `npm pack` compiles dist/ anew, with which other tests work meanwhile. */
async function copyCheckout(to: string): Promise<void> {
  const { files } = JSON.parse(await fs.readFile(join(root, 'package.json'), 'utf8')) as { files: string[] };
  const packed = files.filter((file) => !/dist/.test(file));
  const needed = [
    'src',
    'scripts',
    'tsconfig.json',
    'tsconfig.build.json',
    'package.json',
    'package-lock.json',
  ];
  for (const name of [...packed, ...needed, 'README.md', 'LICENSE']) {
    await fs.cp(join(root, name), join(to, name), { recursive: true });
  }
  await fs.symlink(join(root, 'node_modules'), join(to, 'node_modules'), 'junction');
}

beforeAll(async () => {
  home = await fs.mkdtemp(join(tmpdir(), 'quarterturn-package-'));
  project = join(home, 'project');
  await fs.mkdir(project);
  const checkout = join(home, 'quarterturn');
  await copyCheckout(checkout);
  const [pack, install] = await readmeCommands();
  await succeed(pack, checkout);
  const installed = await shell(`${install} --prefer-offline --no-audit --no-fund`, project);
  if (installed.ok) return;
  const registry = await shell('npm view zod version', project);
  if (registry.ok) throw new Error(`${install}\n${installed.output}`);
  unreachable = `npm reaches no registry: ${registry.output.trim().split('\n')[0]}`;
  process.stderr.write(`\nTHE INSTALLED PACKAGE IS NOT TESTED: ${unreachable}\n\n`);
}, 600_000);
afterAll(() => fs.rm(home, { recursive: true, force: true }));

/** A test of the installed package, skipped aloud where nothing could be installed. */
function installedTest(name: string, body: () => Promise<void>): void {
  test(name, async ({ skip }) => {
    skip(unreachable !== undefined, unreachable);
    await body();
  });
}

installedTest('holds what it needs and nothing else', async () => {
  const files = await fs.readdir(join(project, 'node_modules/quarterturn'), { recursive: true });
  for (const file of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'bin/quarterturn.js']) {
    expect(files).toContain(file);
  }
  // What the README shows and links to is there.
  const readme = await fs.readFile(join(project, 'node_modules/quarterturn/README.md'), 'utf8');
  const linked = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, file]) => file);
  expect(linked).toContain('docs/studio/README.md');
  for (const file of linked) expect(files).toContain(file);
  expect(
    files.filter((file) => /^(src|test|scripts|bench)\b|\.map$|\.test\.|tsbuildinfo|-build$/.test(file)),
  ).toEqual([]);
  const modules = files.filter((file) => /^dist\/(?!studio\/web\/).*\.js$/.test(file));
  expect(modules.length).toBeGreaterThan(100);
  expect(files).toContain('dist/studio/web/index.html');
  for (const module of modules) {
    expect(files).toContain(module.replace(/js$/, 'd.ts'));
    // There are no source maps, and none is named.
    const text = await fs.readFile(join(project, 'node_modules/quarterturn', module), 'utf8');
    expect(text).not.toContain('sourceMappingURL');
  }
});

installedTest('says its version', async () => {
  const [, , version] = await readmeCommands();
  const { version: expected } = JSON.parse(await fs.readFile(join(root, 'package.json'), 'utf8'));
  expect(await succeed(version)).toBe(`${expected}\n`);
});

installedTest('has the entries that it declares, and MNIST', async () => {
  const program = `
    import { settingsFor } from 'quarterturn';
    import { add, graph, input, scalar } from 'quarterturn/engine';
    import { createNodeRuntime, readMnist } from 'quarterturn/node';
    import { createWebRuntime } from 'quarterturn/web';
    import about from 'quarterturn/package.json' with { type: 'json' };
    const { train, test } = await readMnist();
    const runtime = await createNodeRuntime({ device: 'cpu' });
    const program = await runtime.compile(graph({ y: add(input('x', 'float32', []), 1) }));
    const { y } = await program.run({ x: scalar(2) });
    const refusal = await createWebRuntime({ device: 'cpu' }).catch((error) => error.message);
    console.log(
      JSON.stringify([about.name, settingsFor('quick').preset, train.images.count, test.images.count, y.data[0], refusal]),
    );
    await program.release();
  `;
  await fs.writeFile(join(project, 'entries.mjs'), program);
  const printed = await succeed('node --disable-warning=ExperimentalWarning entries.mjs');
  expect(JSON.parse(printed)).toEqual([
    'quarterturn',
    'quick',
    60_000,
    10_000,
    3,
    'device: expected wasm or webgpu. Received: cpu.',
  ]);
  const { exports } = JSON.parse(await fs.readFile(join(root, 'package.json'), 'utf8'));
  expect(Object.keys(exports)).toEqual(['.', './engine', './node', './web', './package.json']);
});

installedTest('makes batches on a thread', async () => {
  const program = `
    import { imagesInMemory } from 'quarterturn';
    import { BatchWorker } from 'quarterturn/node';
    const pixels = Uint8Array.from({ length: 2 * 784 }, (_, i) => i % 251);
    const source = imagesInMemory({ name: 'two', pixels, height: 28, width: 28, channels: 1 });
    const worker = new BatchWorker({ note: (text) => console.log(text) });
    const maker = worker.makerFor(source);
    const { shape, data } = await maker.make([{ indices: Uint32Array.of(1, 0, 1) }]);
    console.log(JSON.stringify([maker.ahead, shape, data[0], data[784]]));
  `;
  await fs.writeFile(join(project, 'worker.mjs'), program);
  expect(JSON.parse(await succeed('node worker.mjs'))).toEqual([2, [3, 28, 28, 1], 784 % 251, 0]);
});

installedTest('has types that a strict project takes, in a browser as in Node', async () => {
  const programs = {
    browser: `
      import { fineTune, MemoryStore, type RecipeContext, settingsFor } from 'quarterturn';
      import { type Optimizer, sub, mul } from 'quarterturn/engine';
      import { createWebRuntime } from 'quarterturn/web';
      export const descent: Optimizer = {
        name: 'descent',
        slots: [],
        scalars: {},
        advance: () => ({}),
        update: ({ param, gradient, learningRate }) => ({ param: sub(param, mul(gradient, learningRate)), slots: {} }),
      };
      export async function learn(data: RecipeContext['data'], signal: AbortSignal) {
        const runtime = await createWebRuntime({ device: 'wasm' });
        const context = { settings: settingsFor('quick'), data, runtime, store: new MemoryStore(), emit: () => {}, signal };
        return fineTune(context, { draw: 0 });
      }`,
    node: `
      import type { ImageSource } from 'quarterturn';
      import { createNodeRuntime, readImageFiles, RunFolder } from 'quarterturn/node';
      export const images: Promise<ImageSource> = readImageFiles(['a.png'], { height: 28, width: 28, channels: 1 });
      export const opened = Promise.all([createNodeRuntime({ device: 'cpu' }), RunFolder.open('runs/a')]);`,
  };
  for (const [name, text] of Object.entries(programs)) await fs.writeFile(join(project, `${name}.ts`), text);
  // No types of Node beside it, and the declarations of every dependency are checked, too.
  const strictly =
    '--strict --exactOptionalPropertyTypes --skipLibCheck false --lib ES2022,DOM,ESNext.Disposable --noEmit';
  for (const modules of ['--module NodeNext', '--module ESNext --moduleResolution Bundler']) {
    await succeed(
      `"${process.execPath}" "${join(root, 'node_modules/typescript/bin/tsc')}" ${strictly} ${modules} browser.ts node.ts`,
    );
  }
});

installedTest('trains, and its model classifies three images at once and one by one', async () => {
  await writeMnistSubset(join(project, 'my-images'), { train: 300, test: 50 });
  await fs.writeFile(join(project, 'small.json'), JSON.stringify(smallestSettings));
  await succeed(
    'npx quarterturn run --data my-images --config small.json --threads 1 --out runs/small --quiet',
  );

  const test = await fs.readFile(join(project, 'my-images/t10k-images-idx3-ubyte'));
  const pixels = test.subarray(16, 16 + 3 * 784);
  await fs.writeFile(join(project, 'three-idx3-ubyte'), idx([3, 28, 28], pixels));
  const names = ['0.png', '1.png', '2.png'];
  for (const [i, name] of names.entries()) {
    const image = pixels.subarray(i * 784, (i + 1) * 784);
    await sharp(image, { raw: { width: 28, height: 28, channels: 1 } }).toFile(join(project, name));
  }
  const model = 'runs/small/models/classifier.onnx';
  const predict = async (files: string) =>
    JSON.parse(await succeed(`npx quarterturn predict ${model} ${files} --json`)) as {
      readonly label: string;
      readonly probability: number;
    }[];
  const [together, alone] = [await predict('three-idx3-ubyte'), await predict(names.join(' '))];
  expect(together).toHaveLength(3);
  for (const [i, prediction] of together.entries()) {
    expect(alone[i]!.label).toBe(prediction.label);
    expect(alone[i]!.probability).toBeCloseTo(prediction.probability, 5);
  }
});
