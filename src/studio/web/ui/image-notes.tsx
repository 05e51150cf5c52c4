import type { QueueImage } from '../store/image-queue.js';
import type { Verdict } from '../store/labelling.js';
import { classes } from '../store/studio.js';
import { ClassMark } from './class-mark.js';
import { percent } from './words.js';

type PredictionOf = NonNullable<QueueImage['prediction']>;
type Reason = NonNullable<QueueImage['reason']>;

/** What the newest run takes an image for, and how sure it is. */
export function Prediction({ class: id, name, probability }: PredictionOf) {
  const isThere = classes.value.some((each) => each.id === id);
  return (
    <span class="prediction">
      {isThere ? <ClassMark label={id} /> : <span class="class-name">{name}</span>}
      <span class="number">{percent(probability)}</span>
    </span>
  );
}

/** To say what was predicted: a class that is gone meanwhile is made again. */
export function verdictOf({ class: id, name }: PredictionOf): Verdict {
  const found =
    classes.value.find((each) => each.id === id) ?? classes.value.find((each) => each.name === name);
  return found ? { class: found.id } : { newClass: name };
}

/** Why an image is in its queue. */
export function reasonWords(reason: Reason): string {
  switch (reason.kind) {
    case 'typical':
      return `Typical: it stands for ${percent(reason.share, 1)} of the images.`;
    case 'unsure':
      return `Unsure: ${reason.between.map(({ name, probability }) => `${name} ${percent(probability)}`).join(', or ')}.`;
    case 'disagreement': {
      const [network, neighbours] = reason.between;
      return `Disagreement: the network says ${network?.name} (${percent(network?.probability ?? 0)}), what looks most like it is ${neighbours?.name}.`;
    }
    case 'doubted':
      return `Its label is wrong with ${percent(reason.wrong)}: the others say ${reason.suggested.name}.`;
  }
}
