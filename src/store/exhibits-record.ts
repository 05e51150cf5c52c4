import { z } from 'zod';
import type { LeftOut } from '../data/left-out.js';
import { isRecord } from './json.js';

const count = z.int().min(0);

const tileSchema = z
  .object({
    /** Base64 of uint8 [height, width, channels]. */
    pixels: z.string(),
    caption: z.string(),
    /** Drawn with a red cross. */
    wrong: z.boolean(),
  })
  .readonly();
/** One picture of a grid. */
export type Tile = z.infer<typeof tileSchema>;

/** Whether a text is the base64 of so many bytes. */
function holdsBytes(text: string, bytes: number): boolean {
  const digits = Math.ceil((4 * bytes) / 3);
  const padding = '='.repeat(4 * Math.ceil(bytes / 3) - digits);
  return (
    text.slice(digits) === padding && /^[A-Za-z0-9+/]*$/.test(text.slice(0, digits)) && text.length >= digits
  );
}

const side = z.int().min(1);
const gridSchema = z
  .object({
    title: z.string(),
    columns: side,
    height: side,
    width: side,
    channels: side,
    tiles: z.array(tileSchema).readonly(),
  })
  .readonly()
  .refine(
    ({ tiles, height, width, channels }) =>
      tiles.every(({ pixels }) => holdsBytes(pixels, height * width * channels)),
    { path: ['tiles'], error: 'expected base64 of height × width × channels bytes' },
  );
export type ImageGrid = z.infer<typeof gridSchema>;

/** Runs of earlier versions have a number for each pair of classes: `counts[actual][predicted]`. */
function withCells(confusion: unknown): unknown {
  if (!isRecord(confusion) || 'cells' in confusion || !Array.isArray(confusion.counts)) return confusion;
  const { counts, ...rest } = confusion;
  const cells = counts.flatMap((row: unknown, actual: number) =>
    Array.isArray(row) ? row.flatMap((n, predicted) => (n === 0 ? [] : [[actual, predicted, n]])) : [],
  );
  return { ...rest, cells };
}

const cellSchema = z.tuple([count, count, count]).readonly();

const confusionSchema = z.preprocess(
  withCells,
  z
    .object({
      title: z.string(),
      classNames: z.array(z.string()).readonly(),
      /** `[actual, predicted, count]` of each pair of class numbers that occurs. */
      cells: z.array(cellSchema).readonly(),
    })
    .readonly()
    .refine(
      ({ classNames: { length }, cells }) =>
        cells.every(([actual, predicted]) => actual < length && predicted < length),
      { path: ['cells'], error: 'expected numbers of classes that have a name' },
    ),
);
/** How often images of one class were taken for another; of a thousand classes most pairs never occur. */
export type ConfusionMatrix = z.infer<typeof confusionSchema>;

const layerSchema = z
  .object({
    name: z.string(),
    type: z.string(),
    outputShape: z.array(count).readonly(),
    params: count,
    trainable: z.boolean(),
  })
  .readonly();
const layerTableSchema = z
  .object({
    title: z.string(),
    rows: z.array(layerSchema).readonly(),
    totalParams: count,
    trainableParams: count,
    nonTrainableParams: count,
  })
  .readonly();

const leftOutSchema = z
  .object({
    found: count,
    unit: z.enum(['file', 'image']),
    setAside: count,
    copies: count,
    untested: count,
    kinds: z
      .array(
        z
          .object({
            reason: z.string(),
            count,
            names: z.array(z.string()).readonly(),
            hint: z.string().exactOptional(),
          })
          .readonly(),
      )
      .readonly(),
    rows: z
      .object({ table: z.string(), count, names: z.array(z.string()).readonly() })
      .readonly()
      .exactOptional(),
  })
  .readonly() satisfies z.ZodType<LeftOut>;

/** `exhibits.json`: what the report shows beside curves and figures. */
export const exhibitsSchema = z
  .object({
    grids: z.array(gridSchema).readonly(),
    layerTables: z.array(layerTableSchema).readonly(),
    confusions: z.array(confusionSchema).readonly(),
    /**
     * Class names with how many training and labelled images each has; `train` is null if nobody knows the classes
     * of the training images.
     */
    classCounts: z
      .array(
        z
          .object({
            name: z.string(),
            train: count.nullable(),
            labelled: count,
            /** How many images of a sample of the pile the kept classifier takes for it; absent without a pile. */
            found: count.optional(),
          })
          .readonly(),
      )
      .readonly(),
    /** Training images, labelled ones among them; absent in runs of earlier versions. */
    trainImages: count.optional(),
    /** What lies in the data and was not learned from; absent where nobody counted. */
    leftOut: leftOutSchema.optional(),
  })
  .readonly();
export type Exhibits = z.infer<typeof exhibitsSchema>;
