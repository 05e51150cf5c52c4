/** The report's style sheet: system fonts, two colour schemes, one breakpoint, paper. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfb;
  --wash: #f3f4f6;
  --ink: #16181d;
  --muted: #5c6370;
  --faint: #a3a9b5;
  --rule: #e3e5e9;
  --accent: #2b5fd9;
  --on-accent: #fff;
  --second: #c8741a;
  --wrong: #d2342b;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111317;
    --wash: #1a1d23;
    --ink: #e8eaee;
    --muted: #a1a8b5;
    --faint: #666d7a;
    --rule: #2a2e36;
    --accent: #7fa7ff;
    --on-accent: #0c1220;
    --second: #eda64c;
    --wrong: #ff6a5f;
  }
}
@media screen and (prefers-color-scheme: dark) {
  .turns img, .picture img { outline: 1px solid var(--rule); outline-offset: -1px; }
}
* { box-sizing: border-box; margin: 0; }
html { -webkit-text-size-adjust: 100%; }
body {
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.6 var(--sans);
  max-width: 74rem;
  margin: 0 auto;
  padding: 0 clamp(1.25rem, 4vw, 3rem);
  overflow-wrap: break-word;
}
small { font-size: inherit; font-weight: inherit; }
b, strong { font-weight: 600; }
code { font: .92em var(--mono); }
.quiet { color: var(--muted); }

/* Header */
.masthead {
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto;
  align-items: end;
  column-gap: 2rem;
  padding: 2rem 0 2.5rem;
}
.brand { grid-column: 1 / -1; display: flex; align-items: center; gap: .5rem; font-weight: 600; margin-bottom: clamp(3rem, 8vw, 5.5rem); }
.mark { width: 1.6rem; height: 1.6rem; fill: none; stroke: var(--accent); stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.mark rect { fill: var(--accent); stroke: none; }
h1 { grid-row: 2; grid-column: 1; font-size: clamp(2.2rem, 5.4vw, 3.9rem); line-height: 1.06; letter-spacing: -.032em; font-weight: 650; text-wrap: balance; }
.turns { grid-row: 2; grid-column: 2; display: grid; grid-template-columns: repeat(2, clamp(3rem, 6.4vw, 4.6rem)); gap: .5rem; padding-bottom: .4rem; }
.turns img { width: 100%; aspect-ratio: 1; object-fit: cover; image-rendering: pixelated; border-radius: .4rem; }
.byline { grid-column: 1 / -1; color: var(--muted); margin-top: 1.6rem; font-size: .95rem; display: flex; flex-wrap: wrap; column-gap: 1.4rem; }
.byline strong { color: var(--ink); }
.headlines { display: grid; grid-template-columns: minmax(0, 1.5fr) repeat(2, minmax(0, 1fr)); align-items: end; gap: 2rem; border-top: 1px solid var(--rule); padding: 2.2rem 0 2.6rem; }
.headlines dt { font-size: .95rem; font-weight: 600; }
.figure { font-size: clamp(2.6rem, 5.4vw, 4rem); line-height: 1.25; letter-spacing: -.035em; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.figure small { font-size: .45em; letter-spacing: 0; color: var(--muted); margin-left: .25em; }
.headlines div:first-child .figure { color: var(--accent); font-size: clamp(3.4rem, 8vw, 6rem); line-height: 1.1; }
.note { color: var(--muted); font-size: .875rem; line-height: 1.5; }
.lead { max-width: 46rem; font-size: clamp(1.1rem, 1.8vw, 1.3rem); line-height: 1.55; padding-bottom: 4rem; text-wrap: pretty; }

/* Sections: the heading stands in the margin */
section {
  display: grid;
  grid-template-columns: 12.5rem minmax(0, 1fr);
  column-gap: 3rem;
  row-gap: 2rem;
  border-top: 1px solid var(--rule);
  padding: 3rem 0 4rem;
}
section > h2 { align-self: start; position: sticky; top: 2rem; font-size: 1.3rem; line-height: 1.25; letter-spacing: -.015em; font-weight: 650; text-wrap: balance; }
section > .body { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.6rem; }
section > .wide { grid-column: 1 / -1; }
p { max-width: 42rem; text-wrap: pretty; }
figure { min-width: 0; }
figcaption { font-size: .875rem; line-height: 1.5; color: var(--muted); }
figcaption b, summary b { color: var(--ink); font-size: 1rem; }
figcaption b + span { display: block; }
aside { max-width: 46rem; background: var(--wash); border-radius: .6rem; padding: 1.1rem 1.4rem; font-size: .95rem; }
footer { border-top: 1px solid var(--rule); padding: 1.6rem 0 3rem; color: var(--muted); font-size: .875rem; }
footer p { max-width: none; }

/* Bars */
.bars { display: grid; gap: 1.2rem; }
.bar { display: grid; grid-template-columns: 18.5rem minmax(0, 1fr) 5.4rem; align-items: center; gap: 1.2rem; }
.bar p { line-height: 1.35; font-size: .95rem; }
.bar small { display: block; color: var(--muted); font-size: .82rem; }
.bar p::first-letter { text-transform: uppercase; }
.bar .value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.track { position: relative; height: 2rem; background: var(--wash); border-radius: .3rem; }
.track::after { content: ""; position: absolute; left: calc(var(--chance) * 100%); top: -.35rem; bottom: -.35rem; border-left: 2px dotted var(--faint); }
.fill { display: block; height: 100%; width: calc(var(--value) * 100%); background: var(--faint); border-radius: .3rem; }
.ours .fill { background: var(--accent); }
.ours b { color: var(--accent); }
.tick { display: inline-block; width: 3px; height: .9em; vertical-align: -.1em; background: var(--ink); border-radius: 1px; outline: 2px solid var(--paper); margin: 0 .15em; }
.track .tick { position: absolute; z-index: 1; height: auto; left: calc(var(--value) * 100%); top: -.25rem; bottom: -.25rem; margin: 0 0 0 -1.5px; }

/* Tables */
.scroll { overflow-x: auto; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .42rem 0 .42rem 1.2rem; white-space: nowrap; font-weight: 400; }
th:first-child { text-align: left; padding-left: 0; }
thead th { font-size: .82rem; color: var(--muted); border-bottom: 1px solid var(--ink); }
tbody + tbody tr:first-child > *, tfoot tr:first-child > * { border-top: 1px solid var(--rule); }
tbody + tbody tr:first-child > *, tfoot tr:first-child > * { padding-top: .8rem; }
.comparison tbody tr:last-child > * { padding-bottom: .8rem; }
.comparison tbody th { white-space: normal; min-width: 11rem; }
.layers :is(thead, tbody) :nth-child(2) { text-align: left; }
.layers tr > :last-child { text-align: center; }
.layers tbody th { font: .88rem var(--mono); }
.layers tbody tr:hover { background: var(--wash); }
.trained { color: var(--accent); }
.names th:first-child, .names .name { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 6rem; max-width: 22rem; }
.classes { max-width: 42rem; }
.classes .share { width: 30%; min-width: 6rem; }
.classes th:first-child { min-width: 11rem; }
.share span { display: block; height: .7rem; border-radius: .15rem; width: calc(var(--value) * 100%); background: color-mix(in oklab, var(--accent) 55%, var(--paper)); }

/* Image grids */
.grids { display: flex; flex-wrap: wrap; gap: 3rem 2.4rem; }
.tiles { display: grid; grid-template-columns: repeat(var(--columns), 3.7rem); gap: .6rem .45rem; margin-top: .9rem; }
.tile { min-width: 0; font-size: .64rem; line-height: 1.25; text-align: center; color: var(--muted); font-variant-numeric: tabular-nums; letter-spacing: -.03em; }
.tile span { display: block; padding-top: .2rem; margin: 0 -.2rem; }
.roomy .tiles { grid-template-columns: repeat(var(--columns), 6rem); }
.roomy .tile { font-size: .68rem; letter-spacing: 0; }
.roomy .cross { inset: auto; top: .25rem; right: .25rem; width: 1.3rem; height: 1.3rem; background: var(--paper); border-radius: .25rem; }
.roomy .cross path { stroke-width: 4; }
.tile span { overflow-wrap: anywhere; }
.picture { position: relative; }
.picture img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: .3rem; }
.cross { position: absolute; inset: 0; width: 100%; height: 100%; }
.cross path { fill: none; stroke: var(--wrong); stroke-width: 2.2; stroke-linecap: round; }
.wrong, .wrong span { color: var(--wrong); font-weight: 600; }

/* Charts */
.curves + .curves { padding-top: .6rem; }
.pair, .beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem 2.5rem; }
.pair { margin-top: .8rem; }
.beside { align-items: center; }
.beside p + p { margin-top: 1rem; }
.chart svg { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { font-variant-numeric: tabular-nums; }
.equation { font-size: 1.6rem; letter-spacing: -.01em; }
.equation sup { font-size: .6em; }
.equation b { color: var(--accent); }

/* Confusion matrices */
.matrices { display: flex; flex-wrap: wrap; gap: 3rem; align-items: start; }
.matrix { max-width: 100%; }
.matrix figcaption { width: 0; min-width: 100%; }
.matrix table { width: auto; margin-top: .8rem; border-collapse: separate; border-spacing: 2px; font-size: .8rem; }
.matrix th, .matrix td { padding: 0 .3rem; height: 2.1rem; min-width: 2.9rem; text-align: center; border: 0; border-radius: .25rem; }
.matrix thead > tr > * { height: 1.6rem; }
.matrix th { color: var(--muted); }
.matrix tbody th { text-align: right; padding-right: .6rem; }
.matrix td.corner { font-size: .7rem; color: var(--faint); text-align: left; padding: 0 .6rem 0 0; }
.matrix tbody th { max-width: 14rem; white-space: normal; overflow-wrap: anywhere; }
.matrix .upright tbody th { min-width: 7rem; }
.matrix .upright thead th { writing-mode: vertical-rl; height: auto; max-height: 11rem; min-width: 2.9rem; padding: .3rem 0; text-align: right; vertical-align: bottom; }
.many { display: grid; grid-template-columns: minmax(0, 34rem) minmax(18rem, 1fr); gap: 3rem; align-items: start; margin-top: 1rem; }
.many table { font-size: .88rem; margin: 0; border-spacing: 0; width: 100%; }
.many th, .many td { height: auto; min-width: 0; border-radius: 0; text-align: right; padding: .3rem 0 .3rem 1.2rem; }
.many tbody th, .many .name, .many thead th:first-child { text-align: left; color: var(--ink); padding-right: 0; }
.many tbody th, .many th:first-child { padding-left: 0; }
.matrix:has(.many) { width: 100%; }
.map svg { display: block; width: 100%; height: auto; background: var(--wash); border-radius: .25rem; }
.map p, .pairs + p { margin-top: .6rem; }
path.right { fill: color-mix(in oklab, var(--accent) calc(var(--strength) * 100%), var(--wash)); background: none; }
path.error { fill: color-mix(in oklab, var(--wrong) calc(var(--strength) * 100%), var(--wash)); background: none; }
.right, .error { background: color-mix(in oklab, var(--accent) calc(var(--strength) * 100%), var(--wash)); }
.error { background: color-mix(in oklab, var(--wrong) calc(var(--strength) * 100%), var(--wash)); }
.strong { color: var(--on-accent); }
.zero { color: var(--faint); }

/* Folded parts */
details + details { margin-top: -.8rem; }
details { border: 1px solid var(--rule); border-radius: .6rem; padding: 0 1.2rem; }
summary { cursor: pointer; padding: .8rem 0; font-size: .875rem; color: var(--muted); }
summary span { margin-left: .8rem; }
details[open] { padding-bottom: 1.2rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1.2rem 2rem; }
.facts dt { font-size: .82rem; color: var(--muted); }
.facts dd { font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.settings { columns: 22rem; column-gap: 2.5rem; font-size: .82rem; }
.settings > div { break-inside: avoid; padding: .4rem 0 1rem; }
.settings h3 { font: 600 .82rem var(--mono); padding-bottom: .3rem; border-bottom: 1px solid var(--rule); margin-bottom: .3rem; }
.settings dl div { display: flex; justify-content: space-between; gap: 1.2rem; padding: .1rem 0; }
.settings dt { color: var(--muted); font-family: var(--mono); min-width: 0; overflow-wrap: anywhere; }
.settings dd { text-align: right; font-family: var(--mono); min-width: 0; max-width: 65%; overflow-wrap: anywhere; }

@media (max-width: 58rem) {
  section { grid-template-columns: minmax(0, 1fr); padding: 2.2rem 0 2.8rem; row-gap: 1.2rem; }
  section > h2 { position: static; }
  .grids { gap: 2.4rem; }
}
@media (max-width: 40rem) {
  .headlines { grid-template-columns: minmax(0, 1fr); gap: 1.4rem; }
  .figure { line-height: 1.15; }
  .turns { grid-row: 3; grid-column: 1 / -1; grid-template-columns: repeat(4, 3.4rem); padding: 1.4rem 0 0; }
  .bar { grid-template-columns: minmax(0, 1fr) auto; gap: .4rem 1rem; }
  .track { grid-row: 2; grid-column: 1 / -1; }
  .tiles { grid-template-columns: repeat(auto-fill, minmax(3.7rem, 1fr)); }
  .grid { width: 100%; }
  .comparison { font-size: .85rem; }
  .comparison :is(th, td):nth-child(4) { display: none; }
  .comparison thead th { white-space: normal; vertical-align: bottom; }
  .comparison tbody th { min-width: 7rem; }
  .matrices { gap: 2.2rem; }
  .matrix { width: 100%; }
  .matrix figcaption { width: auto; }
  .matrix th, .matrix td { min-width: 0; padding: 0 .18rem; height: 1.9rem; }
  .matrix table { font-size: .68rem; border-spacing: 1px; }
  .matrix td.corner { font-size: 0; }
  .matrix .upright tbody th { min-width: 7rem; }
.matrix .upright thead th { min-width: 0; }
  .many { grid-template-columns: minmax(0, 1fr); gap: 1.6rem; }
  .roomy .tiles { grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr)); }
  th, td { padding-left: .8rem; }
  summary span { display: block; margin: 0; }
}
@media print {
  :root { --paper: #fff; --wash: #f3f4f6; --ink: #000; --muted: #444; --rule: #ccc; --accent: #2b5fd9; --on-accent: #fff; --second: #c8741a; --wrong: #d2342b; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  html { font-size: 9pt; }
  body { max-width: none; padding: 0; }
  section { grid-template-columns: minmax(0, 1fr); padding: 1.4rem 0; }
  section > h2 { position: static; }
  figure, tr, aside, .bar { break-inside: avoid; }
  h2, figcaption { break-after: avoid; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
`;
