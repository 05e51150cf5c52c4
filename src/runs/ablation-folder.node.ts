import { join } from 'node:path';
import { ablationMarkdown } from '../report/ablation.js';
import {
  clearTemporaries,
  ensureFolder,
  readFileIfThere,
  readFolder,
  writeFileAtomically,
} from '../store/atomic-file.node.js';
import { decodeJson } from '../store/checkpoint.js';
import { FolderLock } from '../store/folder-lock.node.js';
import { RunFolder } from '../store/run-folder.node.js';
import {
  type Ablation,
  type AblationRun,
  type AblationStore,
  assertHoldsNoTable,
  encodeAblation,
  parseAblation,
} from './ablation.js';
import { writeReport } from './report.node.js';

const documentName = 'ablation.json';
const tableName = 'ablation.md';
const lockName = '.lock';

/** Path of the table for people, in a table's folder. */
export function tablePathOf(folder: string): string {
  return join(folder, tableName);
}

/** The folder of a table of variants, written by this process alone; each variant is a run in a folder below it. */
export class AblationFolder implements AblationStore {
  readonly name: string;
  readonly before: Ablation | undefined;
  readonly #lock: FolderLock;

  private constructor(path: string, lock: FolderLock, before?: Ablation) {
    this.name = path;
    this.before = before;
    this.#lock = lock;
  }

  /**
   * Open a folder that holds a table; undefined if there is none, and then nothing is made.
   * @throws QuarterturnError `io` if another process writes it, `checkpoint` if its document is damaged
   */
  static async open(path: string): Promise<AblationFolder | undefined> {
    return (await readAblation(path)) && AblationFolder.#locked(path, readAblation);
  }

  /**
   * Begin a table in a folder that holds none.
   * @throws QuarterturnError `io` if it cannot be written or another process does so, `checkpoint` if another
   * process has begun a table there meanwhile
   */
  static async create(path: string): Promise<AblationFolder> {
    await ensureFolder(path);
    return AblationFolder.#locked(path, async () => {
      assertHoldsNoTable(path, await readAblation(path));
      return undefined;
    });
  }

  static async #locked(
    path: string,
    before: (path: string) => Promise<Ablation | undefined>,
  ): Promise<AblationFolder> {
    const lock = await FolderLock.take(join(path, lockName));
    try {
      await clearTemporaries(path);
      return new AblationFolder(path, lock, await before(path));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async write(ablation: Ablation): Promise<void> {
    await this.#lock.assertHeld();
    await writeFileAtomically(join(this.name, documentName), encodeAblation(ablation));
    if (ablation.rows.length === 0) return;
    await writeFileAtomically(tablePathOf(this.name), `${ablationMarkdown(ablation.rows)}\n`);
  }

  async readRun(name: string): Promise<RunFolder | undefined> {
    const path = join(this.name, name);
    return (await holdsRun(path)) ? RunFolder.open(path, { readOnly: true }) : undefined;
  }

  async openRun(name: string): Promise<AblationRun> {
    const path = join(this.name, name);
    const store = (await holdsRun(path)) ? await RunFolder.open(path) : await RunFolder.create(path);
    return {
      store,
      writeReport: async () => {
        await writeReport(store);
      },
      close: () => store.close(),
    };
  }

  /** Let other processes write. */
  async close(): Promise<void> {
    await this.#lock.release();
  }
}

async function readAblation(folder: string): Promise<Ablation | undefined> {
  const path = join(folder, documentName);
  const bytes = await readFileIfThere(path);
  return bytes && parseAblation(decodeJson(path, new TextDecoder().decode(bytes)), path);
}

async function holdsRun(path: string): Promise<boolean> {
  const entries = await readFolder(path);
  if (entries?.includes('config.json')) return true;
  return ((await readFolder(join(path, 'checkpoints'))) ?? []).length > 0;
}
