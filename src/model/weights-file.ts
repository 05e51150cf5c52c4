import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { mixtureOf } from '../nn/mixture.js';
import { backboneNames, createNetwork, type Network } from '../nn/network.js';
import { assertSameArchitecture } from '../store/checkpoint.js';
import { decodeSafetensors, encodeSafetensors } from '../store/safetensors.js';
import { type Tensors, tensorNamed } from '../tensor/tensor.js';
import { classNamesKey } from './export-model.js';

/** Metadata key of what the weights belong to, JSON of a network's settings and its number of classes. */
export const networkKey = 'quarterturn.network';

const numbers = z.array(z.number()).readonly();
const networkSchema = z.object({
  backbone: z.enum(backboneNames),
  width: z.number().positive(),
  batchNormEpsilon: z.number().positive().optional(),
  image: z.object({ height: z.int().min(1), width: z.int().min(1), channels: z.int().min(1) }),
  normalisation: z
    .object({ scale: z.number().optional(), mean: numbers.optional(), deviation: numbers.optional() })
    .optional(),
  classes: z.int().min(1),
  /** Names of the networks that are mixed; absent of one network. */
  members: z.array(z.string().min(1)).min(1).readonly().optional(),
});

export interface WeightsFileOptions {
  readonly network: Network;
  /** All tensors of the network; others are left out. */
  readonly weights: Tensors;
  /** One name for each of the network's classes, in their order. */
  readonly classNames: readonly string[];
  /** More to say of them, by key; default: nothing. The keys of a classifier's ONNX file are understood. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Content of a file of {@link encodeWeights}. */
export interface WeightsFile {
  /** Built anew from the file's settings. */
  readonly network: Network;
  readonly weights: Tensors;
  readonly classNames: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes the weights of a network as one safetensors file: a uint64 header length, a JSON header, then the data, without gaps.
 *
 * Tensors have the names and layouts of the network's own (`block1.conv1.kernel`: float32 [H, W, in, out]). The metadata has
 * the class names, and the settings that the network is built from.
 *
 * @example
 * await writeFile('weights.safetensors', encodeWeights({ network, weights, classNames: ['cat', 'dog'] }));
 * @throws QuarterturnError `usage` if names and classes differ in number, `checkpoint` for tensors of another network
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeWeights({ network, weights, classNames, metadata }: WeightsFileOptions): Uint8Array {
  const { specs, settings, classes } = network;
  if (classNames.length !== classes) {
    throw new QuarterturnError(
      'usage',
      `classNames: expected ${classes}, one for each class of the network. Received: ${classNames.length}.`,
    );
  }
  const shapes = Object.fromEntries(specs.map(({ name, shape }) => [name, shape]));
  const own = Object.fromEntries(Object.entries(weights).filter(([name]) => Object.hasOwn(shapes, name)));
  assertSameArchitecture(shapes, own, 'weights');
  return encodeSafetensors(own, {
    ...metadata,
    [classNamesKey]: JSON.stringify(classNames),
    [networkKey]: JSON.stringify({ ...settings, classes }),
  });
}

/**
 * Reads a file of {@link encodeWeights}, without trusting it.
 *
 * @param name the file, for messages
 * @example
 * const { network, weights, classNames } = decodeWeights('weights.safetensors', await readFile('weights.safetensors'));
 * const model = exportClassifier({ network, weights, classNames });
 * @throws QuarterturnError `checkpoint` if it is no safetensors file, lacks what it has to say of its network, or holds
 *   tensors of another one
 */
export function decodeWeights(name: string, bytes: Uint8Array): WeightsFile {
  const { tensors, metadata } = decodeSafetensors(name, bytes);
  const said = parsedIn(name, metadata, networkKey, networkSchema);
  const { classes, members, ...settings } = said;
  const member = createNetwork(settings, classes);
  const network = members ? mixtureOf(member, members) : member;
  const classNames = parsedIn(name, metadata, classNamesKey, z.array(z.string()).length(classes));
  assertSameArchitecture(
    Object.fromEntries(network.specs.map(({ name, shape }) => [name, shape])),
    tensors,
    name,
  );
  return {
    network,
    weights: Object.fromEntries(network.specs.map(({ name }) => [name, tensorNamed(tensors, name)])),
    classNames,
    metadata,
  };
}

function parsedIn<T>(
  name: string,
  metadata: Readonly<Record<string, string>>,
  key: string,
  schema: z.ZodType<T>,
): T {
  const text = metadata[key];
  const found = schema.safeParse(jsonOf(text));
  if (found.success) return found.data;
  throw new QuarterturnError(
    'checkpoint',
    `${name}, metadata ${key}: expected what encodeWeights writes there. Received: ${text?.slice(0, 60) ?? 'none'}.`,
    { hint: 'Export it again: quarterturn export runs/<run> --safetensors weights.safetensors' },
  );
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
