import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliOptions, cli, longestLine, tinySettings } from '../support/cli.js';
import { inProcess } from '../support/in-process.js';
import { writeTinyData } from '../support/tiny-data.js';

let cwd: string;
const quarterturn = (args: string, options: Omit<CliOptions, 'cwd'> = {}) =>
  cli(args.split(' ').filter(Boolean), { cwd, ...options });
const asked = (args: string) => inProcess(args.split(' ').filter(Boolean), { cwd });

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-usage-'));
  await writeTinyData(join(cwd, 'data'));
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify(tinySettings));
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

const commands = [
  'run',
  'pretrain',
  'finetune',
  'baseline',
  'ablate',
  'suggest',
  'evaluate',
  'report',
  'summary',
  'explain',
  'predict',
  'model',
];

describe('help', () => {
  test('the overview names every command and fits 80 columns', async () => {
    const { code, stdout, stderr } = await quarterturn('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ {2}${command} +\\S`, 'm'));
    expect(stdout).toContain('Examples:');
    expect(longestLine(stdout)).toBeLessThanOrEqual(80);
  });

  test.each(commands)('%s: defaults and examples, in 80 columns', async (command) => {
    const { code, stdout } = await asked(`${command} --help`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}quarterturn /);
    expect(longestLine(stdout)).toBeLessThanOrEqual(80);
    // Each option with a value says what happens without it.
    const options = stdout.split(/\n(?= {2}--)/).slice(1);
    for (const text of options.filter((option) => /^ {2}--(?!resume|from)[a-z-]+ </.test(option))) {
      expect(text.replace(/\s+/g, ' ')).toContain('default');
    }
  });

  test('no command at all is wrong usage, with the overview on stderr', async () => {
    const { code, stdout, stderr } = await quarterturn('');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: quarterturn <command>');
  });
});

describe('wrong usage exits 2 before anything is made', () => {
  test.each([
    ['run --epoch 3', /unknown option '--epoch'[\s\S]*Did you mean --epochs\?[\s\S]*quarterturn run --help/],
    ['rnu', /unknown command 'rnu'[\s\S]*Did you mean run\?/],
    ['run --epochs 0', /--epochs: expected a whole number from 1 on\. Received: 0\./],
    ['run --epochs 1.5', /--epochs: [\s\S]*Received: 1\.5\./],
    ['run --budget 10', /--budget: expected a time such as 90s, 10m or 1h30m\. Received: 10\./],
    ['run --budget 10m --epochs 3', /'--budget <time>' cannot be used with option '--epochs <n>'/],
    [
      'run --budget 10m --preset notebook',
      /--budget: expected a preset that can be scaled\. Received: notebook\./,
    ],
    ['run --draws x', /--draws: expected a whole number from 1 to 100\. Received: x\./],
    ['run --width -1', /--width: expected a number above 0, at most 8\. Received: -1\./],
    ['run --preset quik', /--preset: expected quick or [\w ]*notebook\. Received: quik\./],
    ['run --device cuda', /--device: expected cpu or webgpu\. Received: cuda\./],
    ['run --threads 0', /--threads: [\s\S]*Received: 0\./],
    ['run --out a --resume b', /'--out <folder>' cannot be used with option '--resume <folder>'/],
    ['run too many', /too many arguments/],
    ['run photos --data scans', /run: expected the data once\. Received: photos and --data scans\./],
    ['finetune', /expected --from <folder>[\s\S]*quarterturn pretrain/],
    ['predict', /missing required argument 'model'/],
    ['run --config none.json', /--config none\.json: expected a JSON object/],
  ])('%s', async (args, message) => {
    const before = await fs.readdir(cwd);
    const { code, stdout, stderr } = await asked(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(await fs.readdir(cwd)).toEqual(before);
  });

  test('a --config names the field that is wrong', async () => {
    await fs.writeFile(join(cwd, 'wrong.json'), '{"pretrain":{"epochs":0,"learningRate":1}}');
    const { code, stderr } = await quarterturn('run --config wrong.json --data data');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /wrong\.json: [\s\S]*pretrain\.epochs: [\s\S]*pretrain: Unrecognized key: "learningRate"/,
    );
  });
});

test('summary prints the layer tables of the notebook', async () => {
  const { code, stdout } = await quarterturn('summary --preset notebook');
  expect(code).toBe(0);
  const totals = [...stdout.matchAll(/params: (\S+)/g)].map((match) => match[1]);
  expect(totals).toEqual([
    ...['998,084', '994,884', '3,200'],
    ...['998,084', '407,428', '590,656'],
    ...['999,242', '996,042', '3,200'],
  ]);
  expect(stdout).toMatch(/^block2\.conv1 \(Conv2D\) +\(14, 14, 192\) +460,800$/m);
  expect(stdout).toMatch(/^block2\.conv1 \(Conv2D\) +\(14, 14, 192\) +460,800 {2}frozen$/m);
  expect(longestLine(stdout)).toBeLessThanOrEqual(80);
});

test('a reader that closes its end early is no failure', async () => {
  const ended = await cli(['summary'], { cwd, closeStdout: true });
  expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
});
