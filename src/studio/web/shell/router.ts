import { signal } from '@preact/signals';

/** Addresses are in the fragment, `#/label?queue=unlabelled`: what a person looks at survives a reload and the way back. */
export const screenNames = ['start', 'label', 'classes', 'train', 'explore', 'try', 'export'] as const;
export type ScreenName = (typeof screenNames)[number];

export interface Route {
  readonly screen: ScreenName;
  readonly params: Readonly<Record<string, string>>;
}

const isScreen = (name: string): name is ScreenName => (screenNames as readonly string[]).includes(name);

function parse(hash: string): Route {
  const [path = '', query] = hash.replace(/^#\/?/, '').split('?');
  return {
    screen: isScreen(path) ? path : 'start',
    params: Object.fromEntries(new URLSearchParams(query)),
  };
}

export const route = signal<Route>({ screen: 'start', params: {} });

export function startRouter(): void {
  const read = (): void => {
    route.value = parse(location.hash);
  };
  addEventListener('hashchange', read);
  read();
}

/** The address of a screen, for links. */
export function addressOf(screen: ScreenName, params: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(params).toString();
  return `#/${screen}${query && `?${query}`}`;
}

export interface NavigateOptions {
  /** Leave no step on the way back, as for a filter of the same screen. Default: false. */
  readonly replace?: boolean;
}

/** Show a screen. */
export function navigate(
  screen: ScreenName,
  params: Readonly<Record<string, string>> = {},
  { replace = false }: NavigateOptions = {},
): void {
  const address = addressOf(screen, params);
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  route.value = { screen, params };
}
