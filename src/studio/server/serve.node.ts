import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { QuarterturnError } from '../../errors.js';
import { recentProjects } from '../project/recent-projects.node.js';
import { errorAnswer, Refusal } from './api-error.js';
import { createApp } from './app.node.js';
import { createKeys, equalKeys, randomHex } from './keys.js';
import { type PageFiles, readPageFiles } from './page-files.node.js';
import type { Studio } from './studio.node.js';
import { Tries, triesInProcess } from './tries/tries.node.js';

export interface ServeOptions {
  /** Default: one that is free. */
  readonly port?: number | undefined;
  /** Default: the one that was built. */
  readonly page?: PageFiles;
  /** How long a request's head may take to come, and its body be silent, in ms. Default: 10 s; on a loopback, all comes at once. */
  readonly requestTimeoutMs?: number;
  /** Told of what nobody foresaw; the server goes on. */
  readonly onFault?: (error: unknown) => void;
}

/** A studio that is served. */
export interface StudioServer extends AsyncDisposable {
  readonly port: number;
  /** Of the page, with the token. */
  readonly address: string;
  /** An address that opens the page once, within a minute: for a command line, which everybody on the machine can read. */
  addressForOnce(): string;
  /** Ends all connections; the studio stays open. */
  close(): Promise<void>;
}

const host = '127.0.0.1';
const onceMs = 60_000;
/** A project of many gigabytes comes as one request; what falls silent is given up long before. */
const longestRequestMs = 60 * 60_000;
/** Of all headers of a request; a browser sends a tenth. */
const maxHeaderBytes = 2 ** 14;
/** More than all tabs have. */
const maxConnections = 512;

/**
 * Serve a studio to this machine alone.
 * @throws QuarterturnError `usage` for a port that is taken or not allowed
 */
export async function serveStudio(studio: Studio, options: ServeOptions = {}): Promise<StudioServer> {
  const { requestTimeoutMs = 10_000, onFault = () => {} } = options;
  const page = options.page ?? (await readPageFiles());
  const keys = createKeys();
  const codes = new Map<string, number>();
  const takeCode = (given: string): boolean => {
    for (const [code, madeMs] of codes) {
      if (!equalKeys(code, given)) continue;
      codes.delete(code);
      return performance.now() - madeMs < onceMs;
    }
    return false;
  };
  const tries = new Tries(studio, triesInProcess());
  const app = createApp({
    studio,
    tries,
    keys,
    page,
    port: () => port,
    takeCode,
    recentProjects,
    onFault,
    bodyIdleMs: requestTimeoutMs,
  });
  // What is no request that a page could make, such as one without a name of the host, comes to no route.
  const errorHandler = (): Response => refusalResponse();
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler });
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: requestTimeoutMs,
      requestTimeout: longestRequestMs,
      connectionsCheckingInterval: Math.min(requestTimeoutMs, 1000),
      keepAliveTimeout: 5000,
    },
    (request: IncomingMessage, response: ServerResponse) => {
      response.on('error', () => {}); // whoever asked has gone
      listener(request, response).catch(onFault);
    },
  );
  server.maxConnections = maxConnections;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseSocket(error, socket));
  server.on('connect', (_, socket: Socket) => refuseSocket(undefined, socket));
  const port = await listen(server, options.port ?? 0);
  const address = `http://${host}:${port}/#token=${keys.token}`;
  await studio.setAddress(address);
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    await tries.close();
  };
  return {
    port,
    address,
    addressForOnce() {
      const code = randomHex();
      codes.set(code, performance.now());
      return `http://${host}:${port}/open/${code}`;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const received = { EADDRINUSE: 'one that is taken', EACCES: 'one that needs rights' }[error.code ?? ''];
      reject(
        new QuarterturnError(
          'usage',
          `port ${port}: expected one that is free. Received: ${received ?? error.message}.`,
          { hint: 'Take another one; by default, a free one is found.', cause: error },
        ),
      );
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      server.on('error', () => {}); // of a connection that could not be taken
      resolve((server.address() as AddressInfo).port);
    });
  });
}

const malformed = () =>
  errorAnswer(new Refusal('wrong-method', 'request: expected one of a page. Received: another.'));

function refusalResponse(): Response {
  const { status, body } = malformed();
  return Response.json(body, { status });
}

/** Answers what is no HTTP, or has not come whole, as Node would, but in JSON as everything else. */
function refuseSocket(error: NodeJS.ErrnoException | undefined, socket: Socket): void {
  if (error?.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, what] = refusals[error?.code ?? ''] ?? [400, 'usage', 'something else'];
  const message = `request: expected one of a page. Received: ${what}.`;
  const body = JSON.stringify({ error: { code, message } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.on('error', () => {});
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const refusals: Readonly<Record<string, readonly [number, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'too-slow', 'a part of one'],
  HPE_HEADER_OVERFLOW: [431, 'too-large', `more than ${maxHeaderBytes} bytes of headers`],
};
