import { classes } from '../store/studio.js';
import { ClassMark } from './class-mark.js';

/** A class that a run calls by its name: with its glyph where the project still has one of that name. */
export function ClassByName({ name }: { readonly name: string }) {
  const found = classes.value.find((each) => each.name === name);
  return found ? <ClassMark label={found.id} /> : <span class="class-mark class-name">{name}</span>;
}
