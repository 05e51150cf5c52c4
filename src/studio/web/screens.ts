import type { ComponentType } from 'preact';
import type { ScreenName } from './shell/router.js';

/**
 * The screens of the studio, in the order in which a person goes through them.
 *
 * Adding one takes: its name in `shell/router.ts`; a file in `screens/` that exports a component `Screen`; its entry here; and,
 * if it needs rules of its own, a style sheet beside it that `styles/page.css` imports. A component reads the signals of `store/studio.ts`, asks
 * through `api/client.ts`, changes labels through `store/labelling.ts`, and shows images with `ui/image-grid.tsx`, where each can
 * be labelled in place. Keys are told with `useKeys`, so that `?` shows them.
 */
export interface ScreenEntry {
  readonly title: string;
  /** Shows it, with Shift; small letters are keys of classes. */
  readonly key: string;
  /** Loaded when it is first shown. */
  readonly load: () => Promise<{ readonly Screen: ComponentType }>;
  /** Whether it can do without pictures. */
  readonly isFree?: boolean;
}

export const screens: Readonly<Record<ScreenName, ScreenEntry>> = {
  start: { title: 'Start', key: 's', load: () => import('./screens/start.js'), isFree: true },
  label: { title: 'Label', key: 'l', load: () => import('./screens/label.js') },
  classes: { title: 'Classes', key: 'c', load: () => import('./screens/classes.js') },
  train: { title: 'Train', key: 't', load: () => import('./screens/train.js') },
  explore: { title: 'Explore', key: 'e', load: () => import('./screens/explore.js') },
  try: { title: 'Try', key: 'y', load: () => import('./screens/try.js') },
  export: { title: 'Export', key: 'x', load: () => import('./screens/export.js') },
};
