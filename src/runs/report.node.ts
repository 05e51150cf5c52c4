import type { RunFolder } from '../store/run-folder.node.js';
import { writeCard } from './export-run.node.js';
import { type ReadRecordOptions, readRecord } from './finished-run.js';

/**
 * Renders `report.html` from a run's folder, and the model card of its classifier, without data or training.
 * @returns the report's path
 * @throws QuarterturnError `checkpoint` if the run has no result yet, or a file is not one that a run writes
 */
export async function writeReport(folder: RunFolder, options: ReadRecordOptions = {}): Promise<string> {
  const record = await readRecord(folder, options);
  // Loaded only now: the charts' library takes half a second.
  const { renderReport } = await import('../report/render-report.js');
  const path = await folder.writeReport(renderReport(record));
  await writeCard(folder);
  return path;
}
