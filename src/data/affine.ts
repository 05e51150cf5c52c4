/** One image's distortion: mirror, then shear, then scale, then turn about the centre, then shift. */
export interface AffineTransform {
  /** Counter-clockwise as seen. */
  readonly rotateDegrees: number;
  /** Magnification, 1 for none. */
  readonly scale: number;
  /** Width / height after over before, the area staying the same; 1 for none. */
  readonly aspect: number;
  readonly shearFraction: number;
  /** Left becomes right. */
  readonly mirror: boolean;
  /** Pixels to the right. */
  readonly shiftX: number;
  /** Pixels down. */
  readonly shiftY: number;
}

/** Where an output pixel comes from, relative to the centre: `x = xx (X - dx) + xy (Y - dy)`, y alike. */
export interface InverseMap {
  readonly xx: number;
  readonly xy: number;
  readonly yx: number;
  readonly yy: number;
  readonly dx: number;
  readonly dy: number;
}

/**
 * The inverse of `turn * scale * shear * mirror`. With y pointing down, a counter-clockwise turn is
 * [[cos, sin], [-sin, cos]] and its inverse the transpose; the inverse shear is [[1, -h], [0, 1]].
 */
export function inverseOf(transform: AffineTransform): InverseMap {
  const { rotateDegrees, scale, aspect, shearFraction, mirror, shiftX, shiftY } = transform;
  const radians = (rotateDegrees * Math.PI) / 180;
  const stretch = Math.sqrt(aspect);
  const scaleX = scale * stretch;
  const scaleY = scale / stretch;
  const cos = Math.cos(radians);
  const sin = Math.sin(radians);
  const side = mirror ? -1 : 1;
  return {
    xx: side * (cos / scaleX - shearFraction * (sin / scaleY)),
    xy: side * (-sin / scaleX - shearFraction * (cos / scaleY)),
    yx: sin / scaleY,
    yy: cos / scaleY,
    dx: shiftX,
    dy: shiftY,
  };
}
