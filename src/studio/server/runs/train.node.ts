import { availableParallelism } from 'node:os';
import { basename, dirname } from 'node:path';
import { QuarterturnError } from '../../../errors.js';
import {
  type FrozenEncoder,
  type Run,
  type RunEvent,
  type Runtime,
  readConfig,
  resumeRun,
  settingsFor,
  startRun,
} from '../../../index.js';
import {
  BatchWorker,
  cpuMs,
  createImportEta,
  createNodeRuntime,
  environmentIn,
  environmentOf,
  type ImportProgress,
  openRunEncoder,
  peakMemoryBytes,
  type ReadImages,
  RunFolder,
  readRunData,
  writeReport,
} from '../../../node.js';
import { answersFolder } from '../explore/answer-files.node.js';
import { answerPile } from '../explore/answer-pile.node.js';
import { placeOfSource } from '../pile-source.js';
import { type PlainError, plainError } from '../plain-error.js';
import type { ContinueTask, StartTask, TrainerNews, TrainingEnd, TrainTask } from './trainer.js';

export interface TrainOptions {
  readonly signal: AbortSignal;
  readonly onNews: (news: TrainerNews) => void;
  /** Told once it is known how many steps there will be; of a run without a time to fit into, when it begins. */
  readonly onPlanned?: (() => void) | undefined;
  /** Default: all cores. */
  readonly threads?: number | undefined;
  readonly cacheFolder?: string | undefined;
}

/** News a second: a page is told no more often. */
const newsEveryMs = 250;

/** Train in this process until the run is done, or the signal says to save and stop; never rejects. */
export async function train(task: TrainTask, options: TrainOptions): Promise<TrainingEnd> {
  const { signal } = options;
  const worker = new BatchWorker();
  let begun: Begun | undefined;
  try {
    begun = task.type === 'start' ? await start(task, options, worker) : await goOn(task, options, worker);
    const tell = teller(options.onNews);
    for await (const event of begun.run.events) tell(event);
    await begun.run.result;
    const folder = begun.folder();
    if (folder !== undefined) {
      await writeReport(folder);
      // The run is done in any case: whoever looks at it has it asked again.
      await askAboutPile(folder, begun, options).catch(() => {});
    }
    return { state: 'done' };
  } catch (error) {
    if (signal.aborted) return { state: 'stopped' };
    const plain = plainError(error, 'training: expected to learn from the pictures');
    return { state: 'failed', error: withoutFlags(plain, task) };
  } finally {
    await worker.release();
    await begun?.encoder?.release();
    await begun?.folder()?.close();
    await begun?.data.close();
  }
}

/** A time that does not suffice, told to somebody who has chosen it in a page, where there are no flags. */
function withoutFlags(error: PlainError, task: TrainTask): PlainError {
  const [, least] = /^--budget: expected at least (\S+) /.exec(error.message) ?? [];
  if (least === undefined || task.type === 'continue') return error;
  return {
    code: error.code,
    message: `time: expected at least ${least} for what is to be learned here, on this machine. Received: less.`,
    hint: 'Choose more time, or as long as it needs.',
  };
}

/** What the classifier says of the pile, which whoever looks at the run is shown. */
async function askAboutPile(
  store: RunFolder,
  { data, runtime }: Begun,
  { signal, onNews }: TrainOptions,
): Promise<void> {
  const tell = throttled(onNews);
  const text = 'Asking the classifier about every image';
  onNews({ phase: 'predicting', text, progress: 0 });
  const runId = basename(store.name);
  await answerPile({
    ...{ store, runId, data, runtime, signal },
    // The run lies in the folder `runs` of the project.
    folder: answersFolder(dirname(dirname(store.name)), runId),
    onProgress: (progress) => tell({ phase: 'predicting', text, progress }),
  });
}

interface Begun {
  readonly run: Run;
  readonly data: ReadImages;
  readonly runtime: Runtime;
  /** The frozen network that it describes images by; absent where it has none. */
  readonly encoder?: FrozenEncoder | undefined;
  /** Of the run, once it has one. */
  readonly folder: () => RunFolder | undefined;
}

async function start(task: StartTask, options: TrainOptions, worker: BatchWorker): Promise<Begun> {
  const { signal, threads = availableParallelism() } = options;
  const place = placeOfSource(task.source);
  const data = await readData(place, options);
  const runtime = await createNodeRuntime({ device: 'cpu', threads });
  let folder: RunFolder | undefined;
  const run = startRun({
    settings: { ...settingsFor(task.preset), ...task.changes, labels: task.labels },
    ...{ data, runtime, signal, batchMakerFor: worker.makerFor, peakMemoryBytes },
    environment: {
      ...environmentOf({ ...place, threads, commandLine: 'quarterturn studio' }, data),
      project: task.project,
    },
    budgetMs: task.budgetMs,
    // The clock of this process began when it was asked for.
    spentMs: () => performance.now(),
    cpuMs,
    // The folder comes last, when all is planned: what fails before leaves nothing behind.
    store: async () => {
      options.onPlanned?.();
      folder = await RunFolder.create(task.folder);
      return folder;
    },
  });
  return { run, data, runtime, folder: () => folder };
}

async function goOn(task: ContinueTask, options: TrainOptions, worker: BatchWorker): Promise<Begun> {
  const folder = await RunFolder.open(task.folder);
  try {
    const config = await readConfig(folder);
    if (config.device === 'webgpu') {
      throw new QuarterturnError(
        'usage',
        'training: expected a run on the processor alone. Received: one on a GPU.',
        {
          hint: `Go on with it on the command line: quarterturn run --resume ${JSON.stringify(task.folder)}`,
        },
      );
    }
    const place = environmentIn(config);
    const data = await readData(place, options);
    const runtime = await createNodeRuntime({ device: 'cpu', threads: place.threads });
    const encoder = await openRunEncoder(folder, { runtime, cacheFolder: options.cacheFolder });
    const run = resumeRun({
      ...{ store: folder, data, runtime, encoder, signal: options.signal, peakMemoryBytes },
      batchMakerFor: worker.makerFor,
    });
    return { run, data, runtime, encoder, folder: () => folder };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function readData(
  place: Parameters<typeof readRunData>[0],
  { signal, onNews, cacheFolder }: TrainOptions,
): Promise<ReadImages> {
  const etaOf = createImportEta();
  const tell = throttled(onNews);
  const onProgress = (progress: ImportProgress): void => {
    etaOf(progress);
    tell({ phase: 'starting', text: 'Reading the pictures', progress: progress.done / progress.total });
  };
  onNews({ phase: 'starting', text: 'Reading the pictures', progress: null });
  return readRunData(place, { signal, cacheFolder, onProgress });
}

/** What is told before there is a folder that tells it. */
function teller(onNews: (news: TrainerNews) => void): (event: RunEvent) => void {
  const tell = throttled(onNews);
  let hasFolder = false;
  return (event) => {
    if (event.type === 'run-start') hasFolder = true;
    if (hasFolder) return;
    if (event.type === 'measuring') {
      onNews({ phase: 'starting', text: 'Measuring the speed of this machine', progress: null });
    } else if (event.type === 'pass') {
      const { title, done, total } = event;
      tell({ phase: 'starting', text: title, progress: total > 0 ? done / total : null });
    }
  };
}

function throttled(onNews: (news: TrainerNews) => void): (news: TrainerNews) => void {
  let toldMs = Number.NEGATIVE_INFINITY;
  return (news) => {
    if (performance.now() - toldMs < newsEveryMs) return;
    toldMs = performance.now();
    onNews(news);
  };
}
