import { add, div, log, mul, scoped, softmax, type Value } from '../graph/index.js';
import { type Tensor, type Tensors, tensor } from '../tensor/tensor.js';
import { type Bindings, type Block, type LayerInfo, type ParamSpec, specsOf } from './block.js';
import { applyBlocks, type Network } from './network.js';

/** A part of a mixture: how much it counts, and what its logits are divided by. */
export interface MemberShare {
  /** 0–1; those of all members sum to 1. */
  readonly share: number;
  /** T > 0. */
  readonly temperature: number;
}

/** Several networks of one architecture that answer as one. */
export interface MixtureNetwork extends Network {
  /** Names of its members, which the names of their tensors begin with. */
  readonly members: readonly string[];
}

/** A probability below this counts as this: its logarithm stays a number. */
const leastProbability = 1e-12;

/**
 * A network that mixes the probabilities of several networks of one architecture (a linear opinion pool):
 *
 *   logits = ln Σ share · softmax(member's logits / temperature)
 *
 * Shares and temperatures are tensors of the network beside those of its members, so that it is kept, evaluated and exported as any
 * other is. It is not trained: {@link mixtureWeights} makes its tensors from those of trained networks.
 *
 * @param network the architecture of each member
 * @param members names of the members, plain words
 * @example
 * const mixture = mixtureOf(createNetwork(settings, 10), ['finetune', 'selfTrain']);
 * @see Stone, "The opinion pool", 1961; Breiman, "Stacked regressions", 1996
 */
export function mixtureOf(network: Network, members: readonly string[]): MixtureNetwork {
  const { classes } = network;
  const parts = [...network.blocks, network.head];
  const layersOf = (member: string): LayerInfo[] => [
    ...parts.flatMap(({ layers }) =>
      layers.map(({ name, params, ...layer }) => ({
        ...{ ...layer, name: `${member}.${name}` },
        params: params.map((spec) => ({ ...spec, name: `${member}.${spec.name}` })),
      })),
    ),
    {
      name: member,
      type: 'Share',
      outputShape: [classes],
      params: [shareSpec(member), temperatureSpec(member)],
    },
  ];
  const pool: Block = {
    name: 'members',
    layers: members.flatMap(layersOf),
    outputShape: [classes],
    apply: (images, bindings) =>
      members
        .map((member) => scoped(member, () => partOf(network, member, images, bindings)))
        .reduce((sum, part) => add(sum, part)),
  };
  const head: Block = {
    name: 'mixture',
    layers: [],
    outputShape: [classes],
    apply: (probabilities) => scoped('mixture', () => log(add(probabilities, leastProbability))),
  };
  return {
    title: `${members.length} × ${network.title}`,
    settings: { ...network.settings, ...{ members } },
    ...{ classes, blocks: [pool], head, specs: specsOf([pool, head]), members },
  };
}

/** What a member adds to the probabilities. */
function partOf(network: Network, member: string, images: Value, bindings: Bindings): Value {
  const own = bindings.within(`${member}.`);
  const all = { frozen: network.blocks.length, norm: 'stored' } as const;
  const logits = network.head.apply(applyBlocks(network, images, own, all), own, 'stored');
  const calibrated = div(logits, bindings.get(temperatureSpec(member).name));
  return mul(softmax(calibrated), bindings.get(shareSpec(member).name));
}

const shareSpec = (member: string): ParamSpec => scalarSpec(`${member}.share`);
const temperatureSpec = (member: string): ParamSpec => scalarSpec(`${member}.temperature`);

function scalarSpec(name: string): ParamSpec {
  return { name, shape: [1], initializer: 'ones', kind: 'buffer' };
}

/** The tensors of a mixture, from those of its members. @param parts weights and share of each member, by its name */
export function mixtureWeights(
  { members }: MixtureNetwork,
  parts: Readonly<Record<string, MemberShare & { readonly weights: Tensors }>>,
): Tensors {
  const entries = members.flatMap((member): [string, Tensor][] => {
    const part = parts[member];
    if (part === undefined) throw new RangeError(`mixture: no weights of ${member}`);
    const own = Object.entries(part.weights).map(([name, t]): [string, Tensor] => [`${member}.${name}`, t]);
    return [
      ...own,
      [shareSpec(member).name, one(part.share)],
      [temperatureSpec(member).name, one(part.temperature)],
    ];
  });
  return Object.fromEntries(entries);
}

const one = (value: number): Tensor<'float32'> => tensor('float32', [1], Float32Array.of(value));
