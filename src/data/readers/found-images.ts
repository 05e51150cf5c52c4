/** The parts that people divide data into. */
export type Split = 'train' | 'val' | 'test';

/** What one image is read from: a file as it lies there, or pixels that need no decoding. */
export type ImageBytes =
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'pixels';
      readonly height: number;
      readonly width: number;
      readonly channels: number;
      /** uint8 [height, width, channels] */
      readonly pixels: Uint8Array;
    };

/** An image as a reader finds it: nothing of it is read or decoded yet. */
export interface FoundImage {
  /** How people know it: the path within the source with `/` between its parts, or `images[12]` of an array. */
  readonly name: string;
  /** Its class, verbatim but for Unicode's normal form C; absent if it has none. */
  readonly label?: string;
  /** Where the source says which part it belongs to. */
  readonly split?: Split;
  /**
   * Size of its file, and when that file, or the archive that it lies in, was last changed: by these a cache knows it again.
   * Absent if it is a row of an array.
   */
  readonly stamp?: { readonly sizeBytes: number; readonly modifiedMs: number };
  /** @throws QuarterturnError `data` or `io` naming the image */
  read(): Promise<ImageBytes>;
}

/** A file that is no image, and why it was left out. */
export interface SkippedFile {
  readonly name: string;
  /** One of few, to be counted by: `hidden file`, `empty file`, `HEIC photograph`. */
  readonly reason: string;
  /** What to do about it, where something can be done. */
  readonly hint?: string;
}

/** Images that a reader finds in a folder, an archive or a file of arrays. */
export interface FoundImages {
  /** Detected format of the source, as `--format` names it: `folder`, `idx`, `npz`, `parquet`. */
  readonly format: string;
  /** Where it is, for messages and `config.json`. */
  readonly origin: string;
  /** In an order that depends on names alone, never on the file system's. */
  readonly images: readonly FoundImage[];
  /** Of all classes, in natural order (2 before 10), those without any image among them. */
  readonly classNames: readonly string[];
  /** What lies there and is no image. */
  readonly skipped: readonly SkippedFile[];
  /** Notes for a person on how it was read, one sentence each. */
  readonly notes: readonly string[];
  /** Those on its classes alone, which say nothing where a table gives other labels. */
  readonly classNotes?: readonly string[];
  /** Close what the source holds open. */
  close?(): Promise<void>;
}
