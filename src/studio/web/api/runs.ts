import type { LearningCurve } from '../../server/explore/inquiry.js';
import type { RunDetail } from '../../server/runs/run-detail.js';
import type { CurvePage, RunRow } from '../../server/runs/run-updates.js';
import { ask } from './client.js';
import type { Pending } from './explore.js';

export type { CurvePoint, RunRow } from '../../server/runs/run-updates.js';
export type { LearningCurve, RunDetail };

export type PresetName = 'quick' | 'best';

/** Runs of the project. */
export const runs = {
  all: async () => (await ask<{ runs: readonly RunRow[] }>('/api/runs')).runs,
  start: (request: { readonly preset: PresetName; readonly budgetMinutes?: number }) =>
    ask<{ id: string }>('/api/runs', { json: request }),
  stop: () => ask<object>('/api/runs/stop', { json: {} }),
  goOn: (id: string) => ask<object>(`/api/runs/${encodeURIComponent(id)}/continue`, { json: {} }),
  detail: (id: string) => ask<RunDetail>(`/api/runs/${encodeURIComponent(id)}/detail`),
  learningCurve: (id: string) =>
    ask<LearningCurve | Pending>(`/api/runs/${encodeURIComponent(id)}/learning-curve`),
  curve: (id: string, from: number) =>
    ask<CurvePage>(`/api/runs/${encodeURIComponent(id)}/curve?from=${from}`),
};
