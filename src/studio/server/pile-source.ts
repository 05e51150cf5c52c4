import type { FitMode, Ground, ImageFit } from '../../data/image-fit.js';

/** How pictures become images. */
export interface PileReading {
  /** Height and width. */
  readonly size: number;
  readonly fit: FitMode;
  readonly ground: Ground;
  readonly colours: 'grey' | 'rgb';
}

/** What a pile is read from: what lies at a path, or the example that comes with the package. */
export type PileSource =
  | {
      readonly path: string;
      /** How its pictures become images; default: as they look. Whoever reads them later gets the same images by it. */
      readonly reading?: PileReading | undefined;
    }
  | { readonly example: 'mnist' };

/** Where data of a pile lies, and how it is read, as runs take it. */
export function placeOfSource(source: PileSource): {
  readonly dataFolder: string | null;
  readonly reading: Partial<PileReading>;
} {
  if (!('path' in source)) return { dataFolder: null, reading: {} };
  return { dataFolder: source.path, reading: source.reading ?? {} };
}

/** How a pile was read, with what was chosen from its pictures. */
export function readingOf({ size, fit, ground }: Pick<ImageFit, 'size' | 'fit' | 'ground'>): PileReading {
  return { size: size.height, fit, ground, colours: size.channels === 1 ? 'grey' : 'rgb' };
}
