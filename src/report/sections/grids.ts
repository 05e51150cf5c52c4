import type { ImageGrid, Tile } from '../../store/exhibits-record.js';
import { imageDataUri } from '../bitmap.js';
import { type Html, html } from '../html.js';
import { section } from '../section.js';
import { shorten, textWidth } from '../text-width.js';

/** A grid whose images may have titles of their own, such as the names of their files. */
export interface ShownGrid extends Omit<ImageGrid, 'tiles'> {
  readonly tiles: readonly (Tile & { readonly title?: string })[];
}

/** Every grid of images, wrong predictions crossed out. */
export function gridsSection(grids: readonly ImageGrid[]): Html | null {
  if (grids.length === 0) return null;
  const isMarked = grids.some(({ tiles }) => tiles.some(({ wrong }) => wrong));
  return section('What it saw, and what it said', {
    body: html`<p>Where the network was asked, its answer stands under the image${isMarked && ', with the truth in brackets. A red cross marks a mistake'}.</p>`,
    wide: html`<div class="grids">${grids.map(gridFigure)}</div>`,
  });
}

/** Captions with a word wider than this need more room than an image of 28 pixels takes. */
const narrowWord = 9;
/** Columns of a caption that are shown; the rest is in its title. */
const shownCaption = 60;

export function gridFigure(grid: ShownGrid): Html {
  const isWide = grid.tiles.some(({ caption }) =>
    caption.split(' ').some((word) => textWidth(word) > narrowWord),
  );
  return html`<figure class="${isWide ? 'grid roomy' : 'grid'}" style="--columns:${grid.columns}">
    <figcaption><b>${grid.title}</b></figcaption>
    <div class="tiles">${grid.tiles.map((tile, i) => tileFigure(tile, grid, i))}</div>
  </figure>
  `;
}

function tileFigure(tile: ShownGrid['tiles'][number], grid: ShownGrid, index: number): Html {
  const source = imageDataUri(tile.pixels, grid, `report: grid "${grid.title}", tile ${index + 1}`);
  const shown = shorten(tile.caption, shownCaption);
  const whole = tile.title ?? (shown === tile.caption ? undefined : tile.caption);
  return html`<div class="${tile.wrong ? 'tile wrong' : 'tile'}"${whole !== undefined && html` title="${whole}"`}><div class="picture"><img src="${source}" width="${grid.width}" height="${grid.height}" alt="${tile.caption}">${tile.wrong && cross}</div><span>${shown}</span></div>`;
}

const cross = html`<svg class="cross" viewBox="0 0 28 28" role="img" aria-label="wrong"><path d="M4 4 24 24M24 4 4 24"/></svg>`;
