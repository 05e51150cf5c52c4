import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { explore, type NotedImage } from '../../api/explore.js';
import { listOf } from '../../store/id-list.js';
import { learn } from '../../store/image-labels.js';
import { showLarge } from '../../ui/large-picture.js';
import { toastError } from '../../ui/toast.js';
import { counted } from '../../ui/words.js';
import { GridView } from '../label/grid-view.js';
import { captionOf } from './image-list.js';
import { MapCanvas } from './map-canvas.js';
import { useAsked } from './use-asked.js';
import type { ExploreViewProps } from './view-props.js';

/** The pile as the network sees it: what looks alike to it lies together. What is encircled is listed beside it, and labelled there. */
export function MapView({ run }: ExploreViewProps) {
  const asked = useAsked(() => explore.map(run.id), run.id);
  const images = useSignal<readonly NotedImage[] | null>(null);
  /** Places in the map; null: all. */
  const chosen = useSignal<readonly number[] | null>(null);
  const map = asked.value.value;
  useEffect(() => {
    if (map === null) return;
    explore.notes(map.images).then(({ images: found, labelsSeq }) => {
      for (const { id, label = null } of found) learn(id, { label, seq: labelsSeq });
      images.value = found;
    }, toastError);
  }, [map]);
  const shown = useMemo(() => {
    const all = images.value ?? [];
    return chosen.value === null ? all : chosen.value.flatMap((place) => all[place] ?? []);
  }, [images.value, chosen.value]);
  const list = useMemo(() => listOf(shown), [shown]);
  if (map === null || (images.value === null && map.images.length > 0)) {
    return (
      <p class="explore-empty quiet-text" role="status">
        {asked.value.isPending || map !== null
          ? 'Drawing the map: this takes a minute …'
          : 'There is no map.'}
      </p>
    );
  }
  if (map.images.length === 0 || images.value === null) {
    return (
      <p class="explore-empty quiet-text">This training has no network of its own to draw a map from.</p>
    );
  }
  return (
    <div class="explore-pair">
      <section class="map" aria-label="Map">
        <MapCanvas
          positions={map.positions}
          images={images.value}
          chosen={chosen.value}
          choose={(places) => {
            chosen.value = places;
          }}
        />
        <p class="small quiet-text">
          Draw around images to choose them. Colours are labels; rings are what the classifier says. The list
          has the same images.
        </p>
      </section>
      <section class="explore-list" aria-label="Images of the map">
        <div class="explore-list-head">
          <h2>{chosen.value === null ? 'All images of the map' : 'Encircled'}</h2>
          <span class="quiet-text number" role="status">
            {counted(shown.length, 'image')}
          </span>
          {chosen.value !== null && (
            <button type="button" class="button quiet" onClick={() => (chosen.value = null)}>
              Show all
            </button>
          )}
        </div>
        <GridView
          queue={list}
          label="Images of the map"
          caption={captionOf}
          onOpen={(index) => {
            const image = list.at(index);
            if (image) showLarge(image);
          }}
        />
      </section>
    </div>
  );
}
