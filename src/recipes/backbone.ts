import { countOf } from '../counts.js';
import { turnCount } from '../data/rotation.js';
import { QuarterturnError } from '../errors.js';
import type { Network } from '../nn/network.js';
import { assertSameArchitecture, type RunStore } from '../store/checkpoint.js';
import type { Tensors } from '../tensor/tensor.js';
import { checkpointName, loadProgress } from '../train/loop.js';
import { readWeights } from '../train/state.js';
import { networkFor, type RecipeContext } from './context.js';
import type { RunSettings } from './settings.js';
import { pretrainName } from './stages/pretrain.js';

/** Checkpoint of a backbone that was pretrained in another run. */
const borrowedName = 'backbone';

/** Keep a backbone of another run in this one, so that it can be resumed and evaluated by itself. */
export async function saveBackbone(store: RunStore, weights: Tensors): Promise<void> {
  if (await store.loadState(borrowedName)) return;
  await store.saveCheckpoint(borrowedName, { tensors: weights, state: {} });
}

/** The backbone that was brought from another run; undefined if there is none. */
export async function borrowedBackbone(store: RunStore): Promise<Tensors | undefined> {
  return (await store.loadCheckpoint(borrowedName))?.tensors;
}

/**
 * The backbone that fine-tuning starts from: the one that was brought from another run, else the one pretrained here.
 * @throws QuarterturnError `checkpoint` if there is none, or one of another architecture
 */
export async function loadBackbone(context: RecipeContext): Promise<Tensors> {
  const { settings, store, data } = context;
  const weights = (await borrowedBackbone(store)) ?? (await loadPretrained(store, settings));
  const network = networkFor(settings.network, data.train.images, turnCount);
  const shapes = network.specs.map(({ name, shape }) => [name, shape] as const);
  assertSameArchitecture(
    Object.fromEntries(shapes.filter(([name]) => !inHead(name, network))),
    Object.fromEntries(Object.entries(weights).filter(([name]) => !inHead(name, network))),
    `${store.name}, backbone`,
  );
  return weights;
}

/**
 * The weights that a run's finished pretraining left.
 * @throws QuarterturnError `checkpoint` if it was not started or not finished
 */
export async function loadPretrained(store: RunStore, settings: RunSettings): Promise<Tensors> {
  const progress = await loadProgress(store, pretrainName, 0);
  const epoch = progress?.epoch ?? 0;
  const isFinished = epoch >= settings.pretrain.epochs;
  const saved = isFinished ? await store.loadCheckpoint(checkpointName(pretrainName, 0)) : undefined;
  if (saved) return readWeights(saved.tensors);
  const received = progress
    ? `${epoch} of ${countOf(settings.pretrain.epochs, 'epoch')}`
    : `no checkpoint "${pretrainName}"`;
  throw new QuarterturnError(
    'checkpoint',
    `${store.name}: expected a finished pretraining. Received: ${received}.`,
    {
      hint: progress
        ? `Finish it: quarterturn run --resume ${store.name}`
        : 'Run `quarterturn pretrain` first, and name its folder with --from.',
    },
  );
}

function inHead(tensorName: string, { head }: Network): boolean {
  return tensorName.startsWith(`${head.name}.`);
}
