import fs from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from './api-error.js';

/** The classifier that a run of a project has left. */
export interface RunModel {
  /** Name of the run's folder. */
  readonly run: string;
  /** Of the ONNX file. */
  readonly path: string;
}

/** Where a project's runs lie, in its own folder. */
export const runsFolderName = 'runs';

/** What a run may be called: a name, and no path. */
const runPattern = /^[A-Za-z0-9][\w.-]{0,99}$/;

/**
 * The classifier of a run.
 * @param folder of the project
 * @param run default: the one whose classifier is the newest
 * @throws Refusal `not-found` for another run, or one without a classifier; `conflict` where there is none at all
 */
export async function modelOf(folder: string, run?: string): Promise<RunModel> {
  if (run !== undefined) {
    const found = runPattern.test(run) ? await modelIn(folder, run) : undefined;
    if (found) return found;
    throw new Refusal(
      'not-found',
      'run: expected one of this project that has a classifier. Received: another.',
    );
  }
  const names = await fs.readdir(join(folder, runsFolderName)).catch(() => []);
  const models = await Promise.all(
    names.filter((name) => runPattern.test(name)).map((name) => modelIn(folder, name)),
  );
  const [newest] = models
    .filter((model) => model !== undefined)
    .sort((a, b) => b.madeMs - a.madeMs || (a.run < b.run ? 1 : -1));
  if (newest) return newest;
  throw new Refusal('conflict', 'classifier: expected one. Received: none yet.', {
    hint: 'Train one first.',
  });
}

async function modelIn(
  folder: string,
  run: string,
): Promise<(RunModel & { readonly madeMs: number }) | undefined> {
  const path = join(folder, runsFolderName, run, 'models', 'classifier.onnx');
  const found = await fs.stat(path).catch(() => undefined);
  return found?.isFile() ? { run, path, madeMs: found.mtimeMs } : undefined;
}
