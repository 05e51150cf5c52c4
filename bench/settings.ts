import { createNetwork, type Network } from '../src/nn/network.js';

/** The notebook's network on MNIST. */
export function networkOf(width: number, classes: number): Network {
  const image = { height: 28, width: 28, channels: 1 };
  return createNetwork({ backbone: 'rotnet', width, image }, classes);
}

/**
 * SGD as in the notebook, but for the learning rate, on which speed does not depend. At the notebook's 0.1, training is
 * chaotic: one activation that rounds to the other side of 0 moves the loss of step 20 by 1e-2, so that a wrong
 * implementation cannot be told from a right one. At this rate right ones stay within 1e-4 of float64 over 20 steps, while a
 * momentum of 0.89 is off by 4e-3.
 */
export const sgdSettings = { momentum: 0.9, rate: 0.0003 };

/** The 5×5 convolution of the second block, which takes more than half of RotNet's arithmetic. */
export const conv5x5 = { inChannels: 96, outChannels: 192, size: 14, kernelSize: 5 } as const;
