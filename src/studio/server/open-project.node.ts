import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LabelJournal } from '../project/journal.node.js';
import { Project } from '../project/project.node.js';
import type { ProjectImage } from '../project/project-images.node.js';
import { noteRecent } from '../project/recent-projects.node.js';
import type { PileSource } from './pile.js';

/** A project that this process alone serves; to be closed. */
export interface ServedProject {
  readonly name: string;
  /** Of its labels, absolute. */
  readonly folder: string;
  /** What its pictures are read from. */
  readonly data: PileSource;
  readonly labels: LabelJournal;
  /** Take down which images it has, and that it was opened; labels follow images whose hash is another one now. */
  setImages(images: readonly ProjectImage[]): Promise<unknown>;
  /** Say where it is served. */
  setAddress(address: string): Promise<void>;
  close(): Promise<void>;
}

/** A project that is there, or that is made when it is opened. */
export interface FoundProject extends Pick<ServedProject, 'name' | 'folder' | 'data'> {
  readonly isThere: boolean;
  /** @throws ProjectInUse where another studio serves it; QuarterturnError as `Project.open` */
  open(): Promise<ServedProject>;
}

/**
 * Looks for the project of some pictures; makes nothing.
 * @throws QuarterturnError as `Project.find`
 */
export type FindProject = (source: PileSource) => Promise<FoundProject>;

export interface ProjectsOptions {
  /** Folder of the project; default: `.quarterturn` beside the pictures. */
  readonly folder?: string | undefined;
}

/** Finds projects that lie on the disk. */
export function projectsOnDisk({ folder: given }: ProjectsOptions = {}): FindProject {
  return async (source) => {
    const isExample = 'example' in source;
    const of = isExample ? source : resolve(source.path);
    const folder = given ?? (isExample ? join(dataFolder(), source.example) : undefined);
    const found = await Project.find(of, { folder });
    return { ...found, open: async () => served(await Project.open(of, { who: 'studio', folder })) };
  };
}

async function served(project: Project): Promise<ServedProject> {
  const { name, data, folder, labels } = project;
  try {
    const owner = await project.serve();
    return {
      ...{ name, data, folder, labels },
      setImages: async (images) => {
        await project.setImages(images);
        // Not before: what holds no pictures is nothing to come back to.
        await noteRecent({ folder, name, data: 'path' in data ? data.path : 'MNIST' });
      },
      setAddress: (address) => owner.setAddress(address),
      close: async () => {
        await project.close();
        await owner.release();
      },
    };
  } catch (error) {
    await project.close();
    throw error;
  }
}

/** Where projects of examples are kept, which have no folder of their own: where data of programs is kept on this system. */
function dataFolder(): string {
  const { XDG_DATA_HOME: given = '' } = process.env;
  return join(given.startsWith('/') ? given : join(homedir(), '.local', 'share'), 'quarterturn');
}

/** As a shell would take it: `~` is the home folder. */
export function absolutePath(path: string): string {
  return resolve(path.replace(/^~(?=$|[/\\])/, () => homedir()));
}
