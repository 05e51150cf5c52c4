import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

/** What replaces modules needs modules of its own. */
const mocking = ['src/recipes/plan/measure-speeds.test.ts'];
/** What is timed has the machine to itself. */
const alone = ['test/e2e/batch-times.test.ts'];

export default defineConfig({
  test: {
    globalSetup: 'test/support/set-up.mjs',
    // What is compiled is loaded as it is installed, and in a tenth of the time.
    server: { deps: { external: [/\/dist\/(?:cli|studio)\//] } },
    sequence: { sequencer: LongestFirst },
    // Only what hangs is to be ended: where others work, too, what takes ten seconds may take minutes.
    testTimeout: 300_000,
    // A hook may run a whole command, as a test does.
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/e2e/**', ...mocking, '**/node_modules/**'],
          // Modules are loaded once a worker: to load them for each of hundreds of files takes a minute.
          isolate: false,
          // By itself vitest leaves one core free: of two, that is half of the machine.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Whole processes: after the rest, more files at a time than cores, since a process now and then waits for the disk.
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', ...mocking],
          exclude: alone,
          // A share of the cores would be cut off at all of them.
          maxWorkers: Math.ceil(1.5 * availableParallelism()),
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
