import { resolve } from 'node:path';
import { formatCount } from '../report/format.js';
import { readingIn } from '../runs/reading.node.js';
import { isLabelsOfProject } from '../studio/project/label-files.js';
import type { DataFlags } from './data-options.js';
import { withLabelTable } from './labels-file.js';
import { shellPath, shownPath } from './paths.js';

interface LabelFlags extends Pick<DataFlags, 'data' | 'format' | 'cache' | 'labelTable' | 'labelColumns'> {
  readonly labels?: string;
}

/**
 * Flags with the labels of the studio's project that lies in the data, as `--labels <folder>` takes them: where no flag names
 * labels, and folders or arrays say none. What somebody labelled in the page is what is to be learned from.
 * @param data default: the one of the flags
 * @param note is told whose labels they are and how many, or that there are some and they are not taken
 */
export async function withProjectLabels<T extends LabelFlags>(
  flags: T,
  { data = flags.data, note }: { readonly data?: string | undefined; note(text: string): void },
): Promise<T & Pick<DataFlags, 'labelTable'>> {
  if (data === undefined || flags.labels !== undefined || flags.labelTable !== undefined) return flags;
  const found = await labelsInProjectOf(data);
  if (found === undefined) return flags;
  const ofProject = `${formatCount(found.labels)} of the studio's project in ${shownPath(data)}`;
  if (!(await hasOwnLabels(data, flags))) {
    note(`Labels  ${ofProject}; --labels names others`);
    return withLabelTable({ ...flags, labels: data });
  }
  if (found.isChanged) note(`Labels  those of the data; --labels ${shellPath(data)} takes the ${ofProject}`);
  return flags;
}

/**
 * Flags with the labels that a project has by now, for a look at a run that had none of its own: it learned without, or from those
 * that the project had then.
 * @param config of the run
 */
export async function withLabelsSince<T extends LabelFlags>(
  flags: T,
  { config, labels, note }: RunLabels,
): Promise<T & Pick<DataFlags, 'labelTable'>> {
  const data = flags.data ?? (typeof config.dataFolder === 'string' ? config.dataFolder : undefined);
  const { labelTable } = readingIn(config);
  const isOfProject =
    config.project !== undefined || (labelTable !== undefined && isLabelsOfProject(labelTable));
  const hasNone = labels === null && labelTable === undefined;
  return isOfProject || hasNone ? withProjectLabels(flags, { data, note }) : flags;
}

interface RunLabels {
  readonly config: Readonly<Record<string, unknown>>;
  /** Those that its settings name. */
  readonly labels: unknown;
  note(text: string): void;
}

/** How many labels a project of some images has, and whether somebody has changed those that lay there; undefined where none is. */
async function labelsInProjectOf(data: string) {
  const [{ Project }, { projectLabels }] = await Promise.all([
    import('../studio/project/project.node.js'),
    import('../studio/project/project-labels.node.js'),
  ]);
  // Whoever reads the data says what is wrong with it.
  const found = await Project.find(data).catch(() => undefined);
  if (found?.isThere !== true) return undefined;
  await using project = await Project.open(data, { who: 'command line', make: false });
  const { rows, seq } = await projectLabels(project);
  return rows.length === 0 ? undefined : { labels: rows.length, isChanged: seq > 1 };
}

/** Whether folders or arrays say the class of any image. */
async function hasOwnLabels(data: string, { format, cache }: LabelFlags): Promise<boolean> {
  const { openImages } = await import('../data/readers/open-images.node.js');
  const found = await openImages(resolve(data), { format, cacheFolder: cache });
  try {
    return found.images.some(({ label }) => label !== undefined);
  } finally {
    await found.close?.();
  }
}
