import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { explore } from '../../api/explore.js';
import { learn } from '../../store/image-labels.js';
import { ImageStrip } from '../../ui/image-strip.js';
import { counted } from '../../ui/words.js';
import { useAsked } from './use-asked.js';
import type { ExploreViewProps } from './view-props.js';

/** Groups that are shown at once. */
const pageSize = 20;

interface Groups {
  readonly total: number;
  readonly groups: readonly (readonly string[])[];
}

/** Groups of images that show nearly the same: an error here is easy to see, and a label fits all of them. */
export function DuplicatesView(_: ExploreViewProps) {
  const from = useSignal(0);
  const asked = useAsked<Groups>(async () => {
    const { pending, ...found } = await explore.duplicates(from.value, pageSize);
    return pending ? { pending } : found;
  }, String(from.value));
  const names = useSignal<ReadonlyMap<string, string>>(new Map());
  const groups = asked.value.value?.groups;
  useEffect(() => {
    const ids = groups?.flat() ?? [];
    if (ids.length === 0) return;
    void explore.notes(ids).then(({ images, labelsSeq }) => {
      for (const { id, label = null } of images) learn(id, { label, seq: labelsSeq });
      names.value = new Map(images.map(({ id, name }) => [id, name]));
    });
  }, [groups]);
  const { value, isPending } = asked.value;
  if (value === null) {
    return (
      <p class="explore-empty quiet-text" role="status">
        {isPending ? 'Comparing the images …' : 'Nothing was found out.'}
      </p>
    );
  }
  if (value.total === 0) return <p class="explore-empty quiet-text">No two images show nearly the same.</p>;
  return (
    <section class="duplicates" aria-labelledby="duplicates-title">
      <h2 id="duplicates-title">{counted(value.total, 'group')} of images that show nearly the same</h2>
      <div class="duplicate-groups">
        {value.groups.map((ids, i) => (
          <ImageStrip
            key={ids[0]}
            label={`Group ${from.value + i + 1}`}
            isGroup
            images={ids.slice(0, 24).map((id) => ({ id, caption: names.value.get(id) }))}
          />
        ))}
      </div>
      {value.total > pageSize && (
        <div class="row">
          <button
            type="button"
            class="button"
            disabled={from.value === 0}
            onClick={() => (from.value = Math.max(0, from.value - pageSize))}
          >
            Before
          </button>
          <span class="number quiet-text">
            {from.value + 1} to {from.value + value.groups.length} of {value.total}
          </span>
          <button
            type="button"
            class="button"
            disabled={from.value + pageSize >= value.total}
            onClick={() => (from.value += pageSize)}
          >
            Next
          </button>
        </div>
      )}
    </section>
  );
}
