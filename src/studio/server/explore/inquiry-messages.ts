import type { PlainError } from '../plain-error.js';
import type { InquiryTask } from './inquiry.js';

/** What the process that finds something out is told. */
export interface InquiryOrder {
  readonly task: InquiryTask;
  readonly threads: number | undefined;
  readonly cacheFolder: string | undefined;
}

/** What it says. */
export type InquiryReply =
  | { readonly type: 'progress'; readonly progress: number }
  | { readonly type: 'found'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: PlainError };
