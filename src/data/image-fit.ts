import { countOf } from '../counts.js';
import { QuarterturnError } from '../errors.js';
import type { ImageSize } from './image-source.js';

/**
 * How a picture of other proportions is fitted into a size: the middle of it (`cover`), all of it with a frame around it
 * (`contain`), or all of it with its proportions changed (`stretch`).
 */
export type FitMode = 'cover' | 'contain' | 'stretch';

/** Colour behind transparent parts and around a picture that is contained. */
export type Ground = 'black' | 'white';

/** How every picture of a source becomes an image. */
export interface ImageFit {
  readonly size: ImageSize;
  readonly fit: FitMode;
  readonly ground: Ground;
}

/** The parts of {@link ImageFit} that a person may set; the rest is chosen from the data. */
export interface FitOptions {
  /** Height and width in pixels, or one number for both. */
  readonly size?: number | { readonly height: number; readonly width: number } | undefined;
  /** Why it is that size, for people. Default: `as asked for`. */
  readonly sizeReason?: string | undefined;
  /** A side that pictures may be shrunk to beside the usual ones: that of an encoder. Default: none. */
  readonly largestSide?: number | undefined;
  /**
   * Default: `cover`. A frame would tell rotation pretraining how a picture was turned, and a stretched one looks like
   * nothing that was photographed.
   */
  readonly fit?: FitMode | undefined;
  /** Default: `grey` where no picture of the sample shows a colour. */
  readonly colours?: 'grey' | 'rgb' | undefined;
  /** Default: `black`. */
  readonly ground?: Ground | undefined;
}

/** The facts about one picture that the choice uses. */
export interface PictureFacts {
  /** Of the picture as it lies in its file, perhaps on its side. */
  readonly height: number;
  readonly width: number;
  readonly colour: boolean;
}

/** A fit, and in one sentence why it is that one. */
export interface ChosenFit extends ImageFit {
  readonly why: string;
}

/** Pictures that are looked at before a size is chosen: none of a twentieth of all is among them once in 500,000 times. */
export const sampledPictures = 256;

/** Images up to here stay as they are where they have one size: STL-10's. More pixels than that take too long to learn. */
const largestKept = 96;
/** Networks take no smaller images. */
const smallestKept = 8;
/** Share of the pictures that have to have a size for it to be the size of all. */
const nearlyAll = 0.95;
/**
 * Sides that pictures are shrunk to. All can be cut into patches that leave maps of 14 to 16 a side, which is what the
 * networks are made for; 64 is what a hundred thousand photographs can be learned at in minutes, and 28 what a digit needs.
 */
const sides = [28, 32, 48, 64] as const;

/**
 * Choose how pictures become images, by a sample of them.
 *
 * Where nearly all (95 %) are squares of one size from 8 to 96 a side, that size. Else a square, since quarter turns need
 * one: the largest of 28, 32, 48, 64 and an encoder's side that is not above the median of the shorter sides, and 28 where all are. Grey where no
 * picture of the sample shows a colour.
 *
 * @param sample at least one picture, unless the options settle size and colours
 * @example
 * chooseFit(sample).why; // '64×64 in colour: the shorter side of 256 pictures looked at is 1080 in the median'
 * @throws QuarterturnError `usage` for a size that is no whole number from 8 to 1024; `data` for an empty sample
 */
export function chooseFit(sample: readonly PictureFacts[], options: FitOptions = {}): ChosenFit {
  const { fit = 'cover', ground = 'black' } = options;
  if (sample.length === 0 && (options.size === undefined || options.colours === undefined)) {
    throw new QuarterturnError('data', 'images: expected at least one that can be read. Received: none.', {
      hint: 'Look at what was set aside, and why.',
    });
  }
  const { height, width, why } =
    options.size === undefined
      ? sizeOf(sample, options.largestSide)
      : givenSize(options.size, options.sizeReason);
  const grey =
    options.colours === undefined ? !sample.some(({ colour }) => colour) : options.colours === 'grey';
  const size = { height, width, channels: grey ? 1 : 3 };
  return { size, fit, ground, why: `${height}×${width} in ${grey ? 'grey' : 'colour'}: ${why}` };
}

interface ChosenSize {
  readonly height: number;
  readonly width: number;
  readonly why: string;
}

/** Far beyond what can be learned in a day; what is above is a slip of the keyboard. */
const largestGiven = 1024;

function givenSize(size: NonNullable<FitOptions['size']>, why = 'as asked for'): ChosenSize {
  const { height, width } = typeof size === 'number' ? { height: size, width: size } : size;
  for (const side of [height, width]) {
    if (!Number.isInteger(side) || side < smallestKept || side > largestGiven) {
      throw new QuarterturnError(
        'usage',
        `size: expected whole numbers from ${smallestKept} to ${largestGiven}. Received: ${height}×${width}.`,
      );
    }
  }
  return { height, width, why };
}

function sizeOf(sample: readonly PictureFacts[], largestSide: number | undefined): ChosenSize {
  // A sample: how many there are in all is told elsewhere.
  const pictures = `${countOf(sample.length, 'picture')} looked at`;
  const counts = new Map<string, { count: number; readonly picture: PictureFacts }>();
  for (const picture of sample) {
    const key = `${picture.height}×${picture.width}`;
    const entry = counts.get(key) ?? { count: 0, picture };
    entry.count++;
    counts.set(key, entry);
  }
  const [commonest] = [...counts.values()].sort((a, b) => b.count - a.count);
  if (commonest && commonest.count >= nearlyAll * sample.length) {
    const { height, width } = commonest.picture;
    if (height === width && height >= smallestKept && height <= largestKept) {
      const share = commonest.count === sample.length ? 'all' : `${commonest.count}`;
      const why =
        sample.length === 1 ? 'the only picture has that size' : `${share} of ${pictures} have that size`;
      return { height, width, why };
    }
  }
  const shorter = sample.map(({ height, width }) => Math.min(height, width)).sort((a, b) => a - b);
  const median = shorter[Math.floor(shorter.length / 2)] ?? 0;
  const all = [...sides, ...(largestSide === undefined ? [] : [largestSide])].sort((a, b) => a - b);
  const side = all.findLast((each) => each <= median) ?? sides[0];
  return { height: side, width: side, why: `the shorter side of ${pictures} is ${median} in the median` };
}
