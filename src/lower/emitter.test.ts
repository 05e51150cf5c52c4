import { describe, expect, test } from 'vitest';
import { int } from '../onnx/model.js';
import { float32, tensor } from '../tensor/tensor.js';
import { Emitter, type Handle } from './emitter.js';

const value = (name: string): Handle => ({ name, dtype: 'float32', shape: [2] });
const [a, b, x] = [value('a'), value('b'), value('x')];

describe('Emitter', () => {
  test('emits the same operator on the same inputs once', () => {
    const emit = new Emitter();
    const sum = emit.node('Add', [a, b]);
    expect(emit.node('Add', [a, b])).toBe(sum);
    const others = [
      emit.node('Add', [b, a]),
      emit.node('Sub', [a, b]),
      emit.node('Add', [a, b], { axis: int(1) }),
      emit.microsoft('Add', [a, b], {}),
    ];
    expect(new Set([sum, ...others]).size).toBe(5);
  });

  test('names nodes after the layer', () => {
    const emit = new Emitter();
    emit.scope = 'block1.conv2';
    const y = emit.node('Relu', [x]);
    const { nodes } = emit.finish('g', [x], [{ ...value('y'), from: y }], {}).model;
    expect(nodes).toMatchObject([{ name: 'block1.conv2/Relu_0', inputs: ['x'], outputs: ['y'] }]);
  });

  test('keeps one copy of equal small constants, told apart by dtype and shape', () => {
    const emit = new Emitter();
    const vector = emit.initializer(float32([2], [1, 2]));
    expect(emit.floats([2], [1, 2])).toBe(vector);
    const others = [
      emit.floats([2, 1], [1, 2]),
      emit.floats([2], [2, 1]),
      emit.initializer(tensor('int32', [2], Int32Array.of(1, 2))),
      emit.int64([1, 2]),
      emit.float(1),
      emit.int64([]),
    ];
    expect(new Set([vector, ...others]).size).toBe(7);
    expect(Object.keys(emit.finish('g', [], [], {}).model.initializers)).toHaveLength(7);
  });

  test('an output that is no result of its own is a copy', () => {
    const emit = new Emitter();
    const y = emit.node('Relu', [x]);
    const z = emit.node('Neg', [y]);
    const one = emit.float(1);
    const { nodes } = emit.finish(
      'g',
      [x],
      [
        { ...value('first'), from: y },
        { ...value('again'), from: y },
        { ...value('fed'), from: x },
        { ...value('fixed'), from: one },
        { ...value('last'), from: z },
      ],
      {},
    ).model;
    expect(
      nodes.map(({ opType, inputs, outputs }) => [opType, ...inputs, '→', ...outputs].join(' ')),
    ).toEqual([
      'Relu x → first',
      'Neg first → last',
      'Identity first → again',
      'Identity x → fed',
      `Identity ${one.name} → fixed`,
    ]);
  });

  test('knows the type of each result and of its public name', () => {
    const emit = new Emitter();
    const map = { name: 'map', dtype: 'float32', shape: [4, 3] } as const;
    const turned = emit.transpose(map, [1, 0]);
    expect(turned).toMatchObject({ dtype: 'float32', shape: [3, 4] });
    const total = emit.reduceSum(emit.reshape(turned, [-1, 2]), [1], false);
    expect(total.shape).toEqual([6]);
    expect(emit.cast(total, 'int64').dtype).toBe('int64');
    const { types } = emit.finish(
      'g',
      [map],
      [{ name: 'total', dtype: 'float32', shape: [6], from: total }],
      {},
    );
    expect(types.get('total')).toMatchObject({ dtype: 'float32', shape: [6] });
    expect(types.get('map')).toBe(map);
    expect(types.has(total.name)).toBe(false);
    expect(types.get(turned.name)).toBe(turned);
  });

  test('an operator without a shape rule has to be told what it gives', () => {
    const emit = new Emitter();
    expect(() => emit.node('Nonesuch', [x])).toThrow('lower: expected a shape rule. Received: Nonesuch.');
    const types = [{ dtype: 'int32', shape: [7] }] as const;
    expect(emit.nodes('Nonesuch', [x], { types })).toMatchObject(types);
  });
});
