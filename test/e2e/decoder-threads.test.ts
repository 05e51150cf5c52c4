import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const bin = resolve(import.meta.dirname, '../../bin/quarterturn.js');

/**
 * At the end of the command, five threads wait for pipes that nobody writes into: with the usual four none would be left for
 * one more file.
 */
const hook = `
  const fs = require('node:fs');
  require('node:os').availableParallelism = () => 8;
  process.once('beforeExit', () => {
    const end = (text) => {
      fs.writeSync(2, text);
      process.kill(process.pid, 'SIGKILL');
    };
    for (let i = 0; i < 5; i++) fs.open(process.env.PIPES + '/' + i, 'r', () => {});
    setTimeout(() => end('blocked'), 60_000);
    fs.stat('.', () => end('free, ' + process.env.UV_THREADPOOL_SIZE));
  });
`;

test.runIf(process.platform === 'linux')(
  'pictures are decoded on as many threads as there are cores',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quarterturn-threads-'));
    try {
      for (let i = 0; i < 5; i++) execFileSync('mkfifo', [join(folder, String(i))]);
      await writeFile(join(folder, 'hook.cjs'), hook);
      const { UV_THREADPOOL_SIZE: _, ...environment } = process.env;
      const run = (more: Record<string, string>) =>
        spawnSync(process.execPath, ['-r', join(folder, 'hook.cjs'), bin, '--version'], {
          env: { ...environment, ...more, PIPES: folder },
          encoding: 'utf8',
        }).stderr;
      expect(run({})).toBe('free, 8');
      expect(run({ UV_THREADPOOL_SIZE: '6' })).toBe('free, 6');
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
