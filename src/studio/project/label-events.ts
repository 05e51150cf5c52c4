import { z } from 'zod';
import { imageHashPattern } from '../../data/image-hash.js';

/**
 * What happens to the labels of a project, as its journal has it: one event a line. An event names images by a hash and classes
 * by an id, so that neither a file that moves nor a class that is renamed changes what was said of an image.
 */

const image = z.string().regex(imageHashPattern, 'expected 32 hexadecimal digits');
const images = z.array(image).min(1);

/** `c1`, `c2` and so on, in the order in which classes are made; none is given twice, also where its class is gone. */
const classId = z.string().regex(/^c[1-9]\d{0,5}$/, 'expected the id of a class, such as c1');

/** Text that fits a line of a page: in Unicode's normal form C, without blanks around it. */
const line = (longest: number) =>
  z
    .string()
    .normalize('NFC')
    .trim()
    .min(1)
    .max(longest)
    .regex(/^\P{Cc}*$/u, 'expected a text without line breaks or other control characters');

/** A name that is longer fits no button; one that comes from a table may be a whole path. */
const className = line(200);

const colour = z.string().regex(/^#[0-9a-f]{6}$/, 'expected a colour such as #0072b2');

/** One key gives the label; `u` is taken, it marks an image as unsure. */
const key = z.string().regex(/^[0-9a-tv-z]$/, 'expected a digit or a small letter other than u');

const labelClassSchema = z
  .strictObject({ id: classId, name: className, colour, key: key.nullable() })
  .readonly();

/** A class as people see it. */
export type LabelClass = z.infer<typeof labelClassSchema>;

/** Marks of an image that has no label: `skipped` is for later, `unsure` is one that the person cannot tell. */
export const marks = ['skipped', 'unsure'] as const;
export type Mark = (typeof marks)[number];

export const labelEventSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('label'),
      /** Classes that this event makes first, behind all others: those that a table of labels brings, or the one just typed. */
      newClasses: z.array(labelClassSchema).min(1).readonly().optional(),
      /** Which images get which class. Of an image that is named twice the last class counts. */
      labels: z.array(z.strictObject({ class: classId, images: images.readonly() }).readonly()).readonly(),
    })
    .readonly(),
  /** Take labels and marks off. */
  z.strictObject({ type: z.literal('clear'), images: images.readonly() }).readonly(),
  /** An image has a label or a mark, not both. */
  z.strictObject({ type: z.literal('mark'), mark: z.enum(marks), images: images.readonly() }).readonly(),
  z.strictObject({ type: z.literal('add-class'), class: labelClassSchema }).readonly(),
  z.strictObject({ type: z.literal('rename-class'), class: classId, name: className }).readonly(),
  z.strictObject({ type: z.literal('recolour-class'), class: classId, colour }).readonly(),
  /** A key that another class had is this one's from now on; null takes it away. */
  z.strictObject({ type: z.literal('set-key'), class: classId, key: key.nullable() }).readonly(),
  /** Before another class, or behind all: what others add meanwhile does not disturb it, as it would a list of all. */
  z.strictObject({ type: z.literal('move-class'), class: classId, before: classId.nullable() }).readonly(),
  /** The labels of some classes become those of another one; these classes are gone. */
  z
    .strictObject({
      type: z.literal('merge-classes'),
      classes: z.array(classId).min(1).readonly(),
      into: classId,
    })
    .readonly(),
  /** Its images have no label any more. */
  z.strictObject({ type: z.literal('delete-class'), class: classId }).readonly(),
  /** `of` is the number of the event that is undone: always the last one that is not. */
  z.strictObject({ type: z.literal('undo'), of: z.int().positive() }).readonly(),
  /** `of` is the number of the event that was undone, not that of the undo. */
  z.strictObject({ type: z.literal('redo'), of: z.int().positive() }).readonly(),
]);

export type LabelEvent = z.infer<typeof labelEventSchema>;
export type LabelEventType = LabelEvent['type'];

/** Who did it: `studio`, `command line`; short, since every line has it. */
export const whoSchema = line(40);

const journalLineSchema = z
  .strictObject({
    /** 1, 2, 3 and so on, without a gap. */
    seq: z.int().positive(),
    at: z.iso.datetime(),
    who: whoSchema,
    event: labelEventSchema,
  })
  .readonly();

/** A line of the journal. */
export type JournalLine = z.infer<typeof journalLineSchema>;

/** The text of a line, its line break included. */
export function encodeLine(entry: JournalLine): string {
  return `${JSON.stringify(entry)}\n`;
}

/**
 * The inverse of {@link encodeLine}.
 * @returns undefined for what is no whole line of a journal
 */
export function decodeLine(text: string): JournalLine | undefined {
  try {
    return journalLineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export { labelClassSchema };
