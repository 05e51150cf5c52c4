import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addFolderRoutes } from './folder-routes.node.js';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'quarterturn-home-'));
  for (const folder of ['Pictures/käfer 10', 'Pictures/käfer 9', '.hidden/käfer 9', 'Pictures/.hidden']) {
    await mkdir(join(home, folder), { recursive: true });
  }
  for (const file of ['a.jpg', 'b.PNG', 'notes.txt', 'more.zip']) {
    await writeFile(join(home, 'Pictures', file), '');
  }
  vi.stubEnv('HOME', home);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

test('folders are gone through from the home folder, and found by the name of one that was dropped', async () => {
  const app = new Hono();
  addFolderRoutes(app);
  const ask = async (address: string) => (await app.request(address)).json();
  expect(await ask('/api/folders')).toMatchObject({
    path: home,
    parent: dirname(home),
    folders: [{ name: 'Pictures', path: join(home, 'Pictures') }],
  });
  const listed = await ask(`/api/folders?path=${encodeURIComponent(join(home, 'Pictures'))}`);
  expect(listed.folders.map(({ name }: { name: string }) => name)).toEqual(['käfer 9', 'käfer 10']);
  expect(listed).toMatchObject({ pictures: 2, archives: [{ name: 'more.zip' }] });
  expect(listed.places[0]).toEqual({ name: 'Home', path: home });
  const { folders } = await ask(`/api/folders/search?name=${encodeURIComponent('käfer 9')}`);
  expect(folders).toEqual([{ name: 'käfer 9', path: join(home, 'Pictures', 'käfer 9') }]);
  app.onError((error, c) => c.text(error.message, 422));
  expect(await (await app.request('/api/folders?path=/none')).text()).toBe(
    '/none: expected a folder that can be read. Received: nothing of this name.',
  );
});
