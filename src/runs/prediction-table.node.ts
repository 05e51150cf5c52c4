import { type FileHandle, open } from 'node:fs/promises';
import type { ColumnSource } from 'hyparquet-writer';
import { ioError } from '../store/atomic-file.node.js';
import {
  isUnsure,
  type PredictionColumns,
  type PredictionFormat,
  type PredictionRow,
  probabilityColumns,
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
  const parquet = new ParquetWriter({
    writer: Object.assign(writer, { flush, finish: flush }),
    schema: parquetSchema(columns),
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
    await parquet.write({ columnData: columnData(group, columns), rowGroupSize: groupRows });
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

function parquetSchema({ classNames, probabilities, unsure }: PredictionColumns) {
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' } as const;
  const float = { type: 'FLOAT', repetition_type: 'REQUIRED' } as const;
  const columns = [
    { name: 'file', ...text },
    { name: 'index', type: 'INT32', repetition_type: 'OPTIONAL' } as const,
    { name: 'label', ...text },
    { name: 'probability', ...float },
    ...(unsure === undefined
      ? []
      : [{ name: 'unsure', type: 'BOOLEAN', repetition_type: 'REQUIRED' } as const]),
    ...(probabilities ? probabilityColumns(classNames).map((name) => ({ name, ...float })) : []),
  ];
  return [{ name: 'root', num_children: columns.length }, ...columns];
}

/** The rows of a group, column by column. */
function columnData(rows: readonly PredictionRow[], columns: PredictionColumns): ColumnSource[] {
  const { classNames, probabilities, unsure } = columns;
  const all = probabilities ? probabilityColumns(classNames) : [];
  return [
    { name: 'file', data: rows.map(({ file }) => file) },
    { name: 'index', data: rows.map(({ index }) => index ?? null) },
    { name: 'label', data: rows.map(({ label }) => label) },
    { name: 'probability', data: rows.map(({ probability }) => probability) },
    ...(unsure === undefined
      ? []
      : [{ name: 'unsure', data: rows.map((row) => isUnsure(row, columns) === true) }]),
    ...all.map((name, k) => ({ name, data: rows.map((row) => row.probabilities?.[k] ?? Number.NaN) })),
  ];
}
