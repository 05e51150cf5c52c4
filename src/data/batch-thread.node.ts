/** What the thread of a {@link BatchWorker} runs: it makes the batches that are asked for, one after the other. */

import { parentPort } from 'node:worker_threads';
import { type ErrorCode, QuarterturnError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { type BatchRequest, makeBatch } from './batch-maker.js';
import type { ImageSource, SharedImages } from './image-source.js';
import { openShared } from './shared-images.js';

/** What the thread is told. Sources are numbered. */
export type BatchTask =
  | { readonly type: 'open'; readonly source: number; readonly images: SharedImages }
  | { readonly type: 'make'; readonly id: number; readonly source: number; readonly request: BatchRequest }
  | { readonly type: 'close'; readonly source: number };

/** What it answers. */
export type BatchReply =
  | { readonly type: 'ready' }
  | { readonly type: 'made'; readonly id: number; readonly images: Tensor<'uint8'> }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError };

/** An error as it goes from thread to thread. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

const port = parentPort;
if (port) {
  const sources = new Map<number, ImageSource>();
  const reply = (message: BatchReply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const make = async ({ id, source, request }: Extract<BatchTask, { type: 'make' }>): Promise<void> => {
    try {
      const images = sources.get(source);
      if (images === undefined) {
        throw new QuarterturnError('usage', `batches: expected an open source. Received: number ${source}.`);
      }
      const batch = await makeBatch(images, request);
      reply({ type: 'made', id, images: batch }, [batch.data.buffer]);
    } catch (error) {
      reply({ type: 'failed', id, error: plainError(error) });
    }
  };
  port.on('message', (task: BatchTask) => {
    if (task.type === 'open') sources.set(task.source, openShared(task.images));
    else if (task.type === 'close') sources.delete(task.source);
    else void make(task);
  });
  reply({ type: 'ready' });
}

function plainError(error: unknown): PlainError {
  if (error instanceof QuarterturnError) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: 'runtime',
    message: `batches: expected to make one. Received: an error (${text}).`,
    hint: undefined,
  };
}
