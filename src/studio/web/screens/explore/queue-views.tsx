import { ImageList } from './image-list.js';
import type { ExploreViewProps } from './view-props.js';

/** Labelled images that the classifier takes for something else, the surest first. */
export function MistakesView({ run }: ExploreViewProps) {
  return (
    <ImageList
      queue={`mistakes:${run.id}`}
      title="Taken for something else, the surest first"
      label="Labelled images that are taken for something else"
      empty="It is right for every image that has a label."
    />
  );
}

/** Labels that the rest of the training contradicts. */
export function DoubtsView(_: ExploreViewProps) {
  return (
    <ImageList
      queue="doubted"
      title="Labels that are likely wrong"
      label="Images whose labels are likely wrong"
      empty="No label stands against all others: nothing to mend here."
    />
  );
}
