import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CompiledFolder, compile, root } from '../support/compile.js';
import type { WebGpuReport } from '../support/webgpu-process.js';

/** Chromium brings a Vulkan driver in software and a loader that finds it (Debian's package puts them here). */
const chromium = '/usr/lib/chromium';
const driver = join(chromium, 'vk_swiftshader_icd.json');
const hasDriver = existsSync(driver) && existsSync(join(chromium, 'libvulkan.so.1'));

interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly log: string;
  readonly report: WebGpuReport;
}

describe.skipIf(!hasDriver)(`WebGPU in Node, on the software driver (needs ${driver})`, () => {
  let compiled: CompiledFolder;

  /** The process of `webgpu-process.ts` with a Vulkan driver, or with one that is not there. */
  function runProcess(name: string, driverFile: string): Promise<Ended> {
    const reportFile = join(compiled.path, `${name}.json`);
    const script = join(compiled.path, 'test/support/webgpu-process.js');
    const child = spawn(process.execPath, [script, join(root, 'test/golden/rotnet-step.json'), reportFile], {
      env: { ...process.env, VK_ICD_FILENAMES: driverFile, LD_LIBRARY_PATH: chromium },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 150_000,
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', async (exitCode, signal) => {
        const report = existsSync(reportFile) ? JSON.parse(await readFile(reportFile, 'utf8')) : {};
        resolve({ exitCode, signal, log, report });
      });
    });
  }

  let ended: Ended;
  beforeAll(async () => {
    compiled = await compile(['test/support/webgpu-process.ts']);
    ended = await runProcess('software', driver);
  });
  afterAll(() => compiled?.remove());

  test('the process ends by itself, without a crash', () => {
    const { exitCode, signal } = ended;
    expect({ exitCode, signal }, ended.log.slice(-3000)).toEqual({ exitCode: 0, signal: null });
    expect(ended.report.refused).toBeUndefined();
  });

  test('forward ops agree with the interpreter', () => {
    expect(ended.report.forward).toEqual([]);
  });

  test('all ops agree with the interpreter on maps of a training step', () => {
    expect(ended.report.maps).toEqual([]);
  });

  test('a whole RotNet step equals PyTorch’s, each time it runs', () => {
    expect(ended.report.step).toEqual([]);
  });

  test('every operator of the step runs there, none on the CPU', () => {
    const { placement = [] } = ended.report;
    expect(placement.length).toBeGreaterThan(500);
    expect(placement.filter(({ provider }) => provider !== 'WebGpuExecutionProvider')).toEqual([]);
    // The list is that of the step: each family of operators it is made of is there.
    const operators = new Set(placement.map(({ opType }) => opType));
    for (const opType of ['Conv', 'MatMul', 'Gemm', 'MaxPool', 'ReduceMax', 'Cast', 'Mul', 'Add']) {
      expect(operators).toContain(opType);
    }
  });

  test('a machine without an adapter: a clear error', async () => {
    const { report } = await runProcess('absent', '/nonexistent.json');
    expect(report.refused).toEqual({
      code: 'usage',
      message: 'device: expected one that is there (cpu). Received: webgpu.',
      hint: 'No webgpu adapter answers on this machine. Use --device cpu.',
    });
  });
});
