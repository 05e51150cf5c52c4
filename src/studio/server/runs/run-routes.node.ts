import type { Hono } from 'hono';
import { z } from 'zod';
import { jsonBody, queryOf } from '../guards.js';
import { wholeNumber } from '../whole-number.js';
import type { Runs } from './runs.node.js';
import { presetNames } from './trainer.js';

/** What these addresses need of the studio. */
export interface StudioOfRuns {
  /** @throws Refusal `conflict` while no project is open */
  readonly runs: Pick<Runs, 'start' | 'goOn' | 'stop' | 'rows' | 'row' | 'curve'>;
  /** @throws Refusal `conflict` while there are no images */
  readonly labelled: unknown;
}

/** Shorter, nothing is learned; longer, nobody waits. */
const budgetSchema = z
  .number()
  .min(0.5)
  .max(24 * 60);

const startBody = z.strictObject({
  preset: z.enum(presetNames).default('quick'),
  budgetMinutes: budgetSchema.optional(),
});
const curveQuery = z.strictObject({ from: wholeNumber.default(0) });

/** The addresses of runs: what there are, how they went, and the one that trains. */
export function addRunRoutes(app: Hono, studio: StudioOfRuns): void {
  app.get('/api/runs', async (c) => c.json({ runs: await studio.runs.rows() }));
  app.post('/api/runs', async (c) => {
    const request = await jsonBody(c, startBody, 'a preset and a budget');
    // It learns from images that are read.
    void studio.labelled;
    return c.json({ id: await studio.runs.start(request) }, 202);
  });
  app.post('/api/runs/stop', (c) => {
    studio.runs.stop();
    return c.json({}, 202);
  });
  app.post('/api/runs/:id/continue', async (c) => {
    void studio.labelled;
    await studio.runs.goOn(c.req.param('id'));
    return c.json({}, 202);
  });
  app.get('/api/runs/:id', async (c) => c.json(await studio.runs.row(c.req.param('id'))));
  app.get('/api/runs/:id/curve', async (c) => {
    const { from } = queryOf(c, curveQuery, 'a part of a curve');
    return c.json(await studio.runs.curve(c.req.param('id'), from));
  });
}
