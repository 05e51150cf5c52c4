import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The page as it is shipped: `index.html` and files whose names bear a hash of their content. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The checkout's, not one of this folder's.
  cacheDir: fileURLToPath(new URL('../../../node_modules/.vite', import.meta.url)),
  publicDir: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../../../dist/studio/web', import.meta.url)),
    emptyOutDir: true,
    // Browsers of 2024, which know `light-dark()`.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // The policy of the page allows no scripts that stand in it, and what is small costs nothing on a loopback.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Of what is bundled: its licences ask to be told.
    // Charts, which are loaded where one is shown.
    chunkSizeWarningLimit: 700,
    license: { fileName: 'licenses.md' },
  },
});
