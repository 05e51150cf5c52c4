import type { LabelEvent } from '../../project/label-events.js';
import type { Effect } from '../../project/label-swap.js';
import type { RecentProject } from '../../project/recent-project.js';
import type { ErrorBody } from '../../server/api-error.js';
import type { FolderEntry, FolderListing } from '../../server/folders.js';
import type { QueuePage } from '../../server/labelled-pile.js';
import type { Duplicate, PictureSize, PileSource, SkippedFile } from '../../server/pile.js';

/** A request that was refused, in words for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** As the server has it; `offline` where nobody answers. */
  readonly code: string;
  readonly hint: string | undefined;

  constructor({ code, message, hint }: ErrorBody['error']) {
    super(message);
    this.code = code;
    this.hint = hint;
  }

  /** What to tell people. */
  get text(): string {
    return [this.message, this.hint].filter(Boolean).join(' ');
  }
}

let token = '';
let viewKey = '';

/** Take the token out of the address, where nobody is to copy it from, into this tab alone. */
export function keepToken(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    sessionStorage.setItem('token', given);
    history.replaceState(null, '', location.pathname);
  }
  token = sessionStorage.getItem('token') ?? '';
}

export interface AskOptions {
  /** Sent as JSON, by POST. */
  readonly json?: unknown;
  /** Sent as it is, by POST: a file. */
  readonly bytes?: Blob;
  readonly signal?: AbortSignal;
}

/**
 * Ask the server that this page came from; what it answers has the types that it was compiled with.
 * @throws ApiError
 */
export async function ask<T>(path: string, { json, bytes, signal }: AskOptions = {}): Promise<T> {
  const body = json === undefined ? bytes : JSON.stringify(json);
  const type = json === undefined ? bytes?.type : 'application/json';
  const answer = await fetch(path, {
    headers: { 'x-quarterturn-token': token, ...(type && { 'content-type': type }) },
    ...(body !== undefined && { method: 'POST', body }),
    ...(signal && { signal }),
  }).catch((error) => {
    if (signal?.aborted) throw error;
    throw new ApiError({
      code: 'offline',
      message: 'The studio does not answer.',
      hint: 'Is the command still running?',
    });
  });
  const value = await answer.json();
  if (!answer.ok) throw new ApiError((value as ErrorBody).error);
  return value as T;
}

/** An address of this server that is asked for by GET without a header, such as that of a picture. */
export function viewAddress(path: string, query: Readonly<Record<string, string>> = {}): string {
  return `${path}?${new URLSearchParams({ ...query, key: viewKey })}`;
}

/** Address of an image: `small` as the model sees it, `tile` and `view` as the person does. */
export function imageAddress(id: string, size: PictureSize): string {
  return viewAddress(size === 'small' ? `/api/images/${id}` : `/api/images/${id}/${size}`);
}

const queryOf = (values: object): string =>
  new URLSearchParams(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  ).toString();

interface Part {
  readonly from: number;
  readonly count: number;
}

/** Every address that the page asks, each with what it answers. */
export const api = {
  /** To be asked before all else. */
  async session(): Promise<void> {
    ({ viewKey } = await ask<{ viewKey: string }>('/api/session'));
  },
  projects: () => ask<{ projects: readonly RecentProject[] }>('/api/projects'),
  folder: (path?: string) => ask<FolderListing>(`/api/folders?${queryOf({ path })}`),
  foldersNamed: (name: string) =>
    ask<{ folders: readonly FolderEntry[] }>(`/api/folders/search?${queryOf({ name })}`),
  open: (source: PileSource) => ask<object>('/api/pile', { json: source }),
  stopReading: () => ask<object>('/api/pile/stop', { json: {} }),
  skipped: (part: Part) =>
    ask<{ total: number; skipped: readonly SkippedFile[] }>(`/api/pile/skipped?${queryOf(part)}`),
  duplicates: (part: Part) =>
    ask<{ total: number; duplicates: readonly Duplicate[] }>(`/api/pile/duplicates?${queryOf(part)}`),
  images: (query: Part & { readonly queue: string; readonly seq?: number | undefined }) =>
    ask<QueuePage>(`/api/images?${queryOf(query)}`),
  imageIds: (query: Part & { readonly queue: string; readonly seq?: number | undefined }) =>
    ask<{ ids: readonly string[] }>(`/api/image-ids?${queryOf(query)}`),
  /** What is answered is on the disk. */
  label: (event: LabelEvent) => ask<{ seq: number | null }>('/api/labels', { json: event }),
  effect: (event: LabelEvent) => ask<Effect>('/api/labels/effect', { json: event }),
  undo: () => ask<{ seq: number | null }>('/api/labels/undo', { json: {} }),
  redo: () => ask<{ seq: number | null }>('/api/labels/redo', { json: {} }),
};
