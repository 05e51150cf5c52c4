import type { Hono } from 'hono';
import { type LabelNeeds, readLabelNeeds, stageFacts } from '../../../index.js';
import { RunFolder } from '../../../store/run-folder.node.js';
import { resultSchema } from '../../../store/run-record.js';
import type { Runs } from './runs.node.js';

/** What a run that is done tells beside its row. */
export interface RunDetail {
  /** Ways to a classifier that the run tried, and what held-back labels say of each, in the order of the stages. */
  readonly steps: readonly RunStep[];
  /** Which classes more labels would help; null where nobody was asked. */
  readonly needs: LabelNeeds | null;
  /** How the estimate was made, for people. */
  readonly method: string | null;
}

export interface RunStep {
  readonly stage: string;
  readonly title: string;
  /** Share of held-back labels that it found, 0–1, and how many there were. */
  readonly accuracy: number;
  readonly heldBack: number;
  /** Whether its classifier was kept. */
  readonly isKept: boolean;
}

export function addRunDetailRoutes(app: Hono, studio: { readonly runs: Pick<Runs, 'pathOf'> }): void {
  app.get('/api/runs/:id/detail', async (c) =>
    c.json(await runDetail(await studio.runs.pathOf(c.req.param('id')))),
  );
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
