import { type Command, CommanderError } from 'commander';
import { QuarterturnError } from '../errors.js';
import { createProgram } from './program.js';

/**
 * Do what the arguments say.
 * @param argv as `process.argv`
 * @returns the exit status of what was done, or was wrong usage that the help answers already
 * @throws whatever went wrong, wrong usage as a QuarterturnError `usage`
 */
export async function runCommandLine(argv: readonly string[]): Promise<0 | 2> {
  const program = await createProgram(argv.slice(2));
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0; // help or version, already printed
      if (error.code === 'commander.help') return 2; // no command: help was printed on stderr
    }
    throw explained(error, commandIn(argv, program));
  }
}

/** The error as it is shown: wrong usage always says where help is. */
function explained(error: unknown, command: string): unknown {
  const help = `See \`${command} --help\`.`;
  if (error instanceof CommanderError) {
    // `error: unknown option '--epoch'\n(Did you mean --epochs?)`
    const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
    const hint = suggestion === undefined ? help : `${suggestion.replace(/^\(|\)$/g, '')} ${help}`;
    const sentence = message.endsWith('.') ? message : `${message}.`;
    return new QuarterturnError('usage', sentence, { hint, cause: error });
  }
  if (error instanceof QuarterturnError && error.code === 'usage' && error.hint === undefined) {
    return new QuarterturnError('usage', error.message, { hint: help, cause: error });
  }
  return error;
}

/** `quarterturn run`, or `quarterturn` where the arguments name no command. */
function commandIn(argv: readonly string[], program: Command): string {
  const names = program.commands.map((command) => command.name());
  const name = argv.slice(2).find((arg) => names.includes(arg));
  return name === undefined ? 'quarterturn' : `quarterturn ${name}`;
}
