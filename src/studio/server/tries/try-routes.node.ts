import type { Hono } from 'hono';
import { z } from 'zod';
import { bodyBytes, queryOf } from '../guards.js';
import type { Tries } from './tries.node.js';

/** The largest file of a picture that is taken. */
const maxPictureBytes = 2 ** 26;

const tryQuery = z.strictObject({
  run: z.string().optional(),
  /** What the picture is called: of a file, its own name. */
  name: z
    .string()
    .max(200)
    .regex(/^[^\0]*$/)
    .default('picture'),
});

/** Addresses of pictures that somebody tries: of what the body is, its bytes alone decide. */
export function addTryRoutes(app: Hono, tries: Tries): void {
  app.post('/api/tries', async (c) => {
    const query = queryOf(c, tryQuery, 'a picture to try');
    return c.json(await tries.add(await bodyBytes(c, maxPictureBytes), query));
  });
  app.get('/api/tries/:id/seen', (c) => {
    const headers = { 'content-type': 'image/png', 'cache-control': 'private, max-age=3600' };
    return c.body(new Uint8Array(tries.seen(c.req.param('id'))), 200, headers);
  });
  app.post('/api/tries/:id/keep', async (c) => c.json(await tries.keep(c.req.param('id'))));
}
