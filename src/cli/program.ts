import { Command } from 'commander';
import { packageVersion } from '../runs/version.node.js';
import { addAblateCommand } from './ablate.js';
import { addCacheCommand } from './cache.js';
import { addDoubtsCommand } from './doubts.js';
import { addEncodersCommand } from './encoders.js';
import { addEvaluateCommand } from './evaluate.js';
import { addExplainCommand } from './explain.js';
import { addExportCommand } from './export.js';
import { addInspectCommand } from './inspect.js';
import { addMergeCommand } from './merge.js';
import { addModelCommand } from './model.js';
import { addPredictCommand } from './predict.js';
import { addProjectCommand } from './project.js';
import { addReportCommand } from './report.js';
import { addRunCommand } from './run.js';
import { addBaselineCommand, addFinetuneCommand, addPretrainCommand } from './stages.js';
import { addStudioCommand } from './studio.js';
import { addSuggestCommand } from './suggest.js';
import { addSummaryCommand } from './summary.js';
import { createStyles } from './terminal.js';

/** Help loses these again where the output takes no colour. */
const { bold } = createStyles(true);

/** The command line, ready to parse; it throws instead of ending the process and prints no errors itself. */
export function createProgram(): Command {
  const program = new Command('quarterturn')
    .description(
      'Label a hundred images. Classify the rest.\n\n' +
        'Learns first from unlabelled images, by telling how they were turned, then from a few labels, then from itself on all that has none; leaves one ONNX file that classifies, and a report of how well.',
    )
    .usage('<command> [options]')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help, or that of a command')
    .helpCommand(false)
    .option('--debug', 'print the stack of an error (default: its message and a hint)')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ styleTitle: bold, subcommandTerm: (command) => command.name() })
    .addHelpText(
      'after',
      `
Examples:
  quarterturn run                                   MNIST, in minutes
  quarterturn inspect photos                        what is in your folder
  quarterturn run photos                            learn from it
  quarterturn run --preset notebook --epochs 1      the full-width network
  quarterturn suggest runs/quick-20250314-101245    what to label next
  quarterturn evaluate runs/quick-20250314-101245   its figures once more
  quarterturn predict runs/quick-20250314-101245 digit.png

Exit status: 0 done, 1 failed, 2 wrong usage; where it was stopped and has
saved, to be gone on with: 130 by Ctrl-C, 75 by SIGTERM, SIGHUP or SIGQUIT.`,
    );
  program.commandsGroup('Train:');
  addRunCommand(program);
  addPretrainCommand(program);
  addFinetuneCommand(program);
  addBaselineCommand(program);
  addAblateCommand(program);
  program.commandsGroup('Label:');
  addStudioCommand(program);
  addSuggestCommand(program);
  addDoubtsCommand(program);
  program.commandsGroup('Look:');
  addInspectCommand(program);
  addEvaluateCommand(program);
  addReportCommand(program);
  addSummaryCommand(program);
  addExplainCommand(program);
  program.commandsGroup('Use:');
  addPredictCommand(program);
  addMergeCommand(program);
  addModelCommand(program);
  addExportCommand(program);
  addProjectCommand(program);
  addCacheCommand(program);
  addEncodersCommand(program);
  return program;
}
