import { describe, expect, test } from 'vitest';
import { int } from '../onnx/model.js';
import { float32, tensor } from '../tensor/tensor.js';
import { Emitter } from './emitter.js';

const value = (name: string) => ({ name, dtype: 'float32', shape: [2] }) as const;

describe('Emitter', () => {
  test('emits the same operator on the same inputs once', () => {
    const emit = new Emitter();
    const sum = emit.node('Add', ['a', 'b']);
    expect(emit.node('Add', ['a', 'b'])).toBe(sum);
    const others = [
      emit.node('Add', ['b', 'a']),
      emit.node('Sub', ['a', 'b']),
      emit.node('Add', ['a', 'b'], { axis: int(1) }),
      emit.microsoft('Add', ['a', 'b'], {}),
    ];
    expect(new Set([sum, ...others]).size).toBe(5);
  });

  test('names nodes after the layer', () => {
    const emit = new Emitter();
    emit.scope = 'block1.conv2';
    const y = emit.node('Relu', ['x']);
    const { nodes } = emit.finish('g', [value('x')], [{ ...value('y'), from: y }], {});
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
    expect(Object.keys(emit.finish('g', [], [], {}).initializers)).toHaveLength(7);
  });

  test('an output that is no result of its own is a copy', () => {
    const emit = new Emitter();
    const y = emit.node('Relu', ['x']);
    const z = emit.node('Neg', [y]);
    const one = emit.float(1);
    const { nodes } = emit.finish(
      'g',
      [value('x')],
      [
        { ...value('first'), from: y },
        { ...value('again'), from: y },
        { ...value('fed'), from: 'x' },
        { ...value('fixed'), from: one },
        { ...value('last'), from: z },
      ],
      {},
    );
    expect(
      nodes.map(({ opType, inputs, outputs }) => [opType, ...inputs, '→', ...outputs].join(' ')),
    ).toEqual([
      'Relu x → first',
      'Neg first → last',
      'Identity first → again',
      'Identity x → fed',
      `Identity ${one} → fixed`,
    ]);
  });
});
