import { expect, it } from 'vitest';
import type { DataSource, ImageDataset } from '../../data/dataset.js';
import { imagesInMemory } from '../../data/image-source.js';
import type { Graph } from '../../graph/index.js';
import { createNodeRuntime } from '../../runtime/node.js';
import { MemoryStore } from '../../store/checkpoint.js';
import { settingsFor } from '../presets.js';
import { baseline } from './baseline.js';

/** Images of 28×28 in the order of their classes: darker and darker ones. */
function shaded(name: string, count: number): ImageDataset {
  const [side, classes] = [28, 3];
  const labels = Int32Array.from({ length: count }, (_, n) => Math.floor((n * classes) / count));
  const pixels = new Uint8Array(count * side * side);
  pixels.forEach((_, i) => {
    pixels[i] = 60 * (1 + labels[Math.floor(i / (side * side))]!) + ((i * 7) % 30);
  });
  const classNames = ['dark', 'grey', 'bright'];
  const images = imagesInMemory({ name, pixels, height: side, width: side, channels: 1 });
  return { images, labels, classNames };
}

it('no batch of the baseline grows with the labels, its statistics not either', async () => {
  const data: DataSource = {
    train: shaded('train', 2400),
    test: shaded('test', 60),
    origin: '',
    checksums: {},
  };
  const quick = settingsFor('quick', { labelsPerClass: 800, width: 1 / 16 });
  const settings = { ...quick, baseline: { ...quick.baseline, epochs: 1 } };
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const batches: number[] = [];
  const watched = {
    ...{ device: runtime.device, version: runtime.version, load: runtime.load.bind(runtime) },
    compile: (graph: Graph) => {
      batches.push(graph.inputs.images!.shape[0]!);
      return runtime.compile(graph);
    },
  };
  const context = { settings, data, runtime: watched, store: new MemoryStore(), emit: () => {} };
  const { testReestimated } = await baseline(context, { draw: 0 });
  // 2,400 labels: training by 50, statistics by 800, evaluation by 128.
  expect(new Set(batches)).toEqual(new Set([50, 800, 128]));
  expect(testReestimated!.metrics.accuracy).toBe(1);
});
