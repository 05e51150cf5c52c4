import { describe, expect, test } from 'vitest';
import { classNeedTexts, needsBasis } from '../report/label-needs-text.js';
import { MemoryStore } from '../store/checkpoint.js';
import { labelNeedsSchema } from '../store/label-needs.js';
import { StageEvidence } from '../store/stage-evidence.js';
import { readLabelNeeds } from './label-needs.js';

const classNames = ['boot', 'coat', 'shirt', 'bag', 'dress', 'sandal'];
const K = classNames.length;

/** Twenty labels of each class, of which eight shirts are taken for coats and one bag for a boot; a pile of which a tenth are shirts. */
async function runWith({ kept = 'selfTrain' as string | null, sample = 2000 } = {}) {
  const store = new MemoryStore('clothes');
  const targets = Array.from({ length: 20 * K }, (_, i) => Math.floor(i / 20));
  const said = targets.map((target, i) => {
    if (target === 2 && i % 20 < 8) return 1;
    return target === 3 && i % 20 === 0 ? 0 : target;
  });
  const images = targets.map((target, index) => ({
    image: index.toString(16).padStart(32, '0'),
    index,
    label: classNames[target] ?? '',
    by: 'given',
  }));
  await store.writeJson('labels', { classNames, draws: [{ draw: 0, images }] });
  if (kept !== null) await store.writeJson('result', { final: { stage: kept, test: null } });
  const evidence = await StageEvidence.open(store);
  const logits = new Float32Array(targets.length * K);
  said.forEach((k, i) => {
    logits[i * K + k] = 5;
  });
  // 6 % are called shirts, since 8 of 20 are missed.
  const pile = Int32Array.from({ length: sample }, (_, i) => (i % 50 < 3 ? 2 : [0, 1, 3, 4, 5][i % 5]!));
  const positions = targets.map((_, i) => i);
  await evidence.addAnswers(
    { stage: 'selfTrain', draw: 0 },
    { fold: 0, positions, targets, logits, sample: pile },
  );
  return store;
}

describe('readLabelNeeds', () => {
  test('the class that is missed most is named first, with what says so', async () => {
    const needs = (await readLabelNeeds(await runWith()))!;
    expect(labelNeedsSchema.parse(JSON.parse(JSON.stringify(needs)))).toEqual(needs);
    expect(needs).toMatchObject({ stage: 'selfTrain', heldBack: 120, found: 111, sample: 2000, first: 3 });
    const [first, second] = needs.classes;
    expect([first?.className, second?.className].sort()).toEqual(['coat', 'shirt']);
    const shirt = needs.classes.find(({ className }) => className === 'shirt')!;
    expect(shirt).toMatchObject({ labels: 20, heldBack: 20, found: 12, mistaken: 0, standsOut: true });
    expect(shirt.sure).toBeGreaterThan(0.95);
    // Some of what is called a coat is a shirt.
    expect(shirt.share).toBeGreaterThan(0.07);
    expect(shirt.share).toBeLessThan(0.14);
    expect(needs.classes.reduce((sum, { share }) => sum + share!, 0)).toBeCloseTo(1, 9);
    expect(needs.classes.reduce((sum, { mistakes }) => sum + mistakes, 0)).toBeCloseTo(1, 9);
    const texts = classNeedTexts(needs);
    expect(texts.find(({ className }) => className === 'shirt')?.why).toMatch(
      /^12 of 20 held-back labels found, [\d.]+ % of the pile, \d+ % sure$/,
    );
    expect(needsBasis(needs, 'Self-training')).toEqual([
      '120 held-back labels of “Self-training”',
      '2,000 answers for images of the pile',
    ]);
    // Classes that were always found do not stand out, whatever their order.
    const standing = needs.classes.filter(({ standsOut }) => standsOut).map(({ className }) => className);
    expect(standing).not.toContain('dress');
    expect(standing).not.toContain('sandal');
  });

  test('without a pile nothing is said of shares', async () => {
    const needs = (await readLabelNeeds(await runWith({ sample: 0 })))!;
    expect(needs.sample).toBe(0);
    expect(needs.classes.every(({ share }) => share === null)).toBe(true);
    expect(classNeedTexts(needs)[0]?.why).toMatch(/^12 of 20 held-back labels found, \d+ % sure$|^20 of 20/);
  });

  test('is silent where nothing is known', async () => {
    expect(await readLabelNeeds(new MemoryStore('empty'))).toBeUndefined();
    expect(await readLabelNeeds(await runWith({ kept: null }))).toBeUndefined();
    expect(await readLabelNeeds(await runWith({ kept: 'finetune' }))).toBeUndefined();
  });
});
