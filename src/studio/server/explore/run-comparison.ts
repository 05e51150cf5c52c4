/** How many images of two runs differ. */
export interface RunComparison {
  readonly runs: readonly [string, string];
  /** Images that both were asked about. */
  readonly asked: number;
  /** Of these, those that they take for different things: the queue `differing:<a>:<b>`. */
  readonly differing: number;
  /** Images with a label, and those of them that each takes for what the label says. */
  readonly labelled: number;
  readonly right: readonly [number, number];
}
