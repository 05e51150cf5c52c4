import { join } from 'node:path';
import { classifierName } from '../recipes/run.js';
import { stageFacts } from '../recipes/stages/registry.js';
import type { RunFigures } from '../recipes/stages.js';
import {
  type ComparisonRow,
  compareWithNotebook,
  type NotebookFigures,
  notebookOf,
} from '../report/comparison.js';
import {
  byCount,
  countOf,
  formatBytes,
  formatDuration,
  formatInterval,
  formatPercent,
  formatRate,
  formatWithin,
} from '../report/format.js';
import { classNeedTexts } from '../report/label-needs-text.js';
import { titleOf } from '../report/run-facts.js';
import { wilsonInterval } from '../report/statistics.js';
import { comparisonTable, ladderTable } from '../report/terminal-table.js';
import { hanging } from '../report/text-width.js';
import { writeReport as renderInto } from '../runs/report.node.js';
import type { LabelDoubts } from '../store/label-doubts.js';
import type { LabelNeeds } from '../store/label-needs.js';
import type { RunFolder } from '../store/run-folder.node.js';
import type { Estimate, Evidence, RunRecord, RunResult } from '../store/run-record.js';
import { shellPath, shownPath } from './paths.js';
import { traitsOf } from './terminal.js';

/** Render `report.html` from the folder; a run that is not finished is told how to be. */
export function writeReport(folder: RunFolder): Promise<string> {
  return renderInto(folder, { resume: `Finish it: ${resumeCommand(folder.name)}` });
}

/** What to type to go on with a run. */
export function resumeCommand(folder: string): string {
  return `quarterturn run --resume ${shellPath(folder)}`;
}

/**
 * A finished run as a person wants to see it: accuracies, what each step brought, and where everything lies. Losses are in
 * the report.
 */
export function formatRun(
  result: RunResult,
  {
    report,
    config,
    doubts,
    needs,
  }: { readonly report: string; readonly needs?: LabelNeeds | undefined } & Pick<
    RunRecord,
    'config' | 'doubts'
  >,
): string {
  const { ladder } = result;
  const lines = [
    '',
    formatAccuracies(result, notebookOf(config)),
    '',
    ...(ladder.length > 0 ? [ladderTable(ladder, { columns: columns() }), ''] : []),
    ...choiceLines(result),
    ...doubtLines(result, doubts),
    ...needLines(result, needs),
    `${'Report'.padEnd(indent)}${shownPath(report)}`,
    ...(result.final
      ? [`${'Model'.padEnd(indent)}${shownPath(join(result.run, 'models', `${classifierName}.onnx`))}`]
      : []),
    line(
      'Time',
      `${formatDuration(result.durationMs)}${result.pretext ? `, pretraining at ${formatRate(result.trainImagesPerSecond)}` : ''}, peak memory ${formatBytes(result.peakMemoryBytes)}`,
    ),
    '',
  ];
  return lines.join('\n');
}

function doubtLines({ run }: RunResult, doubts: LabelDoubts | undefined): string[] {
  const count = doubts?.doubted.length ?? 0;
  if (count === 0) return [];
  const what = `${countOf(count, 'label')} ${byCount(count, 'looks', 'look')} wrong`;
  return [`${'Doubts'.padEnd(indent)}${what}: quarterturn doubts ${shellPath(run)}`];
}

/** The classes that more labels would help most; nothing where none stands out. */
function needLines({ run }: RunResult, needs: LabelNeeds | undefined): string[] {
  const names = needs ? classNeedTexts(needs).map(({ className }) => className) : [];
  if (names.length === 0) return [];
  return [
    line('More', `Labels of ${names.join(', ')} would probably help most:`),
    `${''.padEnd(indent)}quarterturn suggest ${shellPath(run)}`,
  ];
}

/** The classifier that was kept, its evidence and the estimate of it, the evidence for the others, and the stages that failed. */
function choiceLines({ final, evidence, estimate, failures }: RunResult): string[] {
  const title = (stage: string) => titleOf(stageFacts, stage);
  const kept = evidence.find(({ stage }) => stage === final?.stage);
  const others = evidence.filter((entry) => entry !== kept);
  const told = kept
    ? [
        line('Kept', title(kept.stage)),
        line('', `${shareText(kept)} of ${countOf(kept.of, 'held-back label')} right`),
        ...(estimate ? [line('', `Estimate for images like these: ${estimateText(estimate)}`)] : []),
        ...others.map((entry, i) =>
          line(i === 0 ? 'Others' : '', `${title(entry.stage)}: ${shareText(entry)}`),
        ),
      ]
    : [];
  return [...failures.map(({ stage, reason }) => line('Failed', `${title(stage)}: ${reason}`)), ...told];
}

/** Columns of the words that stand before what they are about. */
const indent = 8;

function line(label: string, text: string): string {
  return hanging(label, text, { columns: columns(), indent });
}

const shareText = ({ found, of }: Evidence): string => formatWithin(found / of, wilsonInterval(found, of));

function estimateText(estimate: Estimate): string {
  return `${formatWithin(estimate.accuracy, estimate)}, ${formatInterval(estimate)} with ${formatPercent(estimate.level, 0)} confidence`;
}

function formatAccuracies(figures: RunFigures, notebook: NotebookFigures | null): string {
  const rows = rowsOf(figures, notebook).filter(({ unit }) => unit === 'accuracy');
  return comparisonTable(rows, { columns: columns(), dense: true });
}

/** All figures of the stages that were run, beside the notebook's where it looked at the same data. */
export function formatFigures(figures: RunFigures, notebook: NotebookFigures | null): string {
  return comparisonTable(rowsOf(figures, notebook), { columns: columns() });
}

function rowsOf(figures: RunFigures, notebook: NotebookFigures | null): readonly ComparisonRow[] {
  return compareWithNotebook(figures, notebook).filter(({ ours }) => ours !== null);
}

function columns(): number {
  return traitsOf(process.stdout, process.env).columns();
}
