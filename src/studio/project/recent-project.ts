import { z } from 'zod';

export const recentProjectSchema = z.strictObject({
  /** Of the project. */
  folder: z.string(),
  name: z.string(),
  /** Where its pictures lie, for people. */
  data: z.string(),
  openedAt: z.iso.datetime(),
});

/** A project that was opened before. */
export type RecentProject = Readonly<z.infer<typeof recentProjectSchema>>;
