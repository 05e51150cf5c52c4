/**
 * `npm test`: set-up, format and lint, types, tests, in this order; stops at the first stage that fails.
 *
 * Arguments go to vitest (`npm test -- src/graph`). The last line on stdout is the count alone:
 * `N passed, N failed`, with `, N skipped` where any were.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'quarterturn-test-'));
const results = join(scratch, 'results.json');
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const node = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;

const stages = [
  ['set-up', () => node('scripts/setup.mjs')],
  ['old runtime', installOldRuntime],
  ['format and lint', () => node('node_modules/@biomejs/biome/bin/biome', 'ci', '.')],
  ['types', () => node('node_modules/typescript/bin/tsc', '--noEmit', '-p', '.')],
  ['tests', () => runVitest(process.argv.slice(2))],
];

/** For the tests of exported files on it. Without a network they are skipped, which is said here; the rest is tested. */
function installOldRuntime() {
  try {
    setUp({ packages: ['test/old-runtime'] });
  } catch (error) {
    console.error(`NOT TESTED on ONNX Runtime 1.14: ${error.message}`);
  }
  return true;
}

function runVitest(args) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  return node('node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args);
}

/** Counts from vitest's report; a file that failed before or beside its tests counts as one failed test. */
function count(report) {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function readReport() {
  try {
    return count(JSON.parse(readFileSync(results, 'utf8')));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }; // a stage before the tests failed, or vitest did not start
  }
}

const failedStage = stages.find(([name, stage]) => {
  const startMs = performance.now();
  const ok = stage();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  return !ok;
});

const { passed, failed, skipped } = readReport();
// A failure outside every test (lint, types, an unhandled rejection) must not read as "0 failed".
const failures = failedStage ? Math.max(failed, 1) : failed;
console.log(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failures > 0 ? 1 : 0;
