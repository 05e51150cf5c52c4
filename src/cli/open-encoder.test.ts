import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeMobileNet } from '../../test/support/encoders.js';
import { imagesInMemory } from '../data/image-source.js';
import { settingsFor } from '../recipes/presets.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import type { EncoderFlags } from './encoder-options.js';
import { encoderOfSettings, givenEncoder, withEncoder } from './open-encoder.js';
import { numbers } from './option-values.js';

let root: string;
let runtime: Runtime;
const closings: (() => Promise<void>)[] = [];
const notes: string[] = [];
const session = {
  note: (text: string) => notes.push(text),
  atEnd: (close: () => Promise<void>) => closings.push(close),
};
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'open-encoder-'));
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  await fs.writeFile(join(root, 'net.onnx'), encodeMobileNet());
});
afterAll(async () => {
  for (const close of closings) await close();
  await fs.rm(root, { recursive: true });
});

const given = (flags: EncoderFlags) =>
  givenEncoder({ cache: join(root, 'cache'), ...flags }, { runtime, session });

function images(size: number) {
  const pixels = new Uint8Array(2 * size * size * 3);
  const source = imagesInMemory({ name: 'x', pixels, height: size, width: size, channels: 3 });
  return { train: { images: source, classNames: [] } };
}

describe('--encoder', () => {
  test('opens a file, says what was found out of it, and keeps features', async () => {
    const encoder = await given({ encoder: join(root, 'net.onnx'), encoderMean: [0.5] });
    expect(encoder?.options).toMatchObject({ size: 32, mean: [0.5, 0.5, 0.5] });
    expect(notes.at(-1)).toMatch(/^Encoder {2}net: 32×32, NCHW, .*, 24 features$/);
    await encoder?.describe(images(32).train.images);
    expect(await fs.readdir(join(root, 'cache/features'))).toHaveLength(1);
  });

  test('is kept in the settings, and found again by them', async () => {
    const flags = { encoder: join(root, 'net.onnx'), encoderPool: 'none' } as const;
    const encoder = await given(flags);
    const settings = withEncoder(settingsFor('quick'), { encoder, data: images(32), flags });
    expect(settings.encoder).toMatchObject({ name: 'net', file: join(root, 'net.onnx'), alone: false });
    expect(withEncoder(settings, { encoder, data: images(224), flags }).encoder?.alone).toBe(true);
    const again = await encoderOfSettings(settings.encoder, { runtime, session });
    expect(again?.fingerprint).toBe(encoder?.fingerprint);
    // Put over settings that have one, as of a run that fine-tuning goes on from.
    const before = settings.encoder;
    expect((await givenEncoder({}, { runtime, session, before }))?.fingerprint).toBe(encoder?.fingerprint);

    await fs.writeFile(join(root, 'net.onnx'), encodeMobileNet({ features: 16 }));
    await expect(encoderOfSettings(settings.encoder, { runtime, session })).rejects.toMatchObject({
      code: 'checkpoint',
      message: expect.stringContaining('another network under that name'),
    });
  });

  test('none is none; a flag of one without it is told', async () => {
    expect(await given({})).toBeUndefined();
    expect(withEncoder(settingsFor('quick'), { encoder: undefined, data: images(32), flags: {} })).toEqual(
      settingsFor('quick'),
    );
    await expect(given({ encoderSize: 64 })).rejects.toMatchObject({
      code: 'usage',
      message: '--encoder-size: expected an --encoder, too. Received: none.',
    });
    await expect(given({ encoder: 'dinov2-small' })).rejects.toMatchObject({ code: 'data' });
  });

  test('numbers are written with commas', () => {
    expect(numbers('--encoder-mean')('0.485, 0.456,0.406')).toEqual([0.485, 0.456, 0.406]);
    expect(() => numbers('--encoder-mean')('0.4;0.5')).toThrow(
      '--encoder-mean: expected numbers with commas between. Received: 0.4;0.5.',
    );
  });
});
