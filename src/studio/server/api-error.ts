import { type ErrorCode, QuarterturnError } from '../../errors.js';

/** What the answer to a failed request says, as JSON. */
export interface ErrorBody {
  readonly error: {
    /** For programs: one of {@link ErrorCode}, or of {@link RefusalCode}. */
    readonly code: string;
    /** For people. */
    readonly message: string;
    readonly hint?: string;
  };
}

/** Requests that are refused for what they are, by their HTTP status. */
const statusOf = {
  /** It does not bear the key of this studio. */
  'no-key': 401,
  /** It comes from another page, or to another name. */
  foreign: 403,
  'not-found': 404,
  'wrong-method': 405,
  /** The rest of it did not come. */
  'too-slow': 408,
  /** What it asks for cannot be done now. */
  conflict: 409,
  /** One training at a time. */
  busy: 409,
  'too-large': 413,
  'wrong-type': 415,
  'too-many': 429,
} as const;

export type RefusalCode = keyof typeof statusOf;

/** A request that is refused; every other error is one of the library, or a fault of ours. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly hint: string | undefined;

  constructor(code: RefusalCode, message: string, { hint }: { readonly hint?: string } = {}) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Where the fault of a library's error lies: in what was asked, or here. */
const statusOfLibrary: Readonly<Record<ErrorCode, 400 | 409 | 422 | 500>> = {
  usage: 400,
  shape: 422,
  data: 422,
  checkpoint: 422,
  runtime: 500,
  diverged: 500,
  io: 500,
  interrupted: 409,
};

/** The answer to a request that failed. What is unexpected is told to no page: it may name what no page should know. */
export function errorAnswer(error: unknown): { readonly status: number; readonly body: ErrorBody } {
  const [status, code] =
    error instanceof Refusal
      ? [statusOf[error.code], error.code]
      : error instanceof QuarterturnError
        ? [statusOfLibrary[error.code], error.code]
        : [500, 'internal'];
  if (code === 'internal') {
    const message = 'studio: expected to answer. Received: an error that nobody foresaw.';
    return {
      status,
      body: { error: { code, message, hint: 'The terminal that it was started in says more.' } },
    };
  }
  const { message, hint } = error as Refusal | QuarterturnError;
  return { status, body: { error: { code, message, ...(hint !== undefined && { hint }) } } };
}
