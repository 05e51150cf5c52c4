import { z } from 'zod';

/** How the rows of a network's output become one row of features. */
export const encoderPools = ['none', 'mean', 'cls', 'cls+mean'] as const;
export type EncoderPool = (typeof encoderPools)[number];

/** Order of the axes of the images that a network takes. */
export const encoderLayouts = ['NCHW', 'NHWC'] as const;
export type EncoderLayout = (typeof encoderLayouts)[number];

const perChannel = z.array(z.number().min(-1000).max(1000)).min(1).max(4);

/** What a file's graph does not tell of a network, or what overrules it; a part that is absent is found out. */
export const encoderOptionsSchema = z.strictObject({
  /** Height and width of the images that the network is given, in pixels. */
  size: z.int().min(8).max(1024).optional(),
  /** Subtracted from values of 0–1, a number for each channel or one for all. */
  mean: perChannel.optional(),
  /** What values of 0–1 without their mean are divided by. */
  std: z.array(z.number().min(1e-6).max(1000)).min(1).max(4).optional(),
  layout: z.enum(encoderLayouts).optional(),
  /** Name of the tensor that describes an image: an output, or any tensor within the graph. */
  output: z.string().min(1).max(1000).optional(),
  pool: z.enum(encoderPools).optional(),
});

/** See {@link encoderOptionsSchema}. */
export type EncoderOptions = Readonly<z.infer<typeof encoderOptionsSchema>>;

/** How pictures were scaled for ImageNet's networks: mean and deviation of its red, green and blue, of 0–1. */
export const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** The same of the pictures that CLIP learned from. */
const clip = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

/** A network that is known by name. */
export interface KnownEncoder {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** Bytes of the file, about. */
  readonly sizeBytes: number;
  /** Where the file is had. */
  readonly url: string;
  readonly options: EncoderOptions;
  /** Sides of its images are multiples of it. */
  readonly multipleOf: number;
  /** What it learned from, and what it is good for. */
  readonly about: string;
}

const hub = 'https://huggingface.co';

/** Networks that are known by name, each with how its images are made. All are float32: see `docs/encoders.md`. */
export const knownEncoders: readonly KnownEncoder[] = [
  {
    name: 'dinov2-small',
    title: 'DINOv2, ViT-S/14',
    licence: 'Apache-2.0',
    sizeBytes: 88_000_000,
    url: `${hub}/onnx-community/dinov2-small/resolve/main/onnx/model.onnx`,
    options: {
      ...{ size: 224, layout: 'NCHW', mean: [...imageNet.mean], std: [...imageNet.std] },
      ...{ output: 'last_hidden_state', pool: 'cls+mean' },
    },
    multipleOf: 14,
    about: 'learned from 142 million pictures without labels; the most for photographs',
  },
  {
    name: 'clip-vit-base-patch32',
    title: 'CLIP, ViT-B/32',
    licence: 'MIT',
    sizeBytes: 352_000_000,
    url: `${hub}/Xenova/clip-vit-base-patch32/resolve/main/onnx/vision_model.onnx`,
    options: {
      ...{ size: 224, layout: 'NCHW', mean: [...clip.mean], std: [...clip.std] },
      ...{ output: 'image_embeds', pool: 'none' },
    },
    multipleOf: 32,
    about: 'learned from 400 million pictures with their captions',
  },
  {
    name: 'mobilenetv4',
    title: 'MobileNetV4, small',
    licence: 'Apache-2.0',
    sizeBytes: 15_000_000,
    url: `${hub}/onnx-community/mobilenetv4_conv_small.e2400_r224_in1k/resolve/main/onnx/model.onnx`,
    options: { size: 224, layout: 'NCHW', mean: [...imageNet.mean], std: [...imageNet.std] },
    multipleOf: 32,
    about: 'learned from ImageNet with its labels; the fastest',
  },
];
