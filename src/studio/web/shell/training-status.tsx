/** What is being trained, in the header; nothing while nothing is. */
export function TrainingStatus() {
  return null;
}
