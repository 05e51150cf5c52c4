import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { LabelEvent } from '../../../project/label-events.js';
import type { Effect } from '../../../project/label-swap.js';
import { ApiError, api } from '../../api/client.js';
import { change } from '../../store/labelling.js';
import { labels } from '../../store/studio.js';
import { Dialog, DialogButtons } from '../../ui/dialog.js';
import { modName } from '../../ui/keys.js';
import { counted } from '../../ui/words.js';

export interface EffectDialogProps {
  readonly title: string;
  /** Of the button that does it. */
  readonly deed: string;
  readonly isDanger?: boolean;
  /** What is about to happen; null while something is missing. */
  readonly event: LabelEvent | null;
  /** What it means beside the labels that change. */
  readonly says?: string;
  readonly onClose: () => void;
  /** To fill in before. */
  readonly children?: ComponentChildren;
}

type Foreseen = { readonly text: string; readonly isPossible: boolean };

/** Says what something will do to the labels, asked of the server that will do it, before it is done. */
export function EffectDialog({ title, deed, isDanger, event, says, onClose, children }: EffectDialogProps) {
  const foreseen = useSignal<Foreseen | null>(null);
  const asked = JSON.stringify(event);
  const seq = labels.value?.seq;
  useEffect(() => {
    let isCurrent = true;
    const tell = (text: string, isPossible: boolean): void => {
      if (isCurrent) foreseen.value = { text, isPossible };
    };
    if (event === null) foreseen.value = null;
    else {
      api.effect(event).then(
        (effect) => tell(wordsOf(effect), true),
        (error) => tell(error instanceof ApiError ? error.text : String(error), false),
      );
    }
    return () => {
      isCurrent = false;
    };
  }, [asked, seq]);
  const isPossible = event !== null && foreseen.value?.isPossible === true;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="effect-form"
        onSubmit={(submitted) => {
          submitted.preventDefault();
          if (!isPossible) return;
          onClose();
          void change(event);
        }}
      >
        {children}
        <p role="status" class="effect" data-wrong={foreseen.value?.isPossible === false || undefined}>
          {foreseen.value && [isPossible && says, foreseen.value.text].filter(Boolean).join(' ')}
        </p>
        <p class="quiet-text small">{modName}+Z undoes it.</p>
        <div class="dialog-buttons">
          <DialogButtons onCancel={onClose} isDisabled={!isPossible} isDanger={isDanger}>
            {deed}
          </DialogButtons>
        </div>
      </form>
    </Dialog>
  );
}

/** What changes, as sentences. */
export function wordsOf({ labelled, moved, unlabelled, marked, unmarked }: Effect): string {
  const said = [
    labelled > 0 && `${counted(labelled, 'image gets', 'images get')} a label.`,
    moved > 0 && `${counted(moved, 'label moves', 'labels move')} to another class.`,
    unlabelled > 0 && `${counted(unlabelled, 'image loses its label', 'images lose their labels')}.`,
    marked > 0 && `${counted(marked, 'image gets', 'images get')} a mark.`,
    unmarked > 0 && `${counted(unmarked, 'image loses its mark', 'images lose their marks')}.`,
  ].filter(Boolean);
  return said.length === 0 ? 'No label changes.' : said.join(' ');
}
