import { describe, expect, test } from 'vitest';
import { allowedDrift, driftOf, outOfDrift } from '../../bench/gate.js';
import { asMarkdown, asText, driftSentence, overview, rowTable } from '../../bench/render.js';
import {
  bestPeerOf,
  disagreement,
  isFaulty,
  median,
  type RowResult,
  rowJson,
  speedOf,
} from '../../bench/results.js';
import { allRows } from '../../bench/rows.js';

const rows = allRows({ threads: 2, pytorches: [] });

describe('results', () => {
  test.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 100], 3.5],
  ])('median of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

  test('numbers agree within 1e-3 as far as both have some', () => {
    expect(disagreement([1, 2], [1.0009, 2, 7])).toBeUndefined();
    expect(disagreement([1, 2.0011], [1, 2])).toMatch(/^wrong: off by 1\.1e-3/);
    expect(disagreement([Number.NaN], [1])).toMatch(/^wrong/);
  });

  const sample = (stepMs: number[], peakMemoryBytes: number) => ({
    version: '',
    imagesPerStep: 128,
    stepMs,
    peakMemoryBytes,
    checks: [],
  });
  const row = { ...rows[0]!, flopsPerImage: 1e9 };
  const speed = (stepMs: number[], bytes = 2 ** 30) => speedOf([sample(stepMs, bytes)], row, 256e9);

  test('speed is that of the median step of all rounds, memory the largest, the share that of the peak', () => {
    expect(speedOf([sample([900, 1000], 5), sample([1100], 7)], row, 256e9)).toEqual({
      imagesPerSecond: 128,
      medianMs: 1000,
      fastestMs: 900,
      slowestMs: 1100,
      peakMemoryBytes: 7,
      shareOfPeak: 0.5,
    });
  });

  const result: RowResult = {
    name: 'trainStep',
    title: 'Training step',
    unit: 'images/s',
    contenders: [
      { name: 'ours', role: 'ours', speed: speed([1000], 1.5 * 2 ** 30) },
      { name: 'PyTorch', role: 'peer', speed: speed([1280]) },
      {
        name: 'wrong one',
        role: 'peer',
        fault: { kind: 'wrong', text: 'wrong: off by 1' },
        speed: speed([10]),
      },
      { name: 'broken one', role: 'peer', fault: { kind: 'failed', text: 'failed: status 1' } },
      { name: 'naive lowering', role: 'yardstick', speed: speed([1600]) },
    ],
  };

  test('JSON: the best peer is the fastest whose numbers are right; a yardstick is none', () => {
    expect(rowJson(result)).toEqual({
      ours: 128,
      bestPeer: 'PyTorch',
      peers: { PyTorch: 100, 'wrong one': 12800 },
      ratioToBestPeer: 1.28,
      shareOfPeak: 0.5,
      peakMemoryBytes: {
        ours: 1.5 * 2 ** 30,
        PyTorch: 2 ** 30,
        'wrong one': 2 ** 30,
        'naive lowering': 2 ** 30,
      },
      yardsticks: { 'naive lowering': 80 },
      faults: { 'wrong one': 'wrong: off by 1', 'broken one': 'failed: status 1' },
    });
  });

  test('JSON: where ours is wrong, nothing is claimed', () => {
    const [ours, ...others] = result.contenders;
    const json = rowJson({
      ...result,
      contenders: [{ ...ours!, fault: { kind: 'wrong', text: 'wrong: off by 1' } }, ...others],
    });
    expect(json).toMatchObject({ ours: null, ratioToBestPeer: null, shareOfPeak: null });
  });

  test('JSON: what happens once is given in seconds', () => {
    const start: RowResult = { ...result, unit: 's', contenders: [result.contenders[0]!] };
    expect(rowJson(start)).toMatchObject({ ours: 1, peers: {}, ratioToBestPeer: null, unit: 's' });
  });

  test('tables in text and Markdown', () => {
    expect(asText(overview([result]))).toBe(
      [
        'row        ours      best peer  ours / best peer  share of peak',
        'trainStep   128  100 (PyTorch)              1.28           50 %',
      ].join('\n'),
    );
    const lines = asMarkdown(rowTable(result)).split('\n');
    expect(lines[1]).toBe('| --- | ---: | ---: | ---: | ---: | ---: | --- |');
    expect(lines[3]).toBe(
      '| PyTorch | 100 | 1280 ms (1280 ms – 1280 ms) | × 1.28 | 39 % | 1.00 GiB | best peer |',
    );
    expect(lines[5]).toBe('| broken one | — | — | — | — | — | failed: status 1 |');
  });

  const several: RowResult = {
    name: 'trainStep',
    title: 'Training step',
    unit: 'images/s',
    contenders: [
      { name: 'ours', role: 'ours', speed: speed([1000]) },
      { name: 'PyTorch 1.13.0, as installed', role: 'peer', speed: speed([1600]) },
      { name: 'PyTorch 1.13.0, allocator tuned', role: 'peer', speed: speed([800]) },
      { name: 'PyTorch 2.6.0, allocator tuned', role: 'peer', speed: speed([1280]) },
      {
        name: 'PyTorch 2.6.0, TorchScript',
        role: 'peer',
        fault: { kind: 'outOfTime', text: 'out of time: did not end within 60 s' },
      },
    ],
    drift: { steps: 10, largest: { ours: 2.5e-5, 'PyTorch 1.13.0 in float32': 3.1e-5 } },
  };

  test('of several PyTorches the fastest is the peer, and the only ratio is against it, in our favour or not', () => {
    expect(bestPeerOf(several)?.name).toBe('PyTorch 1.13.0, allocator tuned');
    expect(rowJson(several)).toMatchObject({
      bestPeer: 'PyTorch 1.13.0, allocator tuned',
      ratioToBestPeer: 0.8,
      faults: { 'PyTorch 2.6.0, TorchScript': 'out of time: did not end within 60 s' },
      lossDrift: { ours: 2.5e-5 },
    });
    expect(asText(overview([several])).split('\n')[1]).toBe(
      'trainStep   128  160 (PyTorch 1.13.0, allocator tuned)              0.80           50 %',
    );
    expect(rowTable(several).map((line) => [line[0], line[3], line[6]])).toEqual([
      ['', 'ours is', ''],
      ['ours', '', ''],
      ['PyTorch 1.13.0, as installed', '', ''],
      ['PyTorch 1.13.0, allocator tuned', '× 0.80', 'best peer'],
      ['PyTorch 2.6.0, allocator tuned', '', ''],
      ['PyTorch 2.6.0, TorchScript', '—', 'out of time: did not end within 60 s'],
    ]);
    expect(driftSentence(several)).toBe(
      'Largest distance of 10 losses from float64’s: ours 2.5e-5, PyTorch 1.13.0 in float32 3.1e-5.',
    );
  });

  test('a peer that takes too long is no alarm; ours that does, or anything that failed, is', () => {
    expect(isFaulty(several)).toBe(false);
    expect(isFaulty(result)).toBe(true);
    const { fault } = several.contenders.at(-1)!;
    expect(isFaulty({ ...several, contenders: [{ name: 'ours', role: 'ours', fault: fault! }] })).toBe(true);
  });
});

describe('the gate', () => {
  // Distances from float64 of the first ten losses at width 0.25, as they were measured.
  const channelsLast = [1.2e-5, 1.2e-6, 6.4e-6, 2.2e-6, 1.0e-5, 2.4e-5, 4.4e-6, 2.2e-5, 2.5e-5, 1.3e-5];
  const contiguous = [8.0e-8, 1.9e-7, 1.3e-7, 7.6e-7, 1.3e-6, 1.3e-6, 1.2e-6, 1.5e-6, 7.4e-6, 1.7e-5];
  const ours = [3.6e-6, 7.8e-6, 8.0e-6, 1.6e-5, 2.0e-5, 1.1e-5, 1.2e-5, 8.0e-6, 1.6e-5, 1.4e-5];
  /** The same program with a learning rate that is 1 % too large, and with a momentum of 0.89 instead of 0.9. */
  const rateOff = [3.6e-6, 3.9e-5, 7.2e-5, 1.4e-4, 2.0e-4, 2.9e-4, 2.9e-4, 4.3e-4, 4.6e-4, 6.3e-4];
  const momentumOff = [3.6e-6, 9.0e-6, 4.6e-5, 1.3e-4, 2.6e-4, 4.4e-4, 5.3e-4, 8.7e-4, 1.1e-3, 1.5e-3];
  const exact = contiguous.map((_, i) => 1.5 - 0.01 * i);
  const drift = (distances: readonly number[]) =>
    driftOf(
      exact.map((loss, i) => loss + (i % 2 === 0 ? 1 : -1) * distances[i]!),
      exact,
    );
  const allowed = allowedDrift([drift(channelsLast), drift(contiguous)]);

  test('drift is the largest distance so far', () => {
    expect(driftOf([1, 2.5, 3], [1, 2, 3.25])).toEqual([0, 0.5, 0.5]);
    expect(driftOf([1], [1, 2])).toEqual([0, Number.NaN]);
  });

  test('what is allowed grows with the drift of the closest PyTorch', () => {
    expect(
      allowedDrift([
        [0, 2e-5, 2e-5],
        [1e-5, 1e-5, 3e-5],
      ]),
    ).toEqual([2e-5, 8e-5, 1.4e-4].map((x) => expect.closeTo(x, 9)));
  });

  test('right implementations pass; a wrong rate or momentum that 1e-3 would let pass does not', () => {
    expect(outOfDrift(drift(ours), allowed)).toBeUndefined();
    expect(outOfDrift(drift(rateOff), allowed)).toMatch(/^wrong: off float64 by 7\.2e-5 in step 3 /);
    expect(outOfDrift(drift(momentumOff), allowed)).toMatch(/^wrong: off float64 by 1\.3e-4 in step 4 /);
    expect(outOfDrift([Number.NaN], allowed)).toMatch(/^wrong/);
  });
});
