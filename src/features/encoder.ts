import type { ImageSource } from '../data/image-source.js';
import type { ProgressOptions } from '../progress.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Describes images by rows of numbers: images that show the same thing have rows in nearly the same direction. It may
 * hold memory that no garbage collector sees until it is released.
 */
export interface Encoder extends AsyncDisposable {
  /** One word: `oriented-gradients`, `dinov2-small`. */
  readonly name: string;
  /** In a sentence: `oriented gradients`. */
  readonly title: string;
  /** Numbers in a row. */
  readonly dimensions: number;
  /** Tells encoders apart that may give another row for the same image; rows are cached under it. */
  readonly fingerprint: string;
  /**
   * Describes images, a batch at a time.
   * @returns float32 [count, dimensions], rows of length 1, or 0 where an image shows nothing
   * @throws QuarterturnError `usage` for images that the encoder does not take; `interrupted` if the signal is aborted
   */
  describe(images: ImageSource, options?: ProgressOptions): Promise<Tensor<'float32'>>;
  /** Gives the memory back. */
  release(): Promise<void>;
}
