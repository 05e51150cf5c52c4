import type { LineSeriesOption } from 'echarts/charts';
import type { GridComponentOption, LegendComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import type { EpochRecord } from '../store/run-record.js';
import { formatPercent } from './format.js';

export type LineChartOption = ComposeOption<LineSeriesOption | GridComponentOption | LegendComponentOption>;

/** Colours of a chart; any CSS colour that its renderer understands. */
export interface ChartTheme {
  readonly text: string;
  readonly rule: string;
  readonly background: string;
  readonly train: string;
  readonly val: string;
  readonly fontFamily: string;
}

/** Middle tones that read on white and on near-black alike: for renderers without CSS variables (canvas). */
export const midToneTheme: ChartTheme = {
  text: '#7b8494',
  rule: 'rgba(128, 136, 150, 0.25)',
  background: 'transparent',
  train: '#4f7fe0',
  val: '#d98a2b',
  fontFamily: 'system-ui, sans-serif',
};

/** More points than these are a line; fewer need markers to be seen (one epoch draws no line at all). */
const maxMarkers = 24;

/**
 * A stage's accuracy or loss over its epochs, of label draw 0: train and, where it has a split, val; where it learns from
 * the unlabelled pile, how often two views of an image agree.
 *
 * Accuracy runs up to 100 % from the round figure just below the lowest value; loss from 0.
 */
export function learningCurveOption(
  epochs: readonly EpochRecord[],
  stage: string,
  quantity: 'accuracy' | 'loss',
  theme: ChartTheme = midToneTheme,
): LineChartOption {
  const records = epochs.filter((record) => record.stage === stage && record.draw === 0);
  const train = records.map((record) => [record.epoch, record.train[quantity]] as [number, number]);
  const val = pointsOf(records, ({ val }) => val?.[quantity]);
  const agreement = quantity === 'accuracy' ? pointsOf(records, ({ pile }) => pile?.agreement) : [];
  const curves = [
    lineSeries(agreement.length > 0 ? 'labels' : 'train', train, theme.train, theme),
    ...(val.length > 0 ? [lineSeries('val', val, theme.val, theme)] : []),
    ...(agreement.length > 0 ? [lineSeries('pile, agreement', agreement, theme.val, theme)] : []),
  ];
  const values = [...train, ...val, ...agreement].map(([, value]) => value);
  return {
    ...frame(theme),
    legend: legend(theme),
    xAxis: countAxis('epoch', lastEpochOf(records), theme),
    yAxis:
      quantity === 'loss'
        ? lossAxis(theme)
        : accuracyAxis(agreement.length > 0 ? 'share of images' : 'accuracy', values, theme),
    series: curves,
  };
}

/**
 * What a stage that learns from the unlabelled pile knows of it after each epoch, of label draw 0: mutual information
 * of two views' classes, in nats, on an axis that ends at its ceiling ln K.
 *
 * @param classes K
 */
export function informationOption(
  epochs: readonly EpochRecord[],
  stage: string,
  classes: number,
  theme: ChartTheme = midToneTheme,
): LineChartOption {
  const records = epochs.filter((record) => record.stage === stage && record.draw === 0);
  const information = pointsOf(records, ({ pile }) => pile?.information);
  return {
    ...frame(theme),
    legend: legend(theme),
    xAxis: countAxis('epoch', lastEpochOf(records), theme),
    yAxis: informationAxis(
      information.map(([, value]) => value),
      classes,
      theme,
    ),
    series: [lineSeries('pile, information', information, theme.val, theme)],
  };
}

function pointsOf(
  records: readonly EpochRecord[],
  read: (record: EpochRecord) => number | undefined,
): [number, number][] {
  return records.flatMap((record) => {
    const value = read(record);
    return value === undefined ? [] : [[record.epoch, value] as [number, number]];
  });
}

function lastEpochOf(records: readonly EpochRecord[]): number {
  return records.reduce((last, record) => Math.max(last, record.epoch), 1);
}

function legend(theme: ChartTheme) {
  return {
    top: 0,
    right: 0,
    itemGap: 18,
    itemWidth: 20,
    itemHeight: 7,
    inactiveColor: theme.rule,
    textStyle: { color: theme.text },
  };
}

/**
 * How much of a moving average's initial value is left after each step: `momentum^step`.
 *
 * @param momentum of the average `a ← momentum·a + (1 − momentum)·batch`, 0–1
 * @param steps training steps, ≥ 1
 */
export function retentionOption(
  momentum: number,
  steps: number,
  theme: ChartTheme = midToneTheme,
): LineChartOption {
  const points = Math.min(steps, 100);
  const line = Array.from({ length: points + 1 }, (_, i) => {
    const step = (i / points) * steps;
    return [step, momentum ** step] as [number, number];
  });
  const left = formatPercent(momentum ** steps, 0);
  const curve = lineSeries('initial value left', line, theme.train, theme);
  const end = lineSeries('end', line.slice(-1), theme.train, theme);
  return {
    ...frame(theme),
    xAxis: countAxis('training step', steps, theme),
    yAxis: { ...percentAxis('initial value left', 0, 0.2, theme), max: 1 },
    series: [
      { ...curve, showSymbol: false, areaStyle: { color: theme.train, opacity: 0.12 } },
      {
        ...end,
        label: {
          show: true,
          position: 'top',
          align: 'right',
          distance: 10,
          formatter: left,
          ...labelFont(theme),
        },
      },
    ],
  };
}

function labelFont(theme: ChartTheme) {
  return { color: theme.text, fontSize: 15, fontWeight: 'bold' as const };
}

function frame(theme: ChartTheme): LineChartOption {
  return {
    // A report is rendered once; an animation would be caught at its first frame.
    animation: false,
    backgroundColor: theme.background,
    textStyle: { fontFamily: theme.fontFamily },
    grid: { top: 34, right: 14, bottom: 46, left: 58, outerBoundsMode: 'none' },
  };
}

function lineSeries(
  name: string,
  data: [number, number][],
  color: string,
  theme: ChartTheme,
): LineSeriesOption {
  const markers = data.length <= maxMarkers;
  return {
    type: 'line',
    name,
    data,
    color,
    silent: true,
    emphasis: { disabled: true },
    showSymbol: markers,
    symbol: 'circle',
    symbolSize: 6,
    itemStyle: { color, borderColor: theme.background },
    lineStyle: { color, width: 2, join: 'round' },
  };
}

function axisStyle(name: string, theme: ChartTheme) {
  return {
    type: 'value' as const,
    name,
    nameLocation: 'middle' as const,
    nameTextStyle: { color: theme.text },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: theme.rule } },
  };
}

function countAxis(name: string, last: number, theme: ChartTheme) {
  const interval = countInterval(last);
  return {
    ...axisStyle(name, theme),
    nameGap: 30,
    min: 0,
    max: last,
    interval,
    splitLine: { show: false },
    axisLine: { show: true, onZero: false, lineStyle: { color: theme.rule } },
    // The axis ends at `last` even where that is no multiple of the interval: its label would crowd the one before.
    axisLabel: { color: theme.text, showMaxLabel: last % interval === 0 },
  };
}

/** The smallest of 1, 2, 5, 10, 20, 50, … that gives at most eight ticks. */
export function countInterval(last: number): number {
  for (let decade = 1; ; decade *= 10) {
    for (const digit of [1, 2, 5]) if (last / (digit * decade) <= 8) return digit * decade;
  }
}

function percentAxis(name: string, min: number, interval: number, theme: ChartTheme) {
  const decimals = interval < 0.01 ? 1 : 0;
  return {
    ...axisStyle(name, theme),
    nameGap: 44,
    min,
    interval,
    axisLabel: {
      color: theme.text,
      formatter: (fraction: number) => formatPercent(fraction, decimals),
    },
  };
}

/** Rooms below 100 % that an accuracy axis may show, each with its tick interval. */
const accuracyRooms = [
  [0.02, 0.005],
  [0.05, 0.01],
  [0.1, 0.02],
  [0.2, 0.05],
  [0.5, 0.1],
  [1, 0.2],
] as const;

/** Lowest value and tick interval of an accuracy axis that ends at 1 and shows all of `values`. */
export function accuracyRange(values: readonly number[]): { min: number; interval: number } {
  const needed = 1 - values.reduce((lowest, value) => Math.min(lowest, value), 1);
  const [room, interval] = accuracyRooms.find(([size]) => size >= needed) ?? [1, 0.2];
  return { min: 1 - room, interval };
}

function accuracyAxis(name: string, values: readonly number[], theme: ChartTheme) {
  const { min, interval } = accuracyRange(values);
  return { ...percentAxis(name, min, interval, theme), max: 1 };
}

function lossAxis(theme: ChartTheme) {
  return {
    ...axisStyle('loss (nats)', theme),
    nameGap: 44,
    min: 0,
    splitNumber: 5,
    axisLabel: { color: theme.text },
  };
}

/** Lowest value and tick interval of an axis of information that ends at `ceiling` and shows all of `values`. */
export function informationRange(
  values: readonly number[],
  ceiling: number,
): { min: number; interval: number } {
  const lowest = Math.max(
    0,
    values.reduce((low, value) => Math.min(low, value), 0.9 * ceiling),
  );
  const intervals = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
  const interval = intervals.find((size) => (ceiling - lowest) / size <= 5) ?? 1;
  return { min: Number((Math.floor(lowest / interval) * interval).toFixed(2)), interval };
}

function informationAxis(values: readonly number[], classes: number, theme: ChartTheme) {
  const ceiling = Math.log(classes);
  const { min, interval } = informationRange(values, ceiling);
  return {
    ...axisStyle('information (nats)', theme),
    nameGap: 44,
    min,
    max: ceiling,
    interval,
    axisLabel: {
      color: theme.text,
      // The ceiling has its own label; a tick just below it has no room for one.
      formatter: (nats: number) => {
        if (nats === ceiling) return `ln ${classes}`;
        return ceiling - nats < 0.4 * interval ? '' : nats.toFixed(interval < 0.1 ? 2 : 1);
      },
    },
  };
}
