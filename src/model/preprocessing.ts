import { z } from 'zod';
import { greyWeights } from '../data/grey.js';
import type { FitMode, Ground } from '../data/image-fit.js';
import type { ImageSize } from '../tensor/image-size.js';

/**
 * How a picture becomes what a classifier takes: everything that a program in another language has to do alike to get
 * the same answers. It stands as JSON in the metadata of an exported file.
 */
export const preprocessingSchema = z.strictObject({
  height: z.int().positive(),
  width: z.int().positive(),
  channels: z.union([z.literal(1), z.literal(3)]),
  /** Order of the axes: images, rows, columns, channels. */
  layout: z.literal('NHWC'),
  /** Values go from 0 to 255 as they are: the classifier normalises them itself. */
  dtype: z.literal('uint8'),
  /** `RGB`: red, green, blue, in this order; `grey`: one brightness. */
  colour: z.enum(['RGB', 'grey']),
  /** Shares of red, green and blue in a grey value; what colours of a picture become for a `grey` classifier. */
  greyWeights: z.tuple([z.number(), z.number(), z.number()]),
  /**
   * `contain`: the whole picture with its proportions kept, in the middle of the frame; `cover`: as much of its middle as has
   * the frame's proportions; `stretch`: the whole picture, its proportions changed.
   */
  fit: z.enum(['contain', 'cover', 'stretch']),
  /** Filter that pictures are made smaller with. */
  filter: z.literal('lanczos3'),
  /** Value of the frame around the picture, in each channel. */
  background: z.int().min(0).max(255),
  /** Value that transparent parts of a picture are laid on, in each channel. */
  alphaGround: z.int().min(0).max(255),
  /** Whether a picture is turned upright by its EXIF orientation first. */
  exifOrientation: z.literal(true),
  /** Mean of all values of the images that the classifier learned from, 0–255. */
  meanBrightness: z.number().min(0).max(255).optional(),
});

/** See {@link preprocessingSchema}. */
export type Preprocessing = Readonly<z.infer<typeof preprocessingSchema>>;

/** How pictures were fitted; see {@link Preprocessing}. */
export interface FittedPictures {
  readonly meanBrightness?: number | undefined;
  /** Default: `contain`. */
  readonly fit?: FitMode | undefined;
  /** Behind transparent parts and around a picture that is contained; default: black. */
  readonly ground?: Ground | undefined;
}

/**
 * How this library's readers of image files fit a picture into a size.
 * @param size channels: 1 for grey, 3 for red, green and blue; for others there is no way to fit a picture
 */
export function preprocessingFor(
  size: ImageSize,
  { meanBrightness, fit = 'contain', ground = 'black' }: FittedPictures = {},
): Preprocessing | undefined {
  const { height, width, channels } = size;
  if (channels !== 1 && channels !== 3) return undefined;
  const groundValue = ground === 'white' ? 255 : 0;
  return {
    height,
    width,
    channels,
    layout: 'NHWC',
    dtype: 'uint8',
    colour: channels === 1 ? 'grey' : 'RGB',
    greyWeights: [...greyWeights],
    fit,
    filter: 'lanczos3',
    background: groundValue,
    alphaGround: groundValue,
    exifOrientation: true,
    ...(meanBrightness !== undefined && { meanBrightness }),
  };
}
