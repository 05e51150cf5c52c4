import {
  applyOne,
  checkFloat32,
  describeType,
  type One,
  type OpDefinition,
  shapeError,
  type Two,
  type Value,
} from '../graph.js';

export interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/**
 * C = op(A)·op(B), where op transposes or does nothing; A and B are matrices.
 *
 * dL = tr(Gᵀ·dC), hence for C = A·B: ∂L/∂A = G·Bᵀ, ∂L/∂B = Aᵀ·G. A transposed operand transposes its own gradient:
 * ∂L/∂A = op(B)·Gᵀ and ∂L/∂B = Gᵀ·op(A), with the flags arranged so that nothing is transposed in memory.
 */
export const matMulOp: OpDefinition<MatMulAttributes, Two, One> = {
  name: 'matMul',
  types: ([a, b], { transposeA, transposeB }) => {
    checkFloat32('matMul', [a, b]);
    const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
    const [k2, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || k !== k2 || m === undefined || n === undefined) {
      throw shapeError(
        'matMul',
        'matrices with a common inner axis',
        `${describeType(a)}${transposeA ? ' transposed' : ''} and ${describeType(b)}${transposeB ? ' transposed' : ''}`,
      );
    }
    return [{ dtype: 'float32', shape: [m, n] }];
  },
  gradient: ({ inputs: [a, b], attributes: { transposeA: ta, transposeB: tb } }, [g]) => {
    if (!g) return [];
    return [
      ta ? matMul(b, g, { transposeA: tb, transposeB: true }) : matMul(g, b, { transposeB: !tb }),
      tb ? matMul(g, a, { transposeA: true, transposeB: ta }) : matMul(a, g, { transposeA: !ta }),
    ];
  },
};

/** Matrix product of two rank-2 values, each transposed first where asked. */
export const matMul = (a: Value, b: Value, options: Partial<MatMulAttributes> = {}): Value =>
  applyOne(matMulOp, [a, b], { transposeA: false, transposeB: false, ...options });
