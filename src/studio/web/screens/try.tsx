import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError } from '../api/client.js';
import { type TryAnswer, tries } from '../api/tries.js';
import { addressOf } from '../shell/router.js';
import { learn } from '../store/image-labels.js';
import { labels } from '../store/studio.js';
import { useKeys } from '../ui/keys.js';
import { useDrop } from '../ui/use-drop.js';
import { Answer } from './try/answer.js';
import { DrawPad } from './try/draw-pad.js';
import { FileInput } from './try/file-input.js';
import { Webcam } from './try/webcam.js';

/** Where a picture comes from. */
const ways = { file: 'A file', camera: 'The camera', draw: 'A drawing' } as const;
type Way = keyof typeof ways;

interface Tried {
  readonly answer: TryAnswer;
  /** Address of the picture itself, in this page. */
  readonly picture: string;
}

/** What the newest classifier says of a picture from anywhere. */
export function Screen() {
  const way = useSignal<Way>('file');
  const tried = useSignal<Tried | null>(null);
  const failure = useSignal<ApiError | null>(null);
  const isAsking = useSignal(false);
  const asking = useRef<AbortController | null>(null);

  const tryPicture = async (picture: Blob, name: string): Promise<void> => {
    asking.current?.abort();
    const controller = new AbortController();
    asking.current = controller;
    isAsking.value = true;
    try {
      const answer = await tries.add(picture, name, controller.signal);
      const seq = labels.peek()?.seq ?? 0;
      for (const { id, label } of answer.nearest) learn(id, { label, seq });
      if (tried.peek()) URL.revokeObjectURL(tried.peek()?.picture ?? '');
      tried.value = { answer, picture: URL.createObjectURL(picture) };
      failure.value = null;
    } catch (error) {
      if (controller.signal.aborted) return;
      tried.value = null;
      failure.value = error instanceof ApiError ? error : new ApiError({ code: '', message: String(error) });
    } finally {
      if (asking.current === controller) isAsking.value = false;
    }
  };

  useEffect(() => {
    const onPaste = (event: ClipboardEvent): void => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
      if (file === undefined) return;
      event.preventDefault();
      void tryPicture(file, file.name === 'image.png' ? 'pasted' : file.name);
    };
    addEventListener('paste', onPaste);
    return () => {
      removeEventListener('paste', onPaste);
      asking.current?.abort();
    };
  }, []);
  // Wherever it is let go.
  const isOver = useDrop(({ dataTransfer }) => {
    const file = dataTransfer?.files[0];
    if (file) void tryPicture(file, file.name);
  });
  useKeys('Try', [
    { key: 'f', says: ways.file, run: () => (way.value = 'file') },
    { key: 'c', says: ways.camera, run: () => (way.value = 'camera') },
    { key: 'd', says: ways.draw, run: () => (way.value = 'draw') },
  ]);

  return (
    <div class="screen try-screen">
      <section class="try-input" aria-labelledby="try-title">
        <h1 id="try-title">Try a picture</h1>
        <fieldset class="pills">
          <legend class="visually-hidden">Where the picture comes from</legend>
          {(Object.keys(ways) as Way[]).map((name) => (
            <button
              key={name}
              type="button"
              class="pill"
              aria-pressed={way.value === name}
              onClick={() => (way.value = name)}
            >
              {ways[name]}
            </button>
          ))}
        </fieldset>
        {way.value === 'file' && <FileInput take={tryPicture} isOver={isOver.value} />}
        {way.value === 'camera' && <Webcam take={tryPicture} />}
        {way.value === 'draw' && <DrawPad take={tryPicture} />}
        <p class="small quiet-text">Nothing leaves this machine.</p>
      </section>
      <section class="try-answer" aria-label="Answer" aria-live="polite" aria-busy={isAsking.value}>
        {failure.value && <Failure error={failure.value} />}
        {tried.value && <Answer key={tried.value.answer.id} {...tried.value} />}
        {!failure.value && !tried.value && (
          <p class="try-empty quiet-text">
            {isAsking.value ? 'Asking the classifier …' : 'What the classifier says of it stands here.'}
          </p>
        )}
      </section>
    </div>
  );
}

function Failure({ error }: { readonly error: ApiError }) {
  const isUntrained = error.code === 'conflict';
  return (
    <div class="card try-failure">
      <h2>{isUntrained ? 'There is no classifier yet' : 'This cannot be tried'}</h2>
      <p>{isUntrained ? 'Label some images of each class, then let it learn.' : error.text}</p>
      {isUntrained && (
        <p>
          <a class="button primary" href={addressOf('train')}>
            Train one
          </a>
        </p>
      )}
    </div>
  );
}
