import { explore } from '../../api/explore.js';
import { navigate, route } from '../../shell/router.js';
import { counted, percent } from '../../ui/words.js';
import { Waiting } from './confusion-view.js';
import { ImageList } from './image-list.js';
import { useAsked } from './use-asked.js';
import type { ExploreViewProps } from './view-props.js';

/** Two trainings beside each other: how often each is right, and the images that they take for different things. */
export function CompareView({ run, done }: ExploreViewProps) {
  const others = done.filter(({ id }) => id !== run.id);
  const other = others.find(({ id }) => id === route.value.params.other) ?? others[0];
  if (other === undefined) {
    return (
      <p class="explore-empty quiet-text">There is one training. Train again, then both can be compared.</p>
    );
  }
  return (
    <>
      <label class="row compare-choice">
        Training {run.number} beside
        <select
          class="field"
          value={other.id}
          onChange={(event) =>
            navigate('explore', { ...route.value.params, view: 'compare', other: event.currentTarget.value })
          }
        >
          {others.map(({ id, number }) => (
            <option key={id} value={id}>
              Training {number}
            </option>
          ))}
        </select>
      </label>
      <Compared key={other.id} one={run} other={other} />
    </>
  );
}

interface ComparedProps {
  readonly one: ExploreViewProps['run'];
  readonly other: ExploreViewProps['run'];
}

function Compared({ one, other }: ComparedProps) {
  const asked = useAsked(() => explore.compare(one.id, other.id), `${one.id} ${other.id}`, {
    followsLabels: true,
  });
  const { value, isPending } = asked.value;
  if (value === null) return <Waiting isPending={isPending} />;
  const share = (right: number): string => (value.labelled === 0 ? '–' : percent(right / value.labelled, 1));
  return (
    <>
      <table class="compare-table">
        <caption class="visually-hidden">Two trainings</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">Training {one.number}</th>
            <th scope="col">Training {other.number}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">As the label says, of {counted(value.labelled, 'labelled image')}</th>
            <td class="number">{share(value.right[0])}</td>
            <td class="number">{share(value.right[1])}</td>
          </tr>
          <tr>
            <th scope="row">Learned from</th>
            <td class="number">{counted(one.labels, 'label')}</td>
            <td class="number">{counted(other.labels, 'label')}</td>
          </tr>
        </tbody>
      </table>
      <ImageList
        queue={`differing:${one.id}:${other.id}`}
        title={`Taken for different things, of ${counted(value.asked, 'image')}: by training ${one.number}, then by ${other.number}`}
        label="Images that the two trainings take for different things"
        empty="They agree about every image."
      />
    </>
  );
}
