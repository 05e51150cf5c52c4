/**
 * `npm run bench`: one RotNet training step, every contender in turn, each in a process of its own.
 *
 * Arguments go to every contender: `npm run bench -- --width 0.25 --steps 20`. A contender is a program that
 * prints one line of JSON with `name`, `imagesPerSecond`, `stepMs` and `peakRssBytes`. PyTorch needs a Python
 * that has it: set PYTHON where that is not `python3` (Debian's python3-torch belongs to /usr/bin/python3).
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const python = process.env.PYTHON ?? 'python3';
const torchStep = fileURLToPath(new URL('torch/rotnet_step.py', import.meta.url));
const contenders = [
  [python, torchStep, '--layout', 'channels_last'],
  [python, torchStep, '--layout', 'contiguous'],
];

for (const [program, ...args] of contenders) {
  const { status, stdout, error } = spawnSync(program, [...args, ...process.argv.slice(2)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) {
    console.error(`bench: ${[program, ...args].join(' ')} failed${error ? `: ${error.message}` : ''}`);
    process.exitCode = 1;
    continue;
  }
  const { name, imagesPerSecond, stepMs, peakRssBytes } = JSON.parse(stdout);
  const spread = `${Math.min(...stepMs).toFixed(0)}–${Math.max(...stepMs).toFixed(0)} ms a step`;
  const memory = `${(peakRssBytes / 2 ** 20).toFixed(0)} MiB at peak`;
  console.log(`${name.padEnd(36)} ${imagesPerSecond.toFixed(1).padStart(8)} images/s   ${spread}, ${memory}`);
}
