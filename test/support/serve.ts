import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface StaticServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  close(): Promise<void>;
}

/** Serve a page at `/`, and files below it from the first of `folders` that has them; to this machine alone. */
export async function serve(page: string, folders: readonly string[]): Promise<StaticServer> {
  const read = async (path: string): Promise<Buffer | undefined> => {
    for (const folder of folders) {
      const found = await readFile(join(folder, path)).catch(() => undefined);
      if (found) return found;
    }
    return undefined;
  };
  const server: Server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const body = path === '/' ? page : await read(path);
    response.writeHead(body === undefined ? 404 : 200, {
      'content-type': types[path === '/' ? '.html' : extname(path)] ?? 'application/octet-stream',
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
