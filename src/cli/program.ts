import { Command, Help } from 'commander';
import { packageVersion } from '../runs/version.node.js';
import { createStyles } from './terminal.js';

/** Puts a command, with its options and what it does, into a program. */
type AddCommand = (program: Command) => void;

/** Commands in groups, each with how it is loaded: of hundreds of modules, one command needs some. */
const commandGroups: Readonly<Record<string, Readonly<Record<string, () => Promise<AddCommand>>>>> = {
  'Train:': {
    run: async () => (await import('./run.js')).addRunCommand,
    pretrain: async () => (await import('./stages.js')).addPretrainCommand,
    finetune: async () => (await import('./stages.js')).addFinetuneCommand,
    baseline: async () => (await import('./stages.js')).addBaselineCommand,
    ablate: async () => (await import('./ablate.js')).addAblateCommand,
  },
  'Label:': {
    studio: async () => (await import('./studio.js')).addStudioCommand,
    suggest: async () => (await import('./suggest.js')).addSuggestCommand,
    doubts: async () => (await import('./doubts.js')).addDoubtsCommand,
  },
  'Look:': {
    inspect: async () => (await import('./inspect.js')).addInspectCommand,
    evaluate: async () => (await import('./evaluate.js')).addEvaluateCommand,
    report: async () => (await import('./report.js')).addReportCommand,
    summary: async () => (await import('./summary.js')).addSummaryCommand,
    explain: async () => (await import('./explain.js')).addExplainCommand,
  },
  'Use:': {
    predict: async () => (await import('./predict.js')).addPredictCommand,
    merge: async () => (await import('./merge.js')).addMergeCommand,
    model: async () => (await import('./model.js')).addModelCommand,
    export: async () => (await import('./export.js')).addExportCommand,
    project: async () => (await import('./project.js')).addProjectCommand,
    cache: async () => (await import('./cache.js')).addCacheCommand,
    encoders: async () => (await import('./encoders.js')).addEncodersCommand,
  },
};

/** Help loses these again where the output takes no colour. */
const { bold } = createStyles(true);

/**
 * The command line, ready to parse; it throws instead of ending the process and prints no errors itself.
 * @param args what follows the program's name; if they name a command, it alone is loaded. Default: all commands
 */
export async function createProgram(args: readonly string[] = []): Promise<Command> {
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
    .configureHelp({
      ...{ styleTitle: bold, subcommandTerm: (command) => command.name() },
      ...{ minWidthToWrap: leastWidth, formatItem: narrowItem },
    })
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
saved, to be gone on with: 130 by Ctrl-C, 75 by SIGTERM, SIGHUP or SIGQUIT.
The studio, which Ctrl-C ends: 0.`,
    );
  const known = Object.values(commandGroups).flatMap((group) => Object.keys(group));
  // The only options before a command take no value.
  const named = args.find((arg) => !arg.startsWith('-'));
  const isWanted = (name: string) => named === undefined || !known.includes(named) || name === named;
  for (const [heading, group] of Object.entries(commandGroups)) {
    program.commandsGroup(heading);
    for (const [name, load] of Object.entries(group)) if (isWanted(name)) (await load())(program);
  }
  return program;
}

/** Columns of the narrowest text that can be read. */
const leastWidth = 30;

/** In a narrow terminal there is no room beside an option: what it does stands below. */
function narrowItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? 80;
  if (description === '' || width - termWidth - 4 >= leastWidth) {
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  }
  const below = helper.boxWrap(description, width - 6).replaceAll('\n', '\n      ');
  return `  ${term}\n      ${below}`;
}
