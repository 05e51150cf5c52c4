import { countOf } from '../counts.js';
import type { RunRecord } from '../store/run-record.js';
import { html } from './html.js';
import { page } from './page.js';
import { runName } from './run-facts.js';
import { batchNormSection } from './sections/batch-norm.js';
import { calibrationSection } from './sections/calibration.js';
import { choiceSection } from './sections/choice.js';
import { confusionsSection } from './sections/confusions.js';
import { curvesSection } from './sections/curves.js';
import { dataSection } from './sections/data.js';
import { doubtsSection } from './sections/doubts.js';
import { gridsSection } from './sections/grids.js';
import { headerSection } from './sections/header.js';
import { labelNeedsSection } from './sections/label-needs.js';
import { ladderSection } from './sections/ladder.js';
import { layersSection } from './sections/layers.js';
import { comparisonSection } from './sections/results.js';
import { settingsSection } from './sections/settings.js';

/**
 * Renders a run as one self-contained HTML file: no script, no request, light and dark, for screen and paper.
 *
 * A pure function: the same record gives the same text. Sections of stages that were not run are left out.
 *
 * @throws QuarterturnError `data` if an image of a grid does not have the size that its grid says
 */
export function renderReport(record: RunRecord): string {
  const { exhibits, epochs, result } = record;
  return page({
    title: runName(result.run),
    header: headerSection(record),
    main: [
      ladderSection(record),
      choiceSection(record),
      gridsSection(exhibits.grids),
      confusionsSection(exhibits.confusions),
      calibrationSection(record),
      doubtsSection(record),
      labelNeedsSection(record),
      comparisonSection(record),
      curvesSection(record),
      batchNormSection(record),
      layersSection(exhibits.layerTables),
      dataSection(record),
      settingsSection(record),
    ],
    footer: html`Made by Quarterturn from the folder <code>${result.run}</code>, ${countOf(epochs.length, 'epoch')} on record.`,
  });
}
