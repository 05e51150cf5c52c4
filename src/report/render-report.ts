import type { RunRecord } from '../store/run-record.js';
import { html, trusted } from './html.js';
import { runName } from './run-facts.js';
import { batchNormSection } from './sections/batch-norm.js';
import { calibrationSection } from './sections/calibration.js';
import { choiceSection } from './sections/choice.js';
import { classesSection } from './sections/classes.js';
import { confusionsSection } from './sections/confusions.js';
import { curvesSection } from './sections/curves.js';
import { gridsSection } from './sections/grids.js';
import { headerSection } from './sections/header.js';
import { ladderSection } from './sections/ladder.js';
import { layersSection } from './sections/layers.js';
import { comparisonSection } from './sections/results.js';
import { settingsSection } from './sections/settings.js';
import { styleSheet } from './style.js';

/** Nothing may be fetched and nothing may run, whatever a record holds. */
const contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A number and its unit stay on one line. */
const unitAfterNumber = /(?<=\d) (?=(?:%|pp|ms|s|min|h|d|[KMGT]iB|images\/s)(?![\w-]))/g;

/**
 * Renders a run as one self-contained HTML file: no script, no request, light and dark, for screen and paper.
 *
 * A pure function: the same record gives the same text. Sections of stages that were not run are left out.
 *
 * @throws QuarterturnError `data` if an image of a grid does not have the size that its grid says
 */
export function renderReport(record: RunRecord): string {
  const { exhibits, epochs, result } = record;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${runName(result.run)} · Quarterturn</title>
<style>${trusted(styleSheet)}</style>
</head>
<body>
${headerSection(record)}
<main>
${ladderSection(record)}
${choiceSection(record)}
${calibrationSection(record)}
${comparisonSection(record)}
${gridsSection(exhibits.grids)}
${curvesSection(record)}
${confusionsSection(exhibits.confusions)}
${batchNormSection(record)}
${layersSection(exhibits.layerTables)}
${classesSection(exhibits.classCounts)}
${settingsSection(record)}
</main>
<footer><p>Made by Quarterturn from the folder <code>${result.run}</code>, ${epochs.length === 1 ? '1 epoch' : `${epochs.length} epochs`} on record.</p></footer>
</body>
</html>
`;
  return page.text.replace(unitAfterNumber, '\u00a0');
}
