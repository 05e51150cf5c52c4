import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { toastError } from '../../ui/toast.js';
import type { PictureInputProps } from './file-input.js';

/** A picture of the camera. It is on only while it is shown. */
export function Webcam({ take }: PictureInputProps) {
  const video = useRef<HTMLVideoElement>(null);
  const state = useSignal<'asking' | 'on' | { readonly failed: string }>('asking');
  useEffect(() => {
    let stream: MediaStream | undefined;
    let isGone = false;
    const begin = async (): Promise<void> => {
      try {
        const found = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
        if (isGone) return stop(found);
        stream = found;
        if (video.current) video.current.srcObject = found;
      } catch (error) {
        state.value = { failed: reasonOf(error) };
      }
    };
    void begin();
    return () => {
      isGone = true;
      if (stream) stop(stream);
    };
  }, []);
  const shoot = (): void => {
    const source = video.current;
    if (source === null) return;
    const canvas = new OffscreenCanvas(source.videoWidth, source.videoHeight);
    canvas.getContext('2d')?.drawImage(source, 0, 0);
    canvas.convertToBlob({ type: 'image/png' }).then((picture) => take(picture, 'camera'), toastError);
  };
  if (typeof state.value === 'object') return <p role="alert">{state.value.failed}</p>;
  return (
    <div class="webcam">
      <video
        ref={video}
        autoplay
        playsInline
        muted
        aria-label="What the camera sees"
        onLoadedData={() => {
          // Before its first image there is nothing to take.
          state.value = 'on';
        }}
      />
      <button type="button" class="button primary" disabled={state.value !== 'on'} onClick={shoot}>
        {state.value === 'on' ? 'Take this picture' : 'Waiting for the camera …'}
      </button>
    </div>
  );
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function reasonOf(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError') return 'The browser was not allowed to use the camera.';
  if (name === 'NotFoundError') return 'There is no camera.';
  return 'The camera cannot be used now; another program may have it.';
}
