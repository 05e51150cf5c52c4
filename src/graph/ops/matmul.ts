import { sameShape } from '../../tensor/tensor.js';
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
 * C = op(A)·op(B), where op transposes or does nothing; A and B are matrices, or as many of them each: the last two axes are a matrix's,
 * those before them have the same sizes in both.
 *
 * dL = tr(Gᵀ·dC), hence for C = A·B: ∂L/∂A = G·Bᵀ, ∂L/∂B = Aᵀ·G. A transposed operand transposes its own gradient:
 * ∂L/∂A = op(B)·Gᵀ and ∂L/∂B = Gᵀ·op(A), with the flags arranged so that nothing is transposed in memory.
 */
export const matMulOp: OpDefinition<MatMulAttributes, Two, One> = {
  name: 'matMul',
  types: ([a, b], { transposeA, transposeB }) => {
    checkFloat32('matMul', [a, b]);
    const batch = a.shape.slice(0, -2);
    const [m, k] = matrixOf(a, transposeA);
    const [k2, n] = matrixOf(b, transposeB);
    const isSame = sameShape(batch, b.shape.slice(0, -2));
    if (!isSame || k !== k2 || m === undefined || n === undefined || k === undefined) {
      throw shapeError(
        'matMul',
        'matrices with a common inner axis',
        `${describeType(a)}${transposeA ? ' transposed' : ''} and ${describeType(b)}${transposeB ? ' transposed' : ''}`,
      );
    }
    return [{ dtype: 'float32', shape: [...batch, m, n] }];
  },
  gradient: ({ inputs: [a, b], attributes: { transposeA: ta, transposeB: tb } }, [g]) => {
    if (!g) return [];
    return [
      ta ? matMul(b, g, { transposeA: tb, transposeB: true }) : matMul(g, b, { transposeB: !tb }),
      tb ? matMul(g, a, { transposeA: true, transposeB: ta }) : matMul(a, g, { transposeA: !ta }),
    ];
  },
};

/** Rows and columns of the matrices in a value; undefined where it has too few axes. */
function matrixOf({ shape }: Value, isTransposed: boolean): readonly (number | undefined)[] {
  const [rows, columns] = [shape.at(-2), shape.at(-1)];
  if (shape.length < 2) return [undefined, undefined];
  return isTransposed ? [columns, rows] : [rows, columns];
}

/**
 * Matrix product of two values of rank 2, or of each two matrices in values of a higher rank; each is transposed first where asked.
 * @throws QuarterturnError `shape` for other ranks, and for matrices that do not fit
 */
export const matMul = (a: Value, b: Value, options: Partial<MatMulAttributes> = {}): Value =>
  applyOne(matMulOp, [a, b], { transposeA: false, transposeB: false, ...options });
