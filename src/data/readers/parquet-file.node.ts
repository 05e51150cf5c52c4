import { type FileMetaData, parquetMetadata, parquetSchema } from 'hyparquet';
import { QuarterturnError } from '../../errors.js';
import type { ByteSource } from './byte-source.js';
import { ParquetColumn } from './parquet-column.node.js';
import {
  findImageColumns,
  type ImageColumns,
  type Leaf,
  type ParquetColumnOptions,
} from './parquet-columns.js';
import type { ParquetValue } from './parquet-values.js';
import { endOfThrift } from './thrift-bounds.js';

/** Of the directory at the end of a file: that of a million row groups has 200 MB, which nobody writes. */
const maxFooterBytes = 2 ** 26;
const magic = 'PAR1';

/** A Parquet file whose directory was read. */
export class ParquetFile {
  readonly rows: number;
  readonly #columns = new Map<string, ParquetColumn>();
  /** The first row of each row group, and behind the last one the number of all rows. */
  readonly #groupStarts: readonly number[];

  private constructor(
    readonly source: ByteSource,
    private readonly metadata: FileMetaData,
    readonly columns: ImageColumns,
  ) {
    const starts = [0];
    for (const group of metadata.row_groups) starts.push((starts.at(-1) ?? 0) + Number(group.num_rows));
    this.#groupStarts = starts;
    this.rows = starts.at(-1) ?? 0;
  }

  /**
   * @throws QuarterturnError `data` for what is no Parquet file, is cut off, damaged or encrypted, and for one without images
   */
  static async open(source: ByteSource, options: ParquetColumnOptions): Promise<ParquetFile> {
    const metadata = await readMetadata(source);
    assertRows(source, metadata);
    const schema = explained(source.name, () => parquetSchema(metadata));
    const columns = explained(source.name, () => findImageColumns(source.name, metadata, schema, options));
    return new ParquetFile(source, metadata, columns);
  }

  /** The value of a row; undefined if it has none. Pages stay unpacked for the rows beside it. */
  async valueAt(leaf: Leaf, row: number): Promise<ParquetValue | undefined> {
    const group = this.#groupStarts.findLastIndex(
      (start, i) => start <= row && i < this.metadata.row_groups.length,
    );
    return this.#columnOf(leaf, group).valueAt(row - (this.#groupStarts[group] ?? 0));
  }

  /** The values of all rows of a column. */
  async allValues(leaf: Leaf): Promise<(ParquetValue | undefined)[]> {
    const values: (ParquetValue | undefined)[] = [];
    for (const [group] of this.metadata.row_groups.entries()) {
      for (const value of await this.#newColumn(leaf, group).allValues()) values.push(value);
    }
    return values;
  }

  /** One column is kept: the last one asked for, since rows are asked for in order. */
  #columnOf(leaf: Leaf, group: number): ParquetColumn {
    const key = `${group} ${leaf.path.join('.')}`;
    const column = this.#columns.get(key) ?? this.#newColumn(leaf, group);
    this.#columns.delete(key);
    this.#columns.set(key, column);
    for (const old of this.#columns.keys()) {
      if (this.#columns.size <= keptColumns) break;
      this.#columns.delete(old);
    }
    return column;
  }

  #newColumn(leaf: Leaf, group: number): ParquetColumn {
    const { row_groups: groups } = this.metadata;
    const where = `${this.source.name}, column ${leaf.path.join('.')}`;
    const path = leaf.path.join('\0');
    const chunk = groups[group]?.columns.find(
      ({ meta_data: meta }) => meta?.path_in_schema.join('\0') === path,
    );
    if (
      chunk?.meta_data === undefined ||
      chunk.file_path !== undefined ||
      chunk.meta_data.type !== leaf.type
    ) {
      throw new QuarterturnError(
        'data',
        `${where}: expected its values in every row group. Received: none in number ${group}.`,
        { hint: 'Encrypted columns, and those in other files, cannot be read.' },
      );
    }
    return new ParquetColumn(this.source, {
      where,
      chunk,
      type: leaf.type,
      definitionLevels: leaf.definitionLevels,
      rows: Number(groups[group]?.num_rows ?? 0),
    });
  }
}

/** Row groups of which pages are kept: images that are read ahead may lie in the next one. */
const keptColumns = 2;

async function readMetadata(source: ByteSource): Promise<FileMetaData> {
  const { name, sizeBytes } = source;
  if (sizeBytes < 12) throw damaged(name, 'another file, or one that is cut off');
  const end = await source.read(sizeBytes - 8, sizeBytes);
  const mark = new TextDecoder('latin1').decode(end.subarray(4));
  if (mark === 'PARE') throw damaged(name, 'one that is encrypted');
  if (mark !== magic) throw damaged(name, 'another file, or one that is cut off');
  const length = new DataView(end.buffer).getUint32(0, true);
  if (length > Math.min(sizeBytes - 12, maxFooterBytes))
    throw damaged(name, `a directory of ${length} bytes`);
  const footer = await source.read(sizeBytes - 8 - length, sizeBytes);
  if (typeof endOfThrift(footer.subarray(0, length), 0) === 'string')
    throw damaged(name, 'a directory that is damaged');
  return explained(name, () => parquetMetadata(footer.buffer, { geoparquet: false }));
}

/** Rows are counted by groups; an image takes a byte at least. */
function assertRows(
  { name, sizeBytes }: ByteSource,
  { num_rows: claimed, row_groups: groups }: FileMetaData,
): void {
  let rows = 0;
  for (const { num_rows: some } of groups) {
    const count = typeof some === 'bigint' ? Number(some) : -1;
    if (count < 0 || count > sizeBytes) throw damaged(name, 'a directory that is damaged');
    rows += count;
  }
  if (rows !== Number(claimed) || rows > sizeBytes) {
    throw damaged(name, `${rows} rows in groups for ${Number(claimed)} rows in ${sizeBytes} bytes`);
  }
}

/** What the library makes of a directory that is not what it says. */
function explained<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw cause instanceof QuarterturnError ? cause : damaged(name, 'a directory that is damaged', cause);
  }
}

function damaged(name: string, received: string, cause?: unknown): QuarterturnError {
  return new QuarterturnError('data', `${name}: expected a whole Parquet file. Received: ${received}.`, {
    hint: 'Copy or download the file again.',
    cause,
  });
}
