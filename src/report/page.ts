import { type Content, html, trusted } from './html.js';
import { styleSheet } from './style.js';
import { withUnits } from './text-width.js';

/** Nothing may be fetched and nothing may run, whatever a record holds. */
const contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export interface PageParts {
  readonly title: string;
  readonly header: Content;
  readonly main: Content;
  readonly footer: Content;
}

/** A page that stands alone: no script, no request, light and dark, for screen and paper. */
export function page({ title, header, main, footer }: PageParts): string {
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Quarterturn</title>
<style>${trusted(styleSheet)}</style>
</head>
<body>
${header}
<main>
${main}
</main>
<footer><p>${footer}</p></footer>
</body>
</html>
`;
  return withUnits(whole.text);
}
