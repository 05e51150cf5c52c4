import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readNamedFile } from '../data/read-file.node.js';
import { assertModelPath, type ModelPathOptions } from './named-path.js';

/**
 * The classifier that a command was given: an ONNX file, or the folder of the run that saved it.
 * @throws QuarterturnError `usage` if it is known to be something else, `data` if there is none
 */
export async function readModelFile(
  path: string,
  options: ModelPathOptions,
): Promise<{ readonly file: string; readonly bytes: Uint8Array }> {
  await assertModelPath(path, options);
  const found = await stat(path).catch(() => undefined);
  const file = found?.isDirectory() ? join(path, 'models', 'classifier.onnx') : path;
  return { file, bytes: await readNamedFile(file, 'an ONNX model') };
}
