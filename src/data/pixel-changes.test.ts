import { describe, expect, it } from 'vitest';
import { changeTones, coverSquare } from './pixel-changes.js';

describe('coverSquare', () => {
  const covered = (left: number, top: number, side: number) => {
    const pixels = Uint8Array.from({ length: 2 + 12 }, (_, i) => i);
    coverSquare(pixels, 2, 3, 4, { left, top, side }, Uint8Array.of(99));
    return [...pixels];
  };

  it('covers the square and nothing else', () => {
    expect(covered(1, 0, 2)).toEqual([0, 1, 2, 99, 99, 5, 6, 99, 99, 9, 10, 11, 12, 13]);
    expect(covered(3, 2, 0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  it('keeps to the image where the square reaches over its border', () => {
    expect(covered(-1, -1, 2)).toEqual([0, 1, 99, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(covered(3, 1, 3)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 99, 10, 11, 12, 99]);
    expect(covered(-1, -1, 9)).toEqual([0, 1, ...new Array(12).fill(99)]);
  });

  it('covers all channels with the colour', () => {
    const pixels = new Uint8Array(2 * 2 * 3);
    coverSquare(pixels, 0, 2, 2, { left: 1, top: 1, side: 1 }, Uint8Array.of(1, 2, 3));
    expect([...pixels]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
  });
});

describe('changeTones', () => {
  const changed = (contrast: number, brightness: number) => {
    const pixels = Uint8Array.of(7, 0, 100, 200, 100, 7);
    changeTones(pixels, 1, 4, contrast, brightness);
    return [...pixels];
  };

  it('scales the differences from the mean, rounds and keeps to 0 ... 255', () => {
    expect(changed(0, 0)).toEqual([7, 0, 100, 200, 100, 7]);
    expect(changed(-0.5, 0)).toEqual([7, 50, 100, 150, 100, 7]);
    expect(changed(0.25, 0)).toEqual([7, 0, 100, 225, 100, 7]);
    expect(changed(1, 0)).toEqual([7, 0, 100, 255, 100, 7]);
  });

  it('then adds a fraction of the whole range', () => {
    expect(changed(0, 0.2)).toEqual([7, 51, 151, 251, 151, 7]);
    expect(changed(-0.5, -0.2)).toEqual([7, 0, 49, 99, 49, 7]);
    expect(changed(0, 1)).toEqual([7, 255, 255, 255, 255, 7]);
  });
});
