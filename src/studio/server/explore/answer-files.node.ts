import fs from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { QuarterturnError } from '../../../errors.js';
import {
  clearTemporaries,
  ensureFolder,
  ioError,
  readFileIfThere,
  temporaryPath,
  writeFileAtomically,
} from '../../../store/atomic-file.node.js';
import { parseJson, parseWith } from '../../../store/json.js';
import type { PileMap } from './inquiry.js';
import { type AnswersFile, answersSchema, type RunAnswers } from './run-answers.js';

const files = {
  answers: 'answers.json',
  probabilities: 'probabilities.f32',
  heldBack: 'held-back.f32',
  features: 'features.f32',
  encoder: 'encoder.onnx',
  map: 'map.json',
} as const;

/** Where a project keeps what a run says of its pile: it can be deleted, and is made again. */
export const answersFolder = (project: string, runId: string): string => join(project, 'answers', runId);

/** File of the encoder that described a run's images; it is there where the answers have features. */
export const encoderPath = (folder: string): string => join(folder, files.encoder);

export interface AnswersToWrite {
  readonly answers: RunAnswers;
  /** float32 [rows, dimensions], and the file of its encoder. */
  readonly features: { readonly values: Float32Array; readonly encoder: Uint8Array } | undefined;
}

/**
 * Write what a run says, as a whole or not at all, in place of what is there.
 * @throws QuarterturnError `io` if it cannot be written
 */
export async function writeAnswers(folder: string, { answers, features }: AnswersToWrite): Promise<void> {
  const { probabilities, heldBackProbabilities, ...file } = answers;
  const parent = join(folder, '..');
  const made = temporaryPath(folder);
  try {
    await ensureFolder(parent);
    await clearTemporaries(parent);
    await fs.mkdir(made);
    const write = (name: string, content: Uint8Array | string): Promise<void> =>
      fs.writeFile(join(made, name), content);
    await write(files.answers, JSON.stringify(answersSchema.parse(file satisfies AnswersFile)));
    await write(files.probabilities, bytesOf(probabilities));
    await write(files.heldBack, bytesOf(heldBackProbabilities));
    if (features) {
      await write(files.features, bytesOf(features.values));
      await write(files.encoder, features.encoder);
    }
    await fs.rm(folder, { recursive: true, force: true });
    await fs.rename(made, folder);
  } catch (error) {
    throw ioError('write', folder, error);
  }
}

/**
 * What a run said, as it was written.
 * @returns undefined if it is not there
 * @throws QuarterturnError `data` if it is damaged
 */
export async function readAnswers(folder: string): Promise<RunAnswers | undefined> {
  const path = join(folder, files.answers);
  const bytes = await readFileIfThere(path);
  if (bytes === undefined) return undefined;
  const file = parseWith(
    answersSchema,
    parseJson(path, new TextDecoder().decode(bytes), { hint }),
    path,
    'what a run said of its images',
    { hint },
  );
  const { images, heldBack, classNames } = file;
  return {
    ...file,
    probabilities: await floatsOf(join(folder, files.probabilities), images.length * classNames.length),
    heldBackProbabilities: await floatsOf(join(folder, files.heldBack), heldBack.length * classNames.length),
  };
}

/**
 * How a run describes some images: those that it learned from, and some of the others.
 * @returns rows of length 1, float32 [rows, dimensions]
 */
export async function readFeatures(
  folder: string,
  features: NonNullable<AnswersFile['features']>,
): Promise<Float32Array> {
  return floatsOf(join(folder, files.features), features.rows.length * features.dimensions);
}

const mapSchema = z.object({
  images: z.array(z.string()).readonly(),
  positions: z.array(z.number()).readonly(),
});

/** The map of a run's pile, where one was made; what is damaged is made again. */
export async function readMap(folder: string): Promise<PileMap | undefined> {
  const bytes = await readFileIfThere(join(folder, files.map));
  if (bytes === undefined) return undefined;
  try {
    return mapSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

/** Keep a map beside the answers that it was made of. */
export function writeMap(folder: string, map: PileMap): Promise<void> {
  return writeFileAtomically(join(folder, files.map), JSON.stringify(mapSchema.parse(map)));
}

const hint = 'It was changed or damaged: delete the folder, and it is made again.';

/** Little-endian, as every machine that runs Node.js is. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

async function floatsOf(path: string, count: number): Promise<Float32Array> {
  const bytes = await readFileIfThere(path);
  if (bytes?.length !== 4 * count) {
    const received = bytes === undefined ? 'nothing there' : `${bytes.length}`;
    throw new QuarterturnError('data', `${path}: expected ${4 * count} bytes. Received: ${received}.`, {
      hint,
    });
  }
  return new Float32Array(bytes.slice().buffer);
}
