import { navigate, route } from '../shell/router.js';
import { nameOf } from '../ui/class-mark.js';
import { useKeys } from '../ui/keys.js';
import { useQueue } from '../ui/use-queue.js';
import { GridView } from './label/grid-view.js';
import { OneView } from './label/one-view.js';
import { placeIn } from './label/place.js';
import { QueueBar } from './label/queue-bar.js';

/** Images of a queue, one at a time or in a grid. */
export function Screen() {
  const { queue: name = 'suggested', view = 'one' } = route.value.params;
  const queue = useQueue(name);
  const place = placeIn(name);
  const isGrid = view === 'grid';
  const show = (shown: 'one' | 'grid'): void =>
    navigate('label', { queue: name, view: shown }, { replace: true });
  useKeys('Label', [
    { key: 'shift+g', says: isGrid ? 'One at a time' : 'Grid', run: () => show(isGrid ? 'one' : 'grid') },
    { key: 'shift+r', says: 'Refresh the list', run: () => takeAnew() },
  ]);
  const takeAnew = (): void => {
    place.value = 0;
    queue.refresh();
  };
  const label = queueTitle(name);
  return (
    <div class="label-screen">
      <h1 class="visually-hidden">Label: {label}</h1>
      <QueueBar queue={queue} view={isGrid ? 'grid' : 'one'} {...{ show, takeAnew }} />
      {isGrid ? (
        <GridView
          key={name}
          queue={queue}
          label={label}
          onOpen={(index) => {
            place.value = index;
            show('one');
          }}
        />
      ) : (
        <OneView key={name} queue={queue} place={place} takeAnew={takeAnew} />
      )}
    </div>
  );
}

/** What a queue is called. */
function queueTitle(name: string): string {
  const [kind = '', id] = name.split(':');
  const of = id === undefined ? undefined : (nameOf(id) ?? id);
  if (kind === 'class') return `Labelled ${of}`;
  if (kind === 'predicted') return `Taken for ${of}`;
  return kind.charAt(0).toUpperCase() + kind.slice(1);
}
