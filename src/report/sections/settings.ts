import { isRecord } from '../../store/json.js';
import type { RunRecord } from '../../store/run-record.js';
import { absent, formatBytes, formatCount, formatDuration, formatRate } from '../format.js';
import { type Html, html } from '../html.js';
import { settingAt, summariseStage } from '../run-facts.js';
import { section } from '../section.js';

/** Time, memory, and every setting with which the run can be made again. */
export function settingsSection({ config: all, epochs, result, stages }: RunRecord): Html {
  const config = withLabelsInLine(all);
  const times = stages.flatMap(({ name, title }) => {
    const summary = summariseStage(epochs, name);
    return summary ? [fact(title, formatDuration(summary.durationMs))] : [];
  });
  const plain = Object.entries(config).filter(([, value]) => !isRecord(value));
  const groups = Object.entries(config).filter(([, value]) => isRecord(value));
  return section('To make it again', {
    body: html`<dl class="facts">
    ${fact('Whole run', formatDuration(result.durationMs))}
    ${times}
    ${fact('Pretraining speed', result.pretext === null ? absent : formatRate(result.trainImagesPerSecond))}
    ${fact('Peak memory', formatBytes(result.peakMemoryBytes))}
  </dl>
  <details>
    <summary><b>Settings and versions</b><span>everything that decided this run</span></summary>
    <div class="settings">
      ${plain.length > 0 && settingGroup('run', Object.fromEntries(plain))}
      ${groups.map(([name, value]) => settingGroup(name, value))}
    </div>
  </details>`,
  });
}

function fact(name: string, value: string): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

/** Entries of a group that are shown: data of a thousand folders has as many checksums, which `config.json` keeps. */
const shownEntries = 60;
/** Labelled images that are listed; all of them are in the run's `labels.json`. */
const shownLabels = 200;

function settingGroup(name: string, settings: unknown): Html {
  const entries = flatten(settings);
  const more = entries.length - shownEntries;
  return html`<div><h3>${name}</h3><dl>${entries.slice(0, shownEntries).map(([path, value]) => html`<div><dt>${path}</dt><dd>${value}</dd></div>`)}</dl>${more > 0 && html`<p class="quiet">and ${formatCount(more)} more in config.json</p>`}</div>
      `;
}

/** Enough of an image's hash to find it among others. */
const shownDigits = 8;

/** Given labels as one entry, `123 (7), 456`, in place of the number for each class, which they put aside. */
function withLabelsInLine(config: RunRecord['config']): RunRecord['config'] {
  const images = settingAt(config, ['labels', 'images']);
  if (!Array.isArray(images)) return config;
  const { labelsPerClass: _, ...rest } = config;
  const texts = images.slice(0, shownLabels).map(({ image, index, label }) => {
    const place = index ?? String(image).slice(0, shownDigits);
    return label === null ? `${place}` : `${place} (${label})`;
  });
  const more = images.length - texts.length;
  return {
    ...rest,
    labels: `${texts.join(', ')}${more > 0 ? ` and ${formatCount(more)} more in labels.json` : ''}`,
  };
}

/** Nested settings as `path.to.key` and text; a list of plain values is one entry, of records one entry each. */
export function flatten(value: unknown, path = ''): readonly (readonly [path: string, text: string])[] {
  const under = (key: string | number) => (path === '' ? String(key) : `${path}.${key}`);
  if (Array.isArray(value) && value.some((entry) => typeof entry === 'object' && entry !== null)) {
    return value.flatMap((entry, i) => flatten(entry, under(i)));
  }
  if (isRecord(value)) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    if (entries.length === 0) return path === '' ? [] : [[path, absent]];
    return entries.flatMap(([key, entry]) => flatten(entry, under(key)));
  }
  if (Array.isArray(value)) return [[path, value.join(', ')]];
  return [[path, value === null ? absent : String(value)]];
}
