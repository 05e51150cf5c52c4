import type { Reliability } from '../train/reliability.js';
import { chartSvg, cssTheme } from './chart-svg.js';
import { type ChartTheme, type LineChartOption, midToneTheme } from './charts.js';
import { countOf, formatPercent } from './format.js';
import type { Html } from './html.js';
import { wilsonInterval } from './statistics.js';

/**
 * A reliability diagram: for each range of confidences the share of right answers, with Wilson's 95 % interval, over the mean
 * confidence; the dotted line is where both are the same. Below it the classifier is surer than it should be.
 */
export function reliabilityOption({ bins }: Reliability, theme: ChartTheme = midToneTheme): LineChartOption {
  const filled = bins.filter(({ count }) => count > 0);
  const still = { type: 'line', silent: true, emphasis: { disabled: true }, showSymbol: false } as const;
  const axis = (name: string, nameGap: number) => ({
    type: 'value' as const,
    name,
    nameLocation: 'middle' as const,
    nameGap,
    nameTextStyle: { color: theme.text },
    min: 0,
    max: 1,
    interval: 0.2,
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: theme.rule } },
    axisLabel: { color: theme.text, formatter: (share: number) => formatPercent(share, 0) },
  });
  return {
    animation: false,
    backgroundColor: theme.background,
    textStyle: { fontFamily: theme.fontFamily },
    grid: { top: 14, right: 20, bottom: 46, left: 58, outerBoundsMode: 'none' },
    xAxis: axis('confidence', 30),
    yAxis: axis('right answers', 44),
    series: [
      {
        ...still,
        name: 'as it should be',
        data: [
          [0, 0],
          [1, 1],
        ],
        lineStyle: { color: theme.text, width: 1.5, type: 'dotted' },
      },
      ...filled.map(({ meanConfidence, accuracy, count }) => {
        const { low, high } = wilsonInterval(Math.round(accuracy * count), count);
        return {
          ...still,
          name: '95 % interval',
          data: [
            [meanConfidence, low],
            [meanConfidence, high],
          ] as [number, number][],
          lineStyle: { color: theme.train, width: 5, opacity: 0.25 },
        };
      }),
      {
        ...still,
        name: 'this classifier',
        data: filled.map(({ meanConfidence, accuracy }) => [meanConfidence, accuracy] as [number, number]),
        color: theme.train,
        showSymbol: true,
        symbol: 'circle',
        symbolSize: 8,
        itemStyle: { color: theme.train, borderColor: theme.background },
        lineStyle: { color: theme.train, width: 2, join: 'round' },
      },
    ],
  };
}

/**
 * {@link reliabilityOption} as inline SVG in the report's colours.
 * @param id unique in the page
 */
export function reliabilityChart(id: string, reliability: Reliability): Html {
  return chartSvg(id, reliabilityOption(reliability, cssTheme), describeReliability(reliability));
}

/** The diagram in words, for those who do not see it. */
export function describeReliability({ bins, count, expectedCalibrationError }: Reliability): string {
  const points = bins
    .filter((bin) => bin.count > 0)
    .map(
      ({ meanConfidence, accuracy }) =>
        `${formatPercent(accuracy, 0)} at ${formatPercent(meanConfidence, 0)}`,
    );
  return `Share of right answers by confidence, ${countOf(count, 'image')}: ${points.join(', ') || 'none'}. Expected calibration error ${formatPercent(expectedCalibrationError, 1)}.`;
}
