import fs from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf, type ImageFormat } from '../../../data/image-content.js';
import { freeName, safeName } from '../../../data/safe-name.js';
import { writeFileAtomically } from '../../../store/atomic-file.node.js';
import { Refusal } from '../api-error.js';
import { ChildCalls } from '../child-calls.node.js';
import { answersFolder, readAnswers } from '../explore/answer-files.node.js';
import { randomHex } from '../keys.js';
import { modelOf } from '../newest-model.node.js';
import type { Studio } from '../studio.node.js';
import type { KeptTry, LabelledPicture, TryAnswer, TryResult, TryTask } from './try-messages.js';

/** Classifies a picture apart from this process. */
export type Classify = Pick<ChildCalls<TryTask, TryResult>, 'call' | 'close'>;

/** What of the studio it needs. */
type TriedStudio = Pick<Studio, 'project' | 'labelled' | 'pile' | 'addPicture'>;

/** The model is loaded and labelled images are described first; a picture takes milliseconds. */
const patienceMs = 60_000;

/** Classifies pictures in a process of its own. */
export function triesInProcess(): Classify {
  return new ChildCalls<TryTask, TryResult>({
    program: new URL('./try-child.node.js', import.meta.url),
    expected: 'picture: expected an answer of the process that classifies it',
    patienceMs,
  });
}

interface Try {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly seen: Uint8Array;
}

/** Pictures that can still be looked at or kept. */
const triesKept = 16;
/** Labelled images among which the nearest are looked for, spread evenly over all of them. */
const mostLabelled = 2000;

const endings: Readonly<Record<ImageFormat, string>> = {
  ...{ JPEG: '.jpg', PNG: '.png', GIF: '.gif', TIFF: '.tif', WebP: '.webp', AVIF: '.avif' },
};

/** Pictures from outside the pile, and what a classifier says of them. */
export class Tries implements AsyncDisposable {
  readonly #studio: TriedStudio;
  readonly #classify: Classify;
  readonly #tries = new Map<string, Try>();
  /** Images whose pixels the other process has. */
  #sent = new Set<string>();

  constructor(studio: TriedStudio, classify: Classify) {
    this.#studio = studio;
    this.#classify = classify;
  }

  /**
   * Ask the classifier of a run.
   * @param run default: the newest that has one
   * @throws Refusal `conflict` where there is no classifier; QuarterturnError `data` for what is no picture
   */
  async add(
    bytes: Uint8Array,
    { name, run }: { readonly name: string; readonly run?: string | undefined },
  ): Promise<TryAnswer> {
    const { project } = this.#studio;
    const model = await modelOf(project.folder, run);
    const folder = answersFolder(project.folder, model.run);
    const answers = (await readAnswers(folder).catch(() => undefined))?.features ? folder : undefined;
    const labelledNow = answers
      ? this.#studio.labelled.labelledIds().map((id) => ({ id }))
      : await this.#labelled();
    const task: TryTask = { model: model.path, name, bytes, answers, labelled: labelledNow };
    const result = await this.#classify.call(task).catch((error) => {
      this.#sent = new Set(); // it may have ended, and another one knows nothing
      throw error;
    });
    if (!answers) for (const { id } of task.labelled) this.#sent.add(id);
    const id = randomHex();
    this.#tries.set(id, { name, bytes, seen: result.seen });
    for (const oldest of this.#tries.keys()) {
      if (this.#tries.size <= triesKept) break;
      this.#tries.delete(oldest);
    }
    const { classNames, probabilities, nearest, height, width, size, fit } = result;
    const { labelled } = this.#studio;
    return {
      ...{ id, run: model.run, name, height, width, size, fit },
      probabilities: classNames
        .map((className, k) => ({ class: className, probability: probabilities[k] ?? 0 }))
        .sort((a, b) => b.probability - a.probability),
      seen: `/api/tries/${id}/seen`,
      nearest: nearest.map((each) => ({ ...each, label: labelled.labelOf(each.id) ?? null })),
      canKeep: await this.#takesFiles(),
    };
  }

  /** PNG of what the classifier was given. */
  seen(id: string): Uint8Array {
    return this.#get(id).seen;
  }

  /**
   * Put a picture into the folder of the pile, and take it into the pile; the other pictures are not read.
   * @throws Refusal `conflict` for a pile that is no folder, `not-found` for a picture that is not kept any more
   */
  async keep(id: string): Promise<KeptTry> {
    const { name, bytes } = this.#get(id);
    const { data } = this.#studio.project;
    if (!('path' in data) || !(await this.#takesFiles())) {
      throw new Refusal(
        'conflict',
        'pile: expected a folder of pictures. Received: one file, or the example.',
        {
          hint: 'Open a folder of pictures to add some to it.',
        },
      );
    }
    const content = contentOf(bytes);
    const ending = content.kind === 'image' ? endings[content.format] : '.png';
    const stem = safeName(name.replace(/\.[A-Za-z]{2,5}$/, '') || 'picture').replace(/^[_.~]+/, '');
    const taken = new Set((await fs.readdir(data.path)).map((each) => each.toLowerCase()));
    const file = freeName(`${stem || 'picture'}${ending}`, taken, { ending });
    const path = join(data.path, file);
    await writeFileAtomically(path, bytes);
    const remove = (): Promise<void> => fs.rm(path, { force: true });
    const { image, isNew } = await this.#studio.addPicture(file).catch(async (error) => {
      await remove();
      throw error;
    });
    // The same picture twice is of no use.
    if (!isNew) await remove();
    return { id: image.id, name: image.name, isNew };
  }

  close(): Promise<void> {
    return this.#classify.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #get(id: string): Try {
    const found = this.#tries.get(id);
    if (found) return found;
    throw new Refusal('not-found', 'picture: expected one that was tried just now. Received: another.', {
      hint: 'Try it again.',
    });
  }

  async #takesFiles(): Promise<boolean> {
    const { data } = this.#studio.project;
    if (!('path' in data) || !this.#studio.pile.facts.hasFiles) return false;
    return (await fs.stat(data.path).catch(() => undefined))?.isDirectory() ?? false;
  }

  /** Labelled images, with the pixels of those that the other process has not got yet. */
  async #labelled(): Promise<LabelledPicture[]> {
    const { labelled, pile } = this.#studio;
    const ids = labelled.labelledIds();
    const step = Math.max(1, ids.length / mostLabelled);
    const pictures: LabelledPicture[] = [];
    for (let at = 0; at < ids.length; at += step) {
      const id = ids[Math.floor(at)] ?? '';
      if (this.#sent.has(id)) pictures.push({ id });
      else pictures.push({ id, png: (await pile.small(labelled.indexOf(id))).bytes });
    }
    return pictures;
  }
}
