import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { LabelJournal } from '../../src/studio/project/journal.node.js';
import type { ProjectImage } from '../../src/studio/project/project-images.node.js';
import { type AppOptions, createApp } from '../../src/studio/server/app.node.js';
import type { Inquire, InquiryName } from '../../src/studio/server/explore/inquiry.js';
import { createKeys } from '../../src/studio/server/keys.js';
import type { FindProject, ServedProject } from '../../src/studio/server/open-project.node.js';
import type { PageFiles } from '../../src/studio/server/page-files.node.js';
import type { OpenPile, Pile, PileSource } from '../../src/studio/server/pile.js';
import type {
  StartTraining,
  TrainerNews,
  TrainingEnd,
  TrainTask,
} from '../../src/studio/server/runs/trainer.js';
import { Studio } from '../../src/studio/server/studio.node.js';
import type { PileProgress } from '../../src/studio/server/updates.js';

/** A page of one file. */
export const fakePage: PageFiles = new Map([
  [
    '/',
    {
      headers: { 'content-type': 'text/html' },
      bytes: new TextEncoder().encode('<title>Quarterturn</title>'),
    },
  ],
]);

/** A pile of so many images, whose pictures are their indices. */
export function fakePile(count: number): Pile {
  const images = Array.from({ length: count }, (_, i) => ({
    id: i.toString(16).padStart(32, '0'),
    name: `photos/${i}.png`,
  }));
  const picture = (index: number) => ({ type: 'image/png' as const, bytes: Uint8Array.of(index) });
  return {
    facts: {
      phase: 'ready',
      ...{ count, height: 28, width: 28, channels: 1, hasFiles: true, durationMs: 1 },
      ...{ classNames: ['cat'], setAside: 1, setAsideKinds: [], duplicates: 0, notes: [] },
    },
    images,
    skipped: [{ name: 'notes.txt', reason: 'text file' }],
    duplicates: [],
    small: async (index) => picture(index),
    tile: async (index) => picture(index + 50),
    view: async (index) => picture(index + 100),
    add: async () => ({ image: { id: '', name: '' }, isNew: false }),
    close: async () => {},
  };
}

/** A pile that is being opened. */
interface Opening {
  readonly source: PileSource;
  readonly progress: (progress: PileProgress) => void;
  readonly finish: (pile: Pile) => void;
  readonly fail: (error: unknown) => void;
}

/** Opens piles when the test says so. */
export class FakePiles {
  readonly opened: Opening[] = [];
  #seen = 0;

  /** The next one that is asked for. */
  async next(): Promise<Opening> {
    for (;;) {
      const opening = this.opened[this.#seen];
      if (opening !== undefined) {
        this.#seen++;
        return opening;
      }
      await turns();
    }
  }

  readonly open: OpenPile = (source, { onProgress, signal }) =>
    new Promise((finish, fail) => {
      signal.addEventListener('abort', () => fail(signal.reason));
      this.opened.push({ source, progress: onProgress, finish, fail });
    });
}

/** Projects whose labels lie in a folder of their own, all in the same one. */
export class FakeProjects {
  readonly folder: string;
  /** That the project was told to have. */
  images: readonly ProjectImage[] = [];
  readonly addresses: string[] = [];
  /** Whether it was made before. */
  isThere = true;
  opened = 0;
  closed = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<FakeProjects> {
    return new FakeProjects(await mkdtemp(join(tmpdir(), 'quarterturn-projects-')));
  }

  readonly find: FindProject = async (source) => {
    const own = {
      name: 'path' in source ? basename(source.path) : 'MNIST',
      folder: this.folder,
      data: source,
    };
    return { ...own, isThere: this.isThere, open: () => this.#open(own) };
  };

  async #open(own: Pick<ServedProject, 'name' | 'folder' | 'data'>): Promise<ServedProject> {
    this.opened++;
    const labels = await LabelJournal.open(this.folder, { who: 'studio' });
    return {
      ...own,
      labels,
      setImages: async (images) => {
        this.images = images;
      },
      setAddress: async (address) => {
        this.addresses.push(address);
      },
      close: async () => {
        this.closed++;
        await labels.close();
      },
    };
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** A training that was begun. */
interface BegunTraining {
  readonly task: TrainTask;
  readonly news: (news: TrainerNews) => void;
  /** Whether it was asked to stop. */
  isStopped: boolean;
  readonly end: (end: TrainingEnd) => void;
}

/** Trains nothing: the test says what happens. */
export class FakeTrainings {
  readonly begun: BegunTraining[] = [];

  /** The one that was begun last. */
  get last(): BegunTraining {
    const last = this.begun.at(-1);
    if (last === undefined) throw new Error('nothing was begun');
    return last;
  }

  readonly start: StartTraining = (task, { onNews }) => {
    let end = (_: TrainingEnd): void => {};
    const ended = new Promise<TrainingEnd>((resolve) => {
      end = resolve;
    });
    const training: BegunTraining = { task, news: onNews, isStopped: false, end };
    this.begun.push(training);
    return {
      ended,
      stop: () => {
        training.isStopped = true;
        end({ state: 'stopped' });
      },
    };
  };
}

/** A question that was asked. */
interface Asked {
  readonly name: InquiryName;
  readonly task: unknown;
  readonly answer: (result: unknown) => void;
  readonly fail: (error: unknown) => void;
}

/** Finds nothing out: the test answers. */
export class FakeInquiries {
  readonly asked: Asked[] = [];

  readonly inquire: Inquire = (name, task, { signal }) =>
    new Promise<never>((resolve, fail) => {
      signal.addEventListener('abort', () => fail(signal.reason));
      this.asked.push({ name, task, answer: (result) => resolve(result as never), fail });
    });
}

/** Lets everything that waits for nothing but its turn happen. */
export const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** A request as a page sends it, and what is answered. */
type Ask = (
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
) => Promise<any>;

/** A studio whose pictures, trainings and inquiries the test makes, with all that it answers; its project lies on the disk. */
export class FakeStudio {
  readonly keys = createKeys();
  readonly piles = new FakePiles();
  readonly trainings = new FakeTrainings();
  readonly inquiries = new FakeInquiries();
  /** What nobody foresaw. */
  readonly faults: unknown[] = [];
  readonly projects: FakeProjects;
  readonly studio: Studio;
  readonly app: ReturnType<typeof createApp>;

  private constructor(projects: FakeProjects, options: Partial<AppOptions>) {
    const onFault = (error: unknown): unknown => this.faults.push(error);
    this.projects = projects;
    this.studio = new Studio({
      ...{ findProject: projects.find, openPile: this.piles.open, onFault },
      ...{ startTraining: this.trainings.start, inquire: this.inquiries.inquire },
    });
    const { studio, keys } = this;
    this.app = createApp({ studio, keys, page: fakePage, port: () => FakeStudio.port, onFault, ...options });
  }

  static readonly port = 4321;

  /** @param projects of another one, to open the same again */
  static async create(options: Partial<AppOptions> = {}, projects?: FakeProjects): Promise<FakeStudio> {
    return new FakeStudio(projects ?? (await FakeProjects.create()), options);
  }

  get headers(): { readonly host: string; readonly 'x-quarterturn-token': string } {
    return { host: `127.0.0.1:${FakeStudio.port}`, 'x-quarterturn-token': this.keys.token };
  }

  /** Open a pile, and wait until it is there. */
  async open(pile: Pile): Promise<void> {
    await this.studio.open({ path: '/photos' });
    (await this.piles.next()).finish(pile);
    await until(() => this.studio.state.pile.phase === 'ready');
  }

  readonly ask: Ask = async (method, path, body) => {
    const answer = await this.app.request(path, {
      method,
      headers: { ...this.headers, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, ...(await answer.json()) };
  };

  async close(): Promise<void> {
    await this.studio.close();
    await this.projects.remove();
  }
}

/** Waits for something that waits for nothing but its turn. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turns();
}
