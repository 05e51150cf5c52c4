import { type Confusion, explore } from '../../api/explore.js';
import { navigate, route } from '../../shell/router.js';
import { counted } from '../../ui/words.js';
import { type ConfusionCell, ConfusionTable } from './confusion-table.js';
import { ImageList } from './image-list.js';
import { useAsked } from './use-asked.js';
import type { ExploreViewProps } from './view-props.js';

/** What images of each class are taken for; a cell opens its images. */
export function ConfusionView({ run }: ExploreViewProps) {
  const asked = useAsked(() => explore.confusion(run.id), run.id, { followsLabels: true });
  const { value: confusion, isPending } = asked.value;
  if (confusion === null) return <Waiting isPending={isPending} />;
  const chosen = cellOf(confusion, route.value.params.cell);
  const choose = ({ row, column }: ConfusionCell): void => {
    const { params } = route.value;
    navigate('explore', {
      ...params,
      view: 'confusion',
      cell: `${confusion.rows[row]?.id}:${confusion.columns[column]?.id}`,
    });
  };
  const [from, to] = chosen
    ? [confusion.rows[chosen.row]?.name ?? '', confusion.columns[chosen.column]?.name ?? '']
    : ['', ''];
  return (
    <div class="explore-pair">
      <section class="confusion" aria-labelledby="confusion-title">
        <h2 id="confusion-title">What is taken for what</h2>
        <ConfusionTable confusion={confusion} chosen={chosen} choose={choose} />
        <p class="small quiet-text">
          Images with a label. Of those that the classifier learned from, it is told what networks said that
          had not seen their labels.
          {confusion.unasked > 0 && ` ${counted(confusion.unasked, 'image')} nobody was asked about.`}
        </p>
      </section>
      {chosen ? (
        <ImageList
          key={`${confusion.rows[chosen.row]?.id} ${confusion.columns[chosen.column]?.id}`}
          queue={`confused:${run.id}:${confusion.rows[chosen.row]?.id}:${confusion.columns[chosen.column]?.id}`}
          title={from === to ? `${from}, taken for it` : `${from}, taken for ${to}`}
          label={`Images labelled ${from}, taken for ${to}`}
          empty="No image is here any more."
          countNow={confusion.counts[chosen.row]?.[chosen.column]}
        />
      ) : (
        <p class="explore-empty quiet-text">Choose a cell to see its images, and to mend their labels.</p>
      )}
    </div>
  );
}

/** Said while something is found out. */
export function Waiting({ isPending }: { readonly isPending: boolean }) {
  return (
    <p class="explore-empty quiet-text" role="status">
      {isPending ? 'Asking the classifier about the pile …' : 'Nothing was found out.'}
    </p>
  );
}

function cellOf(confusion: Confusion, text: string | undefined): ConfusionCell | undefined {
  const [label, said] = text?.split(':') ?? [];
  const row = confusion.rows.findIndex(({ id }) => id === label);
  const column = confusion.columns.findIndex(({ id }) => id === said);
  return row < 0 || column < 0 ? undefined : { row, column };
}
