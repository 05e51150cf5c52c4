import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliOptions, cli, tiniestSettings, tinySettings } from '../support/cli.js';
import { writeTinyData } from '../support/tiny-data.js';

const bin = resolve(import.meta.dirname, '../../bin/quarterturn.js');

let cwd: string;
const quarterturn = (args: string, options: Omit<CliOptions, 'cwd'> = {}) =>
  cli(args.split(' '), { cwd, ...options });
const run = (folder: string, options: Omit<CliOptions, 'cwd'> = {}) =>
  quarterturn(`run --config tiny.json --data data --threads 1 --out ${folder}`, options);
const leftIn = async (folder: string) =>
  (await fs.readdir(join(cwd, folder), { recursive: true })).filter((name) =>
    /\.lock|quarterturn-tmp/.test(name),
  );

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-system-'));
  await writeTinyData(join(cwd, 'data'));
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify({ ...tiniestSettings, labelsPerClass: 1 }));
  // Long enough that no signal comes too late.
  const long = { ...tinySettings, pretrain: { ...tinySettings.pretrain, epochs: 1000 } };
  await fs.writeFile(join(cwd, 'long.json'), JSON.stringify(long));
  expect((await run('whole')).code).toBe(0);
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

describe('signals', () => {
  const long = 'run --config long.json --data data --threads 1 --out';
  const when = /^Pretraining on rotations/m;

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 75],
    ['SIGHUP', 75],
    ['SIGQUIT', 75],
  ] as const)('%s saves, leaves no lock and exits %i', async (name, status) => {
    const { code, stdout, stderr } = await quarterturn(`${long} ${name}`, {
      signal: { name, when, afterMs: 200 },
    });
    expect({ code, stdout }).toEqual({ code: status, stdout: '' });
    expect(stderr).toContain('Saving after this step.');
    expect(stderr).toMatch(
      /^stopped: (Pretraining on rotations: stopped at step [\d,]+ of 25,000, saved|rotations of \S+ images: stopped after .*)\.$/m,
    );
    expect(stderr).toMatch(new RegExp(`^hint: Go on with: quarterturn run --resume ${name}$`, 'm'));
    expect(await leftIn(name)).toEqual([]);
    expect(existsSync(join(cwd, name, 'checkpoints/pretrain.safetensors'))).toBe(true);
  });

  test('signals that come together are one: it saves', async () => {
    const child = start(`${long} twice`);
    await said(child, when);
    await sleep(200);
    child.kill('SIGTERM');
    child.kill('SIGHUP');
    const { code, stderr } = await ended(child);
    expect(stderr).toMatch(/^stopped: .*(saved|stopped after .*)\.$/m);
    expect(stderr).not.toContain('at once, by');
    expect(code).toBe(75);
    expect(await leftIn('twice')).toEqual([]);
    expect((await quarterturn('evaluate twice')).stderr).toContain('expected a finished stage');
  });

  test.each([
    ['SIGINT', 'SIGINT'],
    ['SIGQUIT', 'SIGKILL'],
  ])('a second %s ends what does not stop, and what releases a lock is called', async (name, endedBy) => {
    const file = join(cwd, `stuck-${name}.mjs`);
    await fs.writeFile(
      file,
      `import { handleStopSignals, onStopSignal } from ${JSON.stringify(resolve(bin, '../../dist/cli/signals.js'))};
       process.on('exit', (status) => console.log('released', status));
       handleStopSignals();
       onStopSignal((first) => console.error(first ? 'asked to stop' : 'asked again'));
       setInterval(() => {}, 1000);
       console.error('at work');`,
    );
    const child = spawn(process.execPath, [file], { cwd });
    await said(child, /at work/);
    child.kill('SIGHUP');
    await said(child, /asked to stop/);
    await sleep(1050);
    child.kill(name as NodeJS.Signals);
    const { stdout, stderr } = await ended(child);
    expect({ stdout, signal: child.signalCode }).toEqual({
      stdout: `released ${name === 'SIGINT' ? 130 : 75}\n`,
      signal: endedBy,
    });
    expect(stderr).toBe(`asked again\nstopped: at once, by ${name}.\n`);
  });

  test('a terminal that is gone does not keep it from saving', async () => {
    const child = start(`${long} closed`);
    await said(child, when);
    await sleep(200);
    child.stderr!.destroy();
    child.stdout!.destroy();
    child.kill('SIGHUP');
    const [code] = await once(child, 'exit');
    expect(code).toBe(75);
    expect(await leftIn('closed')).toEqual([]);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'])(
    '%s as soon as it can be handled, before anything is loaded: a word, and nothing made',
    async (name) => {
      const preload = `
        const timer = setInterval(() => {
          if (process.listenerCount('${name}') === 0) return;
          clearInterval(timer);
          process.kill(process.pid, '${name}');
        }, 0);`;
      const file = join(cwd, `${name}.mjs`);
      await fs.writeFile(file, preload);
      const env = { NODE_OPTIONS: `--import ${file}` };
      const { code, stdout, stderr } = await quarterturn(`${long} early`, { env });
      expect({ code, stdout }).toEqual({ code: name === 'SIGINT' ? 130 : 75, stdout: '' });
      expect(stderr).toBe(`stopped: at once, by ${name}.\n`);
      expect(existsSync(join(cwd, 'early'))).toBe(false);
    },
  );

  test('the help says what each status means', async () => {
    const { stdout } = await quarterturn('--help');
    expect(stdout).toMatch(/Exit status: 0 done, 1 failed, 2 wrong usage; where it was stopped/);
    expect(stdout).toContain('130 by Ctrl-C, 75 by SIGTERM, SIGHUP or SIGQUIT.');
  });
});

describe('a report that was killed', () => {
  test('leaves nothing that the next one does not clear away', async () => {
    await fs.cp(join(cwd, 'whole'), join(cwd, 'reported'), { recursive: true });
    // Killed between the temporary file and its new name.
    const preload = `
      import fs from 'node:fs/promises';
      fs.rename = () => process.kill(process.pid, 'SIGKILL');`;
    await fs.writeFile(join(cwd, 'kill.mjs'), preload);
    const env = { NODE_OPTIONS: `--import ${join(cwd, 'kill.mjs')}` };
    expect((await quarterturn('report reported', { env })).code).toBeNull();
    expect(await leftIn('reported')).toHaveLength(1);
    expect((await quarterturn('report reported')).code).toBe(0);
    expect(await leftIn('reported')).toEqual([]);
  });
});

describe.runIf(existsSync('/dev/full'))('an output that takes nothing', () => {
  /** Its own stdout and stderr are files, as in a shell's redirection. */
  async function redirected(args: string, to: { stdout?: string; stderr?: string }) {
    const open = (path: string | undefined) => (path === undefined ? 'pipe' : openSync(path, 'w'));
    const stdio = [open(to.stdout), open(to.stderr)] as const;
    const child = spawn(process.execPath, [bin, ...args.split(' ')], { cwd, stdio: ['ignore', ...stdio] });
    for (const fd of stdio) if (typeof fd === 'number') closeSync(fd);
    return ended(child);
  }

  test.each(['report whole', '--help', 'run --resume whole --json', 'evaluate whole --quiet'])(
    '%s > /dev/full',
    async (args) => {
      const { code, stderr } = await redirected(args, { stdout: '/dev/full' });
      expect(stderr).toContain(
        'error: standard output: expected to write it. Received: ENOSPC, the disk is full.\n',
      );
      expect(stderr).not.toMatch(/^ +at /m);
      expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^hint: /);
      expect(code).toBe(1);
    },
  );

  test('progress that cannot be shown does not stop the work', async () => {
    const { code, stdout } = await redirected(
      'run --config tiny.json --data data --threads 1 --out unseen --json',
      { stderr: '/dev/full' },
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ run: 'unseen' });
  });
});

describe.runIf(process.platform === 'linux')('a system that gives little', () => {
  const limited = (limit: string, args: string) =>
    ended(
      spawn('bash', ['-c', `ulimit ${limit}; exec "$0" "$@"`, process.execPath, bin, ...args.split(' ')], {
        cwd,
      }),
    );
  const begin = 'run --config tiny.json --data data --threads 1 --out little';

  test.each([
    ['-n 64', begin],
    ['-n 64', 'report whole'],
    ['-n 40', 'evaluate whole'],
    ['-n 28', 'report whole'],
  ])('few open files (ulimit %s): %s', async (limit, args) => {
    const { code, stderr } = await limited(limit, args);
    expect(stderr).toBe(
      `error: quarterturn: expected to open its files. Received: EMFILE, no more than ${limit.slice(3)} may be open at once.\nhint: Raise the limit: ulimit -n 1024.\n`,
    );
    expect(code).toBe(1);
    expect(existsSync(join(cwd, 'little'))).toBe(false);
  });

  test.each([
    // Node alone starts in so little. Further on, V8 would lack memory sooner or later, and end the process by a signal.
    ['820000', '0.78'],
    ['2621439', '2.49'],
  ])('little memory (ulimit -v %s): says so before anything is loaded', async (kib, gib) => {
    expect(await limited(`-v ${kib}`, 'evaluate whole')).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: quarterturn: expected an address space of at least 2.5 GiB. Received: a limit of ${gib} GiB.\nhint: Raise the limit: ulimit -v unlimited, or at least ulimit -v 2621440.\n`,
    });
  });

  test('little memory that is enough', async () => {
    expect(await limited('-v 2621440', 'evaluate whole')).toMatchObject({ code: 0 });
  });

  test('little room for files', async () => {
    const { code, stderr } = await limited('-f 1', begin.replace('little', 'small'));
    expect(stderr).toMatch(
      /^error: small\/\S+: expected to write it\. Received: EFBIG, the file is larger than allowed\.$/m,
    );
    expect(stderr).toMatch(/^hint: Raise the limit \(ulimit -f\)/m);
    expect(code).toBe(1);
    expect(await leftIn('small')).toEqual([]);
  });

  const canMount = mayMount();
  test.runIf(canMount)('a disk that is read-only', async () => {
    const readOnly = (args: string) =>
      ended(
        spawn(
          'unshare',
          [
            '-rm',
            'bash',
            '-c',
            'mount --bind whole whole && mount -o remount,ro,bind whole whole && exec "$0" "$@"',
            process.execPath,
            bin,
            ...args.split(' '),
          ],
          { cwd },
        ),
      );
    for (const [args, file] of [
      ['report whole', 'whole/report.html'],
      ['run --resume whole', 'whole'],
      ['run --config tiny.json --data data --out whole/deep/new', 'whole/deep/new'],
      ['ablate --config tiny.json --data data --out whole/table', 'whole/table'],
      ['suggest whole --out whole/wanted.json', 'whole/wanted.json'],
    ] as const) {
      const { code, stderr } = await readOnly(args);
      expect(stderr).toContain(
        `error: ${file}: expected to write it. Received: EROFS, the file system is read-only.\nhint: `,
      );
      expect(code).toBe(1);
    }
    const { code, stdout } = await readOnly('evaluate whole --json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ run: 'whole' });
  });
});

function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function start(args: string): ChildProcess {
  return spawn(process.execPath, [bin, ...args.split(' ')], { cwd });
}

/** Until its stderr matches. */
async function said(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = '';
  const more = (chunk: Buffer) => {
    text += chunk;
  };
  child.stderr!.on('data', more);
  while (!pattern.test(text)) {
    expect(child.exitCode).toBeNull();
    await sleep(5);
  }
  child.stderr!.off('data', more);
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (text) => {
    stdout += text;
  });
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
