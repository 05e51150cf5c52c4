import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { at } from '../tensor/elements.js';
import { type Shape, sameShape, type Tensors } from '../tensor/tensor.js';
import type { LoggedEvent } from './event-log.js';
import { parseJson, parseWith } from './json.js';
import { type EpochRecord, epochSchema } from './run-record.js';
import { decodeSafetensors, decodeSafetensorsMetadata, encodeSafetensors } from './safetensors.js';

/** All that a stage needs to continue as if it had never stopped. */
export interface Checkpoint {
  /** Params, buffers and what the optimizer remembers, by name. */
  readonly tensors: Tensors;
  /** Memory of the stage, if it has one, such as the classes that it gives the pile. */
  readonly memory?: Tensors;
  /** Counters and random streams, as JSON. */
  readonly state: Readonly<Record<string, unknown>>;
}

/** The JSON documents of a run. */
export type DocumentName = 'config' | 'labels' | 'artifacts' | 'evidence' | 'result' | 'exhibits' | 'status';

/**
 * Store of all that a recipe writes: a folder in Node, memory in a browser.
 *
 * Each write is atomic: the previous value stays until the new one is safe. Names of
 * checkpoints and models are plain words (letters, digits, `.`, `_`, `-`), given without a file extension.
 * One method at a time: await one write before the next. Only its log and its status are written meanwhile.
 */
export interface RunStore {
  /** Name of the run in results and messages; the folder's path in Node. */
  readonly name: string;
  /** @returns its location, for people. */
  saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<string>;
  /** @returns undefined if there is none of that name. */
  loadCheckpoint(name: string): Promise<Checkpoint | undefined>;
  /**
   * The state of a checkpoint without its tensors, which shows how far a stage has come.
   * @returns undefined if there is none of that name.
   */
  loadState(name: string): Promise<Checkpoint['state'] | undefined>;
  /** Deletes a checkpoint, if there is one. */
  deleteCheckpoint(name: string): Promise<void>;
  appendEpoch(record: EpochRecord): Promise<void>;
  /** In the order in which they were appended. */
  readEpochs(): Promise<EpochRecord[]>;
  /** Drop epochs for which `keep` is false: a resumed run repeats what came after its checkpoint. */
  rewindEpochs(keep: (record: EpochRecord) => boolean): Promise<void>;
  writeJson(name: DocumentName, value: unknown): Promise<void>;
  /** @returns undefined if it was never written. */
  readJson(name: DocumentName): Promise<unknown>;
  /** Append to the event log; absent if no other process could follow it. */
  appendEvents?(events: readonly LoggedEvent[]): Promise<void>;
  /** The process that writes; absent if it has no number. */
  readonly writer?: { readonly pid: number; readonly host: string };
  /** Stores an ONNX file. @returns its location, for people. */
  writeModel(name: string, bytes: Uint8Array): Promise<string>;
  /** @returns undefined if there is none of that name. */
  readModel(name: string): Promise<Uint8Array | undefined>;
}

/** A {@link RunStore} in memory, for browsers and tests. Keeps encoded bytes, so nothing stored is shared. */
export class MemoryStore implements RunStore {
  readonly name: string;
  readonly #checkpoints = new Map<string, Uint8Array>();
  readonly #models = new Map<string, Uint8Array>();
  readonly #documents = new Map<DocumentName, string>();
  #epochLines: string[] = [];

  constructor(name = 'memory') {
    this.name = name;
  }

  async saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<string> {
    this.#checkpoints.set(checkedName(name), encodeCheckpoint(name, checkpoint));
    return `${this.name}/checkpoints/${name}`;
  }

  async loadCheckpoint(name: string): Promise<Checkpoint | undefined> {
    const bytes = this.#checkpoints.get(checkedName(name));
    return bytes && decodeCheckpoint(name, bytes);
  }

  async loadState(name: string): Promise<Checkpoint['state'] | undefined> {
    const bytes = this.#checkpoints.get(checkedName(name));
    return bytes && decodeCheckpointState(name, bytes);
  }

  async deleteCheckpoint(name: string): Promise<void> {
    this.#checkpoints.delete(checkedName(name));
  }

  async appendEpoch(record: EpochRecord): Promise<void> {
    this.#epochLines.push(encodeJson('epoch record', record));
  }

  async readEpochs(): Promise<EpochRecord[]> {
    return this.#epochLines.map((line, i) => decodeEpoch(`${this.name}, epoch record ${i + 1}`, line));
  }

  async rewindEpochs(keep: (record: EpochRecord) => boolean): Promise<void> {
    const epochs = await this.readEpochs();
    this.#epochLines = this.#epochLines.filter((_, i) => keep(at(epochs, i)));
  }

  async writeJson(name: DocumentName, value: unknown): Promise<void> {
    this.#documents.set(name, encodeJson(name, value));
  }

  async readJson(name: DocumentName): Promise<unknown> {
    const text = this.#documents.get(name);
    return text === undefined ? undefined : decodeJson(name, text);
  }

  async writeModel(name: string, bytes: Uint8Array): Promise<string> {
    this.#models.set(checkedName(name), bytes.slice());
    return `${this.name}/models/${name}`;
  }

  async readModel(name: string): Promise<Uint8Array | undefined> {
    return this.#models.get(checkedName(name))?.slice();
  }
}

/** A {@link RunStore} that keeps nothing: for a training of which only the outcome counts. */
export class NullStore implements RunStore {
  readonly name = 'nowhere';

  async saveCheckpoint(): Promise<string> {
    return this.name;
  }

  async loadCheckpoint(): Promise<undefined> {}

  async loadState(): Promise<undefined> {}
  async deleteCheckpoint(): Promise<void> {}

  async appendEpoch(): Promise<void> {}

  async readEpochs(): Promise<EpochRecord[]> {
    return [];
  }

  async rewindEpochs(): Promise<void> {}

  async writeJson(): Promise<void> {}

  async readJson(): Promise<undefined> {}

  async writeModel(): Promise<string> {
    return this.name;
  }

  async readModel(): Promise<undefined> {}
}

/** Key of the safetensors metadata that marks our files and holds the format's version. */
const versionKey = 'quarterturn_checkpoint';
const version = '1';
/** What a stage remembers stands beside the other tensors in the file, under names that begin so. */
const memoryPrefix = 'memory.';
/** Any JSON object: whoever saved it knows what is in it. */
const stateSchema = z.record(z.string(), z.unknown());

/**
 * One safetensors file with the state as JSON in its metadata: two files could not be replaced at one moment.
 * @throws QuarterturnError `checkpoint` if the state is not JSON, e.g. holds NaN, and for a tensor whose name is that
 *   of a stage's memory
 */
export function encodeCheckpoint(
  name: string,
  { tensors, memory = {}, state }: Checkpoint,
): Uint8Array<ArrayBuffer> {
  const json = encodeJson(`checkpoint '${name}', state`, state);
  const taken = Object.keys(tensors).find((leaf) => leaf.startsWith(memoryPrefix));
  if (taken !== undefined) {
    throw new QuarterturnError(
      'checkpoint',
      `checkpoint '${name}': expected tensors whose names do not begin with "${memoryPrefix}". Received: "${taken}".`,
    );
  }
  const remembered = Object.entries(memory).map(([leaf, tensor]) => [memoryPrefix + leaf, tensor] as const);
  const all = { ...tensors, ...Object.fromEntries(remembered) };
  return encodeSafetensors(all, { [versionKey]: version, state: json });
}

/**
 * The inverse of {@link encodeCheckpoint}.
 * @throws QuarterturnError `checkpoint` naming the file where it is damaged or no checkpoint of this format.
 */
export function decodeCheckpoint(file: string, bytes: Uint8Array): Checkpoint {
  const { tensors: all, metadata } = decodeSafetensors(file, bytes);
  const state = stateIn(file, metadata);
  const isMemory = (leaf: string): boolean => leaf.startsWith(memoryPrefix);
  const entries = Object.entries(all);
  const memory = entries.filter(([leaf]) => isMemory(leaf));
  return {
    tensors: Object.fromEntries(entries.filter(([leaf]) => !isMemory(leaf))),
    ...(memory.length > 0 && {
      memory: Object.fromEntries(memory.map(([leaf, tensor]) => [leaf.slice(memoryPrefix.length), tensor])),
    }),
    state,
  };
}

/**
 * Read the state of a checkpoint alone.
 * @param start the file's first bytes, up to the end of its header or further
 * @throws QuarterturnError `checkpoint` as {@link decodeCheckpoint} does, but for the tensors
 */
export function decodeCheckpointState(file: string, start: Uint8Array): Checkpoint['state'] {
  return stateIn(file, decodeSafetensorsMetadata(file, start));
}

function stateIn(file: string, metadata: Readonly<Record<string, string>>): Checkpoint['state'] {
  if (metadata[versionKey] !== version || metadata.state === undefined) {
    throw new QuarterturnError(
      'checkpoint',
      `${file}: expected a Quarterturn checkpoint, version ${version}. Received: version ${metadata[versionKey]?.slice(0, 20) ?? 'none'}.`,
      { hint: 'Only checkpoints that a run of this version of Quarterturn saved can be resumed.' },
    );
  }
  const where = `${file}, state`;
  return parseWith(stateSchema, decodeJson(where, metadata.state), where, 'a JSON object', {
    code: 'checkpoint',
  });
}

/**
 * Refuse tensors that belong to another network, before anything is overwritten with them.
 * @param expected the shape of each tensor by its leaf path, e.g. `block1.conv1.weight`
 * @param where the checkpoint, for the message
 * @throws QuarterturnError `checkpoint` naming each missing, unexpected or differently shaped leaf.
 */
export function assertSameArchitecture(
  expected: Readonly<Record<string, Shape>>,
  tensors: Tensors,
  where: string,
): void {
  const faults: string[] = [];
  for (const [leaf, shape] of Object.entries(expected)) {
    const found = Object.hasOwn(tensors, leaf) ? tensors[leaf] : undefined;
    if (found === undefined) faults.push(`${leaf} [${shape.join(', ')}] is missing`);
    else if (!sameShape(shape, found.shape)) {
      faults.push(`${leaf} is [${found.shape.join(', ')}], not [${shape.join(', ')}]`);
    }
  }
  for (const [leaf, { shape }] of Object.entries(tensors)) {
    if (!Object.hasOwn(expected, leaf)) faults.push(`${leaf} [${shape.join(', ')}] is unexpected`);
  }
  if (faults.length === 0) return;
  const shown = faults.slice(0, maxFaultsShown).join('; ');
  const more = faults.length > maxFaultsShown ? `; and ${faults.length - maxFaultsShown} more` : '';
  throw new QuarterturnError(
    'checkpoint',
    `${where}: expected the tensors of this network. Received: ${shown}${more}.`,
    {
      hint: 'The checkpoint was saved with another --preset or --width: use the same ones, or start a new run.',
    },
  );
}

/** A whole network of faults helps nobody. */
const maxFaultsShown = 6;

/** The name itself, refused where it could leave its folder or hide in it. */
export function checkedName(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new QuarterturnError(
    'usage',
    `run store: expected a name of letters, digits, '.', '_' and '-'. Received: ${JSON.stringify(name)}.`,
  );
}

/**
 * JSON that reads back as it was.
 * @throws QuarterturnError `checkpoint` if JSON would change it silently: NaN and the infinities become null.
 */
export function encodeJson(where: string, value: unknown, indent?: number): string {
  const refuse = (key: string, received: string, cause?: unknown): never => {
    const leaf = key === '' ? where : `${where}, '${key}'`;
    throw new QuarterturnError('checkpoint', `${leaf}: expected a JSON value. Received: ${received}.`, {
      cause,
    });
  };
  const text = JSON.stringify(
    value,
    (key, leaf: unknown) =>
      (typeof leaf === 'number' && !Number.isFinite(leaf)) || typeof leaf === 'bigint'
        ? refuse(key, String(leaf))
        : leaf,
    indent,
  ) as string | undefined;
  return text ?? refuse('', typeof value);
}

/**
 * Parse what {@link encodeJson} wrote.
 * @throws QuarterturnError `checkpoint` naming the place.
 */
export function decodeJson(where: string, text: string): unknown {
  return parseJson(where, text, {
    code: 'checkpoint',
    hint: 'The file was changed or damaged after it was written: restore it, or start a new run.',
  });
}

/**
 * Parse one line of `metrics.jsonl`.
 * @throws QuarterturnError `checkpoint` naming the place.
 */
export function decodeEpoch(where: string, line: string): EpochRecord {
  const parsed = epochSchema.safeParse(decodeJson(where, line));
  if (parsed.success) return parsed.data;
  throw new QuarterturnError(
    'checkpoint',
    `${where}: expected an epoch record. Received: ${line.slice(0, 60)}.`,
  );
}
