import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { NotedImage } from '../../api/explore.js';
import { labelOf } from '../../store/image-labels.js';
import { classes } from '../../store/studio.js';
import { counted } from '../../ui/words.js';

export interface MapCanvasProps {
  /** x and y of each image, 0–1. */
  readonly positions: readonly number[];
  readonly images: readonly NotedImage[];
  /** Places that are chosen; null: all. */
  readonly chosen: readonly number[] | null;
  readonly choose: (places: readonly number[] | null) => void;
}

type Place = readonly [x: number, y: number];

const margin = 14;

/** Points on a plane; a line that is drawn around some of them chooses these. */
export function MapCanvas({ positions, images, chosen, choose }: MapCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const lasso = useRef<Place[]>([]);
  const latest = useRef({ chosen, images });
  latest.current = { chosen, images };

  const placeOf = (i: number, width: number, height: number): Place => [
    margin + (positions[2 * i] ?? 0) * (width - 2 * margin),
    margin + (positions[2 * i + 1] ?? 0) * (height - 2 * margin),
  ];

  const draw = (): void => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const { clientWidth: width, clientHeight: height } = element;
    const scale = devicePixelRatio;
    if (element.width !== width * scale || element.height !== height * scale) {
      element.width = width * scale;
      element.height = height * scale;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(element);
    const colours = new Map(classes.value.map(({ id, colour }) => [id, colour]));
    const isChosen = latest.current.chosen === null ? null : new Set(latest.current.chosen);
    // Labelled ones lie on top.
    const order = latest.current.images.map((image, i) => ({
      image,
      i,
      colour: colours.get(labelOf(image.id) ?? ''),
    }));
    for (const { image, i, colour } of order.sort(
      (a, b) => Number(a.colour !== undefined) - Number(b.colour !== undefined),
    )) {
      const [x, y] = placeOf(i, width, height);
      context.globalAlpha = isChosen === null || isChosen.has(i) ? 1 : 0.15;
      context.beginPath();
      context.arc(x, y, colour ? 4.5 : 2.5, 0, 2 * Math.PI);
      if (colour) {
        context.fillStyle = colour;
        context.fill();
        context.lineWidth = 1;
        context.strokeStyle = style.backgroundColor;
        context.stroke();
      } else {
        context.lineWidth = 1.5;
        context.strokeStyle = colours.get(image.prediction?.class ?? '') ?? style.color;
        context.globalAlpha *= 0.75;
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    if (lasso.current.length > 1) {
      context.beginPath();
      for (const [x, y] of lasso.current) context.lineTo(x, y);
      context.closePath();
      context.lineWidth = 2;
      context.strokeStyle = style.outlineColor;
      context.stroke();
      context.globalAlpha = 0.1;
      context.fillStyle = style.outlineColor;
      context.fill();
      context.globalAlpha = 1;
    }
  };
  const drawNow = useRef(draw);
  drawNow.current = draw;
  useEffect(draw);
  // Labels and classes are followed while they are drawn.
  useSignalEffect(() => drawNow.current());
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const redraw = (): void => drawNow.current();
    const observer = new ResizeObserver(redraw);
    observer.observe(element);
    const theme = new MutationObserver(redraw);
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      observer.disconnect();
      theme.disconnect();
    };
  }, []);

  const pointOf = (event: PointerEvent): Place => {
    const box = (event.currentTarget as HTMLCanvasElement).getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const end = (event: PointerEvent): void => {
    const shape = lasso.current;
    lasso.current = [];
    const { clientWidth: width, clientHeight: height } = event.currentTarget as HTMLCanvasElement;
    if (shape.length > 2) {
      const inside = images.map((_, i) => i).filter((i) => isInside(placeOf(i, width, height), shape));
      choose(inside.length > 0 ? inside : null);
    } else choose(null);
    draw();
  };
  return (
    <canvas
      ref={canvas}
      class="map-canvas"
      role="img"
      aria-label={`Map of ${counted(images.length, 'image')}. The list beside it has the same images.`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        lasso.current = [pointOf(event)];
      }}
      onPointerMove={(event) => {
        if (lasso.current.length === 0) return;
        lasso.current.push(pointOf(event));
        draw();
      }}
      onPointerUp={end}
      onPointerCancel={end}
    />
  );
}

/** Whether a point lies within a line that is closed: a ray from it crosses that an odd number of times. */
function isInside([x, y]: Place, shape: readonly Place[]): boolean {
  let inside = false;
  for (const [i, [x1, y1]] of shape.entries()) {
    const [x2, y2] = shape[(i + 1) % shape.length] ?? [x1, y1];
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) * (x2 - x1)) / (y2 - y1)) inside = !inside;
  }
  return inside;
}
