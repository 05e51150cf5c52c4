import type { RunFolder } from '../store/run-folder.node.js';
import { type ReadRecordOptions, readRecord } from './finished-run.js';

/**
 * Render `report.html` from a run's folder: no data, no training.
 * @returns its path
 * @throws QuarterturnError `checkpoint` where the run has no result yet, or a file holds something else than a run writes
 */
export async function writeReport(folder: RunFolder, options: ReadRecordOptions = {}): Promise<string> {
  const record = await readRecord(folder, options);
  // Loaded only now: the charts' library takes half a second.
  const { renderReport } = await import('../report/render-report.js');
  return folder.writeReport(renderReport(record));
}
