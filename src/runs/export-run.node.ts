import { basename, join } from 'node:path';
import { z } from 'zod';
import { turnCount } from '../data/rotation.js';
import { QuarterturnError } from '../errors.js';
import { abstentionKey } from '../model/abstention.js';
import { describeModel, type ModelDescription } from '../model/describe-model.js';
import { exportEncoder } from '../model/export-encoder.js';
import { preprocessingKey } from '../model/export-model.js';
import { trainingKey } from '../model/training-summary.js';
import { encodeWeights } from '../model/weights-file.js';
import { borrowedBackbone, loadPretrained } from '../recipes/backbone.js';
import { networkFor } from '../recipes/context.js';
import { classifierName } from '../recipes/run.js';
import { settingsOfConfig } from '../recipes/settings.js';
import { finetuneName, scratchName } from '../recipes/stages/finetune.js';
import { pretrainName } from '../recipes/stages/pretrain.js';
import { activityOf, stageNamed } from '../recipes/stages/registry.js';
import { selfTrainName } from '../recipes/stages/self-train-tasks.js';
import type { RunStore } from '../store/checkpoint.js';
import { sha256 } from '../store/digest.js';
import type { RunFolder } from '../store/run-folder.node.js';
import { resultSchema } from '../store/run-record.js';
import type { ImageSize } from '../tensor/image-size.js';
import type { Tensors } from '../tensor/tensor.js';
import { checkpointName } from '../train/loop.js';
import { readWeights } from '../train/state.js';
import { readConfig } from './finished-run.js';
import { modelCard } from './model-card.js';

const modelFile = `${classifierName}.onnx`;

/**
 * Blocks of a backbone that images go through, unless somebody says otherwise. The last block of a pretrained one tells turns apart
 * and little else, that of a network which was told classes knows these best: docs/encoders.md has what was measured.
 */
function defaultBlocks(stage: EncoderStage): number | undefined {
  return stage === pretrainName ? 2 : undefined;
}

/** The stages whose backbone describes images: each trains one of the run's own network. */
export const encoderStages = [pretrainName, finetuneName, scratchName, selfTrainName] as const;
export type EncoderStage = (typeof encoderStages)[number];

export interface RunEncoderOptions {
  /** Whose backbone; default: that which was pretrained on rotations, here or in the run that it was taken from. */
  readonly stage?: EncoderStage | undefined;
  /** How many of its blocks images go through; default: {@link defaultBlocks}. */
  readonly blocks?: number | undefined;
}

/**
 * The backbone that a run trained, as an ONNX file that describes images; of several draws that of the first. No classifier is
 * needed.
 * @throws QuarterturnError `checkpoint` if the stage has not been finished, `usage` for blocks that it does not have
 */
export async function exportRunEncoder(
  store: RunStore,
  { stage = pretrainName, blocks = defaultBlocks(stage) }: RunEncoderOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const config = await readConfig(store);
  const settings = settingsOfConfig(config, `${store.name}, config.json`);
  const weights =
    stage === pretrainName
      ? ((await borrowedBackbone(store)) ?? (await loadPretrained(store, settings)))
      : await finishedWeights(store, stage);
  // Its head is left out: how many classes it tells apart does not matter.
  const network = networkFor(settings.network, await imageSizeOf(store, config), turnCount);
  return exportEncoder({ network, weights, blocks });
}

/** @throws QuarterturnError `checkpoint` if a stage of draw 0 has not left a figure, which it does at its end */
async function finishedWeights(store: RunStore, stage: string): Promise<Tensors> {
  const result = resultSchema.safeParse(await store.readJson('result')).data;
  const isFinished = result && stageNamed(stage).figures.some((figure) => result[figure] !== null);
  const saved = isFinished ? await store.loadCheckpoint(checkpointName(stage, 0)) : undefined;
  if (saved) return readWeights(saved.tensors);
  throw new QuarterturnError(
    'checkpoint',
    `${store.name}: expected a run that has finished ${activityOf(stage)}. Received: ${result ? `one without ${isFinished ? 'its checkpoint' : 'it'}` : 'one that has no result.json yet'}.`,
    { hint: `Train what is missing: quarterturn run --resume ${store.name}` },
  );
}

/** The size of the images that a run learned from. Runs of earlier versions tell it by their classifier alone. */
async function imageSizeOf(store: RunStore, config: Readonly<Record<string, unknown>>): Promise<ImageSize> {
  const known = imageSizeSchema.safeParse(config.imageSize);
  if (known.success) return known.data;
  const bytes = await store.readModel(classifierName);
  if (bytes) return describeModel(join(store.name, 'models', modelFile), bytes);
  throw new QuarterturnError(
    'checkpoint',
    `${store.name}, config.json: expected imageSize, the size of the images. Received: none.`,
    { hint: 'The run was started by an earlier version: pretrain again.' },
  );
}

const side = z.int().min(1);
const imageSizeSchema = z.object({ height: side, width: side, channels: side });

/**
 * The weights of the classifier that a run kept, as a safetensors file: from the checkpoint of its stage, since an ONNX file
 * has no names for them.
 * @throws QuarterturnError `checkpoint` if the run has no classifier yet, or has lost the checkpoint that it came from
 */
export async function exportWeights(store: RunStore): Promise<Uint8Array> {
  const model = describeModel(join(store.name, 'models', modelFile), await readKeptModel(store));
  const result = resultSchema.safeParse(await store.readJson('result')).data;
  const stage = result?.final?.stage;
  const checkpoint = stage && (await store.loadCheckpoint(checkpointName(stage, 0)));
  if (!checkpoint) {
    throw new QuarterturnError(
      'checkpoint',
      `${store.name}: expected the checkpoint that its classifier came from. Received: ${stage === undefined ? 'no result.json that names a stage' : `no checkpoint "${stage}"`}.`,
      { hint: `Train what is missing: quarterturn run --resume ${store.name}` },
    );
  }
  const { preprocessing, abstention, training, classNames } = model;
  const settings = settingsOfConfig(await readConfig(store), `${store.name}, config.json`);
  const network = networkFor(settings.network, model, model.classes);
  return encodeWeights({
    network: stageNamed(stage).networkOf?.(network) ?? network,
    weights: readWeights(checkpoint.tensors),
    classNames: classNames ?? Array.from({ length: model.classes }, (_, k) => String(k)),
    metadata: {
      ...(preprocessing && { [preprocessingKey]: JSON.stringify(preprocessing) }),
      ...(abstention && { [abstentionKey]: JSON.stringify(abstention) }),
      ...(training && { [trainingKey]: JSON.stringify(training) }),
    },
  });
}

/**
 * The model card of a classifier's file; see `modelCard`.
 * @param data what its pictures are called, if that is known
 */
export async function cardOf(
  bytes: Uint8Array,
  { file, data }: { readonly file: string; readonly data?: string | undefined },
): Promise<string> {
  const model: ModelDescription = describeModel(file, bytes);
  return modelCard(model, { file, data, sha256: await sha256(Uint8Array.from(bytes)) });
}

/**
 * Writes `models/README.md` of a run, the model card of its classifier, where it has one.
 * @returns its path
 */
export async function writeCard(folder: RunFolder): Promise<string | undefined> {
  const bytes = await folder.readModel(classifierName);
  return bytes && folder.writeCard(await cardOf(bytes, { file: modelFile, data: await dataName(folder) }));
}

const dataSchema = z.object({ data: z.object({ origin: z.string() }) });

/** The last part of where a run's data lay: the whole path is nobody else's business. */
export async function dataName(store: Pick<RunStore, 'name' | 'readJson'>): Promise<string | undefined> {
  const { data } = dataSchema.safeParse(await readConfig(store));
  return data && basename(data.data.origin);
}

/** @throws QuarterturnError `checkpoint` if a run has no classifier yet */
async function readKeptModel(store: RunStore): Promise<Uint8Array> {
  const bytes = await store.readModel(classifierName);
  if (bytes) return bytes;
  throw new QuarterturnError(
    'checkpoint',
    `${store.name}: expected a classifier. Received: a run without one.`,
    {
      hint: `Train one: quarterturn run --resume ${store.name}`,
    },
  );
}
