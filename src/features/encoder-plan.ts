import { QuarterturnError } from '../errors.js';
import type { GraphFile, GraphNode, GraphValue } from '../onnx/graph-file.js';
import { onnxDType } from '../onnx/model.js';
import type { EncoderLayout, EncoderOptions } from './encoder-settings.js';
import { imageNet } from './encoder-settings.js';

/** What a network takes and gives, all of it decided. */
export interface EncoderPlan {
  /** Name of its image input. */
  readonly input: string;
  readonly dtype: 'float32' | 'uint8';
  readonly layout: EncoderLayout;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Name of the tensor that describes images. */
  readonly output: string;
}

/** Side of the images where neither the file nor anybody tells one: that of almost all networks for ImageNet. */
const commonSize = 224;

/** Operators below it are written otherwise, above it in ways that may not be known here: see `encodeGraphFile`. */
const [oldestOpset, newestOpset] = [11, 23];

const overrule = 'Say it with --encoder-size, --encoder-layout, --encoder-output or --encoder-pool.';

/**
 * Finds out from a network's graph what it takes and gives.
 * @param name the file, for messages
 * @param options what overrules the graph
 * @throws QuarterturnError `data` naming what the file is instead of a network that describes images
 */
export function planEncoder(name: string, file: GraphFile, options: EncoderOptions): EncoderPlan {
  assertUsable(name, file);
  const input = imageInput(name, file);
  const isBytes = input.type === onnxDType.uint8;
  const layout = options.layout ?? layoutOf(input);
  const [height, width, channels] = sizeIn(input, layout);
  const side = options.size;
  const plan = {
    input: input.name,
    dtype: isBytes ? ('uint8' as const) : ('float32' as const),
    layout,
    height: side ?? height ?? commonSize,
    width: side ?? width ?? commonSize,
    // A free axis of channels takes what almost all networks take.
    channels: channels ?? 3,
    output: options.output ?? outputOf(name, file),
  };
  for (const [axis, given, fixed] of [
    ['height', plan.height, height],
    ['width', plan.width, width],
  ] as const) {
    if (fixed !== undefined && fixed !== given) {
      throw fault(
        name,
        `images of its own ${axis}, ${fixed}`,
        `a size of ${given}`,
        'Leave --encoder-size out.',
      );
    }
  }
  if (plan.channels !== 1 && plan.channels !== 3) {
    throw fault(name, 'an image input of 1 or 3 channels', `one of ${plan.channels}`, overrule);
  }
  assertTensor(name, file, plan.output);
  return { ...plan, ...scalingOf(name, options, plan.channels) };
}

/** @throws QuarterturnError `data` for a network whose features would be wrong or cannot be had */
function assertUsable(name: string, { opset, nodes, outputs }: GraphFile): void {
  if (opset < oldestOpset || opset > newestOpset) {
    throw fault(name, `operator set ${oldestOpset} to ${newestOpset}`, `${opset}`, 'Export it again for 17.');
  }
  if (outputs.length === 0 || nodes.length === 0) throw fault(name, 'a network', 'an empty graph');
  const dynamic = nodes.find(({ opType }) => opType.startsWith('DynamicQuantize'));
  if (dynamic) {
    throw fault(
      name,
      'a network in float32, or quantised statically',
      `one quantised dynamically (${dynamic.opType} ${dynamic.name})`,
      'Dynamic quantisation scales by what is in the batch, so that the features of an image would depend on the images beside it. Take the float32 file, usually model.onnx.',
    );
  }
}

/** The input of images: the only one of four axes. */
function imageInput(name: string, { inputs }: GraphFile): GraphValue {
  const [input, ...others] = inputs.filter(({ shape }) => shape?.length === 4);
  if (!input || others.length > 0) {
    const received = inputs.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? '?'}]`).join('; ');
    throw fault(name, 'one input of images, of four axes', received || 'no input');
  }
  if (input.type === onnxDType.float32 || input.type === onnxDType.uint8) return input;
  const types = { 10: 'float16', 11: 'float64', 16: 'bfloat16' } as Readonly<Record<number, string>>;
  throw fault(
    name,
    `an input ${input.name} of float32 or uint8`,
    types[input.type] ?? `ONNX's type ${input.type}`,
    'Take the float32 file, usually model.onnx.',
  );
}

const isChannels = (size: number | string | undefined): boolean =>
  size === 1 || size === 3 || (typeof size === 'string' && /channel/i.test(size));

/** NCHW unless only the last axis can be the channels: PyTorch's order, in which almost all files are exported. */
function layoutOf({ shape = [] }: GraphValue): EncoderLayout {
  return !isChannels(shape[1]) && isChannels(shape[3]) ? 'NHWC' : 'NCHW';
}

function sizeIn({ shape = [] }: GraphValue, layout: EncoderLayout): (number | undefined)[] {
  const axes = layout === 'NCHW' ? [shape[2], shape[3], shape[1]] : [shape[1], shape[2], shape[3]];
  return axes.map((size) => (typeof size === 'number' && size > 0 ? size : undefined));
}

/** Outputs by the names that exporters give, the one that says most of an image first. */
const describing = [
  /^image_embeds$/,
  /^features$/,
  /^last_hidden_state$/,
  /embed/i,
  /feature/i,
  /^pooler_output$/,
  /hidden/i,
];

/** Outputs that say which class an image has: what the classifier is given says more. */
const classifying = /logit|prob|class|score|softmax/i;

/** The tensor that describes an image: an output, or what the classifier at the end is given. */
function outputOf(name: string, file: GraphFile): string {
  for (const pattern of describing) {
    const found = file.outputs.find((output) => pattern.test(output.name));
    if (found) return found.name;
  }
  const [first] = file.outputs;
  if (first === undefined) throw fault(name, 'an output', 'none');
  const classes = first.shape?.length === 2 && classifying.test(first.name);
  return (classes && beforeClassifier(file, first.name)) || first.name;
}

/** Operators between a classifier's product and its output, which change no number's place. */
const afterProduct = ['Softmax', 'LogSoftmax', 'Sigmoid', 'Identity', 'Add', 'Squeeze', 'Reshape', 'Flatten'];

/** What the last product with weights is given; undefined where the end of the graph is something else. */
export function beforeClassifier({ nodes, initializers }: GraphFile, output: string): string | undefined {
  const makerOf = new Map(
    nodes.flatMap((node) => node.outputs.map((name): [string, GraphNode] => [name, node])),
  );
  const weights = new Set(initializers.map(({ name }) => name));
  // Weights may come through a constant, a transposition or from their quantised form.
  const isWeight = (name: string): boolean => {
    if (weights.has(name)) return true;
    const maker = makerOf.get(name);
    if (maker === undefined) return false;
    const used = maker.inputs.filter((input) => input !== '');
    return maker.opType === 'Constant' || (used.length > 0 && used.every(isWeight));
  };
  let at: string | undefined = output;
  while (at !== undefined) {
    const node: GraphNode | undefined = makerOf.get(at);
    if (node === undefined) return undefined;
    const [data] = node.inputs.filter((input) => input !== '' && !isWeight(input));
    if (['Gemm', 'MatMul'].includes(node.opType)) return node.inputs.some(isWeight) ? data : undefined;
    if (!afterProduct.includes(node.opType)) return undefined;
    at = data;
  }
  return undefined;
}

function assertTensor(name: string, { nodes, outputs }: GraphFile, output: string): void {
  if (nodes.some((node) => node.outputs.includes(output))) return;
  const names = outputs.map((value) => value.name).join(', ');
  throw fault(name, `a tensor named ${output}`, `outputs ${names}`, 'Choose another --encoder-output.');
}

/** Mean and deviation of each channel. */
function scalingOf(
  name: string,
  options: EncoderOptions,
  channels: number,
): Pick<EncoderPlan, 'mean' | 'std'> {
  // Grey networks have no common scaling: values of −1 to 1.
  const byDefault = channels === 3 ? imageNet : { mean: [0.5], std: [0.5] };
  const fitted = (what: string, values: readonly number[]): readonly number[] => {
    if (values.length === channels) return values;
    if (values.length === 1) return Array.from({ length: channels }, () => values[0] ?? 0);
    throw fault(name, `${channels} numbers, or one for all channels, as ${what}`, `${values.length}`);
  };
  return {
    mean: fitted('--encoder-mean', options.mean ?? byDefault.mean),
    std: fitted('--encoder-std', options.std ?? byDefault.std),
  };
}

/** The error for a file that is no network which describes images. */
export function fault(name: string, expected: string, received: string, hint = overrule): QuarterturnError {
  return new QuarterturnError('data', `${name}: expected ${expected}. Received: ${received}.`, { hint });
}
