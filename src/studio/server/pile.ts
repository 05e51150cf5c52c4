import type { SkippedFile } from '../../data/readers/found-images.js';
import type { PileSource } from './pile-source.js';
import type { PileFacts, PileProgress } from './updates.js';

export type { PileSource, SkippedFile };

/** An image of a pile. */
export interface PileImage {
  /** Hash of its content, by which labels and addresses name it. */
  readonly id: string;
  /** Path within the folder, or `images[12]`. */
  readonly name: string;
  /** Index in {@link PileFacts.classNames}, where the folders or files say one. */
  readonly foundClass?: number;
  /** SHA-256 of its file: by it, labels find an image again that has another hash at another size. */
  readonly content?: string;
}

/** A picture, ready to be sent. */
export interface EncodedPicture {
  readonly type: 'image/png' | 'image/jpeg';
  readonly bytes: Uint8Array;
}

/** A picture that lies there more than once. */
export interface Duplicate {
  readonly names: readonly string[];
  /** The labels that its copies bear, each once: more than one contradict each other. */
  readonly labels: readonly string[];
}

/** Of each file whose picture lies there more than once, all files that are this picture, itself among them. */
export function filesOfSame(duplicates: readonly Duplicate[]): ReadonlyMap<string, readonly string[]> {
  return new Map(duplicates.flatMap(({ names }) => names.map((name) => [name, names])));
}

/** Sizes in which an image can be seen. */
export type PictureSize = 'small' | 'tile' | 'view';

/** The images of a project, once they are read; to be closed. */
export interface Pile {
  readonly facts: PileFacts;
  /** Each once, in the order in which they were found. */
  readonly images: readonly PileImage[];
  readonly skipped: readonly SkippedFile[];
  readonly duplicates: readonly Duplicate[];
  /** Resolves if it has to be read anew, since what read it has ended of its own accord; with why. */
  readonly lost?: Promise<Error>;
  /** An image as the model sees it. */
  small(index: number): Promise<EncodedPicture>;
  /** From its file, as large as a tile of a grid; the same as {@link Pile.small} where there is no file behind it. */
  tile(index: number): Promise<EncodedPicture>;
  /** From its file, as large as a window; as {@link Pile.tile} where there is none. */
  view(index: number): Promise<EncodedPicture>;
  /**
   * Take one more picture, which lies in the folder by now, as all others were taken; one that shows the same as another one is that.
   * @param name of its file, within the folder
   * @throws QuarterturnError `data` for what cannot be read, `usage` where the pile is no folder of pictures
   */
  add(name: string): Promise<AddedPicture>;
  close(): Promise<void>;
}

/** A picture that was added to a pile. */
export interface AddedPicture {
  readonly image: PileImage;
  /** False where the pile had it already, under the name that the image bears. */
  readonly isNew: boolean;
}

export interface OpenPileOptions {
  readonly onProgress: (progress: PileProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads a pile.
 * @throws QuarterturnError as `readImages`; `interrupted` where the signal says so
 */
export type OpenPile = (source: PileSource, options: OpenPileOptions) => Promise<Pile>;
