import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Tensor } from '../../src/tensor/tensor.js';
import { root } from './compile.js';

/** Debian's own Python has Debian's packages, whichever other one comes first on the path. */
const interpreters = [process.env.PYTHON, 'python3', '/usr/bin/python3'];

const answersSchema = z.array(z.object({ shape: z.array(z.int()), data: z.array(z.number()) }));
const versionsSchema = z.object({ ir: z.int(), opsets: z.record(z.string(), z.int()) });

/** A Python that can import a module; undefined where there is none. */
export async function pythonWith(module: string): Promise<string | undefined> {
  for (const python of interpreters) {
    if (python === undefined) continue;
    const found = await run(python, ['-c', `import ${module}`]).catch(() => undefined);
    if (found) return python;
  }
  return undefined;
}

/**
 * Probabilities that OpenCV's DNN module gives for the first images, for each of several counts at once.
 * @returns for each count, float32 [count, K]
 */
export async function classifyWithOpenCv(
  python: string,
  model: Uint8Array,
  images: Tensor<'uint8'>,
  counts: readonly number[],
): Promise<z.infer<typeof answersSchema>> {
  const text = await withFiles({ 'model.onnx': model, 'images.raw': images.data }, (folder) =>
    run(python, [
      join(root, 'test/support/opencv_classify.py'),
      join(folder, 'model.onnx'),
      join(folder, 'images.raw'),
      images.shape.join('x'),
      counts.join(','),
    ]),
  );
  return answersSchema.parse(JSON.parse(text.stdout));
}

/** What a program prints that finds files where it runs. */
export async function runPython(
  python: string,
  program: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<string> {
  const { stdout } = await withFiles(files, (cwd) => run(python, ['-c', program], { cwd }));
  return stdout;
}

/** What ONNX's own checker, full shape inference included, found in a model that it passes. */
export async function checkOnnx(python: string, model: Uint8Array): Promise<z.infer<typeof versionsSchema>> {
  const program = [
    'import json, onnx, sys',
    'model = onnx.load(sys.argv[1])',
    'onnx.checker.check_model(model, full_check=True)',
    'opsets = {o.domain: o.version for o in model.opset_import}',
    'print(json.dumps({"ir": model.ir_version, "opsets": opsets}))',
  ];
  const text = await withFiles({ 'model.onnx': model }, (folder) =>
    run(python, ['-c', program.join('\n'), join(folder, 'model.onnx')]),
  );
  return versionsSchema.parse(JSON.parse(text.stdout));
}

const run = promisify(execFile);

async function withFiles<T>(
  files: Readonly<Record<string, Uint8Array>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterturn-python-'));
  try {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
