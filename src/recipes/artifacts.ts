import { z } from 'zod';
import type { RunStore } from '../store/checkpoint.js';
import { sha256 } from '../store/digest.js';
import { isRecord, parseWith } from '../store/json.js';
import { encodeSafetensors } from '../store/safetensors.js';
import type { Tensors } from '../tensor/tensor.js';
import { checkpointName, loadProgress } from '../train/loop.js';
import { borrowedBackbone } from './backbone.js';
import type { RecipeContext } from './context.js';
import { classNamesOf, hasLabels, type LabelContext, labelledImages, labelledIndices } from './labels.js';
import { allStages } from './stages/registry.js';
import type { Stage } from './stages/stage.js';

export interface FingerprintOptions {
  /** The stages that a run has, which an outcome may depend on. */
  readonly stages: readonly Stage[];
  /** Of the backbone that was brought from another run; default: fine-tuning starts from the one that is pretrained. */
  readonly backbone?: string | undefined;
}

/**
 * One number for all that the outcome of a stage depends on: its settings, seed and network, the data, the labels of the draw,
 * the version of the stage, and the same of the stages that it goes on from. Where two runs have the same fingerprint, one
 * may take the other's checkpoint for its own. Machine and kernels are no part of it: their last digits differ.
 */
export class Fingerprints {
  readonly #context: LabelContext;
  readonly #options: FingerprintOptions;
  readonly #known = new Map<string, Promise<string | undefined>>();

  constructor(context: LabelContext, options: FingerprintOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** The fingerprints of a run in a store, with the backbone that was brought there. */
  static async in(
    context: LabelContext & Pick<RecipeContext, 'store'>,
    stages: readonly Stage[],
  ): Promise<Fingerprints> {
    const backbone = await borrowedBackbone(context.store);
    return new Fingerprints(context, {
      stages,
      backbone: backbone && (await fingerprintOfWeights(backbone)),
    });
  }

  /** @returns undefined if nothing says which data it is: then nothing is the same */
  of(stage: Stage, draw: number): Promise<string | undefined> {
    const name = checkpointName(stage.name, draw);
    const known = this.#known.get(name) ?? this.#find(stage, draw);
    this.#known.set(name, known);
    return known;
  }

  async #find(stage: Stage, draw: number): Promise<string | undefined> {
    const { settings, data } = this.#context;
    const { stages, backbone } = this.#options;
    const checksums = Object.entries(data.checksums).sort(([a], [b]) => (a < b ? -1 : 1));
    if (checksums.length === 0) return undefined;
    const before = stage
      .needs(settings)
      .map((needed) => (needed.isShared && backbone !== undefined ? backbone : this.of(needed, draw)));
    const heeded = stage.heedsEvidence
      ? stages
          .filter((other) => other.isShared || (other.learnWithout && other.heedsEvidence === undefined))
          .map((other) => this.of(other, draw))
      : [];
    return sha256(
      sortedJson([
        [stage.name, stage.version, stage.isShared ? 0 : draw],
        [settings.seed, settings.network, stage.dependsOn?.(this.#context) ?? stage.settingsOf(settings)],
        checksums,
        this.#labels(stage, draw),
        await Promise.all(before),
        await Promise.all(heeded),
        stage.heedsEvidence ? (backbone ?? null) : null,
      ]),
    );
  }

  /** What all draws share is trained on what draw 0 leaves unlabelled, whatever its labels say. */
  #labels({ isShared }: Stage, draw: number): unknown {
    if (!hasLabels(this.#context)) return null;
    if (isShared) return [...labelledIndices(this.#context, 0)].sort((a, b) => a - b);
    const { labels = [] } = labelledImages(this.#context, draw);
    return [classNamesOf(this.#context), [...labelledIndices(this.#context, draw)], [...labels]];
  }
}

/** JSON in which the fields of each object are in the order of their names: settings are the same whatever order they were put together in. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

function fingerprintOfWeights(weights: Tensors): Promise<string | undefined> {
  return sha256(encodeSafetensors(weights));
}

const artifactsSchema = z.record(z.string(), z.string());

/** What each checkpoint of a run was trained from: `artifacts.json`, the fingerprint of each by its name. */
export class Artifacts {
  readonly #store: RunStore;
  readonly #fingerprints: Map<string, string>;

  private constructor(store: RunStore, fingerprints: Map<string, string>) {
    this.#store = store;
    this.#fingerprints = fingerprints;
  }

  /** @throws QuarterturnError `checkpoint` if the store holds something else under its name */
  static async open(store: RunStore): Promise<Artifacts> {
    const saved = (await store.readJson('artifacts')) ?? {};
    const document = parseWith(
      artifactsSchema,
      saved,
      `${store.name}, artifacts.json`,
      'fingerprints by name',
      {
        code: 'checkpoint',
        hint: 'The file was changed or damaged: delete it, and the run takes its checkpoints on trust.',
      },
    );
    return new Artifacts(store, new Map(Object.entries(document)));
  }

  /** undefined for a checkpoint that an earlier version has saved, and for none. */
  fingerprintOf(checkpoint: string): string | undefined {
    return this.#fingerprints.get(checkpoint);
  }

  async set(checkpoint: string, fingerprint: string): Promise<void> {
    this.#fingerprints.set(checkpoint, fingerprint);
    await this.#store.writeJson('artifacts', Object.fromEntries(this.#fingerprints));
  }

  /**
   * Make sure that what the store holds of a stage is what would be trained now; what is not is deleted. A checkpoint
   * without a fingerprint, of an earlier version, is taken on trust: its run has the same settings and data.
   *
   * @param fingerprint of what would be trained
   * @returns false where something was deleted
   */
  async claim(checkpoint: string, fingerprint: string | undefined): Promise<boolean> {
    const before = this.fingerprintOf(checkpoint);
    if (fingerprint === undefined || before === fingerprint) return true;
    const saved = await this.#store.loadState(checkpoint);
    if (before === undefined && saved) return true;
    if (saved) await this.#store.deleteCheckpoint(checkpoint);
    await this.set(checkpoint, fingerprint);
    return before === undefined;
  }
}

export interface ReuseOptions {
  /** The stages to be run. */
  readonly stages: readonly Stage[];
  /** Runs that may have trained some of them. */
  readonly from: readonly RunStore[];
}

/**
 * Take finished stages over from other runs, their checkpoints and records, where they were trained from the same: what
 * was trained once is not trained again. What the store has begun itself stays as it is.
 */
export async function reuseStages(context: RecipeContext, { stages, from }: ReuseOptions): Promise<void> {
  const { settings, store, emit } = context;
  const [fingerprints, artifacts] = [await Fingerprints.in(context, stages), await Artifacts.open(store)];
  for (const other of from) {
    const theirs = await Artifacts.open(other);
    for (const stage of stages) {
      for (let draw = 0; draw < (stage.isShared ? 1 : settings.draws); draw++) {
        const name = checkpointName(stage.name, draw);
        const fingerprint = theirs.fingerprintOf(name);
        if (fingerprint === undefined || fingerprint !== (await fingerprints.of(stage, draw))) continue;
        const progress = await loadProgress(other, stage.name, draw);
        const epochs = stage.settingsOf(settings)?.epochs ?? Number.POSITIVE_INFINITY;
        const isFinished = (progress?.epoch ?? 0) >= epochs;
        if (!isFinished || (await store.loadState(name))) continue;
        const saved = await other.loadCheckpoint(name);
        if (!saved) continue;
        // The records first: what a checkpoint does not vouch for is dropped by the training, and no record is there twice.
        await store.rewindEpochs((record) => record.stage !== stage.name || record.draw !== draw);
        for (const record of await other.readEpochs()) {
          if (record.stage === stage.name && record.draw === draw) await store.appendEpoch(record);
        }
        await artifacts.set(name, fingerprint);
        await store.saveCheckpoint(name, saved);
        emit?.({ type: 'stage-reused', stage: stage.name, draw, from: other.name });
      }
    }
  }
}

/** The stages of these names, in their order. */
export function stagesNamed(
  names: readonly string[],
  registry: readonly Stage[] = allStages,
): readonly Stage[] {
  return registry.filter(({ name }) => names.includes(name));
}
