import type { Context, MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { parseJson, parseWith } from '../../store/json.js';
import { Refusal } from './api-error.js';
import { equalKeys, type StudioKeys } from './keys.js';

/** The header that bears the token. A page of another origin cannot send it without being asked first, and is not. */
export const tokenHeader = 'x-quarterturn-token';

/**
 * What a page may do: show what this server sends, and nothing else. No inline script runs, nothing is fetched from
 * elsewhere, and no other page may show it in a frame.
 */
const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "font-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
} as const;

/** Every answer bears them, refusals too; what says nothing of keeping is not kept. */
export function withSecurityHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value);
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
  };
}

/**
 * Refuses what was not meant for this server, or was sent by another page.
 *
 * A foreign name that leads to 127.0.0.1 (DNS rebinding) shows in `Host`, a foreign page in `Origin`, and one that only
 * shows a picture of ours in `Sec-Fetch-Site`.
 *
 * @param port of this server, asked for at each request: it is known only once it listens
 */
export function onlyThisOrigin(port: () => number): MiddlewareHandler {
  return async (c, next) => {
    const hosts = [`127.0.0.1:${port()}`, `localhost:${port()}`];
    const host = c.req.header('host');
    if (host === undefined || !hosts.includes(host)) {
      throw new Refusal('foreign', `Host: expected ${hosts.join(' or ')}. Received: ${shown(host)}.`);
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== `http://${host}`) {
      throw new Refusal('foreign', `Origin: expected http://${host}. Received: ${shown(origin)}.`);
    }
    // The page itself may be come to from anywhere: it says nothing without the token.
    const site = c.req.header('sec-fetch-site');
    if (site !== undefined && site !== 'same-origin' && site !== 'none' && isApi(c)) {
      throw new Refusal('foreign', `Sec-Fetch-Site: expected same-origin. Received: ${shown(site)}.`);
    }
    await next();
  };
}

const isApi = (c: Context): boolean => c.req.path.startsWith('/api/');

/**
 * Refuses a request to the API without the token; where a key for looking does, that key in the address is enough.
 */
export function onlyWithKey({ token, viewKey }: StudioKeys): MiddlewareHandler {
  return async (c, next) => {
    const isView = c.req.method === 'GET' && viewPaths.test(c.req.path);
    const isKnown =
      equalKeys(token, c.req.header(tokenHeader)) || (isView && equalKeys(viewKey, c.req.query('key')));
    if (!isKnown) {
      throw new Refusal('no-key', 'studio: expected the key of this studio. Received: another, or none.', {
        hint: 'Open the address that the command has printed.',
      });
    }
    await next();
  };
}

/** Pictures, the event stream, and what is downloaded by a link. */
const viewPaths = /^\/api\/(events$|images\/|exports\/|tries\/[^/]+\/seen$)/;

/** The JSON that asks for most, thousands of images by their ids. */
const maxJsonBytes = 2 ** 22;

/**
 * The body of a request, checked.
 * @param what to call it in errors: `labels to set`
 * @throws Refusal for another type than JSON, which a form of another page could send; QuarterturnError `usage` for what is
 *   no JSON or does not fit
 */
export async function jsonBody<S extends z.ZodType>(
  c: Context,
  schema: S,
  what: string,
): Promise<z.infer<S>> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal('wrong-type', `body: expected application/json. Received: ${shown(type)}.`);
  }
  const text = new TextDecoder().decode(await bodyBytes(c, maxJsonBytes));
  return parseWith(schema, parseJson('body', text, { code: 'usage' }), 'body', what, {
    code: 'usage',
  });
}

/** Silence after which the rest of a body is not waited for; on a loopback, it comes at once. */
const bodyIdleMs = 10_000;

/**
 * All bytes of a body; what is larger than it may be is refused by what it claims, or once as much has come.
 * @throws Refusal `too-large`; `too-slow` where the rest of it does not come
 */
export async function bodyBytes(c: Context, mostBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bodyChunks(c, mostBytes)) {
    chunks.push(chunk);
    length += chunk.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** A body as it comes; as {@link bodyBytes}. */
export async function* bodyChunks(c: Context, mostBytes: number): AsyncGenerator<Uint8Array> {
  const tooLarge = new Refusal('too-large', `body: expected at most ${mostBytes} bytes. Received: more.`);
  if (Number(c.req.header('content-length') ?? 0) > mostBytes) throw tooLarge;
  const tooSlow = new Refusal('too-slow', 'body: expected all of it. Received: a part.');
  let length = 0;
  const reader = c.req.raw.body?.getReader();
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(tooSlow), c.get('bodyIdleMs') ?? bodyIdleMs);
    });
    const part = await Promise.race([reader?.read(), silence])
      .catch(() => {
        c.header('connection', 'close');
        throw tooSlow;
      })
      .finally(() => clearTimeout(timer));
    if (part?.value === undefined) return;
    length += part.value.length;
    if (length > mostBytes) throw tooLarge;
    yield part.value;
  }
}

/** Says how long a body may be silent, in ms; default: {@link bodyIdleMs}. */
export function withBodyIdle(ms: number): MiddlewareHandler {
  return async (c, next) => {
    c.set('bodyIdleMs', ms);
    await next();
  };
}

/** What the address asks for, checked. */
export function queryOf<S extends z.ZodType>(c: Context, schema: S, what: string): z.infer<S> {
  return parseWith(schema, c.req.query(), 'address', what, { code: 'usage' });
}

/** What somebody sent, as it may stand in a message. */
function shown(value: string | undefined): string {
  return value === undefined ? 'none' : JSON.stringify(value.slice(0, 100));
}
