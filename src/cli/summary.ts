import type { Command } from 'commander';
import { layerTables } from '../recipes/exhibits.js';
import { formatCount, formatShape } from '../report/format.js';
import type { LayerTable } from '../store/run-record.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { chosenSettings, type SettingFlags } from './settings.js';

interface SummaryFlags extends SettingFlags {
  readonly classes?: number;
}

/** MNIST's images, which the presets are made for. */
const images = { height: 28, width: 28, channels: 1 } as const;

/** `quarterturn summary`: the layer tables of a preset. */
export function addSummaryCommand(program: Command): void {
  const command = program
    .command('summary')
    .summary("a preset's layer tables, as Keras prints them")
    .description(
      'Print layers, output shapes and parameters for 28×28 grey images: as pretrained, with blocks frozen where the preset freezes any, and as the supervised baseline.',
    );
  addGroup(command, 'What to show:', [option.preset(), option.config(), option.width(), option.classes()]);
  addOutputGroup(command);
  addExamples(command, [
    ['quarterturn summary --preset notebook', '998,084 parameters, as the notebook prints'],
    ['quarterturn summary --width 0.5', 'half the channels'],
  ]);
  command.action(async ({ classes = 10, ...flags }: SummaryFlags) => {
    const settings = await chosenSettings(flags, 'pretrain');
    const [pretext, frozen, baseline] = layerTables(settings, images, classes);
    const tables = settings.finetune.frozenBlocks > 0 ? [pretext, frozen, baseline] : [pretext, baseline];
    process.stdout.write(tables.map((table) => formatLayerTable(table!)).join('\n'));
  });
}

/** A layer table as plain text: layer and type, output shape H×W×C, parameters, then the totals. */
export function formatLayerTable({ title, rows, ...totals }: LayerTable): string {
  const head = ['Layer (type)', 'Output shape', 'Params', ''] as const;
  const cells = rows.map(
    ({ name, type, outputShape, params, trainable }) =>
      [
        `${name} (${type})`,
        formatShape(outputShape),
        formatCount(params),
        trainable ? '' : 'frozen',
      ] as const,
  );
  const [layer, shape, params] = ([0, 1, 2] as const).map((column) =>
    Math.max(...[head, ...cells].map((row) => row[column].length)),
  ) as [number, number, number];
  const line = (row: (typeof cells)[number] | typeof head) =>
    `${row[0].padEnd(layer)}  ${row[1].padEnd(shape)}  ${row[2].padStart(params)}  ${row[3]}`.trimEnd();
  const rule = '─'.repeat(layer + shape + params + 4);
  return [
    title,
    rule,
    line(head),
    rule,
    ...cells.map(line),
    rule,
    `Total params: ${formatCount(totals.totalParams)}`,
    `Trainable params: ${formatCount(totals.trainableParams)}`,
    `Non-trainable params: ${formatCount(totals.nonTrainableParams)}`,
    '',
  ].join('\n');
}
