import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Nothing of its own accord: no first-run pages, no updates, no requests in the background. */
const quiet = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long a busy machine may take for a step of the browser's. */
const patienceMs = 120_000;

/**
 * Starts the installed Chromium: `CHROMIUM_PATH`, else `/usr/bin/chromium`.
 * @throws Error naming how to install it where there is none: these tests fail rather than skip
 */
export async function launchChromium(extraArgs: readonly string[] = []): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error(
      `browser tests: expected Chromium at ${executablePath}. Received: no such file. ` +
        'Install it (Debian, Ubuntu: apt-get install chromium; macOS: brew install --cask chromium) ' +
        'or name another build in the environment variable CHROMIUM_PATH.',
    );
  }
  const browser = await chromium.launch({
    executablePath,
    args: [...quiet, ...extraArgs],
    timeout: patienceMs,
  });
  browser.on('context', (context) => context.setDefaultTimeout(patienceMs));
  return browser;
}
