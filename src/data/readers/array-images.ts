import type { ArrayLayout } from './array-layout.js';
import { inNaturalOrder } from './class-names.js';
import type { FoundImage, ImageBytes, Split } from './found-images.js';

/** Images of one size that lie one behind the other. */
export interface ImageRows extends Pick<ArrayLayout, 'count' | 'height' | 'width' | 'channels'> {
  /** Name of the images: `train_images`; the image at index 12 is `train_images[12]`. */
  readonly name: string;
  /**
   * @returns uint8 [height, width, channels]
   * @throws QuarterturnError `data` or `io`
   */
  readRow(index: number): Promise<Uint8Array>;
}

/** The images of an array, each with its label where it has one. */
export function imagesOfRows(
  rows: ImageRows,
  labels: readonly (string | undefined)[] | undefined,
  split: Split | undefined,
): FoundImage[] {
  return Array.from({ length: rows.count }, (_, i) => new RowImage(rows, i, labels?.[i], split));
}

/** A class, since a hundred thousand closures would weigh more. */
class RowImage implements FoundImage {
  readonly name: string;
  declare readonly label?: string;
  declare readonly split?: Split;
  readonly #rows: ImageRows;
  readonly #index: number;

  constructor(rows: ImageRows, index: number, label: string | undefined, split: Split | undefined) {
    this.name = `${rows.name}[${index}]`;
    if (label !== undefined) this.label = label;
    if (split !== undefined) this.split = split;
    this.#rows = rows;
    this.#index = index;
  }

  async read(): Promise<ImageBytes> {
    const { height, width, channels } = this.#rows;
    return { kind: 'pixels', height, width, channels, pixels: await this.#rows.readRow(this.#index) };
  }
}

/** The labels that occur, in natural order. */
export function classNamesOf(images: readonly FoundImage[]): string[] {
  return inNaturalOrder(images.flatMap(({ label }) => (label === undefined ? [] : [label])));
}
