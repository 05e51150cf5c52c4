import { join } from 'node:path';
import { z } from 'zod';
import { imageHashPattern } from '../../data/image-hash.js';
import { readFileIfThere, writeFileAtomically } from '../../store/atomic-file.node.js';
import { parseJson, parseWith } from '../../store/json.js';
import type { LabelState } from './label-state.js';

const imagesName = 'images.json';

const projectImageSchema = z.strictObject({
  /** Hash by which labels name it. */
  image: z.string().regex(imageHashPattern),
  /** Path within the data, as a table of labels names it; `images[12]` of an array. */
  name: z.string(),
  /** Names of files that are the same picture. */
  copies: z.array(z.string()).readonly().optional(),
  /** SHA-256 of its file: by it labels find their images again where another decoder or size gives other hashes. */
  content: z.string().optional(),
});

/** An image that belongs to a project. */
export type ProjectImage = Readonly<z.infer<typeof projectImageSchema>>;

const fileSchema = z.strictObject({
  schema: z.literal('quarterturn-project-images'),
  version: z.literal(1),
  images: z.array(projectImageSchema),
});

/**
 * The images of a project, as they were when its data was read last; undefined if that never was.
 * @throws QuarterturnError `data` if the list is damaged, `io` if it cannot be read
 */
export async function readProjectImages(folder: string): Promise<readonly ProjectImage[] | undefined> {
  const path = join(folder, imagesName);
  const bytes = await readFileIfThere(path);
  if (bytes === undefined) return undefined;
  const hint = 'Delete it: the studio makes it again when it reads the images.';
  const value = parseJson(path, new TextDecoder().decode(bytes), { hint });
  return parseWith(fileSchema, value, path, 'the images of a project', { hint }).images;
}

/** @throws QuarterturnError `io` naming the path */
export async function writeProjectImages(folder: string, images: readonly ProjectImage[]): Promise<void> {
  const head = `"schema":"quarterturn-project-images","version":1`;
  const lines = images.map((image) => JSON.stringify(projectImageSchema.parse(image))).join(',\n');
  await writeFileAtomically(join(folder, imagesName), `{${head},"images":[\n${lines}\n]}\n`);
}

/** Labels that have to follow their images: from the hash that an image had to the one that it has, by its content. */
export function movedImages(
  before: readonly ProjectImage[],
  now: readonly ProjectImage[],
  state: LabelState,
): { readonly from: string; readonly to: string }[] {
  const hashes = new Set(now.map(({ image }) => image));
  const wasOf = new Map<string, string>();
  for (const { content, image } of before) {
    if (content !== undefined && !hashes.has(image) && state.labelOf(image) !== undefined) {
      wasOf.set(content, image);
    }
  }
  return now.flatMap(({ content, image }) => {
    const from = content === undefined ? undefined : wasOf.get(content);
    return from === undefined || state.labelOf(image) !== undefined ? [] : [{ from, to: image }];
  });
}
