import type { DType, Tensors } from '../tensor/tensor.js';

/** Attribute values as ONNX types them; `int` and `float` are told apart by their wrapper. */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string };

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const string = (value: string): Attribute => ({ kind: 'string', value });

/** One operator call; an empty input name is an optional input left out. */
export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** `''` is ONNX itself, `com.microsoft` ONNX Runtime's contributed operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A named, typed input or output; a string axis is a free dimension of that name. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

/** The part of an ONNX ModelProto that this library writes and reads. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: Tensors;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** TensorProto.DataType of each dtype (onnx.proto3, message TensorProto). */
export const onnxDType: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
};

/** AttributeProto.AttributeType of each kind. */
export const attributeType = { float: 1, int: 2, string: 3, floats: 6, ints: 7 } as const satisfies Readonly<
  Record<Attribute['kind'], number>
>;

/** The version of ONNX's operators that a model is written in, and the version of the format that belongs to it. */
export interface OnnxVersion {
  readonly opset: number;
  readonly ir: number;
}

/** Opset 13 (ONNX 1.8, 2020) is the oldest that has every operator used here: the older, the more runtimes read it. */
export const onnxVersion: OnnxVersion = { opset: 13, ir: 7 };
