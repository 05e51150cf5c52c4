import { computed, signal } from '@preact/signals';
import type { LabelFacts, StudioDelta, StudioState } from '../../server/updates.js';
import { ApiError, api, viewAddress } from '../api/client.js';

/**
 * What all tabs look at, as the server tells it: first a snapshot, then what changes. Nothing here is changed by the page
 * itself; what a person does is sent, and comes back as a change.
 */

/** Null until the server has spoken. */
export const studio = signal<StudioState | null>(null);

export type Connection =
  | { readonly phase: 'connecting' | 'open' | 'lost' }
  /** The page cannot go on; why, in words. */
  | { readonly phase: 'refused'; readonly text: string };

export const connection = signal<Connection>({ phase: 'connecting' });

export const project = computed(() => studio.value?.project ?? null);
/** Another one is another project. */
export const projectFolder = computed(() => project.value?.folder);
export const pile = computed(() => studio.value?.pile ?? ({ phase: 'none' } as const));
export const labels = computed(() => studio.value?.labels ?? null);
/** A class with how many images have it. */
export type CountedClass = LabelFacts['classes'][number];

export const classes = computed(() => labels.value?.classes ?? []);
/** What is being found out of the pile. */
export const finding = computed(() => studio.value?.finding ?? null);
/** What trains now, or failed to. */
export const training = computed(() => studio.value?.training ?? null);
/** Images of the pile; 0 while there is none. */
export const imageCount = computed(() => (pile.value.phase === 'ready' ? pile.value.count : 0));

const listeners = new Set<(delta: StudioDelta) => void>();
const snapshotListeners = new Set<() => void>();

/** Be told of each change, after {@link studio} has it; returns what ends it. */
export function onDelta(listener: (delta: StudioDelta) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Be told when changes may have been missed, and all that was asked for is to be asked anew; returns what ends it. */
export function onSnapshot(listener: () => void): () => void {
  snapshotListeners.add(listener);
  return () => snapshotListeners.delete(listener);
}

/** A state after a change; changes that only tell of something leave it as it is. */
function after(state: StudioState, delta: StudioDelta): StudioState {
  switch (delta.type) {
    case 'project':
      return { ...state, project: delta.project };
    case 'pile':
      return { ...state, pile: delta.pile };
    case 'labels':
      return { ...state, labels: delta.labels };
    case 'training':
      return { ...state, training: delta.training };
    case 'looks':
      return { ...state, looks: delta.revision };
    case 'runs':
      return { ...state, runs: delta.revision };
    default:
      return state;
  }
}

function takeSnapshot(state: StudioState): void {
  studio.value = state;
  for (const listener of snapshotListeners) listener();
}

function takeDeltas(deltas: readonly StudioDelta[]): void {
  const state = studio.value;
  if (state === null) return;
  studio.value = deltas.reduce(after, state);
  for (const delta of deltas) for (const listener of listeners) listener(delta);
}

let events: EventSource | undefined;
/** Id of the last message: what comes after it is sent when the page comes back. */
let seen = '';
let retry: ReturnType<typeof setTimeout> | undefined;
/** Between attempts to reach a server that does not answer. */
const retryMs = 2000;

/** Follow the studio from now on. A tab that nobody sees gives its connection back: a browser has six for all tabs of a site. */
export function connect(): void {
  document.addEventListener('visibilitychange', listen);
  void open();
}

async function open(): Promise<void> {
  try {
    await api.session();
    listen();
  } catch (error) {
    const isOffline = error instanceof ApiError && error.code === 'offline';
    connection.value = isOffline
      ? { phase: 'lost' }
      : { phase: 'refused', text: error instanceof ApiError ? error.text : String(error) };
    if (isOffline) tryAgain();
  }
}

function tryAgain(): void {
  clearTimeout(retry);
  retry = setTimeout(() => void open(), retryMs);
}

function listen(): void {
  events?.close();
  events = undefined;
  clearTimeout(retry);
  if (document.hidden) return;
  const source = new EventSource(viewAddress('/api/events', seen === '' ? {} : { after: seen }));
  events = source;
  const on = <T>(kind: string, take: (data: T) => void): void =>
    source.addEventListener(kind, (event) => {
      seen = event.lastEventId;
      connection.value = { phase: 'open' };
      take(JSON.parse(event.data));
    });
  on<{ state: StudioState }>('snapshot', ({ state }) => takeSnapshot(state));
  on<{ deltas: readonly StudioDelta[] }>('deltas', ({ deltas }) => takeDeltas(deltas));
  source.onopen = () => {
    connection.value = { phase: 'open' };
  };
  source.onerror = () => {
    connection.value = { phase: 'lost' };
    // A browser tries again by itself, but not after a server that was there and refused.
    if (source.readyState === EventSource.CLOSED) tryAgain();
  };
}
