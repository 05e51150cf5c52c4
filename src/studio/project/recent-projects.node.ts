import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ensureFolder, readFileIfThere, writeFileAtomically } from '../../store/atomic-file.node.js';
import { type RecentProject, recentProjectSchema } from './recent-project.js';

export interface ConfigOptions {
  /** Default: `quarterturn` in `$XDG_CONFIG_HOME`, or in `~/.config`. */
  readonly configFolder?: string | undefined;
}

const fileName = 'projects.json';

/** As many as a person looks through. */
const mostKept = 20;

const fileSchema = z.strictObject({
  schema: z.literal('quarterturn-recent-projects'),
  version: z.literal(1),
  projects: z.array(recentProjectSchema),
});

/** Where a person's settings are kept if nothing else is said. */
export function defaultConfigFolder(): string {
  const { XDG_CONFIG_HOME: given = '' } = process.env;
  // The specification: a path that is not absolute is to be ignored.
  return join(given.startsWith('/') ? given : join(homedir(), '.config'), 'quarterturn');
}

const pathOf = ({ configFolder = defaultConfigFolder() }: ConfigOptions): string =>
  join(configFolder, fileName);

/** The projects that were opened last, the newest first. None where the list cannot be read: nothing depends on it. */
export async function recentProjects(options: ConfigOptions = {}): Promise<readonly RecentProject[]> {
  try {
    const bytes = await readFileIfThere(pathOf(options));
    return bytes === undefined ? [] : fileSchema.parse(JSON.parse(new TextDecoder().decode(bytes))).projects;
  } catch {
    return [];
  }
}

/** Put a project first on the list; nothing happens where the list cannot be written. */
export async function noteRecent(
  { folder, name, data }: Pick<RecentProject, 'folder' | 'name' | 'data'>,
  options: ConfigOptions = {},
): Promise<void> {
  const project = { folder, name, data, openedAt: new Date().toISOString() };
  await change(options, (others) => [project, ...others.filter((each) => each.folder !== folder)]);
}

/** Take a project off the list; it stays where it is. */
export async function forgetRecent(folder: string, options: ConfigOptions = {}): Promise<void> {
  await change(options, (projects) => projects.filter((each) => each.folder !== folder));
}

async function change(
  options: ConfigOptions,
  to: (projects: readonly RecentProject[]) => readonly RecentProject[],
): Promise<void> {
  try {
    const projects = to(await recentProjects(options)).slice(0, mostKept);
    const path = pathOf(options);
    await ensureFolder(join(path, '..'));
    const content = { schema: 'quarterturn-recent-projects', version: 1, projects };
    await writeFileAtomically(path, `${JSON.stringify(content, null, 2)}\n`);
  } catch {
    // A list that is not kept is no reason not to open a project.
  }
}
