#!/usr/bin/env node
import { existsSync } from 'node:fs';

// In a checkout the set-up script lies beside this folder; the published package has neither it nor the need.
const setup = new URL('../scripts/setup.mjs', import.meta.url);
if (existsSync(setup)) {
  const { setUpOrExit } = await import(setup.href);
  setUpOrExit();
}
await import('../dist/cli/main.js');
