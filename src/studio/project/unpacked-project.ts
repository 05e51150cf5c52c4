/** A project that was unpacked. */
export interface UnpackedProject {
  readonly name: string;
  /** The folder that it was unpacked to; absolute. */
  readonly path: string;
  /** Of its labels: what a studio opens. */
  readonly folder: string;
  /** Files. */
  readonly count: number;
}
