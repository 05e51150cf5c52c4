import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  FakeInquiries,
  FakePiles,
  FakeProjects,
  FakeTrainings,
  fakePage,
  fakePile,
  turns,
} from '../../../test/support/studio.js';
import { type StudioServer, serveStudio } from './serve.node.js';
import { Studio } from './studio.node.js';

const faults: unknown[] = [];
const onFault = (error: unknown): unknown => faults.push(error);
const piles = new FakePiles();
let projects: FakeProjects;
let studio: Studio;
let server: StudioServer;
let token: string;
beforeAll(async () => {
  projects = await FakeProjects.create();
  studio = new Studio({
    findProject: projects.find,
    openPile: piles.open,
    startTraining: new FakeTrainings().start,
    inquire: new FakeInquiries().inquire,
    onFault,
  });
  server = await serveStudio(studio, { page: fakePage, requestTimeoutMs: 300, onFault });
  token = server.address.split('#token=')[1] ?? '';
});
afterAll(async () => {
  await server.close();
  await studio.close();
  expect(projects.closed).toBe(1);
  await projects.remove();
  expect(faults).toEqual([]);
});

/** All that comes back for these bytes, until the server hangs up or what is waited for has come. */
function send(bytes: string | Uint8Array, until?: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      if (until?.test(answer)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+) /.exec(answer)?.[1]);
/** The head of a request of our own page. */
const head = (line: string, ...headers: string[]): string =>
  [
    `${line} HTTP/1.1`,
    `host: 127.0.0.1:${server.port}`,
    `x-quarterturn-token: ${token}`,
    ...headers,
    '',
    '',
  ].join('\r\n');

describe('a studio that is served', () => {
  test('answers on the loopback address, and opens the page once by a code', async () => {
    const { port } = server;
    expect(server.address).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/#token=[0-9a-f]{32}$`));
    const page = await fetch(server.address);
    expect(await page.text()).toContain('Quarterturn');
    const once = server.addressForOnce();
    const first = await fetch(once, { redirect: 'manual' });
    expect(first.headers.get('location')).toBe(`/#token=${token}`);
    expect((await fetch(once, { redirect: 'manual' })).status).toBe(401);
    await expect(serveStudio(studio, { page: fakePage, port })).rejects.toThrow(
      `port ${port}: expected one that is free. Received: one that is taken.`,
    );
  });

  test('a foreign name, a foreign page, and no name at all', async () => {
    const end = 'connection: close\r\n\r\n';
    const foreign = ['host: evil.example', `host: 127.0.0.1:${server.port}\r\norigin: http://evil.example`];
    for (const headers of foreign) {
      const answer = await send(`GET / HTTP/1.1\r\n${headers}\r\n${end}`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*"code":"foreign"/);
    }
    for (const request of [
      `GET / HTTP/1.1\r\n${end}`,
      `GET / HTTP/1.0\r\n${end}`,
      `GET / HTTP/1.1\r\nhost:\r\n${end}`,
      `GET / HTTP/1.1\r\nhost: a b\r\n${end}`,
      `GET / HTTP/1.1\r\nhost: 127.0.0.1:${server.port}@evil.example\r\n${end}`,
      `GET http://evil.example/ HTTP/1.1\r\nhost: evil.example\r\n${end}`,
    ]) {
      const status = statusOf(await send(request));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });

  test('a request that does not come whole is given up', async () => {
    const json = 'content-type: application/json';
    for (const half of [
      'GET / HTTP/1.1\r\nhost: ',
      `${head('POST /api/pile', json, 'content-length: 100')}{"path":`,
      `${head('POST /api/pile', json, 'transfer-encoding: chunked')}5\r\n{"pat\r\n`,
    ]) {
      const begunMs = performance.now();
      expect(await send(half)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"too-slow"/);
      expect(performance.now() - begunMs).toBeLessThan(5000);
    }
    expect(piles.opened).toEqual([]);
  });

  test('goes on after whatever comes', async () => {
    const odd: readonly (readonly [string | Uint8Array, number])[] = [
      ['\0\0\0\0\r\n\r\n', 400],
      ['GET /\0 HTTP/1.1\r\n\r\n', 400],
      ['hello\r\n\r\n', 400],
      [Uint8Array.from({ length: 4096 }, (_, i) => (i * 151) % 256), 400],
      [head('GET /', `x: ${'y'.repeat(20_000)}`), 431],
      [head(`GET /${'a'.repeat(20_000)}`), 431],
      [head('GET /', 'x: a\0b'), 400],
      [head('GET /api/images/../../../etc/passwd', 'connection: close'), 404],
      [head('GET //evil.example/x', 'connection: close'), 404],
      [head('TRACE /', 'connection: close'), 405],
      [head('CONNECT 127.0.0.1:80', 'connection: close'), 400],
      [head('FROB /', 'connection: close'), 400],
      [head('GET /api/session', 'upgrade: websocket', 'connection: upgrade, close'), 200],
      [
        head(
          'POST /api/pile',
          'content-type: application/json',
          'content-length: 99999999999',
          'connection: close',
        ),
        413,
      ],
      [head('POST /api/pile', 'content-length: -1', 'connection: close'), 400],
      [head('POST /api/pile', 'content-length: 2', 'transfer-encoding: chunked', 'connection: close'), 400],
      [head('POST /api/pile', 'expect: more', 'connection: close'), 417],
    ];
    for (const [bytes, status] of odd) {
      const text = typeof bytes === 'string' ? bytes : 'bytes';
      expect(statusOf(await send(bytes)), text.slice(0, 60)).toBe(status);
    }
    expect((await fetch(server.address)).status).toBe(200);
  });

  test('tells tabs of changes until they are closed, and at the end', async () => {
    const stream = send(head('GET /api/events'), /deltas/);
    while (studio.hub.size === 0) await turns();
    await studio.open({ example: 'mnist' });
    expect(projects.addresses).toEqual([server.address]);
    (await piles.next()).finish(fakePile(3));
    expect(await stream).toMatch(/event: snapshot[\s\S]*event: deltas/);
    while (studio.hub.size > 0) await turns();
    const last = send(head('GET /api/events'));
    while (studio.hub.size === 0) await turns();
    // Its first message is on its way.
    for (let i = 0; i < 20; i++) await turns();
    await server.close();
    expect(await last).toMatch(/event: snapshot/);
    while (studio.hub.size > 0) await turns();
  });
});
