import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { pile } from '../../store/studio.js';
import type { PictureInputProps } from './file-input.js';

/** Pixels of a side: ten for each of a digit's of 28. */
const side = 280;
/** Of a pen that leaves about two pixels of such a digit. */
const penWidth = 22;

/** A picture that one draws; it is tried after each stroke. */
export function DrawPad({ take }: PictureInputProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isGrey = pile.value.phase === 'ready' && pile.value.channels === 1;
  const isLight = useSignal(!isGrey);
  const last = useRef<readonly [number, number] | null>(null);
  const clear = (): void => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.fillStyle = isLight.value ? 'white' : 'black';
    context.fillRect(0, 0, side, side);
  };
  useEffect(clear, [isLight.value]);
  const placeOf = (event: PointerEvent): readonly [number, number] => {
    const box = (event.currentTarget as HTMLCanvasElement).getBoundingClientRect();
    return [((event.clientX - box.left) * side) / box.width, ((event.clientY - box.top) * side) / box.height];
  };
  const draw = (event: PointerEvent): void => {
    const context = canvas.current?.getContext('2d');
    if (!context || last.current === null) return;
    const to = placeOf(event);
    Object.assign(context, {
      lineWidth: penWidth,
      lineCap: 'round',
      lineJoin: 'round',
      strokeStyle: isLight.value ? 'black' : 'white',
    });
    context.beginPath();
    context.moveTo(...last.current);
    context.lineTo(...to);
    context.stroke();
    last.current = to;
  };
  const end = (): void => {
    if (last.current === null) return;
    last.current = null;
    canvas.current?.toBlob((picture) => picture && take(picture, 'drawing'), 'image/png');
  };
  return (
    <div class="draw-pad">
      <canvas
        ref={canvas}
        width={side}
        height={side}
        role="img"
        aria-label="Drawing: a mouse or finger draws; without either, choose a file"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          last.current = placeOf(event);
          draw(event);
        }}
        onPointerMove={draw}
        onPointerUp={end}
        onPointerCancel={end}
      />
      <div class="row">
        <button type="button" class="button" onClick={clear}>
          Clear
        </button>
        <label class="check">
          <input
            type="checkbox"
            checked={isLight.value}
            onChange={(event) => {
              isLight.value = event.currentTarget.checked;
            }}
          />
          Dark on light
        </label>
      </div>
    </div>
  );
}
