import { QuarterturnError } from '../errors.js';

/**
 * Largest changes of images of one size. Each amplitude is drawn for each image uniformly from -value to
 * +value; 0 leaves that change out. Labels have to stay true under all changes: images are neither mirrored nor
 * turned upside down by default.
 */
export interface AugmentationPolicy {
  /**
   * Degrees about the centre, 0 to 180. Handwriting and hand-held cameras slant by some 15; from 45 on a quarter turn,
   * or 6 and 9, are confused. 180 is for what has no upright, such as cells or aerial views.
   */
  readonly rotateDegrees: number;
  /** Fraction of the size, below 1: 0.1 scales by 0.9 to 1.1, as loosely as objects are framed. */
  readonly scale: number;
  /** Fraction of width / height, below 1, the area staying the same: 0.1 makes that ratio 0.9 to 1.1 times as large. */
  readonly aspect: number;
  /** Pixels along each axis, 0 or more; fractions are allowed. */
  readonly shiftPixels: number;
  /** Horizontal slant, 0 or more: pixels to the side for each pixel down from the centre; 0.15 is an italic hand. */
  readonly shearFraction: number;
  /**
   * Elastic distortion, as the muscles of a hand vary (Simard, Steinkraus and Platt, "Best practices for convolutional
   * neural networks applied to visual document analysis", 2003, section 2): no pixel is displaced by more than this
   * many pixels along an axis, 0 or more. The root mean square is 0.28 times as many, so that a twentieth of the side
   * is hardly seen and a tenth is another hand. Above an eighth of the shorter side a field may fold over.
   */
  readonly elasticPixels: number;
  /**
   * Cutout (DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017): a square
   * is covered, so that no single part of an object is relied on. Its side is drawn uniformly from 0 to this fraction
   * of the shorter side, 0 to 1. Its centre may be any pixel, so that it may reach over the border, as in the paper.
   * Beware of digits and letters, whose parts are all that tells them apart: half the side makes a P of an 8.
   */
  readonly cutoutFraction: number;
  /** Mirror every other image, left to right. Digits and letters do not survive it, most animals and things do. */
  readonly flipHorizontal: boolean;
  /** Fraction of the differences from the image's mean, 0 to 1: 0.2 makes them 0.8 to 1.2 times as large. */
  readonly contrast: number;
  /** Added to every channel, as a fraction of the whole range from black to white, 0 to 1. */
  readonly brightness: number;
}

/** A policy for images of any size: lengths are fractions of the shorter side. */
export interface AugmentationStrength extends Omit<AugmentationPolicy, 'shiftPixels' | 'elasticPixels'> {
  /** Of the shorter side. */
  readonly shiftFraction: number;
  /** Of the shorter side; from 0.125 on fields may fold over. */
  readonly elasticFraction: number;
}

const none: AugmentationStrength = {
  rotateDegrees: 0,
  scale: 0,
  aspect: 0,
  shiftFraction: 0,
  shearFraction: 0,
  elasticFraction: 0,
  cutoutFraction: 0,
  flipHorizontal: false,
  contrast: 0,
  brightness: 0,
};

/** Strengths by name. Neither mirrors: both are for digits and letters too. */
export const strengths = {
  /** Leaves every image as it is. */
  none,
  /** Changes that one hardly sees: an object is off by that much wherever it was framed by its box or its mass. */
  weak: { ...none, rotateDegrees: 8, scale: 0.08, shiftFraction: 0.05 },
  /** As far as handwritten digits go and stay themselves. */
  strong: {
    ...none,
    rotateDegrees: 20,
    scale: 0.2,
    shiftFraction: 0.11,
    aspect: 0.2,
    shearFraction: 0.3,
    elasticFraction: 0.06,
  },
} as const satisfies Readonly<Record<string, AugmentationStrength>>;

/** How far tones are changed where they are: as other light and another exposure do, and an object stays what it is. */
export const toneChanges = { contrast: 0.3, brightness: 0.15 } as const;

/** The policy of a strength for images of one size. */
export function policyFor(height: number, width: number, strength: AugmentationStrength): AugmentationPolicy {
  const { shiftFraction, elasticFraction, ...same } = strength;
  const side = Math.min(height, width);
  return { ...same, shiftPixels: shiftFraction * side, elasticPixels: elasticFraction * side };
}

type Amplitude = Exclude<keyof AugmentationPolicy, 'flipHorizontal'>;

/** What each amplitude may be, and how that is said. */
const ranges: Readonly<Record<Amplitude, readonly [(value: number) => boolean, string]>> = {
  rotateDegrees: [(value) => value >= 0 && value <= 180, 'a number from 0 to 180'],
  scale: [(value) => value >= 0 && value < 1, 'a number from 0 to below 1'],
  aspect: [(value) => value >= 0 && value < 1, 'a number from 0 to below 1'],
  shiftPixels: [isLength, 'a number of 0 or more'],
  shearFraction: [isLength, 'a number of 0 or more'],
  elasticPixels: [isLength, 'a number of 0 or more'],
  cutoutFraction: [isFraction, 'a number from 0 to 1'],
  contrast: [isFraction, 'a number from 0 to 1'],
  brightness: [isFraction, 'a number from 0 to 1'],
};

/** @throws QuarterturnError `usage` naming the first field that is out of its range */
export function requirePolicy(policy: AugmentationPolicy): void {
  for (const [name, [allowed, expected]] of Object.entries(ranges)) {
    const value = policy[name as Amplitude];
    if (typeof value !== 'number' || !allowed(value)) refuse(name, expected, value);
  }
  if (typeof policy.flipHorizontal !== 'boolean') {
    refuse('flipHorizontal', 'true or false', policy.flipHorizontal);
  }
}

function isLength(value: number): boolean {
  return value >= 0 && value < Number.POSITIVE_INFINITY;
}

function isFraction(value: number): boolean {
  return value >= 0 && value <= 1;
}

function refuse(name: string, expected: string, value: unknown): never {
  throw new QuarterturnError('usage', `augmentation ${name}: expected ${expected}. Received: ${value}.`);
}
