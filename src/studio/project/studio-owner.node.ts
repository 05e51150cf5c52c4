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
   * Say where the project is served, for a second studio of the same user, whose own terminal may be the only one that is left.
   *
   * The address bears the key of the page, so that it leads somewhere. On a machine that others use, too, the file keeps it from them as
   * well as the page is kept from them: it is made readable by this user alone before anything stands in it, and whoever can read it
   * all the same (this user's processes, root) can read the memory of the studio as well. Where the disk does not keep modes (FAT,
   * some network drives), the key is left out. It is worth nothing on another machine, nor once the studio has ended, and no archive
   * of the project holds the file.
   *
   * @param address with the key
   */
  async setAddress(address: string): Promise<void> {
    const path = join(this.#folder, addressName);
    await writeAddress(path, withoutKey(address));
    if (await isReadByOwnerAlone(path)) await writeAddress(path, address);
  }

  /** Let others serve it. */
  async release(): Promise<void> {
    await fs.rm(join(this.#folder, addressName), { force: true });
    await this.#lock.release();
  }
}

const withoutKey = (address: string): string => address.replace(/#.*$/, '');

async function writeAddress(path: string, address: string): Promise<void> {
  const text = JSON.stringify(addressSchema.parse({ pid: process.pid, address }));
  await writeFileAtomically(path, `${text}\n`, { mode: 0o600 });
}

/** What Windows tells as modes says nothing of who may read. */
async function isReadByOwnerAlone(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const { mode, uid } = await fs.stat(path);
  return (mode & 0o077) === 0 && uid === process.getuid?.();
}

async function inUse(folder: string, cause: FolderLocked): Promise<ProjectInUse> {
  const { owner } = cause;
  const isNear = owner !== undefined && isHere(owner);
  const said = isNear ? await readAddress(folder) : undefined;
  const address = said?.pid === owner?.pid ? said?.address : undefined;
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`;
  const where =
    address !== undefined ? `, at ${withoutKey(address)}` : isNear ? '' : ', of another host or container';
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
