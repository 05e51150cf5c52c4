import { join } from 'node:path';
import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { parseSettings, type RunSettings } from '../recipes/settings.js';
import { type AblationRow, ablationMarkdown } from '../report/ablation.js';
import {
  clearTemporaries,
  ensureFolder,
  readFileIfThere,
  writeFileAtomically,
} from '../store/atomic-file.node.js';
import { decodeJson, encodeJson } from '../store/checkpoint.js';
import { FolderLock } from '../store/folder-lock.node.js';

const documentName = 'ablation.json';
const tableName = 'ablation.md';
const lockName = '.lock';

/** `ablation.json`: what was asked for, and the table as far as it is known. */
export interface Ablation {
  readonly startedAt: string;
  /** The whole recipe. */
  readonly settings: RunSettings;
  /** In the order of the table. */
  readonly variants: readonly string[];
  readonly environment: Readonly<Record<string, unknown>>;
  readonly rows: readonly AblationRow[];
}

const ablationSchema = z.object({
  startedAt: z.string(),
  settings: z.unknown(),
  variants: z.array(z.string()),
  environment: z.record(z.string(), z.unknown()),
  rows: z.array(
    z.object({
      variant: z.string(),
      title: z.string(),
      accuracies: z.array(z.number().min(0).max(1)),
      mean: z.number(),
      deviation: z.number().nullable(),
      trainSeconds: z.number(),
      imagesTrained: z.number(),
    }),
  ),
});

/** The folder of a table of variants, written by this process alone; each variant is a run in a folder below it. */
export class AblationFolder {
  readonly path: string;
  /** What the folder held when it was opened; undefined for a new one. */
  readonly before: Ablation | undefined;
  readonly #lock: FolderLock;

  private constructor(path: string, lock: FolderLock, before?: Ablation) {
    this.path = path;
    this.before = before;
    this.#lock = lock;
  }

  /** Path of the table for people. */
  get tablePath(): string {
    return join(this.path, tableName);
  }

  /**
   * Open a folder that holds a table; undefined where there is none, and then nothing is made.
   * @throws QuarterturnError `io` where another process writes it, `checkpoint` where its document is damaged
   */
  static async open(path: string): Promise<AblationFolder | undefined> {
    return (await readAblation(path)) && AblationFolder.#locked(path, readAblation);
  }

  /**
   * Begin a table in a folder that holds none.
   * @throws QuarterturnError `io` where it cannot be written or another process does so, `checkpoint` where another
   * process has begun a table there meanwhile
   */
  static async create(path: string): Promise<AblationFolder> {
    await ensureFolder(path);
    return AblationFolder.#locked(path, async () => {
      if ((await readAblation(path)) === undefined) return undefined;
      throw new QuarterturnError(
        'checkpoint',
        `${path}: expected a folder without a table. Received: ${documentName}, begun by another process.`,
        { hint: `Go on with it: quarterturn ablate --resume ${path}` },
      );
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
    await writeFileAtomically(join(this.path, documentName), encodeAblation(ablation));
    if (ablation.rows.length === 0) return;
    await writeFileAtomically(this.tablePath, `${ablationMarkdown(ablation.rows)}\n`);
  }

  /** Let other processes write. */
  async close(): Promise<void> {
    await this.#lock.release();
  }
}

/** An ablation, or more than one, as JSON for people and programs. */
export function encodeAblation(ablation: Ablation & { readonly folder?: string }): string {
  return `${encodeJson(documentName, ablation, 2)}\n`;
}

async function readAblation(folder: string): Promise<Ablation | undefined> {
  const path = join(folder, documentName);
  const bytes = await readFileIfThere(path);
  if (!bytes) return undefined;
  const parsed = ablationSchema.safeParse(decodeJson(path, new TextDecoder().decode(bytes)));
  if (parsed.success) return { ...parsed.data, settings: parseSettings(parsed.data.settings, path) };
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).slice(0, 3);
  throw new QuarterturnError(
    'checkpoint',
    `${path}: expected what quarterturn ablate wrote. Received: ${faults.join('; ')}.`,
    { hint: 'The file was changed or damaged: restore it, or begin a table in another folder.' },
  );
}
