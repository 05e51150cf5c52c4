import { expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../store/checkpoint.js';
import { float32, scalar } from '../tensor/tensor.js';
import { flattenState, mapState, nextState, readState, readWeights, weightsOf } from './state.js';

const one = (value: number) => float32([1], [value]);
const state = {
  params: { 'block1.conv1.kernel': one(1), 'head.bias': one(2) },
  buffers: { 'block1.conv1.norm.movingMean': one(3) },
  slots: {
    mean: { 'block1.conv1.kernel': one(4), 'head.bias': one(5) },
    square: { 'block1.conv1.kernel': one(6), 'head.bias': one(7) },
  },
  scalars: { beta1Power: scalar(0.9) },
  averages: {
    'block1.conv1.kernel': one(8),
    'head.bias': one(9),
    'block1.conv1.norm.movingMean': one(10),
  },
};

test('each leaf has one name, that of checkpoints since the first version, in the order of a step’s outputs', () => {
  expect(Object.keys(flattenState(state))).toEqual([
    'block1.conv1.norm.movingMean',
    'optimizer.beta1Power',
    'block1.conv1.kernel',
    'optimizer.mean/block1.conv1.kernel',
    'optimizer.square/block1.conv1.kernel',
    'head.bias',
    'optimizer.mean/head.bias',
    'optimizer.square/head.bias',
    'average.block1.conv1.kernel',
    'average.head.bias',
    'average.block1.conv1.norm.movingMean',
  ]);
});

test('a state comes back from its file, and from what a step gives', () => {
  const bytes = encodeCheckpoint('stage', { tensors: flattenState(state), state: {} });
  const { tensors } = decodeCheckpoint('stage', bytes);
  expect(readState(state, tensors)).toEqual(state);
  const outputs = Object.fromEntries(Object.entries(tensors).map(([name, t]) => [`next.${name}`, t]));
  expect(nextState(state, outputs)).toEqual(state);
  expect(readWeights(tensors)).toEqual(weightsOf(state));
});

test('a tensor that is missing is named', () => {
  const { 'optimizer.square/head.bias': _, ...others } = flattenState(state);
  expect(() => readState(state, others)).toThrow('state: expected a tensor "optimizer.square/head.bias".');
});

test('weights are the averages where there are any', () => {
  const values = (weights: ReturnType<typeof weightsOf>) =>
    Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, data[0]]));
  const learned = { 'block1.conv1.kernel': 8, 'head.bias': 9, 'block1.conv1.norm.movingMean': 10 };
  expect(values(weightsOf(state))).toEqual(learned);
  const bare = { ...state, averages: {} };
  const trained = { 'block1.conv1.kernel': 1, 'head.bias': 2, 'block1.conv1.norm.movingMean': 3 };
  expect(values(weightsOf(bare))).toEqual(trained);
  expect(values(readWeights(flattenState(bare)))).toEqual(trained);
});

test('mapping keeps parts and names, and tells the name that a leaf has in files', () => {
  const names = mapState(state, (_, name) => name);
  expect(names.slots.mean).toEqual({
    'block1.conv1.kernel': 'optimizer.mean/block1.conv1.kernel',
    'head.bias': 'optimizer.mean/head.bias',
  });
  expect(Object.values(flattenState(names))).toEqual(Object.keys(flattenState(names)));
});
