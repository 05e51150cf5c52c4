import { looksNegative, meanOf } from '../data/brightness.js';
import { countOf, formatCount } from '../report/format.js';
import type { FittedPicture } from '../runs/classify-pictures.node.js';
import type { InputPicture } from '../runs/prediction-inputs.node.js';
import { printable } from './paths.js';
import { labelOf } from './prediction-output.js';

export interface WarningOptions {
  /** Mean brightness of the images that the model learned from, 0–255; without it negatives are not noticed. */
  readonly trainingMean?: number | undefined;
  /** Whether images are turned into their negatives. */
  readonly invert: boolean;
  /** Takes one line at a time. */
  readonly say: (line: string) => void;
}

/** A picture that was classified. */
export interface SeenPicture {
  readonly picture: Pick<InputPicture, 'file' | 'index'>;
  readonly fitted: FittedPicture;
}

/** Warnings about pictures whose class should not be trusted. */
export interface Warnings {
  look(seen: SeenPicture): void;
  /** Says what was counted and not said one by one. */
  end(): void;
}

/** A sixteenth of all brightness: less is noise, a blank page or a sensor's 12 bits in 16. */
const minContrast = 16;
/** Pictures of one kind that are named, each in a line; more are counted. */
const mostNamed = 10;

/** Watch pictures on their way to the model. */
export function createWarnings({ trainingMean, invert, say }: WarningOptions): Warnings {
  const warn = (what: string, text: string): void => say(`warning: ${what}: ${text}`);
  const counts = { negative: 0, flat: 0, several: 0 };
  /** The file of many pictures that is gone through. */
  let array: { readonly file: string; count: number; flat: number; firstFlat: number } | undefined;

  const endArray = (): void => {
    if (array !== undefined && array.flat > 0) {
      const share = `${formatCount(array.flat)} of ${countOf(array.count, 'image')}`;
      const look = `almost or wholly of one colour, [${array.firstFlat}] first`;
      warn(printable(array.file), `${share} are ${look}: their classes say nothing.`);
    }
    array = undefined;
  };

  const lookAtContrast = ({ picture, fitted }: SeenPicture): void => {
    const { contrast, decoded } = fitted;
    const isFlat = contrast <= minContrast;
    const { file, index } = picture;
    if (index !== undefined) {
      if (array?.file !== file) endArray();
      array ??= { file, count: 0, flat: 0, firstFlat: index };
      array.count++;
      if (isFlat && array.flat++ === 0) array.firstFlat = index;
      return;
    }
    endArray();
    if (!isFlat || counts.flat++ >= mostNamed) return;
    const look =
      contrast === 0
        ? 'of one colour'
        : `almost of one colour (its brightness differs by ${contrast} of 255)`;
    warn(printable(file), `the picture is ${look}: its class says nothing.${reasonOf(decoded, invert)}`);
  };

  const lookAtBrightness = ({ picture, fitted: { pixels, decoded } }: SeenPicture): void => {
    if (trainingMean === undefined || !looksNegative(pixels, decoded?.coverage ?? 1, trainingMean)) return;
    if (counts.negative++ > 0) return;
    const means = `its mean brightness is ${meanOf(pixels).toFixed(0)}, theirs ${trainingMean.toFixed(0)}`;
    const advice = invert ? 'Try without --invert' : 'Where dark and light have changed places, use --invert';
    warn(labelOf(picture), `looks like the negative of the training images (${means}). ${advice}.`);
  };

  return {
    look(seen) {
      const pictures = seen.fitted.decoded?.pictures ?? 1;
      if (pictures > 1 && counts.several++ < mostNamed) {
        warn(labelOf(seen.picture), `holds ${pictures} pictures: the class is that of the first.`);
      }
      lookAtContrast(seen);
      lookAtBrightness(seen);
    },
    end() {
      endArray();
      const more = (count: number, named: number, what: string): void => {
        if (count > named) say(`warning: more ${what}: ${formatCount(count - named)}.`);
      };
      more(counts.several, mostNamed, 'files that hold several pictures');
      more(counts.flat, mostNamed, 'pictures of one colour, or almost');
      more(counts.negative, 1, 'images that look like negatives');
    },
  };
}

/** How a picture may have come to be of one colour. */
function reasonOf(decoded: FittedPicture['decoded'], invert: boolean): string {
  if (decoded?.hasAlpha && !invert) {
    return ' Transparent parts lie on black, where dark ink disappears: try --invert.';
  }
  if (decoded?.bits !== 16) return '';
  return ' If its 16 bits hold fewer, such as the 12 of a sensor, scale its values first.';
}
