import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { imageHashPattern } from '../../data/image-hash.js';
import { type LabelEvent, labelEventSchema } from '../project/label-events.js';
import type { RecentProject } from '../project/recent-project.js';
import { errorAnswer, Refusal } from './api-error.js';
import { addExploreRoutes } from './explore/explore-routes.node.js';
import { addNoteRoutes } from './explore/note-routes.node.js';
import { addExportRoutes } from './exports/export-routes.node.js';
import { addFolderRoutes } from './folder-routes.node.js';
import {
  jsonBody,
  onlyThisOrigin,
  onlyWithKey,
  queryOf,
  withBodyIdle,
  withSecurityHeaders,
} from './guards.js';
import type { StudioKeys } from './keys.js';
import { queueSchema } from './labelled-pile.js';
import type { PageFiles } from './page-files.node.js';
import type { EncodedPicture } from './pile.js';
import { addRunDetailRoutes } from './runs/run-detail.node.js';
import { addRunRoutes } from './runs/run-routes.node.js';
import type { Studio } from './studio.node.js';
import type { Tries } from './tries/tries.node.js';
import { addTryRoutes } from './tries/try-routes.node.js';
import { wholeNumber } from './whole-number.js';

export interface AppOptions {
  readonly studio: Pick<
    Studio,
    | 'hub'
    | 'explore'
    | 'project'
    | 'pile'
    | 'labelled'
    | 'runs'
    | 'open'
    | 'stop'
    | 'label'
    | 'effectOf'
    | 'undo'
    | 'redo'
  >;
  /** Default: none can be tried. */
  readonly tries?: Tries;
  readonly keys: StudioKeys;
  /** Default: no page, the API alone. */
  readonly page?: PageFiles;
  /** Of the server, asked for at each request. */
  readonly port: () => number;
  /** Takes a code that opens the page once; whether it is one. */
  readonly takeCode?: (code: string) => boolean;
  /** Projects that were opened before, the newest first; default: none. */
  readonly recentProjects?: () => Promise<readonly RecentProject[]>;
  /** How long the body of a request may be silent, in ms; default: 10 s. */
  readonly bodyIdleMs?: number;
  /** Told of what nobody foresaw; it is answered with 500. */
  readonly onFault?: (error: unknown) => void;
}

/** Tabs that are told of changes at once; each holds a connection. */
const maxStreams = 64;
/** Images of a page of a list: some windows full. */
const maxPageImages = 500;
/** Ids are a hundredth of an image: what is selected is labelled in one event, which names no more. */
const maxPageIds = 100_000;
/** Rows of other lists. */
const maxPageRows = 1000;

const pageQuery = (most: number) => ({
  from: wholeNumber.default(0),
  count: wholeNumber.pipe(z.int().min(1).max(most)).default(100),
});
const queueQuery = (most: number) =>
  z.strictObject({
    queue: queueSchema.default('all'),
    seq: wholeNumber.optional(),
    ...pageQuery(most),
  });
const imagesQuery = queueQuery(maxPageImages);
const idsQuery = queueQuery(maxPageIds);
const rowsQuery = z.strictObject(pageQuery(maxPageRows));

/** A path that is longer is none on any system. */
const pathSchema = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\0]*$/, 'expected a path without zero bytes');
const openBody = z.union([
  z.strictObject({ path: pathSchema }),
  z.strictObject({ example: z.literal('mnist') }),
]);

/**
 * All that the studio answers, without the sockets: `app.request` asks it in tests.
 *
 * Every answer that is no success is an {@link ErrorBody}. Images are named by their ids; a path is taken in one place, where
 * the person says which folder to open.
 */
export function createApp(options: AppOptions): Hono {
  const {
    studio,
    keys,
    page = new Map(),
    port,
    takeCode,
    recentProjects = async () => [],
    onFault = () => {},
  } = options;
  const app = new Hono();
  const answerError = (c: Context, error: unknown): Response => {
    const { status, body } = errorAnswer(error);
    if (body.error.code === 'internal') onFault(error);
    return c.json(body, status as 500);
  };
  app.onError((error, c) => answerError(c, error));
  app.notFound((c) =>
    answerError(c, new Refusal('not-found', 'address: expected a known one. Received: another.')),
  );

  app.use(withSecurityHeaders());
  if (options.bodyIdleMs !== undefined) app.use(withBodyIdle(options.bodyIdleMs));
  app.use(onlyThisOrigin(port));
  app.use('/api/*', onlyWithKey(keys));

  for (const [path, { headers, bytes }] of page) app.get(path, (c) => c.body(bytes, 200, headers));
  app.get('/open/:code', (c) => {
    if (takeCode?.(c.req.param('code'))) return c.redirect(`/#token=${keys.token}`);
    throw new Refusal('no-key', 'address: expected one that was not used yet. Received: another.', {
      hint: 'Open the address that the command has printed.',
    });
  });

  app.get('/api/session', (c) => c.json({ viewKey: keys.viewKey }));
  app.get('/api/events', (c) => eventStream(c, studio));

  app.get('/api/projects', async (c) => c.json({ projects: await recentProjects() }));
  addFolderRoutes(app);
  app.post('/api/pile', async (c) => {
    await studio.open(await jsonBody(c, openBody, 'a path, or an example'));
    return c.json({}, 202);
  });
  app.post('/api/pile/stop', (c) => {
    studio.stop();
    return c.json({}, 202);
  });
  app.get('/api/pile/skipped', (c) => {
    const query = queryOf(c, rowsQuery, 'a page of a list');
    return c.json(pageOf('skipped', studio.pile.skipped, query));
  });
  app.get('/api/pile/duplicates', (c) => {
    const query = queryOf(c, rowsQuery, 'a page of a list');
    return c.json(pageOf('duplicates', studio.pile.duplicates, query));
  });

  app.get('/api/images', async (c) => {
    const query = queryOf(c, imagesQuery, 'a page of a queue');
    const maker = await studio.explore.maker(query.queue);
    return c.json(studio.labelled.page(query, maker));
  });
  app.get('/api/image-ids', async (c) => {
    const query = queryOf(c, idsQuery, 'a part of a queue');
    const maker = await studio.explore.maker(query.queue);
    return c.json({ ids: studio.labelled.ids(query, maker) });
  });
  app.get('/api/images/:id', async (c) => pictureAnswer(c, await studio.pile.small(indexOf(c, studio))));
  for (const size of ['tile', 'view'] as const) {
    app.get(`/api/images/:id/${size}`, async (c) =>
      pictureAnswer(c, await studio.pile[size](indexOf(c, studio))),
    );
  }

  // Answered once what was asked for is on the disk: what a page then calls saved, is.
  app.post('/api/labels', async (c) => c.json({ seq: await studio.label(await eventOf(c)) }));
  app.post('/api/labels/effect', async (c) => c.json(studio.effectOf(await eventOf(c))));
  app.post('/api/labels/undo', async (c) => c.json({ seq: await studio.undo() }));
  app.post('/api/labels/redo', async (c) => c.json({ seq: await studio.redo() }));

  if (options.tries) addTryRoutes(app, options.tries);
  addExportRoutes(app, studio);
  addRunRoutes(app, studio);
  addRunDetailRoutes(app, studio);
  addExploreRoutes(app, studio);
  addNoteRoutes(app, studio);

  // What is there, and was asked for by another method.
  for (const path of new Set(
    app.routes.filter(({ method }) => method !== 'ALL').map((route) => route.path),
  )) {
    app.all(path, () => {
      throw new Refusal('wrong-method', 'method: expected one that this address takes. Received: another.');
    });
  }
  return app;
}

/** A part of a list, and how long all of it is; beyond its end, nothing. */
function pageOf<Name extends string, T>(
  name: Name,
  list: readonly T[],
  { from, count }: { readonly from: number; readonly count: number },
) {
  return { total: list.length, from, [name]: list.slice(from, from + count) };
}

function indexOf(c: Context, studio: AppOptions['studio']): number {
  const id = c.req.param('id') ?? '';
  if (!imageHashPattern.test(id)) {
    throw new Refusal(
      'not-found',
      'image: expected an id of 32 hexadecimal digits. Received: something else.',
    );
  }
  return studio.labelled.indexOf(id);
}

const eventOf = (c: Context): Promise<LabelEvent> => jsonBody(c, labelEventSchema, 'an event');

/** What an id names never changes: it is the hash of the image. Nobody but this browser is to keep it. */
function pictureAnswer(c: Context, { type, bytes }: EncodedPicture): Response {
  return c.body(new Uint8Array(bytes), 200, {
    'content-type': type,
    'cache-control': 'private, max-age=31536000, immutable',
  });
}

/** Ids are times in microseconds. */
const eventIdPattern = /^\d{1,16}$/;

/** The changes of the studio, as server-sent events; one that comes back says what it has seen last. */
function eventStream(c: Context, { hub }: AppOptions['studio']): Response {
  if (hub.size >= maxStreams) {
    throw new Refusal('too-many', `events: expected at most ${maxStreams} tabs. Received: one more.`);
  }
  const seen = c.req.header('last-event-id') ?? c.req.query('after') ?? '';
  return streamSSE(c, (stream) => {
    return new Promise<void>((resolve) => {
      const tab = hub.subscribe({
        after: eventIdPattern.test(seen) ? Number(seen) : undefined,
        send: async (message) => {
          if (stream.aborted) throw new RangeError('a stream that is closed');
          if (message.kind === 'heartbeat') await stream.write(':\n\n');
          else {
            const { kind, id, ...data } = message;
            await stream.writeSSE({ event: kind, id: String(id), data: JSON.stringify(data) });
          }
        },
        onEnd: resolve,
      });
      stream.onAbort(() => tab.end());
    });
  });
}
