import fs from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isRunning, ownerIn } from '../../../owner.node.js';
import { readLabelRecord } from '../../../store/label-record.js';
import { RunFolder } from '../../../store/run-folder.node.js';
import { resultSchema } from '../../../store/run-record.js';
import { readStatus } from '../../../store/run-status.js';
import type { KnownRun } from './known-run.js';
import type { AccuracyEstimate } from './run-updates.js';

const configSchema = z.object({
  startedAt: z.iso.datetime().catch(''),
  preset: z.string().catch(''),
  budgetMs: z.number().optional().catch(undefined),
  project: z
    .object({ seq: z.int().min(0), classes: z.array(z.string()) })
    .optional()
    .catch(undefined),
});

/** A process elsewhere that has written nothing for so long is taken for dead, as by the lock of its folder. */
const silentForMs = 5 * 60_000;

/** Files that tell how a run stands: while they are the same, so is what was read of them. */
const tellingFiles = ['config.json', 'status.json', 'labels.json', 'result.json'];

/** The runs that lie in a folder, each read anew only where it has changed. */
export class RunList {
  readonly #folder: string;
  readonly #known = new Map<string, { readonly stamp: string; readonly run: KnownRun }>();

  /** @param folder of the runs, absolute; it need not be there */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Folder of a run by its id, which has to be one of {@link read}'s. */
  pathOf(id: string): string {
    return join(this.#folder, id);
  }

  /** All runs, the first one first. What is no run, and what cannot be read, is left out. */
  async read(): Promise<readonly KnownRun[]> {
    const entries = await fs.readdir(this.#folder, { withFileTypes: true }).catch(() => []);
    const runs: KnownRun[] = [];
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const run = await this.#read(entry.name).catch(() => undefined);
      if (run !== undefined) runs.push(run);
    }
    return runs.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  }

  async #read(id: string): Promise<KnownRun | undefined> {
    const path = this.pathOf(id);
    const stamp = (await Promise.all(tellingFiles.map((name) => stampOf(join(path, name))))).join(' ');
    const known = this.#known.get(id);
    const run = known?.stamp === stamp ? known.run : await readRun(path, id);
    if (run === undefined) return undefined;
    this.#known.set(id, { stamp, run });
    // Whether a process still lives, no file tells.
    if (run.state !== 'training' || (await isWritten(path))) return run;
    return { ...run, state: 'stopped' };
  }
}

async function stampOf(path: string): Promise<string> {
  const found = await fs.stat(path).catch(() => undefined);
  return found === undefined ? '-' : `${found.mtimeMs}/${found.size}`;
}

async function readRun(path: string, id: string): Promise<KnownRun | undefined> {
  const store = await RunFolder.open(path, { readOnly: true });
  const config = configSchema.safeParse(await store.readJson('config')).data;
  if (config === undefined) return undefined;
  const [status, record] = [await readStatus(store), await readLabelRecord(store)];
  const result = resultSchema.safeParse(await store.readJson('result')).data;
  const images = record?.draws[0]?.images ?? [];
  const { seq, classes: ids = [] } = config.project ?? {};
  const classes = (record?.classNames ?? []).map((name, k) => ({ name, id: ids[k] }));
  const classOf = new Map(classes.map((each) => [each.name, each]));
  const stateOf = {
    finished: 'done',
    failed: 'failed',
    interrupted: 'stopped',
    running: 'training',
  } as const;
  const state = status === undefined ? (result ? 'done' : 'stopped') : stateOf[status.state];
  const { reason } = status ?? {};
  return {
    ...{ id, state, preset: config.preset, startedAt: config.startedAt, labels: images.length },
    ...(state === 'failed' && reason != null && { reason }),
    ...(config.budgetMs !== undefined && { budgetMinutes: config.budgetMs / 60_000 }),
    ...(state === 'done' && result && { durationMs: result.durationMs }),
    estimate: state === 'done' ? estimateOf(result?.estimate) : null,
    learned: new Map(
      images.map(({ image, label }) => [image, classOf.get(label) ?? { name: label, id: undefined }]),
    ),
    ...{ classes, seq },
  };
}

function estimateOf(estimate: z.infer<typeof resultSchema>['estimate'] | undefined): AccuracyEstimate | null {
  if (estimate == null) return null;
  const { accuracy, low, high, heldBack } = estimate;
  return { accuracy, low, high, heldBack };
}

/** Whether a process that lives holds the run's lock. */
async function isWritten(path: string): Promise<boolean> {
  const lock = join(path, '.lock');
  for (const name of await fs.readdir(lock).catch(() => [])) {
    const owner = ownerIn(name);
    const isAlive = owner && isRunning(owner);
    if (isAlive !== undefined) return isAlive;
    const beat = await fs.stat(join(lock, name)).catch(() => undefined);
    if (beat !== undefined) return Date.now() - beat.mtimeMs < silentForMs;
  }
  return false;
}
