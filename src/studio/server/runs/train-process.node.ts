import { fork } from 'node:child_process';
import type { TrainerOrder, TrainerReply } from './run-messages.js';
import type { StartTraining, TrainingEnd } from './trainer.js';

const program = new URL('./train-child.node.js', import.meta.url);

/** A step of a large network on a slow machine takes seconds, and what it has learned is saved after it. */
const patienceMs = 60_000;

/** What the process says on its own account, of which the end is told where it fails. */
const toldErrorLength = 500;

export interface TrainerOptions {
  readonly cacheFolder?: string | undefined;
  /** Default: all cores; a run that is gone on with keeps its own. */
  readonly threads?: number | undefined;
}

/**
 * Trains in a process of its own, which gives way to all others: a step of the kernels holds its event loop up for its whole
 * length. It saves and ends by itself if this process is gone.
 */
export function trainingInProcesses({ cacheFolder, threads }: TrainerOptions = {}): StartTraining {
  return (task, { onNews }) => {
    const child = fork(program, {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const tell = (order: TrainerOrder): void => {
      if (child.connected) child.send(order, () => {});
    };
    let stderr = '';
    child.stderr?.on('data', (text) => {
      stderr = `${stderr}${text}`.slice(-toldErrorLength);
    });
    let end: TrainingEnd | undefined;
    child.on('message', (reply: TrainerReply) => {
      if (reply.type === 'news') onNews(reply.news);
      else end = reply.end;
    });
    const ended = new Promise<TrainingEnd>((resolve) => {
      child.on('error', (cause) => resolve(lost(cause.message)));
      child.on('exit', (status, signal) => {
        const told = stderr.trim();
        resolve(end ?? lost(`it ended (${signal ?? `status ${status}`})${told && `: ${told}`}`));
      });
    });
    let kill: NodeJS.Timeout | undefined;
    void ended.then(() => clearTimeout(kill));
    tell({ type: 'train', task, threads, cacheFolder });
    return {
      ended,
      stop: () => {
        if (kill !== undefined) return;
        tell({ type: 'stop' });
        // What was saved last is kept.
        kill = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      },
    };
  };
}

function lost(reason: string): TrainingEnd {
  return {
    state: 'failed',
    error: {
      code: 'runtime',
      message: `training: expected its process to say how it ended. Received: ${reason}.`,
      hint: 'What it had saved is kept: go on with the run.',
    },
  };
}
