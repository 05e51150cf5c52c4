import { resolve } from 'node:path';
import { countOf } from '../counts.js';
import type { DataSource } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';
import { readEncoderFile } from '../features/encoder-files.node.js';
import { type EncoderOptions, knownEncoders } from '../features/encoder-settings.js';
import { withFeatureCache } from '../features/feature-cache.node.js';
import { type FrozenEncoder, openEncoder } from '../features/onnx-encoder.js';
import type { EncoderSettings, RunSettings } from '../recipes/settings.js';
import { openEncoderOf } from '../runs/open-run-encoder.node.js';
import type { Runtime } from '../runtime/runtime.js';
import type { EncoderFlags } from './encoder-options.js';
import { shownPath } from './paths.js';
import type { Session } from './session.js';

interface OpenOptions {
  readonly runtime: Runtime;
  readonly session: Pick<Session, 'note' | 'atEnd'>;
}

/**
 * The encoder that flags name, else the one of the settings that they are put over; undefined if there is none.
 * @throws QuarterturnError `usage` for flags of an encoder without one
 */
export async function givenEncoder(
  flags: EncoderFlags,
  { before, ...open }: OpenOptions & { readonly before?: EncoderSettings | undefined },
): Promise<FrozenEncoder | undefined> {
  const given = optionsOf(flags);
  if (flags.encoder === undefined) {
    const [name] = Object.keys(given);
    if (name !== undefined && before === undefined) {
      throw new QuarterturnError('usage', `--encoder-${name}: expected an --encoder, too. Received: none.`);
    }
    return encoderOfSettings(before, { ...open, cacheFolder: flags.cache });
  }
  const { bytes, known } = await readEncoderFile(flags.encoder, { cacheFolder: flags.cache });
  const options = { ...known?.options, ...given };
  return opened(flags.encoder, bytes, {
    ...{ options, cacheFolder: flags.cache, ...open },
    ...(known && { name: known.name }),
  });
}

function optionsOf(flags: EncoderFlags): EncoderOptions {
  return {
    ...(flags.encoderSize !== undefined && { size: flags.encoderSize }),
    ...(flags.encoderMean && { mean: [...flags.encoderMean] }),
    ...(flags.encoderStd && { std: [...flags.encoderStd] }),
    ...(flags.encoderLayout && { layout: flags.encoderLayout }),
    ...(flags.encoderOutput !== undefined && { output: flags.encoderOutput }),
    ...(flags.encoderPool && { pool: flags.encoderPool }),
  };
}

/**
 * The encoder that a run began with.
 * @throws QuarterturnError `checkpoint` if its file is another one by now
 */
export async function encoderOfSettings(
  settings: EncoderSettings | undefined,
  open: OpenOptions & { readonly cacheFolder?: string | undefined },
): Promise<FrozenEncoder | undefined> {
  if (settings === undefined) return undefined;
  const { runtime, cacheFolder, session } = open;
  const title = shownPath(settings.file);
  return noted(await openEncoderOf(settings, { runtime, cacheFolder, title }), session);
}

async function opened(
  file: string,
  bytes: Uint8Array<ArrayBuffer>,
  {
    runtime,
    session,
    options,
    name,
    cacheFolder,
  }: OpenOptions & {
    readonly options: EncoderOptions;
    readonly name?: string | undefined;
    readonly cacheFolder?: string | undefined;
  },
): Promise<FrozenEncoder> {
  const encoder = await openEncoder(shownPath(file), bytes, { ...options, runtime, ...(name && { name }) });
  return withFeatureCache(noted(encoder, session), { cacheFolder });
}

/** Says which it is, and releases it at the end. */
function noted(encoder: FrozenEncoder, session: OpenOptions['session']): FrozenEncoder {
  session.atEnd(() => encoder.release());
  const { input, dimensions } = encoder;
  const { output, pool, layout } = encoder.options;
  session.note(
    `Encoder  ${encoder.name}: ${input.height}×${input.width}, ${layout}, ${output}${pool === 'none' ? '' : ` (${pool})`}, ${countOf(dimensions, 'feature')}`,
  );
  return encoder;
}

/** Largest side of images that the networks of this package are trained on beside an encoder: hours, above it. */
const largestTrained = 96;

/** The settings with the encoder, as a resumed run finds it again. */
export function withEncoder(
  settings: RunSettings,
  {
    encoder,
    data,
    flags,
  }: {
    readonly encoder: FrozenEncoder | undefined;
    readonly data: Pick<DataSource, 'train'>;
    readonly flags: EncoderFlags;
  },
): RunSettings {
  if (!encoder) return settings;
  const isKnown = knownEncoders.some(({ name }) => name === flags.encoder);
  const file =
    flags.encoder === undefined ? settings.encoder?.file : isKnown ? flags.encoder : resolve(flags.encoder);
  const { height, width } = data.train.images;
  const { name, fingerprint, options } = encoder;
  const alone = Math.max(height, width) > largestTrained;
  return { ...settings, encoder: { name, file: file ?? name, fingerprint, options, alone } };
}
