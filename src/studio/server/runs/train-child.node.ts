/**
 * The process that trains. It writes a run's folder as `quarterturn run` does, and stops as that does on Ctrl-C: where it is told
 * to, and where whoever began it is gone.
 */

import { lowerPriority } from '../low-priority.node.js';
import type { TrainerOrder, TrainerReply } from './run-messages.js';

const controller = new AbortController();

const reply = (message: TrainerReply): Promise<void> =>
  new Promise((resolve) => {
    // Nobody is there any more: it is saved all the same.
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });

async function begin({ task, ...place }: Extract<TrainerOrder, { type: 'train' }>): Promise<void> {
  // Before its threads begin. What is to be fitted into a time is measured first, at the speed that the machine has: beside other
  // programs, a process that gives way would take minutes for it.
  if (task.type === 'continue' || task.budgetMs === undefined) lowerPriority();
  const { train } = await import('./train.node.js');
  const { signal } = controller;
  const onNews = (news: Extract<TrainerReply, { type: 'news' }>['news']): void =>
    void reply({ type: 'news', news });
  await reply({
    type: 'ended',
    end: await train(task, { ...place, signal, onNews, onPlanned: lowerPriority }),
  });
  process.exit();
}

process.on('message', (order: TrainerOrder) => {
  if (order.type === 'train') void begin(order);
  else controller.abort();
});
process.on('disconnect', () => controller.abort());
// Ctrl-C goes to the server and to this process: the server tells this one to stop.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
process.on('SIGTERM', () => controller.abort());
