/** A picture to classify. */
export interface TryTask {
  /** Path of the classifier's file. */
  readonly model: string;
  /** What to call the picture in errors. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Folder of what the run says of the pile: how it describes images; absent where it does not. */
  readonly answers?: string | undefined;
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

/** What came of a picture that somebody tried; as JSON. */
export interface TryAnswer {
  readonly id: string;
  /** Of the run whose classifier was asked. */
  readonly run: string;
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** The likeliest first. */
  readonly probabilities: readonly { readonly class: string; readonly probability: number }[];
  /** Address of the image as the classifier was given it. */
  readonly seen: string;
  readonly size: TryResult['size'];
  readonly fit: TryResult['fit'];
  /** Labelled images, the nearest first; distance is 1 − cosine of their descriptions. */
  readonly nearest: readonly {
    readonly id: string;
    readonly label: string | null;
    readonly distance: number;
  }[];
  /** Whether it can be added to the pile, which only a folder of pictures takes. */
  readonly canKeep: boolean;
}

/** A picture that was tried, and that the pile has now; as JSON. */
export interface KeptTry {
  /** Of the image. */
  readonly id: string;
  /** Of its file in the folder. */
  readonly name: string;
  /** False where the pile had it already. */
  readonly isNew: boolean;
}
