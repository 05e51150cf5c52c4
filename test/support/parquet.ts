import { parquetWriteBuffer } from 'hyparquet-writer';

export interface ParquetOptions {
  /** What whole numbers stand for, in Hugging Face's metadata. */
  readonly classNames?: readonly string[];
  readonly rowGroupSize?: number;
  readonly pageSize?: number;
  readonly codec?: 'SNAPPY' | 'UNCOMPRESSED';
  readonly paths?: readonly (string | null)[];
}

/** Bytes of a Parquet file as Hugging Face's `datasets` writes it: `image` { bytes, path } and `label`. */
export function parquet(
  images: readonly (Uint8Array | null)[],
  labels: readonly (number | null)[],
  { classNames, paths, rowGroupSize = 100, ...options }: ParquetOptions = {},
): Uint8Array {
  const features = {
    image: { _type: 'Image' },
    label: classNames ? { names: classNames, _type: 'ClassLabel' } : { dtype: 'int64', _type: 'Value' },
  };
  const file = parquetWriteBuffer({
    columnData: [
      { name: 'image', data: images.map((bytes, i) => ({ bytes, path: paths?.[i] ?? null })) },
      { name: 'label', data: labels.map((label) => (label === null ? null : BigInt(label))) },
    ],
    schema: [
      { name: 'schema', num_children: 2 },
      { name: 'image', repetition_type: 'OPTIONAL', num_children: 2 },
      { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
      { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
      { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
    ],
    kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }],
    rowGroupSize,
    ...options,
  });
  return new Uint8Array(file);
}
