import { describeSkipped } from '../data/skipped-files.js';
import { QuarterturnError } from '../errors.js';
import { type LoadedClassifier, loadClassifier } from '../model/load-classifier.js';
import { type EvaluationRecord, evaluationJson } from '../report/evaluation-record.js';
import { formatEvaluation } from '../report/evaluation-text.js';
import { type EvaluatedPart, evaluateModel } from '../runs/evaluate-model.node.js';
import { writeFileAtomically } from '../store/atomic-file.node.js';
import { withLabelTable } from './labels-file.js';
import { readModelFile } from './model-file.js';
import { explainedData } from './named-path.js';
import { printable, shownPath } from './paths.js';
import { type PlaceFlags, placeOf } from './place.js';
import { inSession, type Session } from './session.js';

export interface EvaluateModelFlags extends PlaceFlags {
  readonly labels?: string;
  readonly split?: EvaluatedPart;
  readonly html?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Bytes of images that a page shows: more would be slow to open. */
const shownBytes = 2 ** 21;
/** Mistakes that a page shows at most: five rows. */
const mostShown = 40;

/** Evaluate a saved classifier on labelled data: print it, and write a page of it where one is asked for. */
export async function evaluateSavedModel(
  modelPath: string,
  data: string,
  typed: EvaluateModelFlags,
): Promise<void> {
  refuseFitting(typed);
  const flags = await withLabelTable(typed);
  const output = await inSession({ quiet: flags.quiet, stopping: 'Stopping.' }, async (session) => {
    const { file, bytes } = await readModelFile(modelPath, { command: 'evaluate', others: [data] });
    const { createNodeRuntime } = await import('../runtime/node.js'); // a slow start, which other commands need not have
    const runtime = await createNodeRuntime(placeOf(flags));
    const classifier = await loadClassifier(file, bytes, { runtime });
    session.atEnd(() => classifier.release());
    const record = await evaluated(classifier, { file, data, flags, session });
    if (flags.html !== undefined) await writePage(flags.html, record);
    if (flags.json) return `${JSON.stringify(evaluationJson(record), null, 2)}\n`;
    const page = flags.html === undefined ? '' : `\nPage  ${shownPath(flags.html)}\n`;
    return `\n${formatEvaluation(record, { columns: process.stdout.columns || 80 })}\n${page}`;
  });
  process.stdout.write(output);
}

interface Evaluated {
  readonly file: string;
  readonly data: string;
  readonly flags: EvaluateModelFlags;
  readonly session: Session;
}

async function evaluated(
  classifier: LoadedClassifier,
  { file, data, flags, session }: Evaluated,
): Promise<EvaluationRecord> {
  const { openLabelledImages } = await import('../runs/read-images.node.js');
  const { format, labelTable, labels, labelColumns: table, strict, split } = flags;
  const found = await openLabelledImages(data, { format, labelTable: labelTable ?? labels, table }).catch(
    async (cause) => {
      throw cause instanceof QuarterturnError ? await explainedData(data, cause) : cause;
    },
  );
  session.atEnd(async () => found.close?.());
  for (const text of found.notes) session.note(printable(text));
  const { height, width, channels } = classifier;
  const shown = Math.max(4, Math.min(mostShown, Math.floor(shownBytes / (2 * height * width * channels))));
  const { emit, signal } = session;
  const result = await evaluateModel(classifier, found, {
    ...{ part: split, strict, emit, signal },
    shown: flags.html === undefined ? shownInJson : shown,
  }).catch(async (cause) => {
    if (cause instanceof QuarterturnError) throw await explainedData(data, cause);
    if (!signal.aborted) throw cause;
    throw new QuarterturnError(
      'interrupted',
      `${shownPath(data)}: stopped while its images were classified.`,
      {
        hint: 'Nothing was written.',
        cause,
      },
    );
  });
  for (const text of describeSkipped(result.skipped)) session.note(`Set aside  ${printable(text)}`);
  session.note(`Evaluated on ${result.part}.`);
  return { model: file, data, size: { height, width, channels }, ...result };
}

/** Mistakes that are listed where no page shows them. */
const shownInJson = 20;

async function writePage(file: string, record: EvaluationRecord): Promise<void> {
  // Loaded only now: the charts' library takes half a second.
  const { renderEvaluation } = await import('../report/render-evaluation.js');
  await writeFileAtomically(file, renderEvaluation(record));
}

/** How pictures are fitted says the model alone: other pixels than it learned from would be measured. */
function refuseFitting(flags: EvaluateModelFlags): void {
  for (const name of ['size', 'fit', 'grey', 'rgb', 'cache', 'data'] as const) {
    if (flags[name] === undefined) continue;
    const hint =
      name === 'data'
        ? 'Name the data once, after the model.'
        : `The model's file says how pictures are fitted; leave --${name} out.`;
    throw new QuarterturnError(
      'usage',
      `evaluate: expected no --${name} with a model and data. Received: one.`,
      {
        hint,
      },
    );
  }
}
