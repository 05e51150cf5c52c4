/** A label that the rest of a run contradicts. */
export interface LabelDoubt {
  /** Hash of the image's content, see `hashImage`. */
  readonly image: string;
  /** In the training set, from 0. */
  readonly index: number;
  readonly file?: string;
  /** Class name as given. */
  readonly label: string;
  /** Class name that the rest says. */
  readonly suggested: string;
  /** How sure the rest is of that without the label, 0–1. */
  readonly probability: number;
  /** Probability that the label is wrong: it counts as evidence itself, and so does how many others are wrong. 0–1. */
  readonly wrong: number;
}

/** The labels of a draw that the rest of a run contradicts. */
export interface LabelDoubts {
  /** The one most likely to be wrong first. */
  readonly doubted: readonly LabelDoubt[];
  /** Labels that there are, and those of them that were checked: the only one of a class cannot be. */
  readonly labels: number;
  readonly checked: number;
  /** Sum over the checked labels of the probability of being wrong. */
  readonly expectedWrong: number;
  /** By whom: names of stages, `neighbours`. */
  readonly judges: readonly string[];
}
