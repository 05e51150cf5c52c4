import type { Command } from 'commander';
import { openRun } from './named-path.js';
import { addExamples, addOutputGroup } from './options.js';
import { shownPath } from './paths.js';
import { writeReport } from './run-report.js';

/** `quarterturn report`: the report once more, from the folder. */
export function addReportCommand(program: Command): void {
  const command = program
    .command('report')
    .summary("a run's report.html once more, from its folder")
    .description('Make report.html again from what a run left in its folder: no data, no training.')
    .argument('<run>', 'folder of the run');
  addOutputGroup(command);
  addExamples(command, [['quarterturn report runs/five', 'writes runs/five/report.html']]);
  command.action(async (path: string) => {
    const folder = await openRun(path, { readOnly: true });
    process.stdout.write(`${shownPath(await writeReport(folder))}\n`);
  });
}
