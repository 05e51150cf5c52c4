import type { Hono } from 'hono';
import { readLabelNeeds, stageFacts } from '../../../index.js';
import { RunFolder } from '../../../store/run-folder.node.js';
import { resultSchema } from '../../../store/run-record.js';
import type { RunDetail } from './run-detail.js';
import type { Runs } from './runs.node.js';

/** The address of what a run tells beside its row. */
export function addRunDetailRoutes(app: Hono, studio: { readonly runs: Pick<Runs, 'row' | 'pathOf'> }): void {
  app.get('/api/runs/:id/detail', async (c) => {
    // Refuses what is no run, so that no other folder is named.
    const { id } = await studio.runs.row(c.req.param('id'));
    return c.json(await runDetail(studio.runs.pathOf(id)));
  });
}

/** @param path of the run's folder */
export async function runDetail(path: string): Promise<RunDetail> {
  const store = await RunFolder.open(path, { readOnly: true });
  const result = resultSchema.safeParse(await store.readJson('result')).data;
  const order = stageFacts.map(({ name }) => name);
  const steps = (result?.evidence ?? []).map(({ stage, found, of, teacher }) => ({
    stage,
    title: titleOf(stage, teacher),
    accuracy: found / of,
    heldBack: of,
    isKept: result?.final?.stage === stage,
  }));
  return {
    steps: steps.sort((a, b) => order.indexOf(a.stage) - order.indexOf(b.stage)),
    needs: (await readLabelNeeds(store).catch(() => undefined)) ?? null,
    method: result?.estimate?.method ?? null,
  };
}

function titleOf(stage: string, teacher: string | undefined): string {
  const title = stageFacts.find(({ name }) => name === stage)?.title ?? stage;
  if (teacher === undefined) return title;
  return `${title}, taught by ${teacher === 'views' ? 'two views of each image' : 'images that look alike'}`;
}
