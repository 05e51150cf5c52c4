import type { LabelledPile } from '../labelled-pile.js';
import type { ImageNotes, QueueMaker } from './queues.js';
import type { RunLook } from './run-look.js';

/** What a run takes an image for. */
export function predictionOf(
  look: RunLook | undefined,
  classes: ReturnType<RunLook['classes']>,
  index: number,
): ImageNotes {
  const said = look?.saidOf(index);
  const of = said && classes[said.class];
  return of ? { prediction: { class: of.id, name: of.name, probability: said.probability } } : {};
}

/** Labels that the rest of the run contradicts, as long as they are what the run learned. */
export function doubtedOf(
  look: RunLook | undefined,
  labelled: LabelledPile,
  { classes, notesOf }: { readonly classes: ReturnType<RunLook['classes']> } & Pick<QueueMaker, 'notesOf'>,
): Omit<QueueMaker, 'key'> {
  const byName = new Map(classes.map((each) => [each.name, each]));
  const doubts = new Map(
    (look?.answers.doubted ?? []).flatMap((doubt) => {
      const index = labelled.find(doubt.image);
      return index === undefined ? [] : [[index, doubt] as const];
    }),
  );
  return {
    order: (labelAt) =>
      Int32Array.from(doubts.keys()).filter(
        (index) => labelAt(index) === byName.get(doubts.get(index)?.label ?? '')?.id,
      ),
    notesOf: (index) => {
      const doubt = doubts.get(index);
      const suggested = byName.get(doubt?.suggested ?? '');
      const reason = doubt &&
        suggested && { reason: { kind: 'doubted' as const, suggested, wrong: doubt.wrong } };
      return { ...notesOf(index), ...reason };
    },
  };
}
