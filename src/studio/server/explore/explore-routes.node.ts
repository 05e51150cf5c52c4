import type { Hono } from 'hono';
import { z } from 'zod';
import { queryOf } from '../guards.js';
import { wholeNumber } from '../whole-number.js';
import type { Explore } from './explore.node.js';

/** What these addresses need of the studio. */
export interface StudioOfExplore {
  /** @throws Refusal `conflict` while no project is open */
  readonly explore: Pick<
    Explore,
    'confusion' | 'compare' | 'map' | 'nearDuplicates' | 'learningCurve' | 'plan'
  >;
  /** @throws Refusal `conflict` while there are no images */
  readonly labelled: unknown;
}

/** Groups of a page. */
const maxGroups = 200;

const groupsQuery = z.strictObject({
  from: wholeNumber.default(0),
  count: wholeNumber.pipe(z.int().min(1).max(maxGroups)).default(50),
});

/** What is yet to be found out: an event tells when `looks` have changed, and it is to be asked for anew. */
const pending = { pending: true } as const;

/** The addresses of what runs say of the pile, and of what its images look like. */
export function addExploreRoutes(app: Hono, studio: StudioOfExplore): void {
  app.get('/api/runs/:id/confusion', async (c) => {
    return c.json((await studio.explore.confusion(c.req.param('id'))) ?? pending);
  });
  app.get('/api/runs/:id/map', async (c) => c.json((await studio.explore.map(c.req.param('id'))) ?? pending));
  app.get('/api/runs/:id/compare/:other', async (c) => {
    const { id, other } = c.req.param();
    return c.json((await studio.explore.compare(id, other)) ?? pending);
  });
  app.get('/api/runs/:id/learning-curve', async (c) => {
    return c.json((await studio.explore.learningCurve(c.req.param('id'))) ?? pending);
  });
  app.get('/api/plan', (c) => {
    void studio.labelled;
    const presets = studio.explore.plan();
    return c.json(presets === undefined ? { ...pending, presets: [] } : { presets });
  });
  app.get('/api/near-duplicates', (c) => {
    const { from, count } = queryOf(c, groupsQuery, 'a page of a list');
    void studio.labelled;
    const groups = studio.explore.nearDuplicates();
    if (groups === undefined) return c.json({ ...pending, total: 0, from, groups: [] });
    return c.json({ total: groups.length, from, groups: groups.slice(from, from + count) });
  });
}
