import type { TrainerNews, TrainingEnd, TrainTask } from './trainer.js';

/** What the process that trains is told. */
export type TrainerOrder =
  | {
      readonly type: 'train';
      readonly task: TrainTask;
      readonly threads: number | undefined;
      readonly cacheFolder: string | undefined;
    }
  | { readonly type: 'stop' };

/** What it says. */
export type TrainerReply =
  | { readonly type: 'news'; readonly news: TrainerNews }
  | { readonly type: 'ended'; readonly end: TrainingEnd };
