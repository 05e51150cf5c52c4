import { availableParallelism } from 'node:os';
import {
  findNearDuplicates,
  gradientEncoder,
  hashImages,
  MemoryStore,
  nearestLabelCurve,
  predictRunMs,
  type Runtime,
  readConfig,
  selectImages,
  settingsFor,
  suggest,
} from '../../../index.js';
import { createNodeRuntime, environmentIn, type ReadImages, RunFolder, readRunData } from '../../../node.js';
import { type PileSource, placeOfSource } from '../pile-source.js';
import { presetNames } from '../runs/trainer.js';
import { readAnswers, readFeatures, readMap, writeMap } from './answer-files.node.js';
import { answerPile } from './answer-pile.node.js';
import { disagreements } from './disagreements.js';
import type { Inquiries, InquiryName, InquiryTask } from './inquiry.js';
import { pileMap } from './pile-map.js';
import { AnswersByImage } from './run-answers.js';

export interface PlaceToInquire {
  readonly onProgress: (progress: number) => void;
  /** Default: all cores. */
  readonly threads?: number | undefined;
  readonly cacheFolder?: string | undefined;
}

type Answer<N extends InquiryName> = (
  task: Inquiries[N]['task'],
  place: PlaceToInquire,
) => Promise<Inquiries[N]['result']>;

/** Find something out in this process. */
export async function inquire(task: InquiryTask, place: PlaceToInquire): Promise<unknown> {
  switch (task.name) {
    case 'answers':
      return answers(task, place);
    case 'suggest':
      return suggestions(task, place);
    case 'nearDuplicates':
      return duplicates(task, place);
    case 'map':
      return map(task, place);
    case 'plan':
      return plan(task, place);
    case 'learningCurve':
      return learningCurve(task, place);
  }
}

const runtimeOf = ({ threads = availableParallelism() }: PlaceToInquire): Promise<Runtime> =>
  createNodeRuntime({ device: 'cpu', threads });

const dataOf = (source: PileSource, { cacheFolder }: PlaceToInquire): Promise<ReadImages> =>
  readRunData(placeOfSource(source), { cacheFolder });

const answers: Answer<'answers'> = async ({ run, runId, folder }, place) => {
  const store = await RunFolder.open(run, { readOnly: true });
  const config = await readConfig(store);
  await using data = await readRunData(environmentIn(config), { cacheFolder: place.cacheFolder });
  await answerPile({
    ...{ store, runId, data, folder, runtime: await runtimeOf(place) },
    onProgress: place.onProgress,
  });
  return null;
};

const suggestions: Answer<'suggest'> = async ({ source, run, labelled, labels, answers, count }, place) => {
  await using data = await dataOf(source, place);
  const { images } = data.train;
  const done = new Set(labelled);
  const hashes = await hashImages(
    images,
    Array.from({ length: images.count }, (_, i) => i),
  );
  const indices = hashes.flatMap((hash, index) => (done.has(hash) ? [index] : []));
  const context = {
    settings: { ...settingsFor('quick'), labels: null },
    ...{ data, runtime: await runtimeOf(place) },
    store: run === undefined ? new MemoryStore() : await RunFolder.open(run, { readOnly: true }),
    emit: (event: { readonly type: string }) => {
      if ('done' in event && 'total' in event) place.onProgress(Number(event.done) / Number(event.total));
    },
  };
  const { images: found } = await suggest(context, { count, labelled: Uint32Array.from(indices) });
  const suggested = found.map(({ image, share, between }) => ({
    image,
    reason:
      share !== undefined
        ? { kind: 'typical' as const, share }
        : {
            kind: 'unsure' as const,
            between: (between ?? []).map(({ className, probability }) => ({ name: className, probability })),
          },
  }));
  // With so few labels that typical images teach more, neither side knows much.
  if (answers === undefined || suggested[0]?.reason.kind !== 'unsure') return suggested;
  const torn = await tornImages(answers, { labelled: done, labels, count: Math.ceil(count / everyTorn) });
  const isTorn = new Set(torn.map(({ image }) => image));
  const others = suggested.filter(({ image }) => !isTorn.has(image));
  return torn
    .flatMap((each, i) => [each, ...others.slice(i * (everyTorn - 1), (i + 1) * (everyTorn - 1))])
    .concat(others.slice(torn.length * (everyTorn - 1)))
    .slice(0, count);
};

/** One of so many suggestions is an image of which the network and its neighbours say different things. */
const everyTorn = 4;

/** Images of which a run's classifier and the labelled images near to them say different things. */
async function tornImages(
  folder: string,
  {
    labelled,
    labels,
    count,
  }: {
    readonly labelled: ReadonlySet<string>;
    readonly labels: Inquiries['suggest']['task']['labels'];
    readonly count: number;
  },
) {
  const answers = await readAnswers(folder).catch(() => undefined);
  if (answers?.features == null) return [];
  const { rows, dimensions } = answers.features;
  const { images, classNames } = answers;
  const features = await readFeatures(folder, answers.features);
  const byImage = new AnswersByImage(answers);
  const labelOf = new Map(labels);
  const ids = rows.map((row) => images[row] ?? '');
  const found = disagreements({
    ...{ features, dimensions, classNames },
    // What nobody can tell is not asked again.
    count: count + labelled.size,
    labels: ids.map((id) => classNames.indexOf(labelOf.get(id) ?? '')),
    said: ids.map((id) => byImage.of(id) ?? { class: -1, probability: 0 }),
  });
  return found
    .map(({ row, network, neighbours }) => ({
      image: ids[row] ?? '',
      reason: { kind: 'disagreement' as const, between: [network, neighbours] },
    }))
    .filter(({ image }) => !labelled.has(image))
    .slice(0, count);
}

const duplicates: Answer<'nearDuplicates'> = async ({ source }, place) => {
  await using data = await dataOf(source, place);
  const { images } = data.train;
  const groups = await findNearDuplicates(images, { emit: shareOf(place) });
  const hashes = await hashImages(images, groups.flat());
  let at = 0;
  // An array may hold an image twice, which is no near duplicate.
  return groups
    .map((group) => [...new Set(group.map(() => hashes[at++] ?? ''))])
    .filter(({ length }) => length > 1);
};

/** Images of a map: more take longer than a person waits, and hide each other. */
const mostOnMap = 4000;

const map: Answer<'map'> = async ({ folder }, { onProgress }) => {
  const known = await readMap(folder);
  if (known !== undefined) return known;
  const answers = await readAnswers(folder);
  if (answers?.features == null) return { images: [], positions: [] };
  const { rows, dimensions } = answers.features;
  const all = await readFeatures(folder, answers.features);
  const chosen = evenly(rows.length, mostOnMap);
  const features = new Float32Array(chosen.length * dimensions);
  for (const [i, row] of chosen.entries()) {
    features.set(all.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  }
  const positions = await pileMap({ features, dimensions, onProgress });
  const made = { images: chosen.map((row) => answers.images[rows[row] ?? 0] ?? ''), positions };
  await writeMap(folder, made);
  return made;
};

/** Some of so many, evenly spread over all. */
const evenly = (count: number, most: number): number[] =>
  Array.from({ length: Math.min(count, most) }, (_, i) => Math.floor((i * count) / Math.min(count, most)));

/** The notebook is there to be compared with: nobody labels for it, and its steps are slow to measure. */
const planned = presetNames.filter((name) => name !== 'notebook');

const plan: Answer<'plan'> = async ({ source, labels }, place) => {
  await using data = await dataOf(source, place);
  const runtime = await runtimeOf(place);
  const times: { preset: (typeof presetNames)[number]; ms: number }[] = [];
  for (const [i, preset] of planned.entries()) {
    const settings = { ...settingsFor(preset), labels };
    times.push({ preset, ms: await predictRunMs({ settings, data, runtime }) });
    place.onProgress((i + 1) / planned.length);
  }
  return times;
};

/** Labels of which the curve is made, at most: a second's work. */
const mostLabels = 2000;
/** Of the labels: what each is in relation to the next is what twice as many bring. */
const shares = [0.125, 0.25, 0.5, 1];
/** With fewer, the shares are too small to tell anything. */
const fewestLabels = 16;

const learningCurve: Answer<'learningCurve'> = async ({ source, labels }, place) => {
  await using data = await dataOf(source, place);
  const { images } = data.train;
  const labelOf = new Map(labels);
  const hashes = await hashImages(
    images,
    Array.from({ length: images.count }, (_, i) => i),
  );
  const seen = new Set<string>();
  const labelled = hashes.flatMap((hash, index) => {
    if (!labelOf.has(hash) || seen.has(hash)) return [];
    seen.add(hash);
    return [index];
  });
  const chosen = evenly(labelled.length, mostLabels).map((i) => labelled[i] ?? 0);
  const basis =
    'Each label is looked for at the nearest of some of the others, by edges alone: what this simple classifier gains from more labels tells about what a run may gain.';
  if (chosen.length < fewestLabels) return { basis, points: [], mistakesLeft: null };
  await using encoder = gradientEncoder(images.channels);
  const { data: features, shape } = await encoder.describe(selectImages(images, Uint32Array.from(chosen)), {
    emit: shareOf(place),
  });
  const names = [...new Set(labels.map(([, label]) => label))];
  const classes = chosen.map((index) => names.indexOf(labelOf.get(hashes[index] ?? '') ?? ''));
  const points = nearestLabelCurve({ features, dimensions: shape[1] ?? 0, classes, shares });
  const [half, all] = [points.at(-2), points.at(-1)];
  const mistakes = half && all ? [1 - half.accuracy, 1 - all.accuracy] : [0, 0];
  const [before = 0, after = 0] = mistakes;
  return { basis, points, mistakesLeft: before > 0 ? Math.min(1, after / before) : null };
};

/** Tells a share of what a library's progress tells. */
const shareOf =
  ({ onProgress }: PlaceToInquire) =>
  ({ done, total }: { readonly done: number; readonly total: number }): void =>
    onProgress(done / Math.max(1, total));
