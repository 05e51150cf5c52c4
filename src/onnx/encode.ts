import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Tensor } from '../tensor/tensor.js';
import {
  type Attribute,
  attributeType,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  type OnnxVersion,
  onnxDType,
  onnxVersion,
} from './model.js';

/** Field numbers and types follow onnx.proto3 (ONNX 1.8, IR version 7). */
type Message = (writer: BinaryWriter) => void;

const message = (w: BinaryWriter, field: number, body: Message): void => {
  w.tag(field, WireType.LengthDelimited).fork();
  body(w);
  w.join();
};
const text = (w: BinaryWriter, field: number, value: string): BinaryWriter =>
  w.tag(field, WireType.LengthDelimited).string(value);
const bytes = (w: BinaryWriter, field: number, value: Uint8Array): BinaryWriter =>
  w.tag(field, WireType.LengthDelimited).bytes(value);
const varint = (w: BinaryWriter, field: number, value: number): BinaryWriter =>
  w.tag(field, WireType.Varint).int64(value);

function attribute(w: BinaryWriter, name: string, a: Attribute): void {
  text(w, 1, name);
  switch (a.kind) {
    case 'float':
      w.tag(2, WireType.Bit32).float(a.value);
      break;
    case 'int':
      varint(w, 3, a.value);
      break;
    case 'string':
      text(w, 4, a.value);
      break;
    case 'floats':
      for (const f of a.value) w.tag(7, WireType.Bit32).float(f);
      break;
    case 'ints':
      for (const i of a.value) varint(w, 8, i);
      break;
  }
  varint(w, 20, attributeType[a.kind]);
}

function node(w: BinaryWriter, n: OnnxNode): void {
  for (const i of n.inputs) text(w, 1, i);
  for (const o of n.outputs) text(w, 2, o);
  text(w, 3, n.name);
  text(w, 4, n.opType);
  for (const [name, a] of Object.entries(n.attributes)) message(w, 5, (w) => attribute(w, name, a));
  if (n.domain !== '') text(w, 7, n.domain);
}

function initializer(w: BinaryWriter, name: string, t: Tensor): void {
  for (const d of t.shape) varint(w, 1, d);
  varint(w, 2, onnxDType[t.dtype]);
  text(w, 8, name);
  bytes(w, 9, new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength));
}

function valueInfo(w: BinaryWriter, v: OnnxValueInfo): void {
  text(w, 1, v.name);
  message(w, 2, (w) =>
    message(w, 1, (w) => {
      varint(w, 1, onnxDType[v.dtype]);
      message(w, 2, (w) => {
        for (const d of v.shape)
          message(w, 1, (w) => (typeof d === 'number' ? varint(w, 1, d) : text(w, 2, d)));
      });
    }),
  );
}

/** The bytes of one node, tensor or value as a message of its own, to be put into a graph that another exporter wrote. */
export const encodeNode = (n: OnnxNode): Uint8Array => alone((w) => node(w, n));
export const encodeInitializer = (name: string, t: Tensor): Uint8Array =>
  alone((w) => initializer(w, name, t));
export const encodeValueInfo = (v: OnnxValueInfo): Uint8Array => alone((w) => valueInfo(w, v));

function alone(body: Message): Uint8Array {
  const w = new BinaryWriter();
  body(w);
  return w.finish();
}

/**
 * The bytes of an `.onnx` file.
 * @param version for models of operators that came later than those used here
 */
export function encodeModel(model: OnnxModel, version: OnnxVersion = onnxVersion): Uint8Array {
  const w = new BinaryWriter();
  varint(w, 1, version.ir);
  text(w, 2, 'quarterturn');
  message(w, 7, (w) => {
    for (const n of model.nodes) message(w, 1, (w) => node(w, n));
    text(w, 2, model.name);
    for (const [name, t] of Object.entries(model.initializers)) message(w, 5, (w) => initializer(w, name, t));
    for (const v of model.inputs) message(w, 11, (w) => valueInfo(w, v));
    for (const v of model.outputs) message(w, 12, (w) => valueInfo(w, v));
  });
  const domains = new Set(['', ...model.nodes.map((n) => n.domain)]);
  for (const domain of domains) {
    message(w, 8, (w) => {
      text(w, 1, domain);
      varint(w, 2, domain === '' ? version.opset : 1);
    });
  }
  for (const [key, value] of Object.entries(model.metadata)) {
    message(w, 14, (w) => {
      text(w, 1, key);
      text(w, 2, value);
    });
  }
  return w.finish();
}
