import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseJson, parseWith } from '../store/json.js';

const packageSchema = z.object({ version: z.string() });

/** Version of this package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return parseWith(packageSchema, parseJson('package.json', text), 'package.json', 'a package').version;
}
