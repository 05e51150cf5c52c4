import { explainGraph } from '../lower/explain.js';
import { lowerTraced } from '../lower/lower.js';
import { stageGraph } from '../recipes/plan/stage-graph.js';
import type { StageGraphName } from '../recipes/plan/stage-graph-names.js';
import { measureMachine } from '../runtime/machine.js';
import { createNodeRuntime } from '../runtime/node.js';
import { profileModel } from '../runtime/profile.node.js';
import {
  type Explained,
  explanationJson,
  formatExplanation,
  formatSubject,
  type Listing,
} from './explain-table.js';
import { type PlaceFlags, placeOf } from './place.js';
import { chosenSettings, type SettingFlags } from './settings.js';
import { traitsOf } from './terminal.js';

export interface ExplainFlags extends Pick<SettingFlags, 'preset' | 'width'>, PlaceFlags, Listing {
  readonly step?: StageGraphName;
  readonly batch?: number;
  /** GFLOP/s. */
  readonly peak?: number;
  /** GB/s. */
  readonly bandwidth?: number;
  /** False for `--no-profile`. */
  readonly profile: boolean;
  readonly json?: boolean;
}

/** MNIST's images, which the presets are made for. */
const images = { height: 28, width: 28, channels: 1, classes: 10 } as const;

/** Predict, measure and print. */
export async function explain(flags: ExplainFlags): Promise<void> {
  const { step = 'train', preset, width, peak, bandwidth } = flags;
  const settings = await chosenSettings({ ...(preset && { preset }), ...(width && { width }) }, 'pretrain');
  const place = placeOf(flags);
  const { graph, inputs, batchSize } = stageGraph(settings, images, step, flags.batch);
  const runtime = await createNodeRuntime(place);
  const measured = await measureMachine(runtime);
  const machine = {
    ...measured,
    ...(peak && { flopsPerSecond: peak * 1e9 }),
    ...(bandwidth && { bytesPerSecond: bandwidth * 1e9 }),
  };
  const subject = {
    step,
    preset: settings.preset,
    width: settings.network.width,
    batchSize,
    device: place.device,
    threads: place.threads,
    runtime: runtime.version,
    machine,
  };
  // First what is known: a full-width profile takes a while.
  if (!flags.json) process.stdout.write(formatSubject(subject));

  const traced = lowerTraced(graph, runtime.device);
  const profile = flags.profile ? await profileModel(traced.model, inputs, place) : undefined;
  const explained: Explained = {
    subject,
    ...explainGraph(graph, traced, machine, profile?.kernels),
    profile,
  };
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(explanationJson(explained), null, 2)}\n`
      : formatExplanation(explained, flags, traitsOf(process.stdout, process.env).columns()),
  );
}
