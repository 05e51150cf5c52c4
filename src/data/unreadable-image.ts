import { QuarterturnError } from '../errors.js';

/** Why an image cannot be used, of a kind that many files may share: they are set aside together and counted by it. */
export class UnreadableImage extends QuarterturnError {
  /** One of few, a noun without its article: `empty file`, `JPEG file that is cut off`. */
  readonly reason: string;

  constructor(
    message: string,
    options: { readonly reason: string; readonly hint: string; readonly cause?: unknown },
  ) {
    super('data', message, options);
    this.reason = options.reason;
  }
}
