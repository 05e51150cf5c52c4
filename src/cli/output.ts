import { outputError } from './system-error.js';

/** Where a command's results go. */
export interface Output {
  /**
   * Wait until a text is on its way: whoever waits holds no more results than its reader takes.
   * @throws QuarterturnError `io` if it cannot be written, such as a full disk
   */
  write(text: string): Promise<void>;
  /** Whether its reader has seen enough (`| head`) and left: what is written then is lost, which is no failure. */
  readonly isClosed: boolean;
}

/** Standard output, or another stream. */
export function createOutput(stream: NodeJS.WritableStream): Output {
  let isClosed = false;
  return {
    get isClosed() {
      return isClosed;
    },
    async write(text) {
      if (isClosed || text === '') return;
      const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
        stream.write(text, resolve);
      });
      if (!error) return;
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') {
        throw outputError(error);
      }
      isClosed = true;
    },
  };
}
