import { CommanderError } from 'commander';
import { QuarterturnError } from '../errors.js';
import { createProgram } from './program.js';
import { exitCodeOf, formatError, traitsOf } from './terminal.js';

/**
 * The command line from its arguments to the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped and saved.
 * @param argv as `process.argv`
 */
async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0; // help or version, already printed
      if (error.code === 'commander.help') return 2; // no command: help was printed on stderr
    }
    const commands = program.commands.map((command) => command.name());
    const command = argv.slice(2).find((arg) => commands.includes(arg));
    const known = error instanceof CommanderError ? usageError(error, command) : error;
    const debug = argv.includes('--debug');
    const { color } = traitsOf(process.stderr, process.env);
    process.stderr.write(`${formatError(known, { debug, color })}\n`);
    return exitCodeOf(known);
  }
}

/** The parser's complaint in our words: `error: unknown option '--epoch'\n(Did you mean --epochs?)`. */
function usageError(error: CommanderError, command: string | undefined): QuarterturnError {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const help = `See \`quarterturn ${command === undefined ? '' : `${command} `}--help\`.`;
  const hint = suggestion === undefined ? help : `${suggestion.replace(/^\(|\)$/g, '')} ${help}`;
  return new QuarterturnError('usage', message.endsWith('.') ? message : `${message}.`, {
    hint,
    cause: error,
  });
}

/** A reader that has seen enough (`| head`) is no failure of ours. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await main(process.argv);
