import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEncoder } from '../../src/features/onnx-encoder.js';
import { describeModel } from '../../src/model/describe-model.js';
import { exportClassifier } from '../../src/model/export-model.js';
import { decodeWeights } from '../../src/model/weights-file.js';
import { writeReport } from '../../src/runs/report.node.js';
import { startRun } from '../../src/runs/start-run.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import { RunFolder } from '../../src/store/run-folder.node.js';
import { cli } from '../support/cli.js';
import { inProcess } from '../support/in-process.js';
import { pythonWith, runPython } from '../support/python.js';
import { tiniestSettings, tinyPictures } from '../support/tiny-run.js';

let cwd: string;
let model: Uint8Array;
const quarterturn = (args: string) => cli(args.split(' '), { cwd });
const read = (path: string) => fs.readFile(join(cwd, path));

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-export-'));
  const folder = await RunFolder.create(join(cwd, 'ran'));
  await startRun({
    settings: tiniestSettings,
    data: { train: tinyPictures('train', 100), origin: '/somewhere/of mine/photos', checksums: {} },
    runtime: await createNodeRuntime({ device: 'cpu', threads: 1 }),
    store: folder,
  }).result;
  await writeReport(folder);
  await folder.close();
  model = await read('ran/models/classifier.onnx');
}, 300_000);
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

describe('export', () => {
  test('writes weights from which the classifier is made again, to the byte', async () => {
    const said = await quarterturn('export ran --safetensors out/weights.safetensors');
    expect(said).toEqual({ code: 0, stdout: 'out/weights.safetensors\n', stderr: '' });
    const decoded = decodeWeights('weights', await read('out/weights.safetensors'));
    const { training, preprocessing, abstention } = describeModel('model', model);
    // Eight labels, each held back once.
    expect(abstention).toMatchObject({ heldBack: 8, likeness: { centre: { length: 10 } } });
    const again = exportClassifier({
      ...decoded,
      training,
      abstention,
      temperature: training?.calibration?.temperature,
      meanBrightness: preprocessing?.meanBrightness,
      pictureFit: preprocessing?.fit,
    });
    expect(Buffer.compare(again, model)).toBe(0);
  });

  test('weights are read by the rules of safetensors, in Python', async ({ skip }) => {
    const python = await pythonWith('numpy');
    if (!python) return skip('no Python here can import numpy');
    const program = `
import json, numpy
raw = open("w.safetensors", "rb").read()
start = 8 + int.from_bytes(raw[:8], "little")
header = json.loads(raw[8:start])
metadata = header.pop("__metadata__")
assert start % 8 == 0 and all(isinstance(v, str) for v in metadata.values())
ends = sorted(entry["data_offsets"] for entry in header.values())
assert ends[0][0] == 0 and ends[-1][1] == len(raw) - start
assert all(a[1] == b[0] for a, b in zip(ends, ends[1:]))
first, last = header["head.bias"]["data_offsets"]
print(json.dumps([header["head.kernel"]["shape"][1], numpy.frombuffer(raw[start + first : start + last], "<f4").tolist(), json.loads(metadata["quarterturn.classNames"])]))`;
    await quarterturn('export ran --safetensors python.safetensors');
    const bytes = await read('python.safetensors');
    const { weights } = decodeWeights('weights', bytes);
    expect(JSON.parse(await runPython(python, program, { 'w.safetensors': bytes }))).toEqual([
      2,
      [...(weights['head.bias']?.data ?? [])],
      ['corner', 'edge'],
    ]);
  });

  test('writes what the run learned of images as an encoder, and says how to use it', async () => {
    const said = await quarterturn('export ran --encoder own.onnx --stage selfTrain --card own.md');
    expect(said).toEqual({
      code: 0,
      stdout: 'own.md\nown.onnx\n',
      stderr: 'Next  quarterturn run photos --encoder own.onnx\n',
    });
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    await using encoder = await openEncoder('own.onnx', await read('own.onnx'), { runtime });
    expect(encoder).toMatchObject({ input: { height: 12, width: 12, channels: 1 }, dimensions: 24 });
  });

  test('writes the model card that a run leaves beside its classifier, and a copy of the file', async () => {
    expect((await quarterturn('export ran --onnx classifier.onnx --card card.md')).code).toBe(0);
    expect(Buffer.compare(await read('classifier.onnx'), model)).toBe(0);
    const card = await fs.readFile(join(cwd, 'card.md'), 'utf8');
    expect(card).toBe(await fs.readFile(join(cwd, 'ran/models/README.md'), 'utf8'));
    expect(card).toContain('# Classifier of 2 classes of photos\n');
    expect(card).not.toContain('somewhere');
  });

  test('overwrites nothing unless told to, and writes nothing where a part is refused', async () => {
    await fs.writeFile(join(cwd, 'mine.md'), 'mine');
    await fs.writeFile(join(cwd, 'alone.onnx'), model);
    for (const [args, code, message] of [
      ['export ran', 2, /^error: export: expected something to write\. Received: nothing\.\nhint: Ask for /],
      [
        'export ran --card mine.md --onnx new.onnx',
        2,
        /mine\.md: expected the name of a new file\. .*\nhint: .*--overwrite/,
      ],
      ['export ran --card a --onnx a', 2, /expected a file for each output\. Received: a, twice/],
      ['export alone.onnx --onnx alone.onnx --overwrite', 2, /expected another file than alone\.onnx/],
      ['export ran --card new.md --blocks 2', 2, /--blocks: expected --encoder <file>, too\. Received: none/],
      ['export ran --encoder new.onnx --blocks 4 --card new.md', 2, /blocks: expected 1 to 3, .*Received: 4/],
      ['export alone.onnx --encoder new.onnx', 2, /expected the folder of a run\. Received: an ONNX file/],
      ['export alone.onnx --safetensors w --card new.md', 2, /--safetensors: expected a run, .*lies in none/],
      ['export mine.md --card new.md', 1, /^error: mine\.md, model: expected .*\nhint: Is it an ONNX file\?/],
    ] as const) {
      const said = await inProcess(args.split(' '), { cwd });
      expect({ args, code: said.code, stdout: said.stdout }).toEqual({ args, code, stdout: '' });
      expect(said.stderr).toMatch(message);
    }
    expect(await fs.readdir(cwd)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^new|^a$|^w$/)]),
    );
    expect(await fs.readFile(join(cwd, 'mine.md'), 'utf8')).toBe('mine');
    expect((await quarterturn('export alone.onnx --card mine.md --overwrite')).code).toBe(0);
    expect(await fs.readFile(join(cwd, 'mine.md'), 'utf8')).toContain('# Classifier of 2 classes\n');
  });
});
