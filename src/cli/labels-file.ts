import { readFile } from 'node:fs/promises';
import { QuarterturnError } from '../errors.js';
import { type GivenLabels, labelsSchema } from '../recipes/given-labels.js';
import { writeFileAtomically } from '../train/atomic-file.node.js';

const example = '{ "images": [{ "index": 123, "label": "7" }] }';

/**
 * Labels from a file: JSON as {@link GivenLabels} has it.
 * @throws QuarterturnError `data` where it cannot be read, or naming each field that is wrong
 */
export async function readLabelsFile(file: string): Promise<GivenLabels> {
  const refuse = (received: string, cause?: unknown): never => {
    throw new QuarterturnError('data', `${file}: expected a labels file. Received: ${received}.`, {
      hint: `\`quarterturn suggest\` writes one. It is JSON: ${example}.`,
      cause,
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const parsed = labelsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const more = faults.length > 3 ? `; and ${faults.length - 3} more` : '';
  return refuse(`${faults.slice(0, 3).join('; ')}${more}`);
}

/** Write labels: one line an image, so that a person can fill them in. */
export async function writeLabelsFile(file: string, { data, images }: GivenLabels): Promise<void> {
  const lines = images.map(
    ({ index, label }) => `    { "index": ${index}, "label": ${JSON.stringify(label)} }`,
  );
  const text = `{\n  "data": ${JSON.stringify(data, null, 2).replaceAll('\n', '\n  ')},\n  "images": [\n${lines.join(',\n')}\n  ]\n}\n`;
  await writeFileAtomically(file, text);
}

/**
 * Refuse to write over what somebody filled in.
 * @throws QuarterturnError `usage` where the file is there and holds labels, or is no labels file at all
 */
export async function assertHoldsNoLabels(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const given = await readLabelsFile(file).catch(() => undefined);
  const filled = given?.images.filter(({ label }) => label !== null).length;
  if (filled === 0) return;
  const received =
    filled === undefined ? 'another file' : `${filled} ${filled === 1 ? 'label' : 'labels'} in it`;
  throw new QuarterturnError(
    'usage',
    `${file}: expected no file, or one without labels. Received: ${received}.`,
    {
      hint: `Name another file with --out, add to this one with --labels ${file}, or write over it with --force.`,
    },
  );
}
