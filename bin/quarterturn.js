#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { tooLittleAddressSpace } = require('./address-space.js');

// Pictures are read and decoded in threads of libuv's: four, unless this says otherwise before the first one starts. Loading an
// ES module starts them, which is why this file is none (package.json beside it).
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

async function start() {
  // In a checkout the set-up script lies beside this folder; the published package has neither it nor the need.
  const setup = join(__dirname, '../scripts/setup.mjs');
  if (existsSync(setup)) {
    const { setUpOrExit } = await import(pathToFileURL(setup).href);
    setUpOrExit();
  }
  await import('../dist/cli/main.js');
}

// Before the first ES module, too: the threads that load it end the process where they get no memory.
const refusal = tooLittleAddressSpace();
if (refusal === undefined) void start();
else {
  console.error(refusal);
  process.exitCode = 1;
}
