import type { BatchMakerFor } from '../data/batch-maker.js';
import type { DataSource } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';
import { meanCost, suggestedLabels, type Variant, variantStages, variants } from '../recipes/ablation.js';
import { Fingerprints, stagesNamed } from '../recipes/artifacts.js';
import { loadPretrained } from '../recipes/backbone.js';
import { withLocatedLabels } from '../recipes/labels.js';
import { measureSpeeds } from '../recipes/plan/measure-speeds.js';
import { predictMs } from '../recipes/plan/run-cost.js';
import { parseSettings, type RunSettings, settingsOfConfig } from '../recipes/settings.js';
import { finetuneName } from '../recipes/stages/finetune.js';
import { pretrainName } from '../recipes/stages/pretrain.js';
import { stagesOf } from '../recipes/stages/registry.js';
import type { Speeds } from '../recipes/stages/speeds.js';
import { type Cost, costOf } from '../recipes/stages.js';
import { type AblationRow, ablationRow } from '../report/ablation.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RunStore } from '../store/checkpoint.js';
import { assertSameData, assertSameSettings, fingerprintIn } from '../store/fingerprint.js';
import { resultSchema } from '../store/run-record.js';
import type { Tensors } from '../tensor/tensor.js';
import { type Ablation, type AblationEvent, type AblationStore, listenerOfRun } from './ablation.js';
import { readConfig } from './finished-run.js';
import { startRun } from './start-run.js';

/** Context in which the variants run. */
export interface AblationContext {
  readonly data: DataSource;
  readonly runtime: Runtime;
  readonly emit: (event: AblationEvent) => void;
  readonly signal: AbortSignal | undefined;
  readonly peakMemoryBytes: (() => number) | undefined;
  readonly batchMakerFor: BatchMakerFor | undefined;
  /** Of the backbone. */
  readonly blocks: number;
}

/** A variant with its settings, and where its run lies. */
interface PlannedRun {
  readonly variant: Variant;
  readonly settings: RunSettings;
  /** Beside pretraining. */
  readonly stages: readonly string[];
  /** Fingerprints of those stages, in draw 0; of a variant whose labels are still to be found, none. */
  readonly fingerprints: readonly (string | undefined)[];
}

/** Name of the run that pretrains for all variants. */
const pretrainingName = 'pretraining';

/** Measures the variants of one table, each in its run. */
export class AblationRuns {
  readonly #store: AblationStore;
  readonly #context: AblationContext;
  #ablation: Ablation;
  #speeds: Speeds | undefined;
  /** How much slower than measured at first the runs really are. */
  #slowness = 1;

  constructor(store: AblationStore, ablation: Ablation, context: AblationContext) {
    this.#store = store;
    this.#ablation = ablation;
    this.#context = context;
  }

  /**
   * Trains what is missing.
   * @returns the table, without variants that failed
   */
  async measure(): Promise<Ablation> {
    const { emit, data, runtime, signal, batchMakerFor } = this.#context;
    const planned: PlannedRun[] = [];
    for (const variant of variants) {
      if (this.#ablation.variants.includes(variant.name)) planned.push(await this.#plan(variant));
    }
    const known = new Map<string, AblationRow>();
    for (const each of planned) {
      const row = await this.#rowOf(each);
      if (row) known.set(each.variant.name, row);
    }
    const missing = planned.filter(({ variant }) => !known.has(variant.name));
    if (missing.length === 0) {
      emit({ type: 'ablation-complete', folder: this.#store.name });
    } else {
      const { settings } = this.#ablation;
      const stages = new Set([...stagesOf(settings), ...missing.flatMap(({ stages }) => stages)]);
      this.#speeds = await measureSpeeds(
        { data, runtime, signal, emit: listenerOfRun(emit), batchMakerFor, settings },
        { stages: [...stages] },
      );
      const needsPretraining = ({ variant, stages }: PlannedRun) =>
        variant.suggests || stages.includes(finetuneName);
      if (missing.some(needsPretraining)) await this.#pretrain();
    }
    for (const [i, each] of missing.entries()) {
      const { name, title } = each.variant;
      const etaMs = this.#predictedMs(missing.slice(i), planned);
      const row = planned.indexOf(each);
      emit({ type: 'variant-start', variant: name, title, row, rows: planned.length, etaMs });
      const measured = await this.#train(each, planned);
      if (measured) known.set(name, measured);
      else emit({ type: 'variant-failed', variant: name, title });
      await this.#save(planned, known);
    }
    await this.#save(planned, known);
    return this.#ablation;
  }

  async #plan(variant: Variant, suggested?: RunSettings['labels']): Promise<PlannedRun> {
    const { blocks, data } = this.#context;
    const changed = variant.change(this.#ablation.settings, { blocks, suggested: suggested ?? undefined });
    const located = await withLocatedLabels({ settings: parseSettings(changed), data });
    const { settings } = located;
    const names = variantStages(variant, settings);
    const stages = stagesNamed(names);
    // Those that start from a backbone have the same one.
    const options = { stages, backbone: pretrainingName };
    const fingerprints = new Fingerprints(located, options);
    const areLabelsKnown = !variant.suggests || suggested !== undefined;
    return {
      variant,
      settings,
      stages: names,
      fingerprints: areLabelsKnown ? await Promise.all(stages.map((stage) => fingerprints.of(stage, 0))) : [],
    };
  }

  async #save(planned: readonly PlannedRun[], known: ReadonlyMap<string, AblationRow>): Promise<void> {
    const rows = planned.flatMap(({ variant }) => known.get(variant.name) ?? []);
    this.#ablation = { ...this.#ablation, rows };
    await this.#store.write(this.#ablation);
  }

  /** Result of a finished run; undefined if it is not finished. */
  async #rowOf({ variant, stages, settings: wanted }: PlannedRun): Promise<AblationRow | undefined> {
    const store = await this.#store.readRun(variant.name);
    const saved = resultSchema.safeParse(await store?.readJson('result'));
    if (!store || !saved.success) return undefined;
    const settings = await this.#settingsOf(store);
    // Which labels were suggested, only its own folder knows.
    const expected = variant.suggests ? { ...wanted, labels: settings.labels } : wanted;
    assertSameSettings(store.name, settings, expected);
    const metrics = saved.data.draws.flatMap((draw) => draw[variant.figure] ?? []);
    if (metrics.length < Math.max(settings.draws, saved.data.draws.length)) return undefined;
    const pretraining = stages.includes(finetuneName) ? await this.#pretrainingCost() : undefined;
    const cost = await meanCost(stages, { store, settings }, pretraining);
    return ablationRow(
      variant,
      metrics.map(({ accuracy }) => accuracy),
      cost,
    );
  }

  /**
   * The settings of a run of this table.
   * @throws QuarterturnError `checkpoint` if it is one on other data, whatever brought it here
   */
  async #settingsOf(store: RunStore): Promise<RunSettings> {
    const config = await readConfig(store);
    assertSameData(store.name, fingerprintIn(config), this.#context.data);
    const { data } = this.#context;
    const located = await withLocatedLabels({ settings: settingsOfConfig(config, store.name), data });
    return located.settings;
  }

  async #pretrainingCost(): Promise<Cost | undefined> {
    const store = await this.#store.readRun(pretrainingName);
    return store && costOf({ store }, pretrainName, 0);
  }

  get #pretrainingSettings(): RunSettings {
    return { ...this.#ablation.settings, draws: 1, selfTrain: null };
  }

  /** The run that all variants take their backbone from. */
  async #pretraining(): Promise<RunStore> {
    const store = await this.#store.readRun(pretrainingName);
    if (store) return store;
    throw new QuarterturnError(
      'checkpoint',
      `${this.#store.name}: expected its pretraining. Received: none.`,
    );
  }

  async #pretrain(): Promise<void> {
    const settings = this.#pretrainingSettings;
    const store = await this.#store.readRun(pretrainingName);
    if (store && (await store.readJson('result'))) {
      return assertSameSettings(store.name, await this.#settingsOf(store), settings);
    }
    this.#context.emit({ type: 'shared-pretraining' });
    await this.#run(pretrainingName, { settings, stages: [pretrainName], reuse: [] });
  }

  /** @returns undefined if a stage failed */
  async #train(planned: PlannedRun, all: readonly PlannedRun[]): Promise<AblationRow | undefined> {
    const { variant, stages } = planned;
    const settings = variant.suggests ? await this.#settingsWithLabels(planned) : planned.settings;
    const predicted = this.#predictedMs([planned], all) / this.#slowness;
    const started = performance.now();
    const reuse: RunStore[] = [];
    for (const other of all) {
      const store = other === planned ? undefined : await this.#store.readRun(other.variant.name);
      if (!store || (await store.readJson('config')) === undefined) continue;
      await this.#settingsOf(store);
      reuse.push(store);
    }
    const backbone = stages.includes(finetuneName)
      ? await loadPretrained(await this.#pretraining(), this.#pretrainingSettings)
      : undefined;
    await this.#run(variant.name, { settings, stages, reuse, backbone });
    this.#slowness = Math.max(0.2, Math.min(5, (performance.now() - started) / predicted));
    return this.#rowOf({ ...planned, settings });
  }

  async #settingsWithLabels({ variant }: PlannedRun): Promise<RunSettings> {
    const begun = await this.#store.readRun(variant.name);
    if (begun && (await begun.readJson('config'))) return this.#settingsOf(begun);
    const { data, runtime, signal } = this.#context;
    const emit = listenerOfRun(this.#context.emit);
    const context = { data, runtime, signal, emit, settings: this.#pretrainingSettings };
    const labels = await suggestedLabels({ ...context, store: await this.#pretraining() });
    return (await this.#plan(variant, labels)).settings;
  }

  async #run(
    name: string,
    run: {
      readonly settings: RunSettings;
      readonly stages: readonly string[];
      readonly reuse: readonly RunStore[];
      readonly backbone?: Tensors | undefined;
    },
  ): Promise<void> {
    const { data, runtime, signal, peakMemoryBytes, batchMakerFor } = this.#context;
    const opened = await this.#store.openRun(name);
    try {
      const { environment } = this.#ablation;
      const { store } = opened;
      const emit = listenerOfRun(this.#context.emit);
      await startRun({
        ...run,
        data,
        runtime,
        store,
        signal,
        emit,
        environment,
        peakMemoryBytes,
        batchMakerFor,
      }).result;
      await opened.writeReport?.();
    } finally {
      await opened.close();
    }
  }

  /** Time of some runs, what an earlier variant trains for them not counted. */
  #predictedMs(runs: readonly PlannedRun[], all: readonly PlannedRun[]): number {
    const speeds = this.#speeds;
    if (!speeds) return 0;
    const ms = runs.map((each) => {
      const earlier = new Set(all.slice(0, all.indexOf(each)).flatMap(({ fingerprints }) => fingerprints));
      const own = each.stages.filter((_, i) => {
        const fingerprint = each.fingerprints[i];
        return fingerprint === undefined || !earlier.has(fingerprint);
      });
      return predictMs(each.settings, own, speeds);
    });
    return this.#slowness * ms.reduce((sum, each) => sum + each, 0);
  }
}
