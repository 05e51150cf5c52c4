/** The process that finds something out: one question, then it ends. */

import { lowerPriority } from '../low-priority.node.js';
import { plainError } from '../plain-error.js';
import type { InquiryOrder, InquiryReply } from './inquiry-messages.js';

// First of all, since threads keep the priority under which they began.
lowerPriority();

/** A page is told no more often. */
const progressEveryMs = 250;

const reply = (message: InquiryReply): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });

async function answer({ task, ...place }: InquiryOrder): Promise<void> {
  let toldMs = Number.NEGATIVE_INFINITY;
  const onProgress = (progress: number): void => {
    if (performance.now() - toldMs < progressEveryMs) return;
    toldMs = performance.now();
    void reply({ type: 'progress', progress });
  };
  try {
    // Loaded only now, under the priority of this process.
    const { inquire } = await import('./inquire.node.js');
    await reply({ type: 'found', result: await inquire(task, { ...place, onProgress }) });
  } catch (error) {
    await reply({ type: 'failed', error: plainError(error, 'inquiry: expected an answer') });
  }
  process.exit();
}

process.on('message', (order: InquiryOrder) => void answer(order));
// Whoever asked is gone.
process.on('disconnect', () => process.exit());
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
