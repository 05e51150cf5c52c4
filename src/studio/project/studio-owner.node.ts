import fs from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { QuarterturnError } from '../../errors.js';
import { isHere } from '../../owner.node.js';
import { readFileIfThere, writeFileAtomically } from '../../store/atomic-file.node.js';
import { FolderLock, FolderLocked } from '../../store/folder-lock.node.js';

const lockName = '.studio-lock';
const addressName = 'studio.json';

const addressSchema = z.strictObject({ pid: z.int().positive(), address: z.string().max(1000) });

/** Another studio serves a project. */
export class ProjectInUse extends QuarterturnError {
  /** Of the process that serves it; undefined if that cannot be told. */
  readonly pid: number | undefined;
  /** Where it is served; undefined while that process only begins, or if it is one of another host. */
  readonly address: string | undefined;

  constructor(
    message: string,
    options: {
      readonly hint: string;
      readonly pid: number | undefined;
      readonly address: string | undefined;
      readonly cause: unknown;
    },
  ) {
    super('io', message, options);
    this.pid = options.pid;
    this.address = options.address;
  }
}

/** The right of one process to serve a project. The command line needs none to append labels beside it. */
export class StudioOwner {
  readonly #folder: string;
  readonly #lock: FolderLock;

  private constructor(folder: string, lock: FolderLock) {
    this.#folder = folder;
    this.#lock = lock;
  }

  /**
   * Serve a project, alone.
   * @param folder of the project
   * @throws ProjectInUse `io` naming process and address if another one does; QuarterturnError `io` if the folder cannot be
   *   written
   */
  static async take(folder: string): Promise<StudioOwner> {
    try {
      const lock = await FolderLock.take(join(folder, lockName));
      await fs.rm(join(folder, addressName), { force: true }); // of one that was killed
      return new StudioOwner(folder, lock);
    } catch (error) {
      throw error instanceof FolderLocked ? await inUse(folder, error) : error;
    }
  }

  /**
   * Say where the project is served, for the message to a second studio.
   * @param address without what only the first page may know: others may be able to read the file
   */
  async setAddress(address: string): Promise<void> {
    const text = JSON.stringify(addressSchema.parse({ pid: process.pid, address }));
    await writeFileAtomically(join(this.#folder, addressName), `${text}\n`);
  }

  /** Let others serve it. */
  async release(): Promise<void> {
    await fs.rm(join(this.#folder, addressName), { force: true });
    await this.#lock.release();
  }
}

async function inUse(folder: string, cause: FolderLocked): Promise<ProjectInUse> {
  const { owner } = cause;
  const isNear = owner !== undefined && isHere(owner);
  const said = isNear ? await readAddress(folder) : undefined;
  const address = said?.pid === owner?.pid ? said?.address : undefined;
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`;
  const where = address !== undefined ? `, at ${address}` : isNear ? '' : ', of another host or container';
  const open = address === undefined ? 'Use that one' : `Open ${address}`;
  return new ProjectInUse(
    `${folder}: expected a project that no other studio serves. Received: ${who}${where}.`,
    {
      hint: `${open}, or stop it first. If you know it to be dead, delete ${join(folder, lockName)}.`,
      ...{ pid: owner?.pid, address, cause },
    },
  );
}

async function readAddress(folder: string) {
  try {
    const bytes = await readFileIfThere(join(folder, addressName));
    return bytes && addressSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}
