import fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { QuarterturnError } from '../errors.js';
import {
  appendLine,
  clearTemporaries,
  ensureFolder,
  ensureSubfolder,
  ioError,
  readFileIfThere,
  readFolder,
  readStartIfThere,
  writeFileAtomically,
} from './atomic-file.node.js';
import {
  type Checkpoint,
  checkedName,
  type DocumentName,
  decodeCheckpoint,
  decodeCheckpointState,
  decodeEpoch,
  decodeJson,
  encodeCheckpoint,
  encodeJson,
  type RunStore,
} from './checkpoint.js';
import { encodeEvent, type LoggedEvent } from './event-log.js';
import { FolderLock } from './folder-lock.node.js';
import type { EpochRecord } from './run-record.js';
import { safetensorsHeaderEnd } from './safetensors.js';

const lockName = '.lock';
const metricsName = 'metrics.jsonl';
/** The event log, which other processes follow. */
export const eventsName = 'events.jsonl';
const reportName = 'report.html';
/** Beside a model: what shows a folder to people shows this. */
const cardName = 'README.md';
/** So much of a checkpoint is read at once to see its header: twice what a hundred tensors take. */
const usualHeaderBytes = 2 ** 15;
const checkpointsName = 'checkpoints';
const modelsName = 'models';
/** All that a run may hold; a folder with any of these already holds a run. */
const entryNames = [
  'config.json',
  'labels.json',
  metricsName,
  eventsName,
  'status.json',
  'artifacts.json',
  checkpointsName,
  modelsName,
  'evidence.json',
  'result.json',
  'exhibits.json',
  reportName,
];

/**
 * A run on disk:
 *
 *     config.json                      settings, seeds, versions, checksums
 *     labels.json                      which images were labelled, as what, and who said so
 *     metrics.jsonl                    one line an epoch, appended
 *     checkpoints/<name>.safetensors   tensors, and the state as JSON in the metadata
 *     models/<name>.onnx               README.md beside it is the model card
 *     events.jsonl                     what happened, appended; status.json is how it stands
 *     artifacts.json                   what each checkpoint was trained from
 *     evidence.json                    what speaks for each classifier, and stages that failed
 *     result.json, exhibits.json, report.html
 *
 * Every file but `metrics.jsonl` and `events.jsonl` is replaced in one stroke. One process writes, any number read.
 */
export class RunFolder implements RunStore {
  readonly name: string;
  readonly writer = { pid: process.pid, host: hostname() };
  /** Absent if the folder may only be read. */
  #lock: FolderLock | undefined;

  private constructor(path: string, lock?: FolderLock) {
    this.name = path;
    this.#lock = lock;
  }

  /**
   * Start a run in a new folder, or in one that holds none yet. Nothing is ever overwritten.
   * @throws QuarterturnError `checkpoint` if it holds a run; `io` if it cannot be written or another
   * process writes it.
   */
  static async create(path: string): Promise<RunFolder> {
    await ensureFolder(path);
    return RunFolder.#locked(path, async () => {
      const found = (await fs.readdir(path)).find((entry) => entryNames.includes(entry));
      if (found === undefined) return;
      throw new QuarterturnError(
        'checkpoint',
        `${path}: expected a folder without a run. Received: ${found}.`,
        {
          hint: 'Go on with that run by --resume, or give another --out folder.',
        },
      );
    });
  }

  /**
   * Open a run.
   * @param options.readOnly take no lock and repair nothing: for reports on a run that may be going on
   * @throws QuarterturnError `checkpoint` if there is no run; `io` if another process writes it.
   */
  static async open(path: string, options: { readOnly?: boolean } = {}): Promise<RunFolder> {
    await assertHoldsRun(path);
    return options.readOnly ? new RunFolder(path) : RunFolder.#locked(path);
  }

  static async #locked(path: string, check: () => Promise<void> = async () => {}): Promise<RunFolder> {
    let lock: FolderLock | undefined;
    try {
      lock = await FolderLock.take(join(path, lockName));
      await check();
      await repair(path);
      return new RunFolder(path, lock);
    } catch (error) {
      await lock?.release();
      throw ioError('write', path, error);
    }
  }

  /** Let other processes write. The folder can still be read. */
  async close(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release();
  }

  async saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<string> {
    const bytes = encodeCheckpoint(name, checkpoint);
    return this.#write(checkpointFile(name), bytes, checkpointsName);
  }

  async loadCheckpoint(name: string): Promise<Checkpoint | undefined> {
    const path = join(this.name, checkpointsName, checkpointFile(name));
    const bytes = await readFileIfThere(path);
    return bytes && decodeCheckpoint(path, bytes);
  }

  async loadState(name: string): Promise<Checkpoint['state'] | undefined> {
    const path = join(this.name, checkpointsName, checkpointFile(name));
    const start = await readStartIfThere(path, usualHeaderBytes, (bytes) =>
      safetensorsHeaderEnd(path, bytes),
    );
    return start && decodeCheckpointState(path, start);
  }

  async deleteCheckpoint(name: string): Promise<void> {
    await this.#assertMayWrite();
    const path = join(this.name, checkpointsName, checkpointFile(name));
    await fs.rm(path, { force: true }).catch((error) => {
      throw ioError('write', path, error);
    });
  }

  /** Those that cannot be read back are left out. A power failure may cost the last ones. */
  async appendEvents(events: readonly LoggedEvent[]): Promise<void> {
    const lines = events.flatMap((event) => encodeEvent(event) ?? []);
    if (lines.length === 0) return;
    await this.#assertMayWrite();
    await appendLine(join(this.name, eventsName), lines.join('\n'), { sync: false });
  }

  async appendEpoch(record: EpochRecord): Promise<void> {
    await this.#assertMayWrite();
    await appendLine(join(this.name, metricsName), encodeJson(metricsName, record));
  }

  async readEpochs(): Promise<EpochRecord[]> {
    const path = join(this.name, metricsName);
    const text = new TextDecoder().decode(await readFileIfThere(path));
    // A line counts once its newline is there: what follows the last one was cut off by a kill.
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line, i) => decodeEpoch(`${path}, line ${i + 1}`, line));
  }

  async rewindEpochs(keep: (record: EpochRecord) => boolean): Promise<void> {
    const epochs = await this.readEpochs();
    const kept = epochs.filter(keep);
    if (kept.length === epochs.length) return;
    await this.#write(metricsName, kept.map((record) => `${encodeJson(metricsName, record)}\n`).join(''));
  }

  async writeJson(name: DocumentName, value: unknown): Promise<void> {
    await this.#write(documentFile(name), `${encodeJson(name, value, 2)}\n`);
  }

  async readJson(name: DocumentName): Promise<unknown> {
    const path = join(this.name, documentFile(name));
    const bytes = await readFileIfThere(path);
    return bytes && decodeJson(path, new TextDecoder().decode(bytes));
  }

  async writeModel(name: string, bytes: Uint8Array): Promise<string> {
    return this.#write(modelFile(name), bytes, modelsName);
  }

  async readModel(name: string): Promise<Uint8Array | undefined> {
    return readFileIfThere(join(this.name, modelsName, modelFile(name)));
  }

  /**
   * Write `report.html`: also when opened read-only, since a report is only another view of the run.
   * @returns its path
   */
  async writeReport(html: string): Promise<string> {
    await this.#lock?.assertHeld();
    const path = join(this.name, reportName);
    await clearTemporaries(this.name); // nobody else does in a folder that is only read
    await writeFileAtomically(path, html);
    return path;
  }

  /**
   * Write `models/README.md`, the model card: also when opened read-only, as the report.
   * @returns its path
   */
  async writeCard(markdown: string): Promise<string> {
    await this.#lock?.assertHeld();
    await ensureSubfolder(this.name, modelsName);
    await clearTemporaries(join(this.name, modelsName));
    const path = join(this.name, modelsName, cardName);
    await writeFileAtomically(path, markdown);
    return path;
  }

  async #write(file: string, content: Uint8Array | string, subfolder = ''): Promise<string> {
    await this.#assertMayWrite();
    if (subfolder !== '') await ensureSubfolder(this.name, subfolder);
    const path = join(this.name, subfolder, file);
    await writeFileAtomically(path, content);
    return path;
  }

  /** @throws QuarterturnError `io` if it was opened to be read, or another process took it over meanwhile */
  async #assertMayWrite(): Promise<void> {
    if (this.#lock !== undefined) return this.#lock.assertHeld();
    throw new QuarterturnError(
      'io',
      `${this.name}: expected a run opened for writing. Received: a read-only one.`,
    );
  }
}

const checkpointFile = (name: string): string => `${checkedName(name)}.safetensors`;
const modelFile = (name: string): string => `${checkedName(name)}.onnx`;
const documentFile = (name: DocumentName): string => `${name}.json`;

async function assertHoldsRun(path: string): Promise<void> {
  const entries = await readFolder(path);
  if (entries === undefined) {
    throw new QuarterturnError('checkpoint', `${path}: expected a run folder. Received: nothing there.`, {
      hint: 'Check the path.',
    });
  }
  if (entries.includes('config.json')) return;
  const checkpoints = await readFolder(join(path, checkpointsName));
  if (checkpoints?.some((name) => name.endsWith('.safetensors'))) return;
  throw new QuarterturnError(
    'checkpoint',
    `${path}: expected a run folder. Received: a folder without config.json or checkpoints.`,
    { hint: 'Check the path.' },
  );
}

/** Clear away what a killed process left half-written: temporary files, and the end of the last lines. */
async function repair(path: string): Promise<void> {
  for (const folder of [path, join(path, checkpointsName), join(path, modelsName)]) {
    await clearTemporaries(folder);
  }
  for (const name of [metricsName, eventsName]) {
    const log = join(path, name);
    const bytes = await readFileIfThere(log);
    const whole = (bytes?.lastIndexOf(0x0a) ?? -1) + 1;
    if (bytes !== undefined && whole < bytes.length) await fs.truncate(log, whole);
  }
}
