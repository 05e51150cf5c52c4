import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeStudio, fakePile, turns } from '../../../test/support/studio.js';
import { QuarterturnError } from '../../errors.js';
import type { Pile } from './pile.js';

const { port } = FakeStudio;

let fake: FakeStudio;
let { piles, projects, studio, app, keys, faults } = {} as FakeStudio;
let codes: string[];
beforeEach(async () => {
  codes = ['once'];
  fake = await FakeStudio.create({ takeCode: (code) => codes.splice(0).includes(code) });
  ({ piles, projects, studio, app, keys, faults } = fake);
  own = fake.headers;
});
afterEach(async () => {
  await fake.close();
  expect(faults).toEqual([]);
});

let own: FakeStudio['headers'];
const get = (path: string, headers: Record<string, string> = own) => app.request(path, { headers });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(path, {
    method: 'POST',
    headers: { ...own, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
/** Status and code of a refusal, which has to be one of ours. */
async function refusal(answer: Response | Promise<Response>): Promise<string> {
  const { status, headers } = await answer;
  const { error } = (await (await answer).json()) as { error: { code: string; message: string } };
  expect(error.message).toMatch(/: expected .*Received: /);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  return `${status} ${error.code}`;
}
const openPile = async (count: number, changes: Partial<Pile> = {}): Promise<void> => {
  await studio.open({ path: '/photos' });
  (await piles.next()).finish({ ...fakePile(count), ...changes });
  for (let i = 0; i < 200 && studio.state.pile.phase !== 'ready'; i++) await turns();
  expect(studio.state.pile).toMatchObject({ phase: 'ready' });
};

describe('who may ask', () => {
  test('the page comes to this host and these two names alone', async () => {
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      const answer = await get('/', { host });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*frame-ancestors 'none'/,
      );
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.text()).not.toMatch(/https?:\/\//);
    }
    const foreign = [
      '127.0.0.1',
      '127.0.0.1:80',
      `evil.example:${port}`,
      `[::1]:${port}`,
      `LOCALHOST:${port}`,
      '',
    ];
    for (const host of foreign) expect(await refusal(get('/', { host }))).toBe('403 foreign');
    expect(await refusal(get('/', {}))).toBe('403 foreign');
  });

  test('no page of another origin gets anything, whether it says so or its browser does', async () => {
    const origins = [
      'http://evil.example',
      'null',
      `https://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      'http://127.0.0.1:1',
    ];
    for (const origin of origins) expect(await refusal(get('/', { ...own, origin }))).toBe('403 foreign');
    expect((await get('/', { ...own, origin: `http://127.0.0.1:${port}` })).status).toBe(200);
    for (const site of ['cross-site', 'same-site']) {
      expect(await refusal(get('/api/session', { ...own, 'sec-fetch-site': site }))).toBe('403 foreign');
      expect((await get('/', { ...own, 'sec-fetch-site': site })).status).toBe(200);
    }
  });

  test('the token opens all, the key for looking opens pictures and events, in addresses too', async () => {
    await openPile(3);
    const { host } = own;
    const id = studio.pile.images[2]?.id;
    for (const token of ['', 'x', `${keys.token}0`, keys.token.toUpperCase(), keys.viewKey]) {
      expect(await refusal(get('/api/session', { host, 'x-quarterturn-token': token }))).toBe('401 no-key');
    }
    expect(await (await get('/api/session')).json()).toEqual({ viewKey: keys.viewKey });
    for (const path of [`/api/images/${id}`, `/api/images/${id}/view`, '/api/events']) {
      expect((await get(`${path}?key=${keys.viewKey}`, { host })).status).toBe(200);
      for (const key of ['', `?key=${keys.token}`, '?key=']) {
        expect(await refusal(get(path + key, { host }))).toBe('401 no-key');
      }
    }
    for (const path of ['/api/images', '/api/pile/skipped', '/api/session', '/api/x', '/api/events/']) {
      expect(await refusal(get(`${path}?key=${keys.viewKey}`, { host }))).toBe('401 no-key');
    }
    const write = app.request(`/api/pile/stop?key=${keys.viewKey}`, { method: 'POST', headers: { host } });
    expect(await refusal(write)).toBe('401 no-key');
  });

  test('a code opens the page once', async () => {
    const { host } = own;
    const first = await get('/open/once', { host });
    expect([first.status, first.headers.get('location')]).toEqual([302, `/#token=${keys.token}`]);
    expect(await refusal(get('/open/once', { host }))).toBe('401 no-key');
  });
});

describe('what is asked', () => {
  test('addresses and pages of lists that are not there', async () => {
    await openPile(3);
    const odd: readonly (readonly [string, string])[] = [
      ['/nothing', '404 not-found'],
      ['/../../etc/passwd', '404 not-found'],
      ['/api/images/..%2f..%2fetc%2fpasswd', '404 not-found'],
      ['/api/images/%00', '404 not-found'],
      ['/api/images/%', '404 not-found'],
      [`/api/images/${'f'.repeat(32)}`, '404 not-found'],
      [`/api/images/${'F'.repeat(32)}`, '404 not-found'],
      [`/api/images/${'a'.repeat(10_000)}/view`, '404 not-found'],
      ['/api/images?from=-1', '400 usage'],
      ['/api/images?from=1e3', '400 usage'],
      ['/api/images?from=99999999999999999999', '400 usage'],
      ['/api/images?count=0', '400 usage'],
      ['/api/images?count=501', '400 usage'],
      ['/api/images?count=NaN', '400 usage'],
      ['/api/images?queue=../x', '400 usage'],
      ['/api/images?other=1', '400 usage'],
      ['/api/pile/skipped?count=1001', '400 usage'],
      ['/api/pile', '405 wrong-method'],
      ['/api/pile/stop', '405 wrong-method'],
    ];
    for (const [path, expected] of odd) expect(await refusal(get(path)), path.slice(0, 40)).toBe(expected);
  });

  test('methods that an address does not take', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      for (const path of ['/', '/api/images', '/api/session', '/api/events']) {
        expect(await refusal(app.request(path, { method, headers: own }))).toBe('405 wrong-method');
      }
    }
  });

  test('bodies that are none', async () => {
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '{"path":1}',
      '{"path":""}',
      '{"path":"a\\u0000b"}',
      '{"example":"cifar"}',
    ]) {
      expect(await refusal(post('/api/pile', body))).toBe('400 usage');
    }
    expect(await refusal(post('/api/pile', '{"path":"a","path":"b"}'))).toBe('400 usage');
    expect(await refusal(post('/api/pile', { path: 'x'.repeat(5000) }))).toBe('400 usage');
    expect(await refusal(post('/api/pile', { path: 'x', more: 1 }))).toBe('400 usage');
    expect(await refusal(post('/api/pile', '['.repeat(100_000)))).toBe('400 usage');
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '',
    ]) {
      expect(await refusal(post('/api/pile', { path: 'x' }, { 'content-type': type }))).toBe(
        '415 wrong-type',
      );
    }
    expect(await refusal(post('/api/pile', 'x'.repeat(2 ** 22 + 1)))).toBe('413 too-large');
    expect(await refusal(post('/api/pile', '{}', { 'content-length': '5000000' }))).toBe('413 too-large');
    expect(piles.opened).toEqual([]);
  });

  test('before there are pictures, and what nobody foresaw', async () => {
    expect(await refusal(get('/api/images'))).toBe('409 conflict');
    await openPile(1);
    const { id } = studio.pile.images[0] ?? {};
    Object.assign(studio.pile, { small: () => Promise.reject(new Error('/home/somebody/secret')) });
    const answer = await get(`/api/images/${id}`);
    expect(await answer.text()).not.toContain('secret');
    expect([answer.status, faults.splice(0)]).toEqual([500, [new Error('/home/somebody/secret')]]);
    Object.assign(studio.pile, {
      small: () => Promise.reject(new QuarterturnError('data', 'a: expected b. Received: c.')),
    });
    expect(await refusal(get(`/api/images/${id}`))).toBe('422 data');
  });
});

describe('images', () => {
  test('lists come a page at a time, pictures by their ids and to be kept', async () => {
    await openPile(2000);
    const page = await (await get('/api/images?from=1900&count=500')).json();
    expect(page).toMatchObject({ queue: 'all', total: 2000, from: 1900 });
    expect(page.images).toEqual(studio.pile.images.slice(1900));
    expect((await (await get('/api/images')).json()).images).toHaveLength(100);
    expect((await (await get('/api/images?from=999999999')).json()).images).toEqual([]);
    expect(await (await get('/api/pile/skipped')).json()).toEqual({
      total: 1,
      from: 0,
      skipped: [{ name: 'notes.txt', reason: 'text file' }],
    });
    const id = studio.pile.images[7]?.id;
    const [small, view] = [await get(`/api/images/${id}`), await get(`/api/images/${id}/view`)];
    expect(small.headers.get('content-type')).toBe('image/png');
    expect(small.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const bytes = [await small.arrayBuffer(), await view.arrayBuffer()].map((buffer) => [
      ...new Uint8Array(buffer),
    ]);
    expect(bytes).toEqual([[7], [107]]);
  });

  test('one folder at a time is read; another can be once it is stopped', async () => {
    expect((await post('/api/pile', { path: '~/photos' })).status).toBe(202);
    expect((await piles.next()).source).toEqual({ path: expect.stringMatching(/^\/.*\/photos$/) });
    expect(await refusal(post('/api/pile', { example: 'mnist' }))).toBe('409 conflict');
    expect((await post('/api/pile/stop', {})).status).toBe(202);
    await turns();
    expect(studio.state.pile).toEqual({ phase: 'stopped' });
    expect((await post('/api/pile', { example: 'mnist' })).status).toBe(202);
    (await piles.next()).fail(new QuarterturnError('data', 'a: expected b. Received: c.', { hint: 'D.' }));
    await turns();
    expect(studio.state).toEqual({
      ...{ labels: null, training: null, runs: 0, looks: 0, finding: null },
      project: { name: 'MNIST', folder: projects.folder, path: null },
      pile: { phase: 'failed', error: { code: 'data', message: 'a: expected b. Received: c.', hint: 'D.' } },
    });
  });
});

test('a project is made once its pictures are read', async () => {
  projects.isThere = false;
  await studio.open({ path: '/photos/text.jpg' });
  (await piles.next()).fail(new QuarterturnError('data', 'text.jpg: expected images. Received: text.'));
  expect(await studio.settled()).toMatchObject({ phase: 'failed', error: { code: 'data' } });
  expect(studio.state.project).toMatchObject({ name: 'text.jpg' });
  expect([projects.opened, await refusal(get('/api/runs'))]).toEqual([0, '409 conflict']);
  await studio.setAddress('http://127.0.0.1:4321');
  await openPile(3);
  expect([projects.opened, projects.addresses, projects.images.length]).toEqual([
    1,
    ['http://127.0.0.1:4321'],
    3,
  ]);
  expect((await get('/api/runs')).status).toBe(200);
});

test('pictures whose reader has ended can be opened again', async () => {
  let lose = (_: Error): void => {};
  const lost = new Promise<Error>((resolve) => {
    lose = resolve;
  });
  await openPile(3, { lost });
  lose(new QuarterturnError('runtime', 'a: expected b. Received: c.'));
  for (let i = 0; i < 200 && studio.state.pile.phase !== 'failed'; i++) await turns();
  expect(studio.state.pile).toMatchObject({ phase: 'failed', error: { code: 'runtime' } });
  expect(await refusal(get('/api/images'))).toBe('409 conflict');
  await openPile(3);
  expect((await get('/api/images')).status).toBe(200);
});

describe('the event stream', () => {
  const read = async (answer: Response) => {
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    return { next: async () => (await reader.read()).value ?? '', cancel: () => reader.cancel() };
  };
  const dataOf = (text: string) => JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? 'null');

  test('begins with everything, goes on with what changes, and can be resumed', async () => {
    const stream = await read(await get('/api/events'));
    const first = await stream.next();
    expect(first).toMatch(/^event: snapshot\ndata: .*\nid: \d+\n\n$/);
    expect(dataOf(first)).toEqual({
      state: {
        project: null,
        pile: { phase: 'none' },
        labels: null,
        training: null,
        runs: 0,
        looks: 0,
        finding: null,
      },
    });
    await openPile(3);
    const second = await stream.next();
    const { deltas } = dataOf(second);
    expect(deltas).toMatchObject([
      { type: 'project', project: { name: 'photos' } },
      { type: 'labels', labels: { seq: 0, labelled: 0 } },
      { type: 'pile', pile: { phase: 'ready', count: 3 } },
    ]);
    await stream.cancel();
    await turns();
    expect(studio.hub.size).toBe(0);
    const id = /^id: (\d+)$/m.exec(first)?.[1] ?? '';
    for (const resumed of [
      get(`/api/events?after=${id}`),
      get('/api/events', { ...own, 'last-event-id': id }),
    ]) {
      const again = await read(await resumed);
      expect(dataOf(await again.next())).toEqual({ deltas });
      await again.cancel();
    }
    for (const odd of ['-1', 'x', '1e99', '9'.repeat(16)]) {
      const again = await read(await get('/api/events', { ...own, 'last-event-id': odd }));
      expect(await again.next()).toMatch(/^event: snapshot/);
      await again.cancel();
    }
  });

  test('there are only so many', async () => {
    const streams = await Promise.all(Array.from({ length: 64 }, async () => read(await get('/api/events'))));
    expect(await refusal(get('/api/events'))).toBe('429 too-many');
    for (const stream of streams) await stream.cancel();
    await turns();
    expect(studio.hub.size).toBe(0);
  });
});
