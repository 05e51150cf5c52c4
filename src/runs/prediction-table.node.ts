import { type FileHandle, open } from 'node:fs/promises';
import type { ColumnSource } from 'hyparquet-writer';
import { ioError } from '../store/atomic-file.node.js';
import {
  type PredictionColumns,
  type PredictionField,
  type PredictionFormat,
  type PredictionRow,
  predictionFields,
} from './prediction-row.js';
import { csvFormat, jsonFormat, jsonLinesFormat } from './prediction-text.js';

/** Kinds of files that predictions are written to. */
export const tableKinds = ['csv', 'jsonl', 'json', 'parquet'] as const;
export type TableKind = (typeof tableKinds)[number];

/** The text of a kind of table. */
export function textFormatOf(
  kind: Exclude<TableKind, 'parquet'>,
  columns: PredictionColumns,
): PredictionFormat {
  return { csv: csvFormat, jsonl: jsonLinesFormat, json: jsonFormat }[kind](columns);
}

/**
 * Write rows to a file as they come, in constant memory; it is on the disk when this is done.
 * @throws QuarterturnError `io` naming the path
 */
export async function writeTable(
  path: string,
  rows: AsyncIterable<readonly PredictionRow[]>,
  { kind, columns }: { readonly kind: TableKind; readonly columns: PredictionColumns },
): Promise<void> {
  try {
    const file = await open(path, 'w');
    try {
      if (kind === 'parquet') await writeParquet(file, rows, columns);
      else await writeText(file, rows, textFormatOf(kind, columns));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw ioError('write', path, error);
  }
}

async function writeText(
  file: FileHandle,
  rows: AsyncIterable<readonly PredictionRow[]>,
  format: PredictionFormat,
): Promise<void> {
  await file.appendFile(format.begin());
  for await (const some of rows) await file.appendFile(format.rows(some));
  await file.appendFile(format.end());
}

/** Values of a row group: a few megabytes of memory, and enough of a column that it packs well. */
const groupValues = 2 ** 20;
const mostGroupRows = 50_000;

/** A row group at a time; what stays in memory is where each of them lies. */
async function writeParquet(
  file: FileHandle,
  rows: AsyncIterable<readonly PredictionRow[]>,
  columns: PredictionColumns,
): Promise<void> {
  // Loaded only now: who writes no Parquet needs no library for it.
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
  const writer = new ByteWriter();
  const flush = async (): Promise<void> => {
    await file.appendFile(writer.getBytes());
    writer.index = 0;
  };
  const fields = predictionFields(columns);
  const parquet = new ParquetWriter({
    writer: Object.assign(writer, { flush, finish: flush }),
    schema: parquetSchema(fields),
    createdBy: 'quarterturn',
  });
  const groupRows = Math.max(
    1,
    Math.min(
      mostGroupRows,
      Math.floor(groupValues / (columns.probabilities ? columns.classNames.length : 1)),
    ),
  );
  let group: PredictionRow[] = [];
  const flushGroup = async (): Promise<void> => {
    if (group.length === 0) return;
    await parquet.write({ columnData: columnData(group, fields), rowGroupSize: groupRows });
    group = [];
  };
  for await (const some of rows) {
    for (const row of some) {
      group.push(row);
      if (group.length === groupRows) await flushGroup();
    }
  }
  await flushGroup();
  await parquet.finish();
}

const parquetTypes = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  label: { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  index: { type: 'INT32', repetition_type: 'OPTIONAL' },
  flag: { type: 'BOOLEAN', repetition_type: 'REQUIRED' },
  probability: { type: 'FLOAT', repetition_type: 'REQUIRED' },
} as const;

function parquetSchema(fields: readonly PredictionField[]) {
  const columns = fields.map(({ name, type }) => ({ name, ...parquetTypes[type] }));
  return [{ name: 'root', num_children: columns.length }, ...columns];
}

/** The rows of a group, column by column. */
function columnData(rows: readonly PredictionRow[], fields: readonly PredictionField[]): ColumnSource[] {
  return fields.map(({ name, valueIn }) => ({ name, data: rows.map(valueIn) }));
}
