/** What is being found out of the pile, which takes seconds. */
export interface Finding {
  readonly name: 'answers' | 'suggest' | 'nearDuplicates' | 'map' | 'plan' | 'learningCurve';
  /** 0–1 */
  readonly progress: number;
}
