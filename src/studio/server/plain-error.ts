import { type ErrorCode, QuarterturnError } from '../../errors.js';

/** An error as it goes from process to process. */
export interface PlainError extends Pick<QuarterturnError, 'message' | 'hint'> {
  readonly code: ErrorCode;
}

/** @param doing what was expected of whoever failed, such as `pictures: expected to read them` */
export function plainError(error: unknown, doing: string): PlainError {
  if (error instanceof QuarterturnError) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { code: 'runtime', message: `${doing}. Received: ${text}.`, hint: undefined };
}

export function errorOf({ code, message, hint }: PlainError): QuarterturnError {
  return new QuarterturnError(code, message, { ...(hint !== undefined && { hint }) });
}
