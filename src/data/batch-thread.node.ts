/** What the thread of a {@link BatchWorker} runs: it makes the batches that are asked for, one after the other. */

import { parentPort } from 'node:worker_threads';
import { type ErrorCode, QuarterturnError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { type BatchRequest, makeBatch } from './batch-maker.js';
import type { SharedImages } from './image-source.js';
import { type OpenShared, openShared } from './shared-images.node.js';

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
  const sources = new Map<number, Promise<OpenShared>>();
  const reply = (message: BatchReply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const make = async ({ id, source, request }: Extract<BatchTask, { type: 'make' }>): Promise<void> => {
    try {
      const opened = sources.get(source);
      if (opened === undefined) {
        throw new QuarterturnError('usage', `batches: expected an open source. Received: number ${source}.`);
      }
      const { images } = await opened;
      const batch = await makeBatch(images, request);
      reply({ type: 'made', id, images: batch }, [batch.data.buffer]);
    } catch (error) {
      reply({ type: 'failed', id, error: plainError(error) });
    }
  };
  const close = async (source: number): Promise<void> => {
    const opened = sources.get(source);
    sources.delete(source);
    await opened?.then((shared) => shared.close()).catch(() => {});
  };
  port.on('message', (task: BatchTask) => {
    if (task.type === 'make') void make(task);
    else if (task.type === 'close') void close(task.source);
    else {
      const opened = openShared(task.images);
      // Whoever asks for a batch is told why there is none.
      opened.catch(() => {});
      sources.set(task.source, opened);
    }
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
