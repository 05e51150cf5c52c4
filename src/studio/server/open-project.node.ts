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
  /** Take down which images it has; labels follow those whose hash is another one now. */
  setImages(images: readonly ProjectImage[]): Promise<unknown>;
  /** Say where it is served. */
  setAddress(address: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a project, or makes one.
 * @throws ProjectInUse where another studio serves it; QuarterturnError as `Project.open`
 */
export type OpenProject = (source: PileSource) => Promise<ServedProject>;

export interface ProjectsOptions {
  /** Folder of the project; default: `.quarterturn` beside the pictures. */
  readonly folder?: string | undefined;
}

/** Opens projects that lie on the disk. */
export function projectsOnDisk({ folder }: ProjectsOptions = {}): OpenProject {
  return async (source) => {
    const isExample = 'example' in source;
    const project = await Project.open(isExample ? source : resolve(source.path), {
      who: 'studio',
      folder: folder ?? (isExample ? join(dataFolder(), source.example) : undefined),
    });
    try {
      const owner = await project.serve();
      const { name, data } = project;
      return {
        ...{ name, data, folder: project.folder, labels: project.labels },
        setImages: async (images) => {
          await project.setImages(images);
          // A folder in which nothing was found is nothing to come back to.
          await noteRecent({ folder: project.folder, name, data: 'path' in data ? data.path : 'MNIST' });
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
  };
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
