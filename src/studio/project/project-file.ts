import { z } from 'zod';

/** Of the file that says what a project is, in its folder. */
export const projectFileName = 'project.json';

const dataSchema = z.union([
  z.strictObject({
    /** As somebody wrote it. */
    given: z.string(),
    /** From the project's folder, where that lies in or beside it, so that both can be moved together; else absolute. */
    path: z.string(),
  }),
  /** The example that comes with the package. */
  z.strictObject({ example: z.literal('mnist') }),
]);

export const projectSchema = z.strictObject({
  schema: z.literal('quarterturn-project'),
  version: z.literal(1),
  name: z.string().min(1).max(200),
  data: dataSchema,
  madeAt: z.iso.datetime(),
});
export type ProjectFile = Readonly<z.infer<typeof projectSchema>>;

/** The file as it is written. */
export function projectFileText(file: ProjectFile): string {
  return `${JSON.stringify(projectSchema.parse(file), null, 2)}\n`;
}
