import { reservedPrefix } from '../graph/graph.js';
import {
  type Attribute,
  int,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  onnxDType,
} from '../onnx/model.js';
import { type DType, float32, type Shape, scalar, type Tensor, tensor } from '../tensor/tensor.js';

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: '' | 'com.microsoft';
}

/** Constants of up to so many numbers are compared: the transforms that several rules ask for, but no large weights. */
const comparedConstants = 2 ** 15;

/**
 * Collects ONNX nodes and names their results.
 *
 * The same operator on the same inputs is emitted once: rules ask for what they need (a transposed kernel, a flattened
 * view) without knowing who asked before. What the emitter names begins with {@link reservedPrefix}, so that it is
 * never taken for an input or output of the graph.
 */
export class Emitter {
  /** Prefix of node names: the layer being lowered. */
  scope = '';
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: Record<string, Tensor> = {};
  readonly #known = new Map<string, readonly string[]>();

  /** One operator with several results. */
  nodes(
    opType: string,
    inputs: readonly string[],
    outputCount: number,
    options: NodeOptions = {},
  ): readonly string[] {
    const { attributes = {}, domain = '' } = options;
    const key = JSON.stringify([domain, opType, inputs, attributes, outputCount]);
    const known = this.#known.get(key);
    if (known) return known;
    const serial = this.#nodes.length;
    const name = `${this.scope === '' ? '' : `${this.scope}/`}${opType}_${serial}`;
    const outputs = Array.from({ length: outputCount }, (_, i) =>
      i === 0 ? `${reservedPrefix}${name}:out` : `${reservedPrefix}${name}:out${i}`,
    );
    this.#nodes.push({ name, opType, domain, inputs, outputs, attributes });
    this.#known.set(key, outputs);
    return outputs;
  }

  /** One operator with one result. */
  node(opType: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string {
    return this.nodes(opType, inputs, 1, attributes ? { attributes } : {})[0]!;
  }

  /** One of ONNX Runtime's own operators (domain com.microsoft). */
  microsoft(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): string {
    return this.nodes(opType, inputs, 1, { attributes, domain: 'com.microsoft' })[0]!;
  }

  initializer(t: Tensor): string {
    const small = t.data.length <= comparedConstants;
    const key = small ? `initializer ${t.dtype} [${t.shape.join()}] ${t.data.join()}` : '';
    const known = this.#known.get(key);
    if (small && known) return known[0]!;
    const name = `${reservedPrefix}constant_${Object.keys(this.#initializers).length}`;
    this.#initializers[name] = t;
    if (small) this.#known.set(key, [name]);
    return name;
  }

  /** An int64 vector, as ONNX wants its shapes, axes and indices. */
  int64(values: readonly number[]): string {
    return this.initializer(tensor('int64', [values.length], BigInt64Array.from(values.map(BigInt))));
  }

  float(value: number): string {
    return this.initializer(scalar(value));
  }

  floats(shape: Shape, values: readonly number[]): string {
    return this.initializer(float32(shape, values));
  }

  /** A float32 matrix, given row by row. */
  matrix(rows: readonly (readonly number[])[]): string {
    return this.floats([rows.length, rows[0]!.length], rows.flat());
  }

  reshape(x: string, shape: Shape): string {
    return this.node('Reshape', [x, this.int64(shape)]);
  }

  cast(x: string, to: DType): string {
    return this.node('Cast', [x], { to: int(onnxDType[to]) });
  }

  reduceSum(x: string, axes: readonly number[], keepDims: boolean): string {
    return this.node('ReduceSum', [x, this.int64(axes)], { keepdims: int(keepDims ? 1 : 0) });
  }

  /** Part of x: `starts` up to but without `ends` along `axes`. */
  slice(x: string, axes: readonly number[], starts: readonly number[], ends: readonly number[]): string {
    return this.node('Slice', [x, this.int64(starts), this.int64(ends), this.int64(axes)]);
  }

  /** Names of the operators so far, without the first `start`. */
  namesFrom(start: number): readonly string[] {
    return this.#nodes.slice(start).map((node) => node.name);
  }

  /** Close the model: give results their public names. */
  finish(
    name: string,
    inputs: readonly OnnxValueInfo[],
    outputs: readonly (OnnxValueInfo & { readonly from: string })[],
    metadata: Readonly<Record<string, string>>,
  ): OnnxModel {
    const produced = new Set(this.#nodes.flatMap((n) => n.outputs));
    const renamed = new Map<string, string>();
    const copies: OnnxNode[] = [];
    for (const { name: to, from } of outputs) {
      if (produced.has(from) && !renamed.has(from)) {
        renamed.set(from, to);
      } else {
        copies.push({
          name: `output/${to}`,
          opType: 'Identity',
          domain: '',
          inputs: [from],
          outputs: [to],
          attributes: {},
        });
      }
    }
    const rename = (n: string) => renamed.get(n) ?? n;
    const nodes = [...this.#nodes, ...copies].map((n) => ({
      ...n,
      inputs: n.inputs.map(rename),
      outputs: n.outputs.map(rename),
    }));
    return {
      name,
      nodes,
      initializers: this.#initializers,
      inputs,
      outputs: outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      metadata,
    };
  }
}
