import type { SkippedFile } from '../../data/readers/found-images.js';
import type { AddedPicture, Duplicate, EncodedPicture, PictureSize, PileImage, PileSource } from './pile.js';
import type { PlainError } from './plain-error.js';
import type { PileFacts, PileProgress } from './updates.js';

/** What the process that reads pictures is told. */
export type PileTask =
  | { readonly type: 'open'; readonly source: PileSource; readonly cacheFolder: string | undefined }
  | { readonly type: 'stop' }
  | { readonly type: 'add'; readonly request: number; readonly name: string }
  | {
      readonly type: 'picture';
      readonly request: number;
      readonly index: number;
      readonly size: PictureSize;
    };

/** What it answers. Lists come a part at a time, so that whoever takes them is never held up for long. */
export type PileReply =
  | { readonly type: 'progress'; readonly progress: PileProgress }
  | { readonly type: 'images'; readonly images: readonly PileImage[] }
  | { readonly type: 'skipped'; readonly skipped: readonly SkippedFile[] }
  | { readonly type: 'duplicates'; readonly duplicates: readonly Duplicate[] }
  | { readonly type: 'ready'; readonly facts: PileFacts }
  | { readonly type: 'failed'; readonly error: PlainError }
  | { readonly type: 'answer'; readonly request: number; readonly answer: EncodedPicture | AddedPicture }
  | { readonly type: 'noAnswer'; readonly request: number; readonly error: PlainError };
