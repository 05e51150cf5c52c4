/**
 * `npm run draws -- <data>`: how good is what a run keeps, over draws of the labels and piles of uneven classes?
 *
 * For each cell, a number of labels, a balance of the classes and a way to give the labels, some draws are made: a pile is taken from
 * the labelled data, a few of its images keep their labels, and the quick recipe runs. The rest of the pile, whose classes are known
 * here, stands in for a test set, which decides nothing: it says how good each stage is. A line of JSON a run goes to
 * `<out>/draws.jsonl`, progress to standard error, and a table to standard output. Runs that are finished are not run again.
 *
 *   npm run draws -- photos --labels 20,100 --balance 1,10 --draws 5 --out /tmp/draws
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { setUpOrExit } from './setup.mjs';

const help = `npm run draws -- <data>: how good is what a run keeps, over draws of the labels?

<data>              labelled images, such as a folder of class folders
--labels <numbers>  how many images keep their labels (default: 20,100)
--balance <numbers> images of the largest class for one of the smallest (default: 1,10)
--given <ways>      evenly: as many labels to each class; proportionally: to images drawn from all (default: both)
--draws <count>     draws of each cell (default: 5)
--first <number>    the first of them (default: 1)
--pile <count>      images of a pile, at most (default: 6000)
--config <file>     settings over those of the quick preset
--threads <count>   of a run (default: 1, with which its figures can be repeated)
--out <folder>      for the runs and draws.jsonl, which says what is finished (default: draws)

npm run draws -- photos --labels 20,100 --balance 1,10 --draws 5 --out /tmp/draws`;

setUpOrExit();
const [
  { handleStopSignals, stoppedStatus },
  { inSession },
  { exitCodeOf, formatError },
  { QuarterturnError },
] = await Promise.all([
  import('../dist/cli/signals.js'),
  import('../dist/cli/session.js'),
  import('../dist/cli/terminal.js'),
  import('../dist/errors.js'),
]);
handleStopSignals();
const [{ startRun }, { createNodeRuntime, RunFolder }, { placeOf, readData }, optionValues, figures] =
  await Promise.all([
    import('../dist/index.js'),
    import('../dist/node.js'),
    import('../dist/cli/place.js'),
    import('../dist/cli/option-values.js'),
    import('../dist/report/format.js'),
  ]);
const [{ Random }, { subsetOf }, { chosenSettings }, { ConfusionTally, macroF1 }, { exhibitsSchema }, table] =
  await Promise.all([
    import('../dist/random/random.js'),
    import('../dist/data/dataset.js'),
    import('../dist/cli/settings.js'),
    import('../dist/train/class-metrics.js'),
    import('../dist/store/exhibits-record.js'),
    import('./draws-table.mjs'),
  ]);

/** What was typed, checked. */
function readOptions() {
  const { wholeNumber, numbers, names } = optionValues;
  const { values, positionals } = parsed();
  const whole = (flag, text, min = 1) => wholeNumber(flag, { min })(text);
  const listed = (flag, text) => numbers(flag)(text);
  const given = names('--given')(values.given);
  const unknown = given.find((way) => !table.ways.includes(way));
  if (unknown !== undefined)
    throw usage(`--given: expected some of ${table.ways.join(', ')}. Received: ${unknown}.`);
  const balance = listed('--balance', values.balance);
  if (balance.some((each) => each < 1))
    throw usage(`--balance: expected numbers from 1 on. Received: ${values.balance}.`);
  const labels = values.labels.split(',').map((text) => whole('--labels', text));
  const [data, more] = positionals;
  if (!values.help && (data === undefined || more !== undefined))
    throw usage(
      `draws: expected labelled data, such as a folder of class folders. Received: ${positionals.join(', ') || 'nothing'}.`,
    );
  return {
    ...{ help: values.help, data, out: values.out, config: values.config },
    cells: table.cellsOf({ labels, balance, given }),
    drawCount: whole('--draws', values.draws),
    firstDraw: whole('--first', values.first, 0),
    pileSize: whole('--pile', values.pile),
    threads: whole('--threads', values.threads),
  };
}

function parsed() {
  const text = (value) => ({ type: 'string', default: value });
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        ...{ labels: text('20,100'), balance: text('1,10'), given: text(table.ways.join(',')) },
        ...{ draws: text('5'), first: text('1'), pile: text('6000'), threads: text('1'), out: text('draws') },
        ...{ config: { type: 'string' }, help: { type: 'boolean', default: false } },
      },
    });
  } catch (error) {
    throw usage(error.message);
  }
}

function usage(message) {
  return new QuarterturnError('usage', message, { hint: 'npm run draws -- --help lists the options.' });
}

/** @returns the exit status */
async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(help);
    return 0;
  }
  const { cells, drawCount, firstDraw, out } = options;
  const name = basename(resolve(options.data));
  mkdirSync(out, { recursive: true });
  const journal = join(out, 'draws.jsonl');
  const read = table.readJournal(journal, existsSync(journal) ? readFileSync(journal, 'utf8') : '');
  const { rows } = read;
  const all = Array.from({ length: drawCount }, (_, i) => firstDraw + i).flatMap((draw) =>
    cells.map((cell) => ({ key: table.keyOf(name, cell, draw), cell, draw })),
  );
  const todo = all.filter(({ key }) => !rows.has(key));
  let failed = 0;
  const printTable = () => {
    // The journal may hold runs on other data.
    const own = [...rows.values()].filter((row) => row.key === table.keyOf(name, row, row.draw));
    if (own.length > 0) console.log(table.drawsTable(cells, own));
  };
  const stopping =
    'Stopping after this step. Runs that are finished are kept. Ctrl-C once more stops at once.';
  try {
    await inSession({ stopping }, async (session) => {
      for (const note of read.notes) session.note(note);
      session.note(
        `${figures.countOf(all.length, 'run')}, ${figures.formatCount(all.length - todo.length)} of them finished before.`,
      );
      if (todo.length === 0) return;
      if (read.isCut) appendFileSync(journal, '\n');
      // The quick preset, with what `--config` changes.
      const recipe = await chosenSettings({ config: options.config }, 'pretrain');
      const place = placeOf({ data: options.data, threads: options.threads });
      const source = await readData(place, session);
      if (source.train.labels === undefined)
        throw new QuarterturnError(
          'data',
          `${options.data}: expected labelled images. Received: images without a label.`,
        );
      const runtime = await createNodeRuntime(place);
      for (const [i, { key, cell, draw }] of todo.entries()) {
        const later = todo.slice(i + 1).map((each) => each.cell);
        const at = `${all.length - todo.length + i + 1} of ${all.length}  ${cellText(cell, draw)}`;
        const work = {
          ...options,
          recipe,
          source,
          runtime,
          session: withEta(session, [cell, ...later], rows),
        };
        const row = await runOf(work, { cell, draw, key }).catch((error) => {
          if (!(error instanceof QuarterturnError) || ['interrupted', 'usage'].includes(error.code))
            throw error;
          failed++;
          session.note(`${at}: failed. ${error.message}`);
        });
        if (row === undefined) continue;
        rows.set(key, row);
        appendFileSync(journal, `${JSON.stringify(row)}\n`);
        session.note(`${at}: ${resultText(row, later, rows)}`);
      }
    });
  } catch (cause) {
    if (!(cause instanceof QuarterturnError) || cause.code !== 'interrupted') throw cause;
    const hint = 'The same command goes on with the runs that are not finished.';
    throw new QuarterturnError('interrupted', cause.message, { hint, cause });
  } finally {
    printTable();
  }
  return failed > 0 ? 1 : 0;
}

const cellText = ({ labels, balance, given }, draw) =>
  `${labels} labels, ${balance}:1, ${given}, draw ${draw}`;

/** What came of a run, and how long those that follow will take. */
function resultText(row, later, rows) {
  const { kept, best } = table.keptAndBest(row);
  const figure = ({ stage, accuracy }) => `${stage} ${figures.formatPercent(accuracy, 1)}`;
  const leftMs = table.remainingMs(later, rows.values());
  const left =
    later.length === 0 || leftMs === undefined ? '' : `, about ${figures.formatDuration(leftMs)} left`;
  return `kept ${figure(kept)}, best ${figure(best)}; ${figures.formatDuration(1000 * row.seconds)}${left}`;
}

/** A session of one run that shows how far it is, and when all of them will be through. */
function withEta(session, cells, rows) {
  const startMs = performance.now();
  const emit = (event) => {
    if (event.type !== 'step' && event.type !== 'pass') return;
    const present = { elapsedMs: performance.now() - startMs, leftMs: event.runEtaMs };
    const runEtaMs = table.remainingMs(cells, rows.values(), present);
    session.emit(runEtaMs === undefined ? event : { ...event, runEtaMs });
  };
  return { ...session, emit };
}

/** The indices of a pile: of class k in a random order, the largest class times balance^(−k / (K − 1)). */
function pileOf(labels, { classCount, balance, pileSize }, random) {
  const order = random.permutation(classCount);
  const shares = Array.from(
    { length: classCount },
    (_, k) => balance ** (-order[k] / Math.max(1, classCount - 1)),
  );
  const members = Array.from({ length: classCount }, (_, k) =>
    [...labels.keys()].filter((i) => labels[i] === k),
  );
  const total = shares.reduce((a, b) => a + b, 0);
  const scale = Math.min(pileSize / total, ...members.map((own, k) => own.length / shares[k]));
  const chosen = members.flatMap((own, k) =>
    [...random.permutation(own.length).slice(0, Math.max(1, Math.round(scale * shares[k])))].map(
      (i) => own[i],
    ),
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

/** A row of the journal: a pile, its labels, and what the recipe made of them. */
async function runOf({ source, recipe, runtime, session, pileSize, out }, { cell, draw, key }) {
  const random = Random.seeded(draw).split('draws', cell.balance, cell.given, cell.labels);
  const { classNames } = source.train;
  const classCount = classNames.length;
  const { balance } = cell;
  const chosen = pileOf(source.train.labels, { classCount, balance, pileSize }, random);
  const pile = subsetOf(source.train, chosen);
  const labelled = labelledOf(pile.labels, classCount, cell, random);
  const isLabelled = new Set(labelled);
  const rest = Uint32Array.from(pile.labels.keys()).filter((i) => !isLabelled.has(i));
  const images = labelled.map((index) => ({ index, label: classNames[pile.labels[index]] }));
  const settings = { ...recipe, seed: draw, draws: 1, labels: { data: null, images } };
  const data = {
    ...{ train: pile, test: subsetOf(pile, rest), origin: key, checksums: { pile: key } },
    ...{ pictureFit: source.pictureFit, ground: source.ground },
  };
  const folder = join(out, key);
  rmSync(folder, { recursive: true, force: true });
  const store = await RunFolder.create(folder);
  const { signal, emit, batchMakerFor } = session;
  let outcome;
  try {
    const run = startRun({ settings, data, runtime, store, signal, emit, batchMakerFor });
    const { result } = await run.result;
    outcome = { result, exhibits: exhibitsSchema.parse(await store.readJson('exhibits')) };
  } finally {
    await store.close();
  }
  const { result, exhibits } = outcome;
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
    const confusion = exhibits.confusions.find(
      ({ title }) => title.startsWith('Test images') && title.includes(whens[stage]),
    );
    return figures?.test
      ? [[stage, { accuracy: figures.test.accuracy, macroF1: confusion && macroF1Of(confusion) }]]
      : [];
  });
  if (result.final === null)
    throw new QuarterturnError(
      'data',
      `${folder}: expected a classifier. Received: none; ${result.failures.map(({ reason }) => reason).join(' ')}`,
    );
  return {
    ...{ key, ...cell, draw },
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

try {
  process.exitCode = await main();
} catch (error) {
  console.error(formatError(error));
  process.exitCode = exitCodeOf(error, stoppedStatus());
}
