import type { Command } from 'commander';
import { countOf, formatCount } from '../report/format.js';
import { mergePredictions } from '../runs/predict-to-file.node.js';
import type { TableKind } from '../runs/prediction-table.node.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shellPath } from './paths.js';
import { tableKindOf } from './predict-output-file.js';
import { unsureNote } from './predict-watch.js';
import { inSession } from './session.js';

interface MergeFlags {
  readonly out: string;
  readonly format?: TableKind;
  readonly overwrite?: boolean;
  readonly quiet?: boolean;
}

/** `quarterturn merge`: one table of the parts that several processes predicted. */
export function addMergeCommand(program: Command): void {
  const command = program
    .command('merge')
    .summary('one table of the parts of a prediction')
    .description(
      'Put the parts of `predict --shard` together. All of them have to be there and done, of the same model, inputs and options; the rows come in the order of the inputs, as those of a single process would.',
    )
    .argument('<parts...>', 'the parts, in any order');
  addGroup(command, 'What to do:', [option.predictionsOut('').makeOptionMandatory(), option.overwrite()]);
  addOutputGroup(command, [option.predictionsFormat(['csv', 'jsonl', 'json', 'parquet']), option.quiet()]);
  addExamples(command, [
    ['quarterturn merge answers-1.part answers-2.part --out answers.csv', 'all rows, in order'],
  ]);
  command.action(merge);
}

async function merge(parts: readonly string[], { out, format, overwrite, quiet }: MergeFlags): Promise<void> {
  const kind = tableKindOf(out, format);
  await inSession({ quiet, stopping: 'Stopping.' }, async ({ note }) => {
    const { rows, skipped, unsure, unlike, skippedKinds, skippedFile } = await mergePredictions(parts, {
      out,
      kind,
      overwrite,
    });
    for (const line of skippedKinds) note(`Set aside  ${line}`);
    if (skippedFile !== undefined) note(`All of it is named in ${shellPath(skippedFile)}.`);
    if (unsure > 0) note(unsureNote({ rows, unsure, unlike }));
    const aside = skipped === 0 ? '' : `; ${formatCount(skipped)} set aside`;
    note(`Written  ${shellPath(out)}: ${countOf(rows, 'row')} of ${countOf(parts.length, 'part')}${aside}.`);
  });
}
