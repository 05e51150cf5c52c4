import { handleStopSignals, stoppedStatus } from './signals.js';
import { outputError, systemError } from './system-error.js';
import { exitCodeOf, formatError, traitsOf } from './terminal.js';
import { handOver } from './uncaught.js';

// Before anything else, and before the commands are loaded: that takes a while, too.
handleStopSignals();

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return; // a reader that has seen enough (`| head`) is no failure of ours
  process.exit(fail(outputError(error)));
});
// Where progress and errors cannot be shown, there is nobody to tell; the work itself may go on.
process.stderr.on('error', () => {});

// What nobody waited for, such as the second of two failures to load one library, is told like any other error.
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error: unknown) => {
    if (!handOver(error)) process.exit(fail(error));
  });
}

let told: unknown;

/** Say what went wrong, once; returns the exit status. */
function fail(error: unknown): number {
  const known = systemError(error) ?? error;
  const debug = process.argv.includes('--debug');
  const { color } = traitsOf(process.stderr, process.env);
  if (error !== told) process.stderr.write(`${formatError(known, { debug, color })}\n`);
  told = error;
  return exitCodeOf(known, stoppedStatus());
}

/**
 * The command line from its arguments to the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C and
 * saved, 75 the same by SIGTERM and the like.
 */
async function main(): Promise<number> {
  try {
    const { runCommandLine } = await import('./command-line.js');
    return await runCommandLine(process.argv);
  } catch (error) {
    return fail(error);
  }
}

process.exitCode = await main();
