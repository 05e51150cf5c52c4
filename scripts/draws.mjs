/**
 * `npm run draws -- <data>`: how good is what a run keeps, over draws of the labels and piles of uneven classes?
 *
 * For each cell, a number of labels, a balance of the classes and a way to give the labels, some draws are made: a pile is taken from
 * the labelled data, a few of its images keep their labels, and the quick recipe runs. The rest of the pile, whose classes are known
 * here, stands in for a test set, which decides nothing: it says how good each stage is. A line of JSON a run goes to
 * `<out>/draws.jsonl`, and a table to standard output. Runs that are finished are not run again.
 *
 *   npm run draws -- photos --labels 20,100 --balance 1,10 --draws 5 --out /tmp/draws
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { setUpOrExit } from './setup.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    labels: { type: 'string', default: '20,100' },
    balance: { type: 'string', default: '1,10' },
    given: { type: 'string', default: 'evenly,proportionally' },
    draws: { type: 'string', default: '5' },
    first: { type: 'string', default: '1' },
    pile: { type: 'string', default: '6000' },
    config: { type: 'string' },
    threads: { type: 'string', default: '1' },
    out: { type: 'string', default: 'draws' },
  },
});
const [path] = positionals;
if (path === undefined) {
  console.error('draws: expected labelled data, such as a folder of class folders. Received: nothing.');
  process.exit(2);
}
setUpOrExit();
const [{ startRun }, { BatchWorker, createNodeRuntime, readImages, RunFolder }] = await Promise.all([
  import('../dist/index.js'),
  import('../dist/node.js'),
]);
const [{ Random }, { subsetOf }, { chosenSettings }, { ConfusionTally, macroF1 }, { exhibitsSchema }] =
  await Promise.all([
    import('../dist/random/random.js'),
    import('../dist/data/dataset.js'),
    import('../dist/cli/settings.js'),
    import('../dist/train/class-metrics.js'),
    import('../dist/store/run-record.js'),
  ]);

// The quick preset, with what `--config` changes.
const recipe = await chosenSettings({ config: values.config }, 'pretrain');
const numbers = (text) => text.split(',').map(Number);
const drawCount = Number(values.draws);
const firstDraw = Number(values.first);
const cells = numbers(values.balance).flatMap((balance) =>
  values.given
    .split(',')
    // Of even classes, labels given evenly are in proportion as well.
    .filter((given, i) => balance > 1 || i === 0 || given === 'evenly')
    .flatMap((given) => numbers(values.labels).map((labels) => ({ labels, balance, given }))),
);

mkdirSync(values.out, { recursive: true });
const journal = join(values.out, 'draws.jsonl');
const rows = existsSync(journal)
  ? readFileSync(journal, 'utf8')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];
const source = await readImages(path);
const runtime = await createNodeRuntime({ device: 'cpu', threads: Number(values.threads) });
const batches = new BatchWorker();
for (let draw = firstDraw; draw < firstDraw + drawCount; draw++) {
  for (const cell of cells) {
    const key = [basename(path), cell.labels, cell.balance, cell.given, draw].join('-');
    if (!rows.some((row) => row.key === key)) {
      const row = { key, ...cell, draw, ...(await runOf(cell, draw, key)) };
      rows.push(row);
      appendFileSync(journal, `${JSON.stringify(row)}\n`);
    }
    console.error(JSON.stringify(rows.find((row) => row.key === key)));
  }
}
await batches[Symbol.asyncDispose]();
await source.close();
printTable();

/** The indices of a pile: of class k in a random order, the largest class times balance^(−k / (K − 1)). */
function pileOf(labels, classCount, balance, random) {
  const order = random.permutation(classCount);
  const shares = Array.from(
    { length: classCount },
    (_, k) => balance ** (-order[k] / Math.max(1, classCount - 1)),
  );
  const members = Array.from({ length: classCount }, (_, k) =>
    [...labels.keys()].filter((i) => labels[i] === k),
  );
  const total = shares.reduce((a, b) => a + b, 0);
  const scale = Math.min(Number(values.pile) / total, ...members.map((own, k) => own.length / shares[k]));
  const chosen = members.flatMap((own, k) =>
    [...random.permutation(own.length).slice(0, Math.round(scale * shares[k]))].map((i) => own[i]),
  );
  return random.shuffle(Uint32Array.from(chosen));
}

/** The rows of a pile that keep their labels; a class that has none by chance gets one. */
function labelledOf(labels, classCount, { labels: count, given }, random) {
  const order = [...random.permutation(labels.length)];
  const ofClass = (k) => order.filter((i) => labels[i] === k);
  if (given === 'evenly') {
    return Array.from({ length: classCount }, (_, k) =>
      ofClass(k).slice(0, Math.max(1, Math.round(count / classCount))),
    ).flat();
  }
  const drawn = order.slice(0, count);
  const missing = Array.from({ length: classCount }, (_, k) => k).filter(
    (k) => !drawn.some((i) => labels[i] === k),
  );
  return [...drawn, ...missing.map((k) => ofClass(k)[0])];
}

async function runOf(cell, draw, key) {
  const random = Random.seeded(draw).split('draws', cell.balance, cell.given, cell.labels);
  const { classNames } = source.train;
  const pile = subsetOf(source.train, pileOf(source.train.labels, classNames.length, cell.balance, random));
  const labelled = labelledOf(pile.labels, classNames.length, cell, random);
  const isLabelled = new Set(labelled);
  const rest = Uint32Array.from(pile.labels.keys()).filter((i) => !isLabelled.has(i));
  const images = labelled.map((index) => ({ index, label: classNames[pile.labels[index]] }));
  const settings = { ...recipe, seed: draw, draws: 1, labels: { data: null, images } };
  const data = {
    ...{ train: pile, test: subsetOf(pile, rest), origin: key, checksums: { pile: key } },
    ...{ pictureFit: source.pictureFit, ground: source.ground },
  };
  const folder = join(values.out, key);
  rmSync(folder, { recursive: true, force: true });
  const store = await RunFolder.create(folder);
  const { result } = await startRun({ settings, data, runtime, store, batchMakerFor: batches.makerFor })
    .result;
  const { confusions } = exhibitsSchema.parse(await store.readJson('exhibits'));
  await store.close();
  rmSync(join(folder, 'checkpoints'), { recursive: true, force: true });
  const stages = {
    finetune: result.fineTune,
    scratch: result.scratch,
    selfTrain: result.selfTrain,
    mixture: result.mixture,
  };
  const whens = {
    finetune: 'after fine-tuning',
    scratch: 'labels alone',
    selfTrain: 'after self-training',
    mixture: 'mixture',
  };
  const tested = Object.entries(stages).flatMap(([stage, figures]) => {
    const confusion = confusions.find(
      ({ title }) => title.startsWith('Test images') && title.includes(whens[stage]),
    );
    return figures?.test
      ? [[stage, { accuracy: figures.test.accuracy, macroF1: confusion && macroF1Of(confusion) }]]
      : [];
  });
  return {
    ...{ kept: result.final.stage, stages: Object.fromEntries(tested), estimate: result.estimate },
    ...{
      evidence: result.evidence.map(({ stage, found, of }) => [stage, found, of]),
      pile: pile.labels.length,
    },
    shares: result.mixture?.members.map(({ share }) => share) ?? null,
    seconds: Math.round(result.durationMs / 1000),
  };
}

function macroF1Of({ classNames, cells: counts }) {
  const tally = new ConfusionTally(classNames);
  for (const [actual, predicted, count] of counts) {
    for (let n = 0; n < count; n++) tally.add(actual, predicted);
  }
  return macroF1(tally.perClass());
}

/** One line a cell: what was kept against the best stage, in points, over the draws. */
function printTable() {
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const spread = (list) =>
    Math.sqrt(list.reduce((a, b) => a + (b - mean(list)) ** 2, 0) / Math.max(1, list.length - 1));
  const percent = (list) => `${(100 * mean(list)).toFixed(1)} ± ${(100 * spread(list)).toFixed(1)}`;
  console.log(
    '| labels | balance | given | draws | best of three | kept | macro-F1 | kept − best, worst draw | held by the interval |',
  );
  console.log('| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const { labels, balance, given } of cells) {
    const own = rows.filter(
      (row) =>
        row.labels === labels &&
        row.balance === balance &&
        row.given === given &&
        row.key.startsWith(`${basename(path)}-`),
    );
    if (own.length === 0) continue;
    const best = own.map(({ stages: { mixture: _, ...three } }) =>
      Math.max(...Object.values(three).map((s) => s.accuracy)),
    );
    const kept = own.map((row) => row.stages[row.kept]);
    const behind = own.map((_, i) => kept[i].accuracy - best[i]);
    const held = own.filter(
      ({ estimate }, i) => estimate && estimate.low <= kept[i].accuracy && kept[i].accuracy <= estimate.high,
    );
    console.log(
      `| ${labels} | ${balance}:1 | ${given} | ${own.length} | ${percent(best)} | ${percent(kept.map((s) => s.accuracy))} | ${percent(kept.map((s) => s.macroF1 ?? 0))} | ${(100 * Math.min(...behind)).toFixed(1)} | ${held.length} |`,
    );
  }
}
