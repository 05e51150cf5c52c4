import type { LayerRow, LayerTable } from '../../store/run-record.js';
import { countOf, formatCount, formatShape } from '../format.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';

/** The layer tables of all networks, folded. */
export function layersSection(tables: readonly LayerTable[]): Html | null {
  if (tables.length === 0) return null;
  return section('The networks', { body: html`${tables.map(layerTable)}` });
}

function layerTable(table: LayerTable): Html {
  return html`<details>
    <summary><b>${table.title}</b><span>${countOf(table.totalParams, 'parameter')}, ${formatCount(table.trainableParams)} trainable</span></summary>
    <div class="scroll"><table class="layers">
      <thead><tr><th scope="col">Layer</th><th scope="col">Type</th><th scope="col">Output shape</th><th scope="col">Params</th><th scope="col">Trainable</th></tr></thead>
      <tbody>${table.rows.map(layerRow)}</tbody>
      <tfoot>
        <tr><th scope="row" colspan="3">Total params</th><td>${formatCount(table.totalParams)}</td><td></td></tr>
        <tr><th scope="row" colspan="3">Trainable params</th><td>${formatCount(table.trainableParams)}</td><td></td></tr>
        <tr><th scope="row" colspan="3">Non-trainable params</th><td>${formatCount(table.nonTrainableParams)}</td><td></td></tr>
      </tfoot>
    </table></div>
  </details>
  `;
}

function layerRow(row: LayerRow): Html {
  const trained = row.trainable
    ? html`<span class="trained" role="img" aria-label="trainable">●</span>`
    : html`<span class="quiet" role="img" aria-label="frozen">○</span>`;
  return html`<tr><th scope="row">${row.name}</th><td class="quiet">${row.type}</td><td>${formatShape(row.outputShape)}</td><td>${row.params === 0 ? html`<span class="quiet">0</span>` : formatCount(row.params)}</td><td>${row.params > 0 && trained}</td></tr>
      `;
}
