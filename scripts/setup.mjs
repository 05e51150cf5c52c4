/**
 * Makes a checkout ready to run: checks Node, installs the locked dependencies, compiles src/ to dist/ and bundles the page
 * of the studio there.
 *
 * Plain Node without dependencies, since it runs before there are any. Each step compares a fingerprint
 * with the stamp that its last success left, so that a run with nothing to do takes milliseconds; a step
 * that was interrupted left no stamp and is done again. Speaks on stderr only: stdout belongs to the caller.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const buildStamp = join(dist, '.quarterturn-build');

/** Oldest Node that onnxruntime, vitest and biome all accept. */
const minimumNode = [20, 19];

/** A step that failed, said in a way that needs no stack trace. */
class SetupError extends Error {}

/**
 * @typedef {object} SetupOptions
 * @property {boolean} [clean] drop dist/ first, so that it holds nothing of deleted sources
 * @property {readonly string[]} [packages] folders that are packages of their own (`bench`), to install as well
 */

/**
 * Do what a fresh or outdated checkout still lacks.
 * @param {SetupOptions} options
 * @throws {SetupError} where a step failed
 */
export function setUp({ clean = false, packages = [] } = {}) {
  checkNode(process.versions.node);
  if (clean) rmSync(dist, { recursive: true, force: true });
  for (const folder of ['', ...packages]) install(folder);
  build();
}

/**
 * {@link setUp} for a program's entry: a failure is printed and ends the process with status 1.
 * @param {SetupOptions} options
 */
export function setUpOrExit(options) {
  try {
    setUp(options);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exit(1);
  }
}

function checkNode(version) {
  const [major, minor] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = minimumNode;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new SetupError(
    `expected Node >= ${minimumNode.join('.')}. Received: ${version}.\nInstall a newer Node: https://nodejs.org`,
  );
}

/** @param {string} folder the package's, relative to the checkout; `''` is the checkout itself */
function install(folder) {
  const cwd = join(root, folder);
  const modules = join(cwd, 'node_modules');
  const lockFile = join(cwd, 'package-lock.json');
  /** npm's own record of what it installed, written when it has finished. */
  const installedLockFile = join(modules, '.package-lock.json');
  const installStamp = join(modules, '.quarterturn-setup');
  const wanted = hash(readFileSync(lockFile));
  if (readStamp(installStamp) === wanted) return;
  if (!installedByHand(cwd, lockFile, installedLockFile)) {
    say(`installing dependencies${folder === '' ? '' : ` of ${folder}`} (npm ci)`);
    // Neither record may outlive what it describes: npm ci starts by deleting, and may be stopped there.
    rmSync(installStamp, { force: true });
    rmSync(installedLockFile, { force: true });
    const options = ['--include=dev', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
    const npm = run('npm', ['ci', ...options], {
      cwd,
      // onnxruntime-node's install script would fetch CUDA libraries, which nothing here uses, and fail the whole
      // installation where it cannot reach their host; the CPU and WebGPU kernels are in the package itself.
      env: { ONNXRUNTIME_NODE_INSTALL: 'skip', ...process.env },
      // What npm has to say when all goes well is not worth a line; its errors are on stderr.
      stdio: ['ignore', 'ignore', 2],
      // On Windows npm is a .cmd file, which only a shell can start.
      shell: process.platform === 'win32',
    });
    if (npm !== 0) {
      throw new SetupError(
        'npm ci failed; its message is above.\nIf it could not reach the registry: this step needs the ' +
          'network once. Check the connection, or name a mirror with `npm config set registry <url>`.',
      );
    }
  }
  writeFileSync(installStamp, wanted);
}

/** True where npm, run by hand, already installed just what the lock file says: no reason to do it again. */
function installedByHand(folder, lockFile, installedLockFile) {
  if (!existsSync(installedLockFile)) return false;
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedLockFile, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    // Binaries for other platforms are locked but not installed.
    if (found === undefined) return entry.optional === true;
    return (
      found.version === entry.version &&
      found.integrity === entry.integrity &&
      existsSync(join(folder, path, 'package.json'))
    );
  });
}

function build() {
  const wanted = sourceFingerprint();
  if (readStamp(buildStamp) === wanted) return;
  rmSync(buildStamp, { force: true });
  compile('src', 'typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
  compile('the page of the studio', 'vite/bin/vite.js', ['build', '-c', 'src/studio/web/vite.config.ts']);
  mkdirSync(dist, { recursive: true });
  writeFileSync(buildStamp, wanted);
}

/** @param {string} compiler its program, in node_modules */
function compile(what, compiler, args) {
  say(`compiling ${what} (${compiler.split('/')[0]})`);
  const status = run(process.execPath, [join(root, 'node_modules', compiler), ...args]);
  if (status !== 0) throw new SetupError(`${what} does not compile; the errors are above.`);
}

/** Of everything that decides what dist/ holds: names, times and sizes; contents would take longer to read. */
function sourceFingerprint() {
  const sources = filesUnder(join(root, 'src')).filter((path) => !path.endsWith('.test.ts'));
  const inputs = [
    ...sources,
    ...['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((f) => join(root, f)),
  ];
  const lines = inputs.map((path) => {
    const { mtimeMs, size } = statSync(path);
    return `${relative(root, path)} ${mtimeMs} ${size}`;
  });
  return hash(lines.sort().join('\n'));
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/** Runs a program to its end in the checkout, both its streams on our stderr; returns its exit status. */
function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (error) throw new SetupError(`${program} could not be started: ${error.message}.`);
  return status;
}

function readStamp(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function hash(content) {
  return createHash('sha256').update(content).digest('hex');
}

function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  setUpOrExit({ clean: process.argv.includes('--clean') });
}
