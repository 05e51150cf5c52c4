import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { csvLine } from '../../../data/csv-line.js';
import { describeModel, modelCard } from '../../../index.js';
import { type ExportFile, exportName } from '../../project/export-names.js';
import { packProject } from '../../project/project-zip.node.js';
import type { RunAnswers } from '../explore/run-answers.js';
import { bodyChunks, queryOf } from '../guards.js';
import { modelOf } from '../newest-model.node.js';
import type { Pile } from '../pile.js';
import type { Studio } from '../studio.node.js';
import { classFolders, sortedFolders } from './class-folders.node.js';
import { importProject } from './import-project.node.js';
import { saidOfPile } from './said-of-pile.node.js';

const runQuery = z.strictObject({
  /** Default: the newest that has a classifier. */
  run: z.string().optional(),
  /** Where a link stands that downloads it; see the guards. */
  key: z.string().optional(),
});

const importQuery = z.strictObject({
  into: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\0]*$/)
    .optional(),
});

/** The largest archive of a project that a page may bring: what is larger, the command line imports. */
const maxArchiveBytes = 2 ** 36;

/** Addresses of what leaves the studio as a file, and of a project that comes as one. */
export function addExportRoutes(
  app: Hono,
  studio: Pick<Studio, 'project' | 'labelled' | 'pile' | 'explore' | 'open'>,
): void {
  const nameOf = (file: ExportFile): string => exportName(studio.project.name, file);

  app.get('/api/exports/model.onnx', async (c) => {
    const { bytes } = await modelBytes(studio, c);
    return download(c, bytes, { type: 'application/octet-stream', name: nameOf('model.onnx') });
  });
  app.get('/api/exports/card.md', async (c) => {
    const { bytes } = await modelBytes(studio, c);
    const file = nameOf('model.onnx');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const card = modelCard(describeModel(file, bytes), { file, data: studio.project.name, sha256 });
    return download(c, card, { type: 'text/markdown; charset=utf-8', name: nameOf('card.md') });
  });
  app.get('/api/exports/labels.csv', (c) =>
    download(c, labelTable(studio), { type: 'text/csv; charset=utf-8', name: nameOf('labels.csv') }),
  );
  /** It takes a while where the pile was not asked yet; events tell how far it is. */
  const answersFor = async (c: Context): Promise<RunAnswers> => {
    const { run } = queryOf(c, runQuery, 'a run');
    const { run: id } = await modelOf(studio.project.folder, run);
    return studio.explore.answersOf(id);
  };
  app.get('/api/exports/predictions.csv', async (c) => {
    const table = predictionTable(studio.pile, await answersFor(c));
    return download(c, table, { type: 'text/csv; charset=utf-8', name: nameOf('predictions.csv') });
  });
  app.get('/api/exports/classes.zip', (c) =>
    download(c, classFolders(studio), { type: 'application/zip', name: nameOf('classes.zip') }),
  );
  app.get('/api/exports/sorted.zip', async (c) => {
    const answers = await answersFor(c);
    const classes = await studio.explore.classesOf(answers.run);
    const content = sortedFolders(studio, { answers, classes });
    return download(c, content, { type: 'application/zip', name: nameOf('sorted.zip') });
  });
  app.get('/api/exports/project.zip', async (c) => {
    const { bytes } = await packProject(studio.project, { signal: c.req.raw.signal });
    return download(c, bytes, { type: 'application/zip', name: nameOf('project.zip') });
  });

  app.post('/api/projects/import', async (c) => {
    const { into } = queryOf(c, importQuery, 'where to unpack a project');
    const project = await importProject(bodyChunks(c, maxArchiveBytes), into && resolve(into));
    await studio.open({ path: project.folder });
    return c.json(project, 201);
  });
}

async function modelBytes({ project }: Pick<Studio, 'project'>, c: Context) {
  const { run } = queryOf(c, runQuery, 'a run');
  const model = await modelOf(project.folder, run);
  return { ...model, bytes: await readFile(model.path) };
}

/** As `--labels` reads it: a row for each labelled image, in the order of the pile. */
function labelTable({ project, labelled, pile }: Pick<Studio, 'project' | 'labelled' | 'pile'>): string {
  const names = new Map(project.labels.state.classes.map(({ id, name }) => [id, name]));
  const rows = labelled.labelledIds().map((id) => {
    const { name = id } = pile.images[labelled.indexOf(id)] ?? {};
    return csvLine([name, names.get(labelled.labelOf(id) ?? '') ?? '']);
  });
  return csvLine(['file', 'label']) + rows.join('');
}

/**
 * What a run's classifier says of every file of the pile: class, its probability, whether it is unsure, and the probability of each class,
 * as `quarterturn predict --probabilities` has them.
 */
function predictionTable(pile: Pick<Pile, 'images' | 'duplicates'>, answers: RunAnswers): Readable {
  const { classNames, unsure } = answers;
  const encode = (row: readonly string[]): Uint8Array => new TextEncoder().encode(csvLine(row));
  function* lines(): Generator<Uint8Array> {
    const classes = classNames.map((name) => `p_${name}`);
    yield encode(['file', 'label', 'probability', ...(unsure ? ['unsure'] : []), ...classes]);
    for (const { files, best, probabilities, isUnsure } of saidOfPile(pile, answers)) {
      const written = probabilities.map((p) => String(Number(p.toPrecision(7))));
      const mark = unsure ? [String(isUnsure)] : [];
      for (const file of files) {
        yield encode([file, classNames[best] ?? '', written[best] ?? '', ...mark, ...written]);
      }
    }
  }
  return Readable.from(lines());
}

interface DownloadOptions {
  readonly type: string;
  /** Of the file that a browser saves. */
  readonly name: string;
}

function download(
  c: Context,
  content: Uint8Array | string | Readable,
  { type, name }: DownloadOptions,
): Response {
  const headers = {
    'content-type': type,
    'content-disposition': `attachment; filename="${name.replace(/[^\x20-\x7e]|["\\]/g, '_')}"; filename*=UTF-8''${encodeURIComponent(name)}`,
  };
  if (typeof content === 'string') return c.body(content, 200, headers);
  if (content instanceof Uint8Array) return c.body(new Uint8Array(content), 200, headers);
  return c.body(Readable.toWeb(content) as ReadableStream, 200, headers);
}
