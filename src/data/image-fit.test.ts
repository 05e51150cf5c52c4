import { describe, expect, test } from 'vitest';
import { chooseFit, type PictureFacts } from './image-fit.js';

const many = (count: number, height: number, width: number, colour = true): PictureFacts[] =>
  new Array(count).fill({ height, width, colour });

describe('the size', () => {
  test.each([
    ['digits', many(256, 28, 28), 28],
    ['small photographs of one size', many(256, 32, 32), 32],
    ['STL-10', many(256, 96, 96), 96],
    ['one size for all but a twentieth', [...many(95, 40, 40), ...many(5, 900, 600)], 40],
    ['two sizes', [...many(90, 40, 40), ...many(10, 900, 600)], 32],
    ['photographs', [...many(100, 3000, 4000), ...many(100, 4000, 3000)], 64],
    ['one size that is no square', many(256, 48, 80), 48],
    ['large squares', many(256, 224, 224), 64],
    ['thumbnails of many sizes', [...many(10, 50, 70), ...many(11, 60, 55), ...many(10, 90, 70)], 48],
    ['tiny pictures of many sizes', [...many(10, 9, 12), ...many(10, 12, 10)], 28],
    ['squares that are too small for any network', many(10, 4, 4), 28],
    ['one picture', many(1, 480, 640), 64],
  ])('of %s', (_, sample, side) => {
    expect(chooseFit(sample).size).toEqual({ height: side, width: side, channels: 3 });
  });

  test('says why', () => {
    expect(chooseFit(many(256, 28, 28, false)).why).toBe(
      '28×28 in grey: all of 256 pictures looked at have that size',
    );
    expect(chooseFit(many(3, 1080, 1920)).why).toBe(
      '64×64 in colour: the shorter side of 3 pictures looked at is 1080 in the median',
    );
    expect(chooseFit(many(1, 28, 28), { size: 40 }).why).toBe('40×40 in colour: as asked for');
    const before = { size: 40, sizeReason: 'as in the run' };
    expect(chooseFit(many(1, 28, 28), before).why).toBe('40×40 in colour: as in the run');
  });

  test.each([
    ['photographs', many(9, 1080, 1920), 224],
    ['pictures below it', many(9, 200, 300), 64],
    ['small pictures of one size', many(9, 32, 32), 32],
  ])('of %s for an encoder of 224', (_, sample, side) => {
    expect(chooseFit(sample, { largestSide: 224 }).size).toMatchObject({ height: side, width: side });
  });

  test('is what was asked for', () => {
    const rectangle = { height: 40, width: 64 };
    expect(chooseFit(many(9, 28, 28), { size: rectangle }).size).toEqual({ ...rectangle, channels: 3 });
  });

  test.each([7, 0, -28, 28.5, 4000, Number.NaN])('is refused where it is %s', (size) => {
    expect(() => chooseFit(many(9, 28, 28), { size })).toThrow(
      /^size: expected whole numbers from 8 to 1024/,
    );
  });
});

describe('colours', () => {
  test('are kept where one picture of the sample shows any', () => {
    expect(chooseFit([...many(255, 28, 28, false), ...many(1, 28, 28, true)]).size.channels).toBe(3);
    expect(chooseFit(many(256, 28, 28, false)).size.channels).toBe(1);
  });

  test('are what was asked for', () => {
    expect(chooseFit(many(256, 28, 28, true), { colours: 'grey' }).size.channels).toBe(1);
    expect(chooseFit(many(256, 28, 28, false), { colours: 'rgb' }).size.channels).toBe(3);
  });
});

test('the fit and the ground', () => {
  expect(chooseFit(many(9, 28, 28))).toMatchObject({ fit: 'cover', ground: 'black' });
  expect(chooseFit(many(9, 28, 28), { fit: 'contain', ground: 'white' })).toMatchObject({
    fit: 'contain',
    ground: 'white',
  });
});

test('no picture that can be read is refused, unless nothing has to be chosen', () => {
  expect(() => chooseFit([])).toThrow('images: expected at least one that can be read. Received: none.');
  expect(chooseFit([], { size: 28, colours: 'grey' }).size).toEqual({ height: 28, width: 28, channels: 1 });
});
