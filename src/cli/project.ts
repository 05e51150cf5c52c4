import { createWriteStream } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { ensureFolder, ioError, temporaryPath } from '../store/atomic-file.node.js';
import { assertNewFile } from '../store/new-file.node.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shellPath } from './paths.js';
import { inSession } from './session.js';

interface ExportProjectFlags {
  readonly out?: string;
  readonly overwrite?: boolean;
  readonly quiet?: boolean;
}

interface ImportProjectFlags {
  readonly into: string;
  readonly quiet?: boolean;
}

/** `quarterturn project`: take a studio project elsewhere. */
export function addProjectCommand(program: Command): void {
  const project = program
    .command('project')
    .summary('take a studio project elsewhere')
    .description(
      'Pack a project of the studio, its images, labels and runs, as one ZIP archive, and unpack it.',
    );
  addExportCommand(project);
  addImportCommand(project);
  addExamples(project, [
    ['quarterturn project export my-pictures --out pictures.zip', 'images, labels and runs in one file'],
    ['quarterturn project import pictures.zip --into elsewhere', 'a new folder: elsewhere/my-pictures'],
  ]);
}

function addExportCommand(project: Command): void {
  const command = project
    .command('export')
    .summary('pack a project as a ZIP archive')
    .description('Pack images, labels and runs of a project, as they are now, as a ZIP archive.')
    .argument('[folder]', 'its images, or the folder of the project', '.');
  addGroup(command, 'What to do:', [
    new Option(
      '--out <file>',
      'the archive (default: the name of the project with .zip, in the current folder)',
    ),
    option.overwrite('an archive that is there'),
  ]);
  addOutputGroup(command, [option.quiet()]);
  addExamples(command, [
    ['quarterturn project export photos --out photos.zip', 'images, labels and runs in one file'],
  ]);
  command.action(exportProject);
}

function addImportCommand(project: Command): void {
  const command = project
    .command('import')
    .summary('unpack a project')
    .description('Unpack an archive of a project into a new folder. Nothing is overwritten.')
    .argument('<archive>', 'as `project export` or the studio made it');
  addGroup(command, 'What to do:', [
    new Option('--into <folder>', 'where its folder is made (default: the current folder)').default(
      '.',
      'the current folder',
    ),
  ]);
  addOutputGroup(command, [option.quiet()]);
  addExamples(command, [
    ['quarterturn project import photos.zip --into elsewhere', 'a new folder: elsewhere/photos'],
  ]);
  command.action(importProject);
}

async function exportProject(of: string, { out, overwrite, quiet }: ExportProjectFlags): Promise<void> {
  const [{ Project }, { packProject }] = await Promise.all([
    import('../studio/project/project.node.js'),
    import('../studio/project/project-zip.node.js'),
  ]);
  await inSession({ quiet, stopping: 'Stopping; no archive is left.' }, async ({ signal, note }) => {
    const project = await Project.open(of, { who: 'command line', make: false });
    await project.close();
    const { name, count, bytes } = await packProject(project, { signal });
    const target = out ?? `${name}.zip`;
    await assertNewFile(target, { overwrite });
    await ensureFolder(dirname(resolve(target)));
    const temporary = temporaryPath(resolve(target));
    try {
      await pipeline(bytes, createWriteStream(temporary, { flags: 'wx' }), { signal });
      await fs.rename(temporary, target);
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw ioError('write', target, error);
    }
    note(`Packed  ${count} files`);
    process.stdout.write(`${target}\n`);
  });
}

async function importProject(archive: string, { into, quiet }: ImportProjectFlags): Promise<void> {
  const { unpackProject } = await import('../studio/project/unpack-project.node.js');
  await inSession({ quiet, stopping: 'Stopping; nothing of it is left.' }, async ({ signal, note }) => {
    const { name, count } = await unpackProject(archive, resolve(into), { signal });
    const path = join(into, name);
    note(`Unpacked  ${count} files`);
    process.stdout.write(`${path}\n`);
    note(`Next  quarterturn studio ${shellPath(path)}`);
  });
}
