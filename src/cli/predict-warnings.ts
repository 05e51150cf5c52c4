import { contrastOf, looksNegative, meanOf } from '../data/brightness.js';
import type { ImageSize } from '../data/image-source.js';
import { formatCount } from '../report/format.js';
import { printable } from './paths.js';
import type { FileImages } from './predict-images.js';
import { labelOf } from './prediction-output.js';

export interface WarningOptions {
  readonly size: ImageSize;
  /** Mean brightness of the images that the model learned from, 0–255; without it negatives are not noticed. */
  readonly trainingMean?: number | undefined;
  /** Whether images are turned into their negatives. */
  readonly invert: boolean;
  /** Takes one line at a time. */
  readonly say: (line: string) => void;
}

/** Warnings about images whose class should not be trusted. */
export interface Warnings {
  look(file: string, images: FileImages): void;
  /** Says what was counted and not said one by one. */
  end(): void;
}

/** A sixteenth of all brightness: less is noise, a blank page or a sensor's 12 bits in 16. */
const minContrast = 16;

/** Watch images on their way to the model. */
export function createWarnings({ size, trainingMean, invert, say }: WarningOptions): Warnings {
  let negatives = 0;
  const warn = (what: string, text: string): void => say(`warning: ${what}: ${text}`);

  const lookAtContrast = (file: string, { count, pixels, decoded }: FileImages): void => {
    const contrasts = decoded
      ? [decoded.contrast]
      : eachImage(pixels, count).map((image) => contrastOf(image, size.channels));
    const flat = contrasts.flatMap((contrast, index) => (contrast <= minContrast ? [index] : []));
    const [first] = flat;
    if (first === undefined) return;
    if (count > 1) {
      const share = `${formatCount(flat.length)} of ${formatCount(count)} images`;
      const look = `almost or wholly of one colour, [${first}] first`;
      warn(printable(file), `${share} are ${look}: their classes say nothing.`);
      return;
    }
    const contrast = contrasts[first]!;
    const look =
      contrast === 0
        ? 'of one colour'
        : `almost of one colour (its brightness differs by ${contrast} of 255)`;
    warn(printable(file), `the picture is ${look}: its class says nothing.${reasonOf(decoded, invert)}`);
  };

  const lookAtBrightness = (file: string, { count, pixels, decoded }: FileImages): void => {
    if (trainingMean === undefined) return;
    for (const [index, image] of eachImage(pixels, count).entries()) {
      if (!looksNegative(image, decoded?.coverage ?? 1, trainingMean)) continue;
      negatives++;
      if (negatives > 1) continue;
      const means = `its mean brightness is ${meanOf(image).toFixed(0)}, theirs ${trainingMean.toFixed(0)}`;
      const advice = invert
        ? 'Try without --invert'
        : 'Where dark and light have changed places, use --invert';
      warn(
        labelOf(file, index, count > 1),
        `looks like the negative of the training images (${means}). ${advice}.`,
      );
    }
  };

  const eachImage = (pixels: Uint8Array, count: number): Uint8Array[] => {
    const imageBytes = size.height * size.width * size.channels;
    return Array.from({ length: count }, (_, i) => pixels.subarray(i * imageBytes, (i + 1) * imageBytes));
  };

  return {
    look(file, images) {
      if (images.count === 0) warn(printable(file), 'holds no images.');
      const pictures = images.decoded?.pictures ?? 1;
      if (pictures > 1) warn(printable(file), `holds ${pictures} pictures: the class is that of the first.`);
      lookAtContrast(file, images);
      lookAtBrightness(file, images);
    },
    end() {
      if (negatives > 1) say(`warning: more images that look like negatives: ${formatCount(negatives - 1)}.`);
    },
  };
}

/** How a picture may have come to be of one colour. */
function reasonOf(decoded: FileImages['decoded'], invert: boolean): string {
  if (decoded?.hasAlpha && !invert) {
    return ' Transparent parts lie on black, where dark ink disappears: try --invert.';
  }
  if (decoded?.bits !== 16) return '';
  return ' If its 16 bits hold fewer, such as the 12 of a sensor, scale its values first.';
}
