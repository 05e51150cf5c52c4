import { bytesPerElement, type DType, type Shape, sizeOf, type Tensor, zeros } from '../tensor/tensor.js';
import { Message } from './message.js';
import {
  type Attribute,
  attributeType,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  onnxDType,
} from './model.js';

const dtypeOfCode = new Map(Object.entries(onnxDType).map(([dtype, code]) => [code, dtype as DType]));

const unsupported = 'Convert the model, or use one that this library has written.';

/**
 * Reads the bytes of an `.onnx` file: the inverse of {@link encodeModel}, for files of other exporters too.
 *
 * Fields that {@link OnnxModel} has no place for are skipped, versions among them. All others must be complete: a number
 * type, attribute type or tensor storage that it cannot hold is an error.
 *
 * @param name the file, for messages
 * @returns tensors over fresh memory that share nothing with `bytes`
 * @throws QuarterturnError `data` naming file and field
 * @see https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto3
 */
export function decodeModel(name: string, bytes: Uint8Array): OnnxModel {
  const model = new Message(name, bytes);
  const graph = model.message(7, 'graph');
  if (!graph) throw model.fault('graph', 'a graph', 'none');
  if (model.messages(8, 'opset_import').length === 0) {
    throw model.fault('opset_import', 'at least one operator set', 'none');
  }
  return {
    name: graph.text(2, 'name'),
    nodes: graph.messages(1, 'node').map(decodeNode),
    initializers: decodeRecord(graph.messages(5, 'initializer'), [8, 'name'], decodeTensor),
    inputs: graph.messages(11, 'input').map(decodeValueInfo),
    outputs: graph.messages(12, 'output').map(decodeValueInfo),
    metadata: decodeRecord(model.messages(14, 'metadata_props'), [1, 'key'], (m) => m.text(2, 'value')),
  };
}

/**
 * Reads only what goes in and out of an `.onnx` file, and its metadata: nodes and weights may be of any kind.
 * @param name the file, for messages
 * @throws QuarterturnError `data` naming file and field
 */
export function decodeInterface(
  name: string,
  bytes: Uint8Array,
): Pick<OnnxModel, 'inputs' | 'outputs' | 'metadata'> {
  const model = new Message(name, bytes);
  const graph = model.message(7, 'graph');
  if (!graph) throw model.fault('graph', 'a graph', 'none');
  return {
    inputs: graph.messages(11, 'input').map(decodeValueInfo),
    outputs: graph.messages(12, 'output').map(decodeValueInfo),
    metadata: decodeRecord(model.messages(14, 'metadata_props'), [1, 'key'], (m) => m.text(2, 'value')),
  };
}

/** Versions that a file says it is written in; undefined if it does not say. */
export interface OnnxVersions {
  /** Of the file format. */
  readonly ir: number | undefined;
  /** Of ONNX's own operators. */
  readonly opset: number | undefined;
}

/**
 * Read only which versions an `.onnx` file is written in.
 * @param name the file, for messages
 * @throws QuarterturnError `data` naming file and field
 */
export function decodeVersions(name: string, bytes: Uint8Array): OnnxVersions {
  const model = new Message(name, bytes);
  const own = model.messages(8, 'opset_import').find((opset) => opset.text(1, 'domain') === '');
  return { ir: model.integer(1, 'ir_version'), opset: own?.integer(2, 'version') };
}

function decodeNode(node: Message): OnnxNode {
  return {
    name: node.text(3, 'name'),
    opType: node.text(4, 'op_type'),
    domain: node.text(7, 'domain'),
    inputs: node.texts(1, 'input'),
    outputs: node.texts(2, 'output'),
    attributes: decodeRecord(node.messages(5, 'attribute'), [1, 'name'], decodeAttribute),
  };
}

/** Messages by one of their fields, which no two may share. */
function decodeRecord<T>(
  messages: readonly Message[],
  [field, name]: readonly [number, string],
  decode: (message: Message) => T,
): Record<string, T> {
  const entries = new Map<string, T>();
  for (const message of messages) {
    const key = message.text(field, name);
    if (entries.has(key)) throw message.fault(name, 'a name of its own', `"${key}" again`);
    entries.set(key, decode(message));
  }
  // fromEntries defines properties, so that even __proto__ is only a name.
  return Object.fromEntries(entries);
}

function decodeAttribute(attribute: Message): Attribute {
  const type = attribute.integer(20, 'type') ?? 0;
  switch (type) {
    case attributeType.float:
      return { kind: 'float', value: attribute.float(2, 'f') ?? 0 };
    case attributeType.int:
      return { kind: 'int', value: attribute.integer(3, 'i') ?? 0 };
    case attributeType.string:
      return { kind: 'string', value: attribute.text(4, 's') };
    case attributeType.floats:
      return { kind: 'floats', value: attribute.floats(7, 'floats') };
    case attributeType.ints:
      return { kind: 'ints', value: attribute.integers(8, 'ints') };
    default: {
      const known = Object.entries(attributeType).map(([kind, code]) => `${code} (${kind})`);
      throw attribute.fault('type', `one of ${known.join(', ')}`, `${type}`, unsupported);
    }
  }
}

function decodeValueInfo(info: Message): OnnxValueInfo {
  const type = info.message(2, 'type')?.message(1, 'tensor_type');
  if (!type) throw info.fault('type', 'a tensor type', 'none', unsupported);
  const shape = type.message(2, 'shape');
  if (!shape) throw type.fault('shape', 'a known number of axes', 'none', unsupported);
  const dims = shape.messages(1, 'dim').map((dim) => {
    const size = dim.integer(1, 'dim_value');
    if (size === undefined) return dim.text(2, 'dim_param');
    if (size < 0) throw dim.fault('dim_value', 'a size', `${size}`);
    return size;
  });
  return { name: info.text(1, 'name'), dtype: decodeDType(type, 1, 'elem_type'), shape: dims };
}

function decodeDType(message: Message, field: number, name: string): DType {
  const code = message.integer(field, name) ?? 0;
  const dtype = dtypeOfCode.get(code);
  if (dtype) return dtype;
  const known = [...dtypeOfCode].map(([known, dtype]) => `${known} (${dtype})`);
  throw message.fault(name, `one of ${known.join(', ')}`, `${code}`, unsupported);
}

function decodeTensor(message: Message): Tensor {
  const dtype = decodeDType(message, 2, 'data_type');
  const shape = message.integers(1, 'dims');
  if (shape.some((n) => n < 0)) throw message.fault('dims', 'sizes', `[${shape.join(', ')}]`);
  if (message.integer(14, 'data_location')) {
    throw message.fault('data_location', 'data within the file', 'external data', unsupported);
  }
  const raw = message.bytes(9, 'raw_data');
  const decoded = raw ? fromRawData(message, dtype, shape, raw) : fromTypedData(message, dtype, shape);
  if (dtype === 'bool' && (decoded.data as Uint8Array).some((v) => v > 1)) {
    throw message.fault('data_type', 'bytes 0 and 1 for bool', 'others');
  }
  return decoded;
}

/** Little-endian, as the memory of every supported platform is. */
function fromRawData(message: Message, dtype: DType, shape: Shape, raw: Uint8Array): Tensor {
  const wanted = sizeOf(shape) * bytesPerElement(dtype);
  if (raw.length !== wanted) {
    throw message.fault(
      'raw_data',
      `${wanted} bytes for ${dtype} [${shape.join(', ')}]`,
      `${raw.length} bytes`,
    );
  }
  const decoded = zeros(dtype, shape);
  new Uint8Array(decoded.data.buffer).set(raw);
  return decoded;
}

/** Elements as protobuf numbers: what some exporters write for small tensors. */
function fromTypedData(message: Message, dtype: DType, shape: Shape): Tensor {
  const allocate = (name: string, received: number): Tensor => {
    if (received === sizeOf(shape)) return zeros(dtype, shape);
    const wanted = `${sizeOf(shape)} elements for ${dtype} [${shape.join(', ')}]`;
    throw message.fault(name, wanted, `${received} elements`);
  };
  if (dtype === 'int64') {
    const values = message.int64s(7, 'int64_data');
    const decoded = allocate('int64_data', values.length) as Tensor<'int64'>;
    decoded.data.set(values);
    return decoded;
  }
  const name = dtype === 'float32' ? 'float_data' : 'int32_data';
  const values = dtype === 'float32' ? message.floats(4, name) : message.integers(5, name);
  const decoded = allocate(name, values.length) as Tensor<Exclude<DType, 'int64'>>;
  decoded.data.set(values);
  const wrapped = dtype === 'float32' ? -1 : values.findIndex((v, i) => v !== decoded.data[i]);
  if (wrapped >= 0) throw message.fault(name, `values of ${dtype}`, `${values[wrapped]}`);
  return decoded;
}
