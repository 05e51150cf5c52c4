import type { LabelClass } from './label-events.js';
import type { LabelState } from './label-state.js';

/** Okabe and Ito's colours without black and their pale yellow: people with any kind of colour vision tell them apart. */
const palette = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];

/** In the order of the keyboard's row, so that the first ten classes have the keys that people expect. */
const digits = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'];

/**
 * A class with what nobody has chosen yet: an id, a colour that few others have, and the first digit that is free.
 * @param before classes that are made in the same event, ahead of this one
 */
export function newClass(
  state: Pick<LabelState, 'nextClassId' | 'classes'>,
  name: string,
  { before = [] }: { readonly before?: readonly LabelClass[] } = {},
): LabelClass {
  const number = Number(state.nextClassId.slice(1)) + before.length;
  const taken = new Set([...state.classes, ...before].map(({ key }) => key));
  const key = digits.find((digit) => !taken.has(digit)) ?? null;
  return { id: `c${number}`, name: name.normalize('NFC').trim(), colour: colourOf(number), key };
}

/** Degrees between the hues of classes that follow each other: any few of them are far apart on the circle. */
const goldenAngle = 137.508;

function colourOf(number: number): string {
  const chosen = palette[number - 1];
  if (chosen !== undefined) return chosen;
  return hexOf({ hue: (number * goldenAngle) % 360, saturation: 0.55, lightness: 0.45 });
}

/** @param hsl hue in degrees; saturation and lightness 0–1 */
function hexOf(hsl: {
  readonly hue: number;
  readonly saturation: number;
  readonly lightness: number;
}): string {
  const { hue, saturation, lightness } = hsl;
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    return lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return `#${[0, 8, 4]
    .map((n) =>
      Math.round(255 * part(n))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}
