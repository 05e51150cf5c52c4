import { reservedPrefix, type ValueType } from '../graph/graph.js';
import {
  type Attribute,
  float,
  int,
  ints,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  onnxDType,
} from '../onnx/model.js';
import {
  type DType,
  float32,
  type Shape,
  scalar,
  type Tensor,
  tensor,
  tensorNamed,
} from '../tensor/tensor.js';
import { resultTypes } from './operator-types.js';

/** A tensor of a lowered graph (an input, a constant, or what an operator gives) as it lies in memory. */
export interface Handle extends ValueType {
  readonly name: string;
}

type Attributes = Readonly<Record<string, Attribute>>;

/** How an operand of {@link Emitter.fusedProduct} lies. */
type ProductFlag = 'transA' | 'transB' | 'transBatchA' | 'transBatchB';

export interface NodeOptions {
  readonly attributes?: Attributes;
  readonly domain?: '' | 'com.microsoft';
  /** What it gives; default: by the operator's shape rule. */
  readonly types?: readonly ValueType[];
}

/** A lowered graph, and the type of each of its tensors by name. */
export interface TypedModel {
  readonly model: OnnxModel;
  readonly types: ReadonlyMap<string, ValueType>;
}

/** Constants of up to so many numbers are compared: the transforms that several rules ask for, but no large weights. */
const comparedConstants = 2 ** 15;
/** Each byte to a character of its own: to write the numbers out would take a third of the time that lowering takes. */
const bytesAsText = new TextDecoder('latin1');

/**
 * Collects ONNX nodes, names their results and knows their types.
 *
 * The same operator on the same inputs is emitted once: rules ask for what they need (a transposed kernel, a flattened
 * view) without knowing who asked before. What the emitter names begins with {@link reservedPrefix}, so that it is
 * never taken for an input or output of the graph.
 */
export class Emitter {
  /** Prefix of node names: the layer being lowered. */
  scope = '';
  readonly #nodes: OnnxNode[] = [];
  readonly #results: Handle[] = [];
  readonly #initializers: Record<string, Tensor> = {};
  readonly #knownNodes = new Map<string, readonly Handle[]>();
  readonly #knownConstants = new Map<string, Handle>();

  /** One operator with all its results. */
  nodes(opType: string, inputs: readonly Handle[], options: NodeOptions = {}): readonly Handle[] {
    const { attributes = {}, domain = '' } = options;
    const names = inputs.map(({ name }) => name);
    const key = JSON.stringify([domain, opType, names, attributes, options.types?.length]);
    const known = this.#knownNodes.get(key);
    if (known) return known;
    const types =
      options.types ??
      resultTypes({
        node: { opType, attributes },
        inputs,
        constant: (input) => Array.from(tensorNamed(this.#initializers, names[input] ?? '').data, Number),
      });
    const name = `${this.scope === '' ? '' : `${this.scope}/`}${opType}_${this.#nodes.length}`;
    const results = types.map(({ dtype, shape }, i) => ({
      name: `${reservedPrefix}${name}:out${i === 0 ? '' : i}`,
      dtype,
      shape,
    }));
    const outputs = results.map((result) => result.name);
    this.#nodes.push({ name, opType, domain, inputs: names, outputs, attributes });
    this.#results.push(...results);
    this.#knownNodes.set(key, results);
    return results;
  }

  /** One operator with one result. */
  node(opType: string, inputs: readonly Handle[], attributes: Attributes = {}): Handle {
    return first(this.nodes(opType, inputs, { attributes }));
  }

  /** One of ONNX Runtime's own operators (domain com.microsoft). */
  microsoft(opType: string, inputs: readonly Handle[], attributes: Attributes): Handle {
    return first(this.nodes(opType, inputs, { attributes, domain: 'com.microsoft' }));
  }

  /**
   * a·b by ONNX Runtime's own product, whose operands may lie with their rows before the batch (`transBatch…`) and be
   * transposed (`trans…`).
   */
  fusedProduct(a: Handle, b: Handle, ...flags: readonly ProductFlag[]): Handle {
    const set = Object.fromEntries(flags.map((flag) => [flag, int(1)]));
    return this.microsoft('FusedMatMul', [a, b], { ...set, alpha: float(1) });
  }

  initializer(t: Tensor): Handle {
    const { dtype, shape, data } = t;
    const small = data.length <= comparedConstants;
    const bytes = () => bytesAsText.decode(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    const key = small ? `${dtype} [${shape.join()}] ${bytes()}` : '';
    const known = small ? this.#knownConstants.get(key) : undefined;
    if (known) return known;
    const name = `${reservedPrefix}constant_${Object.keys(this.#initializers).length}`;
    const handle = { name, dtype, shape };
    this.#initializers[name] = t;
    if (small) this.#knownConstants.set(key, handle);
    return handle;
  }

  /** An int64 vector, as ONNX wants its shapes, axes and indices. */
  int64(values: readonly number[]): Handle {
    return this.initializer(tensor('int64', [values.length], BigInt64Array.from(values.map(BigInt))));
  }

  float(value: number): Handle {
    return this.initializer(scalar(value));
  }

  floats(shape: Shape, values: readonly number[]): Handle {
    return this.initializer(float32(shape, values));
  }

  /** A float32 matrix, given row by row. */
  matrix(rows: readonly (readonly number[])[]): Handle {
    return this.floats([rows.length, rows[0]?.length ?? 0], rows.flat());
  }

  reshape(x: Handle, shape: Shape): Handle {
    return this.node('Reshape', [x, this.int64(shape)]);
  }

  transpose(x: Handle, perm: readonly number[]): Handle {
    return this.node('Transpose', [x], { perm: ints(perm) });
  }

  cast(x: Handle, to: DType): Handle {
    return this.node('Cast', [x], { to: int(onnxDType[to]) });
  }

  reduceSum(x: Handle, axes: readonly number[], keepDims: boolean): Handle {
    return this.node('ReduceSum', [x, this.int64(axes)], { keepdims: int(keepDims ? 1 : 0) });
  }

  /** Part of x: `starts` up to but without `ends` along `axes`. */
  slice(x: Handle, axes: readonly number[], starts: readonly number[], ends: readonly number[]): Handle {
    return this.node('Slice', [x, this.int64(starts), this.int64(ends), this.int64(axes)]);
  }

  /** Names of the operators so far, without the first `start`. */
  namesFrom(start: number): readonly string[] {
    return this.#nodes.slice(start).map((node) => node.name);
  }

  /** Close the model: give results their public names. */
  finish(
    name: string,
    inputs: readonly Handle[],
    outputs: readonly (OnnxValueInfo & { readonly from: Handle })[],
    metadata: Readonly<Record<string, string>>,
  ): TypedModel {
    const produced = new Set(this.#results.map((result) => result.name));
    const renamed = new Map<string, string>();
    const copies: OnnxNode[] = [];
    const types = new Map<string, ValueType>(Object.entries(this.#initializers));
    for (const handle of inputs) types.set(handle.name, handle);
    for (const { name: to, from } of outputs) {
      types.set(to, from);
      if (produced.has(from.name) && !renamed.has(from.name)) {
        renamed.set(from.name, to);
      } else {
        copies.push({
          name: `output/${to}`,
          opType: 'Identity',
          domain: '',
          inputs: [from.name],
          outputs: [to],
          attributes: {},
        });
      }
    }
    const rename = (n: string) => renamed.get(n) ?? n;
    for (const result of this.#results) types.set(rename(result.name), result);
    const nodes = [...this.#nodes, ...copies].map((n) => ({
      ...n,
      inputs: n.inputs.map(rename),
      outputs: n.outputs.map(rename),
    }));
    const model = {
      name,
      nodes,
      initializers: this.#initializers,
      inputs: inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      outputs: outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      metadata,
    };
    return { model, types };
  }
}

function first(results: readonly Handle[]): Handle {
  const [result] = results;
  if (result) return result;
  throw new RangeError('an operator without a result');
}
