import { describe, expect, test } from 'vitest';
import {
  classNames,
  evaluationWithClasses,
  oddNames,
  recordWithClasses,
} from '../../test/support/named-classes.js';
import { confusionFigure, matrixPicture } from './confusion-figure.js';
import { evaluationJson } from './evaluation-record.js';
import { formatEvaluation } from './evaluation-text.js';
import { escapeHtml } from './html.js';
import { renderEvaluation } from './render-evaluation.js';
import { renderReport } from './render-report.js';
import { textWidth } from './text-width.js';

describe.each([2, 10, 100, 1000])('%i classes', (k) => {
  const names = classNames(k);
  const evaluation = evaluationWithClasses(names);

  test('the report is small, points nowhere and names every class', () => {
    const report = renderReport(recordWithClasses(names));
    expect(report.length).toBeLessThan(1_000_000);
    expect(report).not.toMatch(/<script|<link|\bNaN\b|\bundefined\b/);
    for (const name of names.slice(0, 9)) expect(report).toContain(escapeHtml(name));
    expect(report).toContain(escapeHtml(names.at(-1) ?? ''));
  });

  test('so is the page of an evaluation', () => {
    const page = renderEvaluation(evaluation);
    expect(page.length).toBeLessThan(1_000_000);
    expect(page).not.toMatch(/<script|<link|\bNaN\b|\bundefined\b/);
    const addresses = [...page.matchAll(/\b(?:src|href)="([^"]{0,22})/g)].map(([, address]) => address);
    expect(new Set(addresses)).toEqual(new Set(['data:image/bmp;base64,']));
    for (const text of ['Accuracy', 'Macro F1', 'Class by class', 'What it is unsure of', 'zebra', 'cut.jpg'])
      expect(page).toContain(text);
  });

  test.each([80, 40])('its terminal text keeps within %i columns', (columns) => {
    const text = formatEvaluation(evaluation, { columns });
    for (const line of text.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(columns);
    expect(text.split('\n').length).toBeLessThan(80);
    expect(text).toContain('zebra');
    expect(text).toContain('of unknown classes');
  });

  test('JSON has names, never numbers, and sums that agree', () => {
    const json = evaluationJson(evaluation);
    expect(json.classes.map(({ name }) => name)).toEqual(names);
    const confused = json.confusions.reduce((sum, { count }) => sum + count, 0);
    expect(json.correct + confused).toBe(json.total);
    expect(json.calibration.reduce((sum, { count }) => sum + count, 0)).toBe(json.total);
    expect(json.interval.low).toBeLessThan(json.accuracy);
    expect(json.withUnknownClasses.total).toBe(json.total + (json.unknownClasses[0]?.count ?? 0));
    for (const { predicted } of json.mistakes) expect(names).toContain(predicted);
  });
});

test('up to 20 classes every number has a cell; of more there are a picture and the pairs', () => {
  const figure = (k: number) =>
    confusionFigure({ ...evaluationWithClasses(classNames(k)).evaluation, title: '' }).text;
  expect(figure(20)).toContain('actual ╲ predicted');
  expect(figure(20).match(/<td class="(?:zero|right|error)/g)).toHaveLength(400);
  expect(figure(21)).not.toContain('actual ╲ predicted');
  expect(figure(21)).toMatch(/<svg viewBox="0 0 21 21"[\s\S]*taken for/);
});

test('of a thousand classes ten share a row of the picture, and mistakes among them do not colour its diagonal', () => {
  const names = classNames(1000);
  const cells = [
    [0, 9, 5],
    [0, 10, 5],
    [999, 999, 10],
  ] as const;
  const { text } = matrixPicture({ title: '', classNames: names, cells });
  const paths = [...text.matchAll(/<path class="(\w+)"[^>]*d="([^"]*)"/g)].map(([, kind, d]) => [kind, d]);
  expect(paths).toEqual([
    ['error', 'M1 0h1v1h-1z'],
    ['right', 'M99 99h1v1h-1z'],
  ]);
  expect(text).toContain('10 neighbouring classes share a row and a column');
});

test('a name from right to left is isolated, a long one cut and whole in its title', () => {
  const page = renderEvaluation(evaluationWithClasses(oddNames));
  expect(page).toContain('<bdi>חתול בית</bdi>');
  expect(page).toContain('\u2068חתול בית\u2069');
  const long = oddNames.find(({ length }) => length === 200) ?? '';
  expect(page).toContain(`<bdi title="${long}">`);
  expect(page).toContain('<bdi>“ ”</bdi>');
  expect(page).not.toContain('<b>bold');
});
