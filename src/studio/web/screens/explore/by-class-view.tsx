import { navigate, route } from '../../shell/router.js';
import { classes } from '../../store/studio.js';
import { ClassMark } from '../../ui/class-mark.js';
import { count } from '../../ui/words.js';
import { ImageList } from './image-list.js';
import type { ExploreViewProps } from './view-props.js';

/** What of a class is shown. */
const kinds = {
  'by-probability': 'All, the likeliest first',
  predicted: 'Without a label, taken for it',
  class: 'Labelled so',
} as const;
type Kind = keyof typeof kinds;

/** The images of a class: by how likely it is, as the classifier takes them, or as they are labelled. */
export function ByClassView(_: ExploreViewProps) {
  const { params } = route.value;
  const kind: Kind =
    params.kind !== undefined && params.kind in kinds ? (params.kind as Kind) : 'by-probability';
  const chosen = classes.value.find(({ id }) => id === params.class) ?? classes.value[0];
  if (chosen === undefined) return <p class="explore-empty quiet-text">There are no classes yet.</p>;
  const show = (change: Readonly<Record<string, string>>): void =>
    navigate('explore', { ...route.value.params, view: 'classes', ...change }, { replace: true });
  return (
    <div class="explore-pair by-class">
      <section aria-label="Classes" class="explore-classes">
        <ul>
          {classes.value.map(({ id, count: labelled }) => (
            <li key={id}>
              <button type="button" aria-pressed={id === chosen.id} onClick={() => show({ class: id })}>
                <ClassMark label={id} />
                <span class="number quiet-text">{count(labelled)}</span>
              </button>
            </li>
          ))}
        </ul>
        <label class="small">
          Show
          <select class="field" value={kind} onChange={(event) => show({ kind: event.currentTarget.value })}>
            {Object.entries(kinds).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
      </section>
      <ImageList
        key={`${kind} ${chosen.id}`}
        queue={`${kind}:${chosen.id}`}
        title={chosen.name}
        label={`${chosen.name}: ${kinds[kind]}`}
        empty="There are none."
      />
    </div>
  );
}
