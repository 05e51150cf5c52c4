import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
/** How onnxruntime-node's install script reads what it is asked to do. */
const reader = join(root, 'node_modules/onnxruntime-node/script/install-utils.js');

/** npm as a person calls it, with nothing of our environment that speaks to onnxruntime-node's install script. */
function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
) {
  const inherited = Object.entries(process.env).filter(([name]) => !/onnxruntime_node_install/i.test(name));
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  return { status, output: stdout + stderr };
}

test('npm has nothing to say against the settings of a checkout', () => {
  const { status, output } = run('npm', ['config', 'get', 'registry'], root);
  expect(status).toBe(0);
  expect(output).not.toContain('warn');
});

describe('set-up of a fresh checkout', () => {
  let checkout: string;
  beforeAll(async () => {
    checkout = await fs.mkdtemp(join(tmpdir(), 'quarterturn-setup-'));
  });
  afterAll(() => fs.rm(checkout, { recursive: true, force: true }));

  /**
   * A checkout whose one dependency has an install script as onnxruntime-node has: it notes what it was asked to do.
   * The dependency and a second one are also the compilers that set-up calls next, since nothing else is installed.
   */
  async function prepare(): Promise<void> {
    const script = `node -e "require('fs').writeFileSync('asked.json', JSON.stringify(require('${reader}').parseInstallFlag() ?? null))"`;
    await writePackage('typescript', 'bin/tsc', { postinstall: script });
    await writePackage('vite', 'bin/vite.js', {});
    await writeJson('package.json', {
      name: 'checkout',
      version: '1.0.0',
      dependencies: { typescript: 'file:typescript-1.0.0.tgz', vite: 'file:vite-1.0.0.tgz' },
    });
    await fs.mkdir(join(checkout, 'src'));
    await fs.mkdir(join(checkout, 'scripts'));
    await fs.copyFile(join(root, 'scripts/setup.mjs'), join(checkout, 'scripts/setup.mjs'));
    for (const file of ['tsconfig.json', 'tsconfig.build.json', '.npmrc']) {
      await fs.copyFile(join(root, file), join(checkout, file));
    }
    expect(run('npm', ['install', '--package-lock-only', '--offline'], checkout).status).toBe(0);
  }
  async function writePackage(name: string, program: string, scripts: object): Promise<void> {
    const folder = join(checkout, 'packages', name);
    await fs.mkdir(join(folder, 'bin'), { recursive: true });
    await fs.writeFile(join(folder, program), '');
    await writeJson(`packages/${name}/package.json`, { name, version: '1.0.0', scripts });
    expect(run('npm', ['pack', '--pack-destination', '../..'], folder).status).toBe(0);
  }
  const writeJson = (path: string, value: unknown) =>
    fs.writeFile(join(checkout, path), JSON.stringify(value));
  const asked = async () =>
    JSON.parse(await fs.readFile(join(checkout, 'node_modules/typescript/asked.json'), 'utf8')) as unknown;
  const setUp = (env: Readonly<Record<string, string>> = {}) =>
    run(process.execPath, [join(checkout, 'scripts/setup.mjs')], checkout, env);

  test('onnxruntime-node is told not to fetch what the network may refuse', async () => {
    await prepare();
    const { status, output } = setUp();
    expect({ status, warned: /warn/.test(output) }, output).toEqual({ status: 0, warned: false });
    // false is how its script reads `skip`; null would be: fetch what is missing.
    expect(await asked()).toBe(false);
  });

  test('unless the environment asks for something else', async () => {
    await fs.rm(join(checkout, 'node_modules'), { recursive: true });
    expect(setUp({ ONNXRUNTIME_NODE_INSTALL: 'true' }).status).toBe(0);
    expect(await asked()).toBe(true);
  });
});
