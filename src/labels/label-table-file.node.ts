import { csvLine } from '../data/csv-line.js';
import { writeFileAtomically } from '../store/atomic-file.node.js';

/** A row of a table of labels to fill in. */
export interface LabelTableRow {
  readonly file: string;
  /** Class name; null: still to be given. */
  readonly label: string | null;
}

/** Writes a table of labels, as CSV with the columns `file` and `label`, so that a person can fill it in. */
export async function writeLabelTable(file: string, rows: readonly LabelTableRow[]): Promise<void> {
  const lines = [csvLine(['file', 'label']), ...rows.map(({ file, label }) => csvLine([file, label ?? '']))];
  const text = lines.join('');
  // Excel takes text without this mark for that of an old code page.
  const mark = /[^\0-\x7f]/.test(text) ? '\uFEFF' : '';
  await writeFileAtomically(file, mark + text);
}
