/** A picture to classify. */
export interface TryTask {
  /** Path of the classifier's file. */
  readonly model: string;
  /** What to call the picture in errors. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Labelled images that may be near, as PNG files of their own size; of those that were sent before, ids are enough. */
  readonly labelled: readonly LabelledPicture[];
}

export interface LabelledPicture {
  readonly id: string;
  readonly png?: Uint8Array;
}

/** What came of it. */
export interface TryResult {
  /** Of the picture as it is looked at, upright. */
  readonly height: number;
  readonly width: number;
  readonly classNames: readonly string[];
  /** float32 [K] */
  readonly probabilities: Float32Array;
  /** PNG of what the classifier was given. */
  readonly seen: Uint8Array;
  /** How the picture was fitted, for people: `middle`, `frame` … as `Preprocessing` says. */
  readonly fit: 'contain' | 'cover' | 'stretch';
  /** The classifier's own size. */
  readonly size: { readonly height: number; readonly width: number; readonly channels: number };
  /** The nearest of the labelled images, nearest first; distance is 1 − cosine. */
  readonly nearest: readonly { readonly id: string; readonly distance: number }[];
}
