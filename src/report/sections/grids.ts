import type { ImageGrid, Tile } from '../../store/run-record.js';
import { imageDataUri } from '../bitmap.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';

/** Every grid of images, wrong predictions crossed out. */
export function gridsSection(grids: readonly ImageGrid[]): Html | null {
  if (grids.length === 0) return null;
  return section('What it saw, and what it said', {
    body: html`<p>Where the network was asked, its answer stands under the image, with the truth in brackets. A red cross marks a mistake.</p>`,
    wide: html`<div class="grids">${grids.map(gridFigure)}</div>`,
  });
}

function gridFigure(grid: ImageGrid): Html {
  return html`<figure class="grid" style="--columns:${grid.columns}">
    <figcaption><b>${grid.title}</b></figcaption>
    <div class="tiles">${grid.tiles.map((tile, i) => tileFigure(tile, grid, i))}</div>
  </figure>
  `;
}

function tileFigure(tile: Tile, grid: ImageGrid, index: number): Html {
  const source = imageDataUri(tile.pixels, grid, `report: grid "${grid.title}", tile ${index + 1}`);
  return html`<div class="${tile.wrong ? 'tile wrong' : 'tile'}"><div class="picture"><img src="${source}" width="${grid.width}" height="${grid.height}" alt="${tile.caption}">${tile.wrong && cross}</div><span>${tile.caption}</span></div>`;
}

const cross = html`<svg class="cross" viewBox="0 0 28 28" role="img" aria-label="wrong"><path d="M4 4 24 24M24 4 4 24"/></svg>`;
