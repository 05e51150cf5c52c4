/**
 * The process that reads pictures. Whatever a picture does to its decoder, it does here: the server goes on, and says so.
 */

import type { Pile } from './pile.js';
import type { PileReply, PileTask } from './pile-messages.js';
import { type PlainError, plainError } from './plain-error.js';
import { readPile } from './read-pile.node.js';

/** Images of one message: it is taken in about a millisecond. */
const imagesAtOnce = 1000;

const controller = new AbortController();
let pile: Pile | undefined;

const reply = (message: PileReply): void => {
  // Nobody is there any more: the process ends by itself.
  process.send?.(message, () => {});
};

async function open({ source, cacheFolder }: Extract<PileTask, { type: 'open' }>): Promise<void> {
  try {
    const { signal } = controller;
    const onProgress = (progress: Extract<PileReply, { type: 'progress' }>['progress']): void =>
      reply({ type: 'progress', progress });
    pile = await readPile(source, { signal, cacheFolder, onProgress });
    for (const images of partsOf(pile.images)) reply({ type: 'images', images });
    for (const skipped of partsOf(pile.skipped)) reply({ type: 'skipped', skipped });
    for (const duplicates of partsOf(pile.duplicates)) reply({ type: 'duplicates', duplicates });
    reply({ type: 'ready', facts: pile.facts });
  } catch (error) {
    reply({ type: 'failed', error: errorHere(error) });
  }
}

function* partsOf<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += imagesAtOnce) yield list.slice(at, at + imagesAtOnce);
}

async function answer(task: Extract<PileTask, { readonly request: number }>): Promise<void> {
  const { request } = task;
  try {
    if (pile === undefined) throw new RangeError('no picture is read yet');
    const answer = await (task.type === 'add' ? pile.add(task.name) : pile[task.size](task.index));
    reply({ type: 'answer', request, answer });
  } catch (error) {
    reply({ type: 'noAnswer', request, error: errorHere(error) });
  }
}

function errorHere(error: unknown): PlainError {
  if (controller.signal.aborted) {
    return { code: 'interrupted', message: 'pictures: stopped while they were read.', hint: undefined };
  }
  return plainError(error, 'pictures: expected to read them');
}

process.on('message', (task: PileTask) => {
  if (task.type === 'open') void open(task);
  else if (task.type === 'stop') controller.abort();
  else void answer(task);
});
// What was decoded is kept in any case.
process.on('disconnect', () => process.exit());
// Ctrl-C goes to the server and to this process: the server ends this one when it is done with it.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
