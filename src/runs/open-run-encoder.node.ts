import { QuarterturnError } from '../errors.js';
import { readEncoderFile } from '../features/encoder-files.node.js';
import { withFeatureCache } from '../features/feature-cache.node.js';
import { type FrozenEncoder, openEncoder } from '../features/onnx-encoder.js';
import { type EncoderSettings, settingsOfConfig } from '../recipes/settings.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RunStore } from '../store/checkpoint.js';
import { readConfig } from './finished-run.js';

export interface OpenRunEncoderOptions {
  readonly runtime: Runtime;
  /** Where known networks and features of images are kept; default: as for every command. */
  readonly cacheFolder?: string | undefined;
  /** What to call its file in errors; default: its path. */
  readonly title?: string | undefined;
}

/**
 * Open the frozen network that a run began with, to go on with the run; features of images are kept.
 *
 * @returns it is the caller's to release; undefined for a run without one
 * @example
 * const store = await RunFolder.open('runs/photos');
 * const encoder = await openRunEncoder(store, { runtime });
 * await resumeRun({ store, data, runtime, encoder }).result;
 * @throws QuarterturnError `checkpoint` if its file is another one by now; `data` or `io` where it cannot be read
 */
export async function openRunEncoder(
  store: Pick<RunStore, 'name' | 'readJson'>,
  options: OpenRunEncoderOptions,
): Promise<FrozenEncoder | undefined> {
  const { encoder } = settingsOfConfig(await readConfig(store), store.name);
  return encoder && openEncoderOf(encoder, options);
}

/** The same, by the settings of the run. */
export async function openEncoderOf(
  { file, options, name, fingerprint }: EncoderSettings,
  { runtime, cacheFolder, title = file }: OpenRunEncoderOptions,
): Promise<FrozenEncoder> {
  const { bytes } = await readEncoderFile(file, { cacheFolder });
  const encoder = await openEncoder(title, bytes, { ...options, runtime, name });
  if (encoder.fingerprint === fingerprint) return withFeatureCache(encoder, { cacheFolder });
  await encoder.release();
  throw new QuarterturnError(
    'checkpoint',
    `${title}: expected the encoder that the run began with. Received: another network under that name.`,
    { hint: 'Put the file back, or start a new run with this one.' },
  );
}
