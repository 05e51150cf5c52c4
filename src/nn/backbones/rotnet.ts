import { buildChain, sequential } from '../block.js';
import { globalPool, pool } from '../layers.js';
import { type Backbone, convUnits } from './backbone.js';

/**
 * A Network-in-Network of three blocks (Gidaris et al. 2018, section 3.1; Lin et al. 2014), the notebook's.
 *
 * At width 1 on 28×28×1 the network has 998,084 parameters with 4 classes, 994,884 of them trained.
 */
export const rotnet = {
  name: 'rotnet',
  title: 'RotNet',
  build: (images, settings) => {
    const conv = convUnits(settings);
    return buildChain(images, [
      sequential('block1', [
        conv('block1.conv1', 5, 192),
        conv('block1.conv2', 1, 160),
        conv('block1.conv3', 1, 96),
        pool('block1.pool', 'max'),
      ]),
      sequential('block2', [
        conv('block2.conv1', 5, 192),
        conv('block2.conv2', 1, 192),
        conv('block2.conv3', 1, 192),
        pool('block2.pool', 'average'),
      ]),
      sequential('block3', [
        conv('block3.conv1', 3, 192),
        conv('block3.conv2', 1, 192),
        conv('block3.conv3', 1, 192),
        globalPool('block3.pool'),
      ]),
    ]);
  },
} as const satisfies Backbone;
