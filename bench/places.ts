import { fileURLToPath } from 'node:url';

/** How one of our programs is started. */
export const ourProgram = (file: string): string[] => [
  process.execPath,
  fileURLToPath(new URL(`programs/${file}.js`, import.meta.url)),
];

/** A file of the checkout; this one runs as dist/bench/bench/places.js. */
export const source = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** How a script of the bench is started. */
export const script = (path: string): string[] => [process.execPath, source(`bench/${path}`)];
