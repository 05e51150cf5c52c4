import type { PileMap } from '../../server/explore/inquiry.js';
import type { ImageNotes } from '../../server/explore/queues.js';
import type { RunComparison } from '../../server/explore/run-comparison.js';
import type { Confusion } from '../../server/explore/run-look.js';
import { ask } from './client.js';

export type { Confusion, PileMap, RunComparison };

/** It is being found out; when it is, `looks` of the studio's state grows. */
export interface Pending {
  readonly pending: true;
}

export const isPending = (value: object): value is Pending => 'pending' in value && value.pending === true;

/** What a page knows of an image that it shows outside of a queue. */
export interface NotedImage extends Pick<ImageNotes, 'prediction'> {
  readonly id: string;
  readonly name: string;
  readonly label?: string;
}

const ofRun = (run: string): string => `/api/runs/${encodeURIComponent(run)}`;

/** What runs say of the pile. */
export const explore = {
  confusion: (run: string) => ask<Confusion | Pending>(`${ofRun(run)}/confusion`),
  map: (run: string) => ask<PileMap | Pending>(`${ofRun(run)}/map`),
  compare: (one: string, other: string) =>
    ask<RunComparison | Pending>(`${ofRun(one)}/compare/${encodeURIComponent(other)}`),
  duplicates: (from: number, count: number) =>
    ask<{ total: number; groups: readonly (readonly string[])[]; pending?: true }>(
      `/api/near-duplicates?from=${from}&count=${count}`,
    ),
  /** What is known of some images, in their order; the number of the event of which it is true. */
  notes: (ids: readonly string[]) =>
    ask<{ labelsSeq: number; images: readonly NotedImage[] }>('/api/image-notes', { json: { ids } }),
};
