import { classes } from '../store/studio.js';

/** Shapes that a style sheet cuts: with them, classes are told apart without their colours. */
const shapes = [
  'circle',
  'square',
  'triangle',
  'diamond',
  'star',
  'hexagon',
  'plus',
  'drop',
  'arch',
  'bow',
] as const;

/** Number of a class, from its id: it has its shape for ever. */
const numberOf = (id: string): number => Number(id.slice(1));

export interface GlyphProps {
  readonly id: string;
  readonly colour: string;
}

/** The shape of a class in its colour. */
export function Glyph({ id, colour }: GlyphProps) {
  return (
    <span
      class="glyph"
      data-shape={shapes[(numberOf(id) - 1) % shapes.length]}
      style={{ backgroundColor: colour }}
      aria-hidden="true"
    />
  );
}

/** Words for what is no class. */
export const markNames: Readonly<Record<string, string>> = { skipped: 'Skipped', unsure: 'Unsure' };

/** What a label or mark is called; undefined for none. */
export function nameOf(label: string | null): string | undefined {
  if (label === null) return undefined;
  return markNames[label] ?? classes.value.find(({ id }) => id === label)?.name;
}

/** Glyph and name of a class, or a mark. */
export function ClassMark({ label }: { readonly label: string }) {
  const found = classes.value.find(({ id }) => id === label);
  return (
    <span class="class-mark">
      {found ? (
        <Glyph id={found.id} colour={found.colour} />
      ) : (
        <span class="glyph" data-shape={label} aria-hidden="true" />
      )}
      <span class="class-name">{nameOf(label) ?? label}</span>
    </span>
  );
}
