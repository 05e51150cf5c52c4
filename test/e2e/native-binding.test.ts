import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cli } from '../support/cli.js';

const root = resolve(import.meta.dirname, '../..');
const target = `${process.platform}/${process.arch}`;
/** An installation of its own. */
let home: string;
/** Its copy of onnxruntime-node, to be damaged. */
let kernels: string;

beforeAll(async () => {});
beforeEach(async () => {
  home = await fs.mkdtemp(join(tmpdir(), 'quarterturn-binding-'));
  kernels = join(home, 'node_modules/onnxruntime-node');
  await install();
});
afterEach(() => fs.rm(home, { recursive: true, force: true }));

/** The package as npm installs it: every dependency a link, except for onnxruntime-node with files in place of bindings. */
async function install(): Promise<void> {
  for (const part of ['bin', 'dist', 'package.json']) {
    await fs.cp(join(root, part), join(home, part), { recursive: true });
  }
  await fs.mkdir(kernels, { recursive: true });
  for (const name of await fs.readdir(join(root, 'node_modules'))) {
    if (name.startsWith('.') || name === 'onnxruntime-node') continue;
    await fs.symlink(join(root, 'node_modules', name), join(home, 'node_modules', name));
  }
  for (const part of ['package.json', 'dist']) {
    await fs.cp(join(root, 'node_modules/onnxruntime-node', part), join(kernels, part), { recursive: true });
  }
  for (const each of ['linux/x64', target]) {
    await fs.mkdir(join(kernels, 'bin/napi-v6', each), { recursive: true });
    await fs.writeFile(join(kernels, 'bin/napi-v6', each, 'onnxruntime_binding.node'), 'no library at all');
  }
}

/** What a command says that needs kernels, in that installation. */
async function failure({ before = '' } = {}): Promise<string> {
  const { code, stdout, stderr } = await cli(['pretrain', '--out', 'run'], {
    cwd: home,
    bin: join(home, 'bin/quarterturn.js'),
    env: before === '' ? {} : { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(before)}` },
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).not.toMatch(/\.js:\d+|Require stack|Cannot find (module|package)|not foreseen/);
  expect(await fs.readdir(home)).not.toContain('run');
  return stderr.trim();
}

test('whose file is gone: named, and how to get it back', async () => {
  await fs.rm(join(kernels, 'bin/napi-v6', target, 'onnxruntime_binding.node'));
  expect(await failure()).toMatch(
    new RegExp(
      `^error: onnxruntime-node: expected its native binding for ${target}\\. Received: a package without .*${target}.onnxruntime_binding\\.node\\.\\n` +
        'hint: Install it afresh: remove node_modules/onnxruntime-node, then run `npm install`, .*ONNXRUNTIME_NODE_INSTALL=skip',
    ),
  );
});

test('that the system cannot load: why, and how to get another', async () => {
  expect(await failure()).toMatch(
    new RegExp(
      `native binding for ${target}\\. Received: one that this system cannot load \\(.+\\)\\.\\nhint: .*Install it afresh`,
    ),
  );
});

test.runIf(process.platform === 'linux')('on a system with musl: that it needs another Node', async () => {
  const before = 'process.report.getReport = () => ({ header: {} })';
  expect(await failure({ before })).toMatch(
    /cannot load [\s\S]*hint: This Node is built for musl \(Alpine\)/,
  );
});

test('on a platform that the package does not know: the platforms that it knows', async () => {
  const before = 'Object.defineProperty(process, "arch", { value: "riscv64" })';
  expect(await failure({ before })).toMatch(
    /native binding for \w+\/riscv64\. Received: a package for .*linux\/x64.*\.\nhint: Use Node on one of these/,
  );
});

test('without its package: that it is to be installed', async () => {
  await fs.rm(kernels, { recursive: true });
  expect(await failure()).toMatch(/Received: no such package\.\nhint: Install it afresh/);
});
