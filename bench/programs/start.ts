/**
 * From the prompt to the first training step: starts `quarterturn run` as a person would, and waits for the progress line
 * that its first step draws. Such lines are for terminals, so the child is told that its stderr is one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peakMemoryBytes, readFlags, report } from './program.js';

const asTerminal = 'data:text/javascript,process.stderr.isTTY=true';

const flags = readFlags({ command: '' });
const scratch = mkdtempSync(join(tmpdir(), 'quarterturn-start-'));
const args = ['run', '--threads', `${flags.threads}`, '--out', join(scratch, 'run')];
const started = performance.now();
const child = spawn(process.execPath, ['--import', asTerminal, flags.command, ...args], {
  stdio: ['ignore', 'ignore', 'pipe'],
});
const ended = once(child, 'exit');
try {
  let text = '';
  for await (const chunk of child.stderr) {
    text += chunk;
    // A live line, as only a step draws it.
    if (/\r.*epoch/.test(text)) break;
  }
  const stepMs = [performance.now() - started];
  if (child.exitCode !== null) throw new Error(`quarterturn ended before its first step: ${text}`);
  const peak = peakMemoryBytes(child.pid);
  report({ version: `Node ${process.version}`, imagesPerStep: 1, stepMs, checks: [], peakMemoryBytes: peak });
} finally {
  child.kill('SIGKILL');
  await ended;
  rmSync(scratch, { recursive: true, force: true });
}
