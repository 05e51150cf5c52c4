import { spawn } from 'node:child_process';

/** What opens an address in the browser that a person has chosen. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', '""'],
};

/**
 * Open an address in a browser, where there is a screen; does nothing where there is none, or no browser.
 * @param environment of the process: without a display, as over SSH, a browser of the terminal would take it over
 */
export function openBrowser(
  address: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): void {
  const { platform } = process;
  const hasScreen =
    platform === 'darwin' ||
    platform === 'win32' ||
    Boolean(environment.DISPLAY || environment.WAYLAND_DISPLAY);
  if (!hasScreen) return;
  const [program, ...flags] = openers[platform] ?? ['xdg-open'];
  const child = spawn(program, [...flags, address], { stdio: 'ignore', detached: true });
  child.on('error', () => {}); // the address is printed as well
  child.unref();
}
