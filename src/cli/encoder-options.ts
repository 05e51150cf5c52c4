import { Option } from 'commander';
import {
  type EncoderLayout,
  type EncoderPool,
  encoderLayouts,
  encoderPools,
  knownEncoders,
} from '../features/encoder-settings.js';
import { choice, numbers, wholeNumber } from './option-values.js';

/** Flags that name a frozen network, and overrule what is found out of it. */
export interface EncoderFlags {
  readonly encoder?: string;
  readonly encoderSize?: number;
  readonly encoderMean?: readonly number[];
  readonly encoderStd?: readonly number[];
  readonly encoderLayout?: EncoderLayout;
  readonly encoderOutput?: string;
  readonly encoderPool?: EncoderPool;
  /** Where features are kept. */
  readonly cache?: string;
}

/** The flags of {@link EncoderFlags}, but for the cache, which is the data's, too. */
export const encoderOptions = (): readonly Option[] => [
  new Option(
    '--encoder <file>',
    `ONNX network that describes images, or one of ${knownEncoders.map(({ name }) => name).join(', ')} (default: none; see quarterturn encoders)`,
  ).conflicts('resume'),
  new Option(
    '--encoder-size <pixels>',
    "side of the images that it is given (default: the graph's, else 224)",
  ).argParser(wholeNumber('--encoder-size', { min: 8, max: 1024 })),
  new Option(
    '--encoder-mean <numbers>',
    "taken from values of 0 to 1, one number or one a channel (default: ImageNet's)",
  ).argParser(numbers('--encoder-mean')),
  new Option('--encoder-std <numbers>', "what they are then divided by (default: ImageNet's)").argParser(
    numbers('--encoder-std'),
  ),
  new Option('--encoder-layout <name>', 'NCHW or NHWC (default: as the graph says)').argParser(
    choice('--encoder-layout', encoderLayouts),
  ),
  new Option(
    '--encoder-output <name>',
    'tensor that describes an image (default: by its name, else what the classifier at the end is given)',
  ),
  new Option(
    '--encoder-pool <name>',
    'none, mean, cls or cls+mean: how tokens or maps become one row (default: by their shape)',
  ).argParser(choice('--encoder-pool', encoderPools)),
];
