import { computed, type Signal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { imageAddress } from '../api/client.js';
import { pile, projectFolder } from '../store/studio.js';

export interface TilePictureProps {
  readonly id: string;
  /** Default: none, since what is beside it says what it is. */
  readonly alt?: string;
  /** Whether it can be seen now. Default: true. */
  readonly isSeen?: boolean;
}

/** Whether there are files, which show more than what the model sees. */
const hasFiles = computed(() => pile.value.phase === 'ready' && pile.value.hasFiles);

/** Tiles that are asked for at once: what is scrolled to meanwhile finds connections and processors free. */
const mostAtOnce = 2;

/** Tiles that wait for their turn. */
const waiting = new Set<() => Promise<void>>();
let underWay = 0;

function nextTiles(): void {
  for (const load of waiting) {
    if (underWay >= mostAtOnce) return;
    waiting.delete(load);
    underWay++;
    void load().finally(() => {
      underWay--;
      nextTiles();
    });
  }
}

/** How long a tile has to stand still before its file is decoded, in ms: of what is scrolled past, nobody sees more. */
const restMs = 150;

/** Of each image, whether its tile has come, one signal an image: it is shown at once the next time. */
const sharp = new Map<string, Signal<boolean>>();
let folderOfSharp = projectFolder.peek();

function isSharp(id: string): Signal<boolean> {
  // Of another project.
  if (folderOfSharp !== projectFolder.peek()) sharp.clear();
  folderOfSharp = projectFolder.peek();
  const found = sharp.get(id) ?? signal(false);
  sharp.set(id, found);
  return found;
}

/** An image in the size of a tile: what the model sees of it at once, and the picture itself as soon as that is decoded. */
export function TilePicture({ id, alt = '', isSeen = true }: TilePictureProps) {
  const isThere = isSharp(id);
  const isWanted = isSeen && hasFiles.value && !isThere.value;
  useEffect(() => {
    if (!isWanted) return undefined;
    const load = async (): Promise<void> => {
      const image = new Image();
      image.src = imageAddress(id, 'tile');
      try {
        await image.decode();
        isThere.value = true;
      } catch {
        // One that cannot be decoded stays as it is.
      }
    };
    const timer = setTimeout(() => {
      waiting.add(load);
      nextTiles();
    }, restMs);
    return () => {
      clearTimeout(timer);
      waiting.delete(load);
    };
  }, [id, isWanted]);
  return (
    <img
      src={imageAddress(id, isThere.value ? 'tile' : 'small')}
      alt={alt}
      decoding="async"
      draggable={false}
      fetchpriority={isSeen ? 'high' : 'low'}
    />
  );
}
