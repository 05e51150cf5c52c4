import { type Content, type Html, html } from './html.js';

/** A part of the report: its heading stands in the margin, `wide` may use the whole width below. */
export function section(
  title: string,
  { body, wide }: { readonly body?: Content; readonly wide?: Content },
): Html {
  return html`<section>
  <h2>${title}</h2>
  ${body && html`<div class="body">${body}</div>`}
  ${wide && html`<div class="wide">${wide}</div>`}
</section>`;
}
