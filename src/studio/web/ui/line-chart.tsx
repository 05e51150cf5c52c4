import { LineChart as Lines } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Point } from '../store/curve.js';

use([Lines, GridComponent, TooltipComponent, CanvasRenderer]);

export interface ChartLine {
  readonly name: string;
  readonly points: readonly Point[];
  /** Name of a colour of the style sheet. */
  readonly colour: '--accent' | '--warn' | '--good';
  readonly isDashed?: boolean;
  /** Show each point. */
  readonly hasDots?: boolean;
}

export interface LineChartProps {
  readonly lines: readonly ChartLine[];
  /** What it shows, in a sentence with its last figures, for those who do not see it. */
  readonly says: string;
  /** Whether the values are shares, shown as per cent. */
  readonly isShare?: boolean;
  /** Below the axis. */
  readonly xName: string;
}

/** Lines over a number, drawn on a canvas in the colours of the page. */
export function LineChart({ lines, says, isShare = false, xName }: LineChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const draw = (): void => {
    const element = box.current;
    if (element === null || chart.current === null) return;
    const style = getComputedStyle(element);
    const colour = (name: string): string => resolved(element, `var(${name})`);
    const axis = {
      axisLine: { lineStyle: { color: colour('--line-strong') } },
      axisLabel: { color: colour('--quiet'), fontFamily: style.fontFamily },
      splitLine: { lineStyle: { color: colour('--line') } },
    };
    const written = (value: number): string =>
      isShare ? `${(100 * value).toFixed(1)} %` : value.toPrecision(3);
    chart.current.setOption(
      {
        animation: false,
        grid: { left: 52, right: 16, top: 12, bottom: 40 },
        // The page's policy allows no style in a text: what hovers is drawn, too.
        tooltip: {
          trigger: 'axis',
          renderMode: 'richText',
          backgroundColor: colour('--raised'),
          borderColor: colour('--line'),
          textStyle: { color: colour('--text'), fontFamily: style.fontFamily },
          valueFormatter: (value: unknown) => written(Number(value)),
        },
        xAxis: {
          type: 'value',
          min: 0,
          max: 'dataMax',
          minInterval: 1,
          splitNumber: 4,
          name: xName,
          nameLocation: 'middle',
          nameGap: 26,
          nameTextStyle: { color: colour('--quiet'), fontFamily: style.fontFamily },
          ...axis,
          splitLine: { show: false },
        },
        yAxis: {
          type: 'value',
          scale: true,
          splitNumber: 4,
          // Tenths, so that noise does not look like a climb.
          ...(isShare && {
            min: ({ min }: { min: number }) => Math.max(0, Math.floor(min * 10 - 0.01) / 10),
            max: ({ max }: { max: number }) => Math.min(1, Math.ceil(max * 10 + 0.01) / 10),
          }),
          ...axis,
          axisLabel: {
            ...axis.axisLabel,
            formatter: (value: number) => (isShare ? `${Math.round(100 * value)} %` : String(value)),
          },
        },
        series: lines.map(({ name, points, colour: of, isDashed = false, hasDots = false }) => ({
          type: 'line',
          name,
          data: points as [number, number][],
          showSymbol: hasDots || points.length < 2,
          symbolSize: 6,
          sampling: 'lttb',
          color: colour(of),
          lineStyle: { width: 2, type: isDashed ? 'dashed' : 'solid' },
        })),
      },
      { notMerge: true },
    );
  };
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = init(element, null, { renderer: 'canvas' });
    chart.current = made;
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const redraw = (): void => redrawNow.current();
    dark.addEventListener('change', redraw);
    return () => {
      observer.disconnect();
      theme.disconnect();
      dark.removeEventListener('change', redraw);
      made.dispose();
      chart.current = null;
    };
  }, []);
  const redrawNow = useRef(draw);
  redrawNow.current = draw;
  useEffect(draw);
  return <div ref={box} class="chart" role="img" aria-label={says} />;
}

/** A colour as a canvas takes it: `light-dark()` is decided by the element. */
function resolved(element: HTMLElement, value: string): string {
  const probe = document.createElement('span');
  probe.style.color = value;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
