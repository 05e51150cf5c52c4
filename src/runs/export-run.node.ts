import { basename, join } from 'node:path';
import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { describeModel, type ModelDescription } from '../model/describe-model.js';
import { preprocessingKey } from '../model/export-model.js';
import { trainingKey } from '../model/training-summary.js';
import { encodeWeights } from '../model/weights-file.js';
import { networkFor } from '../recipes/context.js';
import { classifierName } from '../recipes/run.js';
import { settingsOfConfig } from '../recipes/settings.js';
import { stageNamed } from '../recipes/stages/registry.js';
import type { RunStore } from '../store/checkpoint.js';
import { sha256 } from '../store/digest.js';
import type { RunFolder } from '../store/run-folder.node.js';
import { resultSchema } from '../store/run-record.js';
import { checkpointName } from '../train/loop.js';
import { readWeights } from '../train/state.js';
import { readConfig } from './finished-run.js';
import { modelCard } from './model-card.js';

const modelFile = `${classifierName}.onnx`;

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
  const { preprocessing, training, classNames } = model;
  const settings = settingsOfConfig(await readConfig(store), `${store.name}, config.json`);
  const network = networkFor(settings.network, model, model.classes);
  return encodeWeights({
    network: stageNamed(stage).networkOf?.(network) ?? network,
    weights: readWeights(checkpoint.tensors),
    classNames: classNames ?? Array.from({ length: model.classes }, (_, k) => String(k)),
    metadata: {
      ...(preprocessing && { [preprocessingKey]: JSON.stringify(preprocessing) }),
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
