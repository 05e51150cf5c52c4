import type { Hono } from 'hono';
import { z } from 'zod';
import { imageHashPattern } from '../../../data/image-hash.js';
import { jsonBody } from '../guards.js';
import type { LabelledPile } from '../labelled-pile.js';
import type { Explore } from './explore.node.js';

/** As many as a map has points. */
const maxIds = 20_000;

const notesBody = z.strictObject({ ids: z.array(z.string().regex(imageHashPattern)).max(maxIds) });

/** What is known of images that a page shows outside of a queue; those that are not here are left out. */
export function addNoteRoutes(
  app: Hono,
  studio: { readonly explore: Pick<Explore, 'maker'>; readonly labelled: LabelledPile },
): void {
  app.post('/api/image-notes', async (c) => {
    const { ids } = await jsonBody(c, notesBody, 'ids of images');
    const { labelled } = studio;
    const maker = await studio.explore.maker('all');
    const images = ids.flatMap((id) => {
      const index = labelled.find(id);
      if (index === undefined) return [];
      const label = labelled.labelAt(index);
      const { name } = labelled.images[index] ?? {};
      return [{ id, name, ...(label !== undefined && { label }), ...maker.notesOf(index) }];
    });
    return c.json({ labelsSeq: labelled.seq, images });
  });
}
