import { type Content, type Html, html } from './html.js';

/** A part of the report: its heading stands in the margin, `exhibit` may use the whole width below. */
export function section(
  title: string,
  { body, exhibit }: { readonly body?: Content; readonly exhibit?: Content },
): Html {
  return html`<section>
  <h2>${title}</h2>
  ${body && html`<div class="body">${body}</div>`}
  ${exhibit && html`<div class="exhibit">${exhibit}</div>`}
</section>`;
}
