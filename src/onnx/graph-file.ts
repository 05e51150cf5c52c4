import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Shape, Tensors } from '../tensor/tensor.js';
import { encodeInitializer, encodeNode, encodeValueInfo } from './encode.js';
import { Message } from './message.js';
import type { OnnxNode, OnnxValueInfo } from './model.js';

/**
 * An `.onnx` file of any exporter, as parts that can be put together anew. Nodes and weights stay the bytes that they are,
 * so that nothing is lost that {@link OnnxModel} has no place for: subgraphs, number types, functions.
 */
export interface GraphFile {
  /** Version of the file format. */
  readonly ir: number;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  /** In an order in which each node comes after those whose outputs it takes. */
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly GraphWeight[];
  /** What has to be given: inputs that have a value in the file are not among them. */
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Messages that are carried over: the versions of all operators, and functions made of them. */
  readonly opsets: readonly Uint8Array[];
  readonly functions: readonly Uint8Array[];
}

/** An operator call. */
export interface GraphNode {
  readonly name: string;
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names that its subgraphs use, those of tensors outside among them. */
  readonly captured: readonly string[];
  readonly bytes: Uint8Array;
}

/** A tensor of the file. */
export interface GraphWeight {
  readonly name: string;
  readonly shape: Shape;
  /** TensorProto.DataType. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** An input or output. */
export interface GraphValue {
  readonly name: string;
  /** TensorProto.DataType; 0 if it is not told or is no tensor. */
  readonly type: number;
  /** A string is a free axis; undefined if the file does not tell the number of axes. */
  readonly shape: readonly (number | string)[] | undefined;
}

/**
 * Reads the bytes of an `.onnx` file as parts.
 * @param name the file, for messages
 * @throws QuarterturnError `data` naming file and field
 */
export function readGraphFile(name: string, bytes: Uint8Array): GraphFile {
  const model = new Message(name, bytes);
  const graph = model.message(7, 'graph');
  if (!graph) throw model.fault('graph', 'a graph', 'none');
  const opsets = model.messages(8, 'opset_import');
  const own = opsets.find((opset) => ['', 'ai.onnx'].includes(opset.text(1, 'domain')));
  if (!own) throw model.fault('opset_import', 'at least one operator set', 'none');
  const initializers = graph.messages(5, 'initializer').map(readWeight);
  const given = new Set(initializers.map((weight) => weight.name));
  return {
    ir: model.integer(1, 'ir_version') ?? 0,
    opset: own.integer(2, 'version') ?? 0,
    nodes: graph.messages(1, 'node').map((node) => readNode(node)),
    initializers,
    // Up to version 3 of the format, weights are listed as inputs, too.
    inputs: graph
      .messages(11, 'input')
      .map(readValue)
      .filter((input) => !given.has(input.name)),
    outputs: graph.messages(12, 'output').map(readValue),
    metadata: Object.fromEntries(
      model.messages(14, 'metadata_props').map((m) => [m.text(1, 'key'), m.text(2, 'value')]),
    ),
    opsets: opsets.map(({ content }) => content),
    functions: model.messages(25, 'functions').map(({ content }) => content),
  };
}

function readNode(node: Message): GraphNode {
  return {
    name: node.text(3, 'name'),
    opType: node.text(4, 'op_type'),
    inputs: node.texts(1, 'input'),
    outputs: node.texts(2, 'output'),
    captured: capturedBy(node),
    bytes: node.content,
  };
}

/** Branches within branches at most: exporters write two or three, and a file that was made to harm might have thousands. */
const deepest = 32;

/** Names used in the graphs that a node has for attributes, at any depth. */
function capturedBy(node: Message, depth = 0): string[] {
  if (depth > deepest) throw node.fault('attribute', `graphs at most ${deepest} deep`, 'deeper ones');
  const names: string[] = [];
  for (const attribute of node.messages(5, 'attribute')) {
    const graphs = [...attribute.messages(6, 'g'), ...attribute.messages(11, 'graphs')];
    for (const inner of graphs.flatMap((graph) => graph.messages(1, 'node'))) {
      names.push(...inner.texts(1, 'input'), ...capturedBy(inner, depth + 1));
    }
    for (const graph of graphs) names.push(...graph.messages(12, 'output').map((out) => out.text(1, 'name')));
  }
  return names;
}

function readWeight(weight: Message): GraphWeight {
  if (weight.integer(14, 'data_location')) {
    throw weight.fault(
      'data_location',
      'weights within the file',
      'weights in another file',
      'Export it as one file, or join both with the Python package onnx: onnx.save(onnx.load(...), ...).',
    );
  }
  return {
    name: weight.text(8, 'name'),
    shape: weight.integers(1, 'dims'),
    type: weight.integer(2, 'data_type') ?? 0,
    bytes: weight.content,
  };
}

function readValue(value: Message): GraphValue {
  const type = value.message(2, 'type')?.message(1, 'tensor_type');
  const shape = type?.message(2, 'shape')?.messages(1, 'dim');
  return {
    name: value.text(1, 'name'),
    type: type?.integer(1, 'elem_type') ?? 0,
    // −1 stands for a free axis in the files of some exporters.
    shape: shape?.map((dim) => {
      const size = dim.integer(1, 'dim_value');
      return size === undefined || size < 0 ? dim.text(2, 'dim_param') : size;
    }),
  };
}

/** What is put into a {@link GraphFile}, before and after its own nodes. */
export interface GraphParts {
  readonly before: readonly OnnxNode[];
  readonly after: readonly OnnxNode[];
  readonly initializers: Tensors;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Versions of the file format below it list weights as inputs. */
const oldestFormat = 4;

/**
 * The bytes of an `.onnx` file in which nodes of ours stand around another exporter's. They are written in operators of that
 * file's version, and nothing in it is renamed.
 */
export function encodeGraphFile(file: GraphFile, parts: GraphParts): Uint8Array {
  const { before, after, initializers, inputs, outputs, metadata = {} } = parts;
  const w = new BinaryWriter();
  const bytes = (field: number, content: Uint8Array): BinaryWriter =>
    w.tag(field, WireType.LengthDelimited).bytes(content);
  const text = (field: number, content: string): BinaryWriter =>
    w.tag(field, WireType.LengthDelimited).string(content);
  w.tag(1, WireType.Varint).int64(Math.max(file.ir, oldestFormat));
  text(2, 'quarterturn');
  w.tag(7, WireType.LengthDelimited).fork();
  for (const node of before) bytes(1, encodeNode(node));
  for (const node of file.nodes) bytes(1, node.bytes);
  for (const node of after) bytes(1, encodeNode(node));
  text(2, 'quarterturn');
  for (const weight of file.initializers) bytes(5, weight.bytes);
  for (const [name, tensor] of Object.entries(initializers)) bytes(5, encodeInitializer(name, tensor));
  for (const value of inputs) bytes(11, encodeValueInfo(value));
  for (const value of outputs) bytes(12, encodeValueInfo(value));
  w.join();
  for (const opset of file.opsets) bytes(8, opset);
  for (const [key, value] of Object.entries(metadata)) {
    w.tag(14, WireType.LengthDelimited).fork();
    text(1, key);
    text(2, value);
    w.join();
  }
  for (const each of file.functions) bytes(25, each);
  return w.finish();
}

/** A file of nothing but what one tensor is computed from. */
export function cutAt(file: GraphFile, output: string): GraphFile {
  const needed = new Set([output]);
  const nodes = file.nodes
    .toReversed()
    .filter(({ inputs, outputs, captured }) => {
      if (!outputs.some((name) => needed.has(name))) return false;
      for (const name of [...inputs, ...captured]) needed.add(name);
      return true;
    })
    .toReversed();
  return {
    ...file,
    nodes,
    initializers: file.initializers.filter(({ name }) => needed.has(name)),
    inputs: file.inputs.filter(({ name }) => needed.has(name)),
  };
}
