import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readNamedFile } from '../data/read-file.node.js';

/**
 * The classifier that a command was given: an ONNX file, or the folder of the run that saved it.
 * @throws QuarterturnError `data` if there is none
 */
export async function readModelFile(
  path: string,
): Promise<{ readonly file: string; readonly bytes: Uint8Array }> {
  const found = await stat(path).catch(() => undefined);
  const file = found?.isDirectory() ? join(path, 'models', 'classifier.onnx') : path;
  return { file, bytes: await readNamedFile(file, 'an ONNX model') };
}
