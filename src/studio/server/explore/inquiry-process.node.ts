import { fork } from 'node:child_process';
import { QuarterturnError } from '../../../errors.js';
import { errorOf } from '../plain-error.js';
import type { Inquire, Inquiries, InquiryTask } from './inquiry.js';
import type { InquiryOrder, InquiryReply } from './inquiry-messages.js';

const program = new URL('./inquiry-child.node.js', import.meta.url);

/** What the process says on its own account, of which the end is told where it fails. */
const toldErrorLength = 500;

export interface InquiryOptions {
  readonly cacheFolder?: string | undefined;
  /** Default: all cores. */
  readonly threads?: number | undefined;
}

/** Finds things out in processes of their own, one for each, which give way to all others. */
export function inquiriesInProcesses({ cacheFolder, threads }: InquiryOptions = {}): Inquire {
  return (name, task, { signal, onProgress }) =>
    new Promise((resolve, reject) => {
      const child = fork(program, {
        serialization: 'advanced',
        execArgv: [],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      const stop = (): void => void child.kill('SIGKILL');
      signal.addEventListener('abort', stop, { once: true });
      let stderr = '';
      child.stderr?.on('data', (text) => {
        stderr = `${stderr}${text}`.slice(-toldErrorLength);
      });
      child.on('message', (reply: InquiryReply) => {
        if (reply.type === 'progress') onProgress?.(reply.progress);
        else if (reply.type === 'failed') reject(errorOf(reply.error));
        // Of the same name as the task.
        else resolve(reply.result as Inquiries[typeof name]['result']);
      });
      child.on('error', (cause) => reject(lost(cause.message)));
      child.on('exit', (status, ended) => {
        signal.removeEventListener('abort', stop);
        const told = stderr.trim();
        reject(
          signal.aborted
            ? stopped()
            : lost(`it ended (${ended ?? `status ${status}`})${told && `: ${told}`}`),
        );
      });
      const order: InquiryOrder = { task: { name, ...task } as InquiryTask, threads, cacheFolder };
      child.send(order, () => {});
    });
}

const lost = (reason: string): QuarterturnError =>
  new QuarterturnError(
    'runtime',
    `inquiry: expected an answer of the process that finds it out. Received: ${reason}.`,
  );

const stopped = (): QuarterturnError =>
  new QuarterturnError('interrupted', 'inquiry: stopped before it was answered.');
