import type { ColumnChunk, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { QuarterturnError } from '../../errors.js';
import type { ByteSource } from './byte-source.js';
import { type Codec, codecs, unpackPage } from './parquet-codecs.node.js';
import { hybridValues, type ParquetValue, plainValues, type ValueType } from './parquet-values.js';
import { endOfThrift } from './thrift-bounds.js';

/** A page that is larger when it is unpacked is refused; writers make pages of a megabyte. */
export const maxPageBytes = 2 ** 29;
/** Pages that are kept unpacked: images are asked for in order, a few ahead. */
const keptPages = 3;
/** Headers are short, but for statistics, which may hold a whole value. */
const firstHeaderBytes = 1024;
const maxHeaderBytes = 2 ** 24;

/** The values of one column in one row group. */
export interface ColumnPart {
  /** What to call it in errors: `train.parquet, column label`. */
  readonly where: string;
  readonly chunk: ColumnChunk;
  readonly type: ValueType;
  /** How many of the fields around a value, itself included, may be absent. */
  readonly definitionLevels: number;
  readonly rows: number;
}

interface Page {
  readonly header: PageHeader;
  /** Where its bytes begin. */
  readonly start: number;
  readonly firstRow: number;
  readonly rows: number;
}

interface PageDirectory {
  readonly pages: readonly Page[];
  readonly dictionary: readonly ParquetValue[] | undefined;
}

/**
 * Reads the values of a column page by page, when they are asked for, and keeps {@link keptPages} pages unpacked.
 *
 * Nothing is made on the file's word: structures, runs, and sizes are checked against the bytes that hold them and the rows
 * that the group has, which the Parquet library leaves to who calls it.
 */
export class ParquetColumn {
  #directory: Promise<PageDirectory> | undefined;
  readonly #kept = new Map<Page, Promise<readonly (ParquetValue | undefined)[]>>();

  constructor(
    private readonly source: ByteSource,
    private readonly part: ColumnPart,
  ) {}

  /**
   * The value of a row of the group; undefined if it has none.
   * @throws QuarterturnError `data` or `io`
   */
  async valueAt(row: number): Promise<ParquetValue | undefined> {
    this.#directory ??= this.#readDirectory();
    const directory = await this.#directory;
    const page = directory.pages.findLast(({ firstRow }) => firstRow <= row);
    if (page === undefined) throw this.#damaged('no page for a row');
    const kept = this.#kept.get(page);
    const values = kept ?? this.#readPage(page, directory.dictionary);
    // The one asked for last is kept longest.
    this.#kept.delete(page);
    this.#kept.set(page, values);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= keptPages) break;
      this.#kept.delete(old);
    }
    return (await values)[row - page.firstRow];
  }

  /** The values of all rows of the group; nothing is kept. */
  async allValues(): Promise<(ParquetValue | undefined)[]> {
    const { pages, dictionary } = await this.#readDirectory();
    const values: (ParquetValue | undefined)[] = [];
    for (const page of pages) for (const value of await this.#readPage(page, dictionary)) values.push(value);
    return values;
  }

  /** Where the pages lie: their headers, one after the other. */
  async #readDirectory(): Promise<PageDirectory> {
    const [start, end] = this.#extent();
    const { rows } = this.part;
    const pages: Page[] = [];
    let dictionary: readonly ParquetValue[] | undefined;
    let [at, row] = [start, 0];
    while (at < end && row < rows) {
      const { header, length } = await this.#readHeader(at, end);
      const { compressed_page_size: packedBytes, uncompressed_page_size: sizeBytes } = header;
      const bodyStart = at + length;
      if (!isSize(packedBytes, end - bodyStart)) throw this.#damaged('a page that is cut off');
      if (!isSize(sizeBytes, maxPageBytes))
        throw this.#damaged(`a page of ${sizeBytes} bytes, more than ${maxPageBytes}`);
      at = bodyStart + packedBytes;
      if (header.type === 'DICTIONARY_PAGE') {
        dictionary = await this.#readDictionary(header, bodyStart);
        continue;
      }
      const count = (header.data_page_header ?? header.data_page_header_v2)?.num_values;
      if (count === undefined) continue; // an index of pages, which is not needed
      if (!isSize(count, rows - row)) throw this.#damaged('a page with more values than rows');
      pages.push({ header, start: bodyStart, firstRow: row, rows: count });
      row += count;
    }
    if (row !== rows) throw this.#damaged(`${row} values for ${rows} rows`);
    return { pages, dictionary };
  }

  #extent(): [start: number, end: number] {
    const meta = this.part.chunk.meta_data;
    const first = Number(meta?.data_page_offset ?? -1);
    const dictionary = Number(meta?.dictionary_page_offset ?? 0);
    const start = dictionary > 0 && dictionary < first ? dictionary : first;
    const end = start + Number(meta?.total_compressed_size ?? -1);
    if (!isSize(start, this.source.sizeBytes) || !isSize(end, this.source.sizeBytes) || end < start) {
      throw this.#damaged('a place outside the file');
    }
    return [start, end];
  }

  async #readHeader(at: number, end: number): Promise<{ header: PageHeader; length: number }> {
    for (let size = firstHeaderBytes; ; size *= 16) {
      const bytes = await this.source.read(at, Math.min(end, at + size));
      const length = endOfThrift(bytes, 0);
      if (length === 'cut off' && at + size < end && size < maxHeaderBytes) continue;
      if (typeof length === 'string') throw this.#damaged('a page header that is damaged');
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      return { header: this.#explained(() => parquetHeader({ view, offset: 0 })), length };
    }
  }

  async #readDictionary(header: PageHeader, start: number): Promise<readonly ParquetValue[]> {
    const count = header.dictionary_page_header?.num_values;
    if (!isSize(count, header.uncompressed_page_size * 8))
      throw this.#damaged('a dictionary that is damaged');
    const packed = await this.source.read(start, start + header.compressed_page_size);
    const values = plainValues(this.part.type, this.#unpack(packed, header.uncompressed_page_size), count);
    if (values === undefined) throw this.#damaged('a dictionary that is damaged');
    return values;
  }

  async #readPage(
    { header, start, rows }: Page,
    dictionary: readonly ParquetValue[] | undefined,
  ): Promise<readonly (ParquetValue | undefined)[]> {
    const bytes = await this.source.read(start, start + header.compressed_page_size);
    const { levels, values, encoding } = this.#partsOf(header, bytes);
    const { definitionLevels } = this.part;
    const present =
      definitionLevels === 0 ? undefined : levels && hybridValues(levels, bitsFor(definitionLevels), rows);
    if (definitionLevels > 0 && present === undefined) throw this.#damaged('levels that are damaged');
    const count = present
      ? present.reduce((sum, level) => sum + Number(level === definitionLevels), 0)
      : rows;
    const read = this.#decode(encoding, values, count, dictionary);
    if (present === undefined) return read;
    let next = 0;
    return Array.from(present, (level) => (level === definitionLevels ? read[next++] : undefined));
  }

  /** Definition levels and values of a page. Repetition levels there are none: lists are refused before. */
  #partsOf(
    { data_page_header: v1, data_page_header_v2: v2, uncompressed_page_size: sizeBytes }: PageHeader,
    bytes: Uint8Array,
  ): { readonly levels: Uint8Array | undefined; readonly values: Uint8Array; readonly encoding: string } {
    if (v2) {
      const { definition_levels_byte_length: length, repetition_levels_byte_length: repetitions } = v2;
      if (repetitions !== 0 || !isSize(length, Math.min(bytes.length, sizeBytes))) {
        throw this.#damaged('levels that are damaged');
      }
      const packed = bytes.subarray(length);
      const values = v2.is_compressed === false ? packed : this.#unpack(packed, sizeBytes - length);
      return { levels: bytes.subarray(0, length), values, encoding: v2.encoding };
    }
    const page = this.#unpack(bytes, sizeBytes);
    if (v1 === undefined) throw this.#damaged('a page without a header');
    if (this.part.definitionLevels === 0) return { levels: undefined, values: page, encoding: v1.encoding };
    if (v1.definition_level_encoding !== 'RLE' || page.length < 4)
      throw this.#damaged('levels that are damaged');
    const length = new DataView(page.buffer, page.byteOffset).getUint32(0, true);
    if (length > page.length - 4) throw this.#damaged('levels that are damaged');
    return { levels: page.subarray(4, 4 + length), values: page.subarray(4 + length), encoding: v1.encoding };
  }

  #decode(
    encoding: string,
    bytes: Uint8Array,
    count: number,
    dictionary: readonly ParquetValue[] | undefined,
  ): readonly (ParquetValue | undefined)[] {
    if (count === 0) return [];
    if (encoding === 'PLAIN') {
      const values = plainValues(this.part.type, bytes, count);
      if (values === undefined) throw this.#damaged('a page that is damaged');
      return values;
    }
    if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
      const indices = hybridValues(bytes.subarray(1), bytes[0] ?? 0, count);
      if (indices === undefined || dictionary === undefined) throw this.#damaged('a page that is damaged');
      return Array.from(indices, (index) => {
        const value = dictionary[index];
        if (value === undefined) throw this.#damaged('a value that its dictionary lacks');
        return value;
      });
    }
    throw new QuarterturnError(
      'data',
      `${this.part.where}: expected values encoded as PLAIN or by a dictionary. Received: ${encoding}.`,
      { hint: 'Write the file with version="1.0", as pandas, pyarrow and datasets do by themselves.' },
    );
  }

  #unpack(packed: Uint8Array, sizeBytes: number): Uint8Array {
    const name = this.part.chunk.meta_data?.codec;
    const codec = codecs.find((each): each is Codec => each === name);
    if (codec === undefined) {
      throw new QuarterturnError(
        'data',
        `${this.part.where}: expected pages packed by ${codecs.slice(1).join(', ')}, or not at all. Received: ${name}.`,
        { hint: 'Write the file with compression="snappy".' },
      );
    }
    const page = unpackPage(codec, packed, sizeBytes);
    if (page === undefined) throw this.#damaged('a page that does not unpack to what it claims');
    return page;
  }

  #explained<T>(parse: () => T): T {
    try {
      return parse();
    } catch (cause) {
      throw this.#damaged('a page header that is damaged', cause);
    }
  }

  #damaged(received: string, cause?: unknown): QuarterturnError {
    return new QuarterturnError(
      'data',
      `${this.part.where}: expected a whole Parquet file. Received: ${received}.`,
      {
        hint: 'Copy or download the file again.',
        cause,
      },
    );
  }
}

const bitsFor = (most: number): number => Math.ceil(Math.log2(most + 1));

/** Whether a number of the file is a size, and no more than there can be. */
function isSize(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;
}
