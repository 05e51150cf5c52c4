import { type Html, html } from './html.js';
import { shorten } from './text-width.js';

/** Columns of a name that a table shows; the rest is in its title. */
const shownColumns = 48;

/**
 * The name of a class as HTML: isolated, so that one that is written from right to left leaves the text around it in order;
 * a very long one is cut, and whole in its title.
 */
export function className(name: string, columns = shownColumns): Html {
  const shown = shorten(name, columns);
  // Nothing at all, or spaces alone, would leave a hole.
  if (name.trim() === '') return html`<bdi>“${name}”</bdi>`;
  return shown === name ? html`<bdi>${name}</bdi>` : html`<bdi title="${name}">${shown}</bdi>`;
}
