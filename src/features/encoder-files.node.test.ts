import fs from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeMobileNet, encodeVisionTransformer } from '../../test/support/encoders.js';
import { downloadEncoder, listEncoders, readEncoderFile } from './encoder-files.node.js';

const [network, other] = [encodeVisionTransformer(), encodeMobileNet()];
let root: string;
let server: Server;
let url: string;

const answers: Readonly<Record<string, RequestListener>> = {
  '/model.onnx': (_, response) => response.end(network),
  '/other.onnx': (_, response) => response.end(other),
  '/page.onnx': (_, response) => response.end('<html>Please log in</html>'),
  '/cut.onnx': (_, response) => {
    response.setHeader('content-length', network.length);
    response.write(network.subarray(0, 1000), () => response.destroy());
  },
  '/moved.onnx': (_, response) => response.writeHead(307, { location: '/model.onnx' }).end(),
  '/elsewhere.onnx': (_, response) => response.writeHead(302, { location: 'http://example.invalid/x' }).end(),
};

beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'encoders-'));
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer) answer(request, response);
    else response.writeHead(404).end('no such file');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await fs.rm(root, { recursive: true, force: true });
});

let cases = 0;
const cache = () => ({ cacheFolder: join(root, `case-${cases++}`) });
const name = 'dinov2-small';

describe('networks that are known by name', () => {
  test('are listed, none of them there at first', async () => {
    const all = await listEncoders(cache());
    expect(all.map((each) => each.name)).toEqual(['dinov2-small', 'clip-vit-base-patch32', 'mobilenetv4']);
    expect(all.every(({ record, url, licence }) => !record && url.startsWith('https://') && licence)).toBe(
      true,
    );
  });

  test('come on request, are recorded with their hash and read', async () => {
    const place = cache();
    const events: number[] = [];
    const emit = ({ done, total }: { done: number; total: number }) => events.push(done / total);
    const got = await downloadEncoder(name, { ...place, url: `${url}/model.onnx`, emit });
    expect(got.record).toMatchObject({ sizeBytes: network.length, url: `${url}/model.onnx` });
    expect(events.at(-1)).toBe(1);
    const [listed] = await listEncoders(place);
    expect(listed?.record).toEqual(got.record);
    const { bytes, known } = await readEncoderFile(name, place);
    expect(bytes).toEqual(network);
    expect(known?.options).toMatchObject({ output: 'last_hidden_state', pool: 'cls+mean' });
    // Once more, the same, from where it has moved.
    await downloadEncoder(name, { ...place, url: `${url}/moved.onnx` });
  });

  test('are refused when they are no longer what came', async () => {
    const place = cache();
    const { file } = await downloadEncoder(name, { ...place, url: `${url}/model.onnx` });
    await expect(downloadEncoder(name, { ...place, url: `${url}/other.onnx` })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('SHA-256'),
    });
    expect((await readEncoderFile(name, place)).bytes).toEqual(network);
    await fs.writeFile(file, other);
    await expect(readEncoderFile(name, place)).rejects.toMatchObject({ code: 'data' });
  });

  test.each([
    ['a file that is not there', '/none.onnx', 'io', /the answer 404/],
    ['a connection that breaks off', '/cut.onnx', 'io', /broke off/],
    ['a page instead of a network', '/page.onnx', 'data', /dinov2-small, from/],
    ['a place that is not encrypted', '/elsewhere.onnx', 'usage', /expected https/],
  ])('%s leaves nothing', async (_, path, code, message) => {
    const place = cache();
    const failure = downloadEncoder(name, { ...place, url: `${url}${path}` });
    await expect(failure).rejects.toMatchObject({
      code: expect.stringMatching(code),
      message: expect.stringMatching(message),
    });
    expect((await listEncoders(place)).some(({ record }) => record)).toBe(false);
    expect(await fs.readdir(place.cacheFolder).catch(() => [])).toEqual([]);
  });

  test('no connection is told, and what to do', async () => {
    // Nobody listens at a port that was just given back.
    const gone = createServer();
    await new Promise<void>((done) => gone.listen(0, '127.0.0.1', done));
    const { port } = gone.address() as AddressInfo;
    await new Promise((done) => gone.close(done));
    await expect(
      downloadEncoder(name, { ...cache(), url: `http://127.0.0.1:${port}/x` }),
    ).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('no connection (ECONNREFUSED)'),
      hint: expect.stringContaining('--encoder <file.onnx>'),
    });
  });

  test.each(['http://example.org/model.onnx', 'ftp://localhost/x'])('%s is refused', async (address) => {
    await expect(downloadEncoder(name, { ...cache(), url: address })).rejects.toMatchObject({
      code: 'usage',
    });
  });

  test('others are said: a wrong name, one that was not downloaded, a file', async () => {
    const place = cache();
    await expect(downloadEncoder('dinov2-smal', place)).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('dinov2-small?'),
    });
    await expect(readEncoderFile(name, place)).rejects.toMatchObject({
      code: 'data',
      hint: expect.stringContaining('--download dinov2-small'),
    });
    const file = join(root, 'mine.onnx');
    await fs.writeFile(file, other);
    expect(await readEncoderFile(file, place)).toEqual({ file, bytes: other });
    await expect(readEncoderFile('nowhere.onnx', place)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('ENOENT'),
    });
  });
});
