import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type CacheOptions, cacheError, cacheFolderOf } from '../data/cache/cache-folder.node.js';
import { nearestName } from '../data/nearest-name.js';
import { QuarterturnError } from '../errors.js';
import { readGraphFile } from '../onnx/graph-file.js';
import { type ProgressOptions, startProgress } from '../progress.js';
import { temporaryPath, writeFileAtomically } from '../store/atomic-file.node.js';
import { type KnownEncoder, knownEncoders } from './encoder-settings.js';

/**
 * Networks that are known by name lie in the cache, each with the hash that it had when it came:
 *
 *   encoders/dinov2-small.onnx
 *   encoders/dinov2-small.json    where it comes from, when, its size and SHA-256
 */
const encodersFolder = 'encoders';

const recordSchema = z.strictObject({
  url: z.string().max(2000),
  downloadedAt: z.string().max(100),
  sizeBytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Where a network came from, and what it was then. */
export type EncoderRecord = z.infer<typeof recordSchema>;

/** A network that is known by name, and whether its file is there. */
export interface ListedEncoder extends KnownEncoder {
  /** Where its file lies or would lie. */
  readonly file: string;
  /** Absent if it is not there. */
  readonly record?: EncoderRecord;
}

const filesOf = (name: string, options: CacheOptions) => {
  const base = join(cacheFolderOf(options), encodersFolder, name);
  return { file: `${base}.onnx`, recordFile: `${base}.json` };
};

/** The networks that are known by name. */
export async function listEncoders(options: CacheOptions = {}): Promise<ListedEncoder[]> {
  return Promise.all(
    knownEncoders.map(async (known) => {
      const { file, recordFile } = filesOf(known.name, options);
      const record = await readRecord(recordFile);
      const isThere = (await fs.stat(file).catch(() => undefined)) !== undefined;
      return { ...known, file, ...(record && isThere && { record }) };
    }),
  );
}

async function readRecord(path: string): Promise<EncoderRecord | undefined> {
  const text = await fs.readFile(path, 'utf8').catch(() => '');
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** @throws QuarterturnError `usage` for a name that no network is known by */
export function knownEncoder(name: string): KnownEncoder {
  const known = knownEncoders.find((each) => each.name === name);
  if (known) return known;
  const names = knownEncoders.map((each) => each.name);
  throw new QuarterturnError('usage', `encoder: expected ${names.join(', ')}. Received: ${name}.`, {
    hint: `Did you mean ${nearestName(name, names)}? Other networks are given as a file: --encoder <file.onnx>.`,
  });
}

/** The bytes of a network, and what is known of it. */
export interface EncoderFile {
  /** Where it lies. */
  readonly file: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Absent for a file that is not known by name. */
  readonly known?: KnownEncoder;
}

/**
 * Reads a network: one that is known by name, which has to be what was downloaded, or any file.
 * @param nameOrFile a name of `knownEncoders`, or a path
 * @throws QuarterturnError `data` if it is not there, or is not what it was
 */
export async function readEncoderFile(nameOrFile: string, options: CacheOptions = {}): Promise<EncoderFile> {
  const known = knownEncoders.find(({ name }) => name === nameOrFile);
  if (!known) {
    const file = resolve(nameOrFile);
    return { file, bytes: await readBytes(file, nameOrFile) };
  }
  const { file, recordFile } = filesOf(known.name, options);
  const record = await readRecord(recordFile);
  const found = await fs.readFile(file).catch(() => undefined);
  if (!record || !found) {
    throw new QuarterturnError('data', `${known.name}: expected its file in the cache. Received: none.`, {
      hint: `Get it with: quarterturn encoders --download ${known.name}`,
    });
  }
  assertHash(known.name, { expected: record.sha256, received: sha256Of(found) });
  return { file, bytes: Uint8Array.from(found), known };
}

async function readBytes(file: string, given: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return Uint8Array.from(await fs.readFile(file));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const names = knownEncoders.map(({ name }) => name).join(', ');
    throw new QuarterturnError(
      'data',
      `${given}: expected an ONNX file, or one of ${names}. Received: ${code}.`,
      {
        hint: 'quarterturn encoders lists the networks that are known by name.',
        cause,
      },
    );
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function assertHash(name: string, { expected, received }: { expected: string; received: string }): void {
  if (expected === received) return;
  throw new QuarterturnError(
    'data',
    `${name}: expected the file whose SHA-256 is ${expected}, as it was first downloaded. Received: one with ${received}.`,
    { hint: 'It was changed or damaged. Delete the file and its .json in the cache to trust a new one.' },
  );
}

export interface DownloadOptions extends CacheOptions, ProgressOptions {
  /** Where to get it; default: where the known network lies. */
  readonly url?: string | undefined;
}

/** A server that says nothing for so long is given up. */
const silentMs = 60_000;

/**
 * Gets a network that is known by name, and records its SHA-256. Nothing else of this package reaches for the network.
 *
 * A file that came before has to have the same hash: another one is refused.
 * @throws QuarterturnError `io` if the server cannot be reached, answers with an error or breaks off; `data` if what comes is no
 *   ONNX network or another than before; `interrupted` if the signal is aborted
 */
export async function downloadEncoder(name: string, options: DownloadOptions = {}): Promise<ListedEncoder> {
  const known = knownEncoder(name);
  const url = options.url ?? known.url;
  const { file, recordFile } = filesOf(name, options);
  const before = await readRecord(recordFile);
  const bytes = await fetchBytes(name, url, options);
  const sha256 = sha256Of(bytes);
  if (before) assertHash(name, { expected: before.sha256, received: sha256 });
  readGraphFile(`${name}, from ${url}`, bytes);
  const record = { url, downloadedAt: new Date().toISOString(), sizeBytes: bytes.length, sha256 };
  try {
    await fs.mkdir(join(cacheFolderOf(options), encodersFolder), { recursive: true });
    const temporary = temporaryPath(file);
    await fs.writeFile(temporary, bytes);
    await fs.rename(temporary, file);
    // The record comes last: a file without one was not downloaded to its end.
    await writeFileAtomically(recordFile, `${JSON.stringify(record, null, 2)}\n`);
  } catch (error) {
    throw cacheError(file, error);
  }
  return { ...known, file, record };
}

/** Only encrypted, so that nobody on the way changes what comes; this machine's own servers need no encryption. */
function assertSafe(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (
    protocol === 'https:' ||
    (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
  )
    return;
  throw new QuarterturnError('usage', `url: expected https. Received: ${url}.`);
}

/** Redirections at most. */
const mostHops = 10;

/** Follows redirections, each of which has to be as safe. */
async function follow(url: string, signal: AbortSignal): Promise<Response> {
  let at = url;
  for (let hop = 0; ; hop++) {
    assertSafe(at);
    const response = await fetch(at, { signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || !location || hop === mostHops) return response;
    await response.body?.cancel();
    at = new URL(location, at).href;
  }
}

async function fetchBytes(
  name: string,
  url: string,
  { emit, signal }: ProgressOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const giveUp = new AbortController();
  let timer = setTimeout(() => giveUp.abort(), silentMs);
  const signals = AbortSignal.any([giveUp.signal, ...(signal ? [signal] : [])]);
  const failed = (received: string, hint: string, cause?: unknown) =>
    new QuarterturnError('io', `${name}: expected the file from ${url}. Received: ${received}.`, {
      hint,
      cause,
    });
  const byHand = `Get it elsewhere and give the file: --encoder <file.onnx>.`;
  try {
    const response = await follow(url, signals);
    if (!response.ok || !response.body) {
      throw failed(
        `the answer ${response.status} ${response.statusText}`.trim(),
        `It may have moved. ${byHand}`,
      );
    }
    const total = Number(response.headers.get('content-length') ?? 0);
    const progress = startProgress({ emit, signal }, `bytes of ${name}`, total);
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => giveUp.abort(), silentMs);
      parts.push(part);
      length += part.length;
      await progress(length, `${length} bytes`);
    }
    if (total > 0 && length !== total && !response.headers.has('content-encoding')) {
      throw failed(`${length} of ${total} bytes`, 'The connection broke off: try again.');
    }
    return Uint8Array.from(Buffer.concat(parts));
  } catch (cause) {
    if (cause instanceof QuarterturnError) throw cause;
    if (signal?.aborted) {
      throw new QuarterturnError('interrupted', `${name}: stopped before all of it had come.`, { cause });
    }
    if (giveUp.signal.aborted) throw failed('nothing for a minute', `Try again. ${byHand}`, cause);
    const { code, message } = reasonOf(cause);
    const offline = ['ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'ECONNREFUSED', 'EHOSTUNREACH'].includes(code);
    throw failed(
      offline ? `no connection (${code})` : `a connection that broke off (${code || message})`,
      offline ? `Is this machine online? ${byHand}` : 'Try again.',
      cause,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** fetch hides the reason in the cause of its error. */
function reasonOf(error: unknown): { readonly code: string; readonly message: string } {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code = '', message = String(inner) } = inner as NodeJS.ErrnoException;
  return { code, message };
}
