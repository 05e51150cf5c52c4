import { type Signal, useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { api } from '../api/client.js';
import type { ImageList } from '../store/id-list.js';
import { judge, undo, type Verdict } from '../store/labelling.js';
import { nameOf } from './class-mark.js';
import { Selection } from './selection.js';
import { toast } from './toast.js';
import { counted } from './words.js';

/** What is chosen in a grid. */
export interface Choice {
  /** The tile that keys speak of. */
  readonly active: Signal<number>;
  readonly selection: Signal<Selection>;
  /** Choose as in a folder: Shift up to here, Ctrl one more or less. */
  readonly choose: (index: number, event: MouseEvent | KeyboardEvent) => void;
  readonly toggle: (index: number) => void;
  /** Say something of all that is chosen, in one event. */
  readonly judge: (verdict: Verdict) => Promise<void>;
}

/** A choice among the images of a queue. */
export function useChoice(queue: Pick<ImageList, 'ids'>): Choice {
  const active = useSignal(0);
  const selection = useSignal(Selection.none);
  /** Where a range begins. */
  const anchor = useRef(0);
  const toggle = (index: number): void => {
    selection.value = selection.value.toggled(index);
    anchor.current = index;
  };
  const choose: Choice['choose'] = (index, { shiftKey, ctrlKey, metaKey }) => {
    const isAdding = ctrlKey || metaKey;
    if (shiftKey) {
      const range = [Math.min(anchor.current, index), Math.max(anchor.current, index) + 1] as const;
      selection.value = (isAdding ? selection.value : Selection.none).with(range);
    } else if (isAdding) {
      toggle(index);
    } else {
      selection.value = Selection.none.with([index, index + 1]);
      anchor.current = index;
    }
    active.value = index;
  };
  const judgeChosen = async (verdict: Verdict): Promise<void> => {
    const { ranges, count } = selection.value;
    if (count === 0) {
      toast('Choose images first: click, or press Ctrl+A for all.');
      return;
    }
    const ids = await queue.ids(ranges);
    const before = count > 1 ? await otherLabels(ids, verdict) : 0;
    const isDone = judge(ids, verdict);
    if (count === 1 || !(await isDone)) return;
    const changed = before > 0 ? `; ${counted(before, 'label')} of theirs changed` : '';
    toast(`${counted(count, 'image')}: ${wordsOf(verdict)}${changed}`, {
      action: { name: 'Undo', run: () => void undo() },
    });
  };
  return { active, selection, choose, toggle, judge: judgeChosen };
}

/** How many of these images have another label, which this one takes the place of; none where nobody can tell. */
async function otherLabels(images: readonly string[], verdict: Verdict): Promise<number> {
  if (!('class' in verdict)) return 0;
  const event = { type: 'label', labels: [{ class: verdict.class, images }] } as const;
  return api.effect(event).then(
    ({ moved }) => moved,
    () => 0,
  );
}

function wordsOf(verdict: Verdict): string {
  if ('clear' in verdict) return 'no label';
  if ('newClass' in verdict) return verdict.newClass;
  return nameOf('mark' in verdict ? verdict.mark : verdict.class) ?? '';
}
