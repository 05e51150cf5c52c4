import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { ChartTheme, LineChartOption } from './charts.js';
import { type Html, html, trusted } from './html.js';

use([LineChart, GridComponent, LegendComponent, SVGRenderer]);

/** The style sheet's variables: one SVG serves light and dark. */
export const cssTheme: ChartTheme = {
  text: 'var(--muted)',
  rule: 'var(--rule)',
  background: 'transparent',
  train: 'var(--accent)',
  val: 'var(--second)',
  fontFamily: 'inherit',
};

/** Drawn at about the size that a phone shows, so that its text stays legible there. */
const width = 440;
const height = 280;

/**
 * A chart as inline SVG that scales with the page.
 *
 * @param id unique in the page: prefixes the ids inside the SVG, which ECharts counts up from process to process
 * @param description what the chart shows, for those who do not see it
 */
export function chartSvg(id: string, option: LineChartOption, description: string): Html {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return html`<div class="chart" role="img" aria-label="${description}">${trusted(tidy(chart.renderToSVGString(), id))}</div>`;
  } finally {
    chart.dispose();
  }
}

/** Leaves out what only a script would use (hover styles, classes, data marks) and makes the output repeatable. */
function tidy(svg: string, id: string): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace(/\n+/g, '');
}
