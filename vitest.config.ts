import { defineConfig } from 'vitest/config';

/** What is timed, and what builds the checkout anew: each of these files has the machine to itself. */
const alone = ['batch-worker', 'package'].map((name) => `test/e2e/${name}.test.ts`);

export default defineConfig({
  test: {
    // Only what hangs is to be ended: where others work, too, a command of two seconds may take a minute.
    testTimeout: 180_000,
    // A hook may run a whole command, as a test does.
    hookTimeout: 180_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/e2e/**', '**/node_modules/**'],
          // By itself vitest leaves one core free: of two, that is half of the machine.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Whole processes: after the rest, two files at a time, since a process rarely fills two cores.
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: alone,
          maxWorkers: 2,
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
