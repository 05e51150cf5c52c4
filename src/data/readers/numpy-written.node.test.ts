import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonWith, runPython } from '../../../test/support/python.js';
import { Random } from '../../random/random.js';
import { openNumpyImages } from './numpy-images.node.js';

const random = Random.seeded(7);
/** [3, 28, 28], with all values from 0 on. */
const pixels = Uint8Array.from({ length: 3 * 28 * 28 }, (_, i) => (i < 256 ? i : random.integer(256)));

describe('files that NumPy wrote', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quarterturn-npz-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are read as NumPy reads them', async ({ skip }) => {
    const python = await pythonWith('numpy');
    if (python === undefined) return skip();
    const program = `
import base64, io, json, numpy as np
x = np.frombuffer(open('pixels', 'rb').read(), np.uint8).reshape(3, 28, 28)
y = np.array([0, 1, 0])
forms = {
  'plain': dict(images=x, labels=y),
  'fortran': dict(images=np.asfortranarray(x), labels=y[:, None]),
  'transposed': dict(images=np.ascontiguousarray(x.T).T, labels=y.astype('>i8')),
  'floats': dict(images=(x / 255).astype('>f4'), labels=y.astype(np.float64)),
  'doubles': dict(images=x.astype(np.float64), labels=y.astype(str)),
  'shorts': dict(images=x.astype('>u2') * 257, labels=y.astype(bytes)),
  'longs': dict(images=x.astype(np.int64), labels=y.astype(bool).astype(np.int8)),
  'first': dict(images=x[:, None], labels=np.eye(2)[y]),
}
result = {}
for name, arrays in forms.items():
  for save in (np.savez, np.savez_compressed):
    file = io.BytesIO()
    save(file, **arrays)
    result[name + ' ' + save.__name__] = base64.b64encode(file.getvalue()).decode()
print(json.dumps(result))
`;
    const files = Object.entries(
      JSON.parse(await runPython(python, program, { pixels })) as Record<string, string>,
    );
    expect(files).toHaveLength(16);
    for (const [name, base64] of files) {
      const path = join(folder, `${name}.npz`);
      await writeFile(path, base64, 'base64');
      const found = await openNumpyImages([path]);
      expect([name, found.images.map(({ label }) => label)]).toEqual([name, ['0', '1', '0']]);
      const all = await Promise.all(found.images.map((image) => image.read()));
      const values = all.flatMap((image) => (image.kind === 'pixels' ? [...image.pixels] : []));
      expect([name, values]).toEqual([name, [...pixels]]);
      await found.close?.();
    }
  });
});
