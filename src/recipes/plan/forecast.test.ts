import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../store/run-event.js';
import { presets } from '../presets.js';
import { stageNamed, stagesOf } from '../stages/registry.js';
import { RunForecast } from './forecast.js';
import { predictMs } from './run-cost.js';

const { quick } = presets;
const names = stagesOf(quick);
const images = { train: 60_000, test: 10_000, labelled: 100, folds: 3 };
/** Images of a step. */
const stepCosts = { pretrain: 128, finetune: 50, scratch: 50, selfTrain: 256, baseline: 50 };

function setUp({ draws = 1 } = {}) {
  const clock = { ms: 0 };
  const forecast = new RunForecast({
    settings: { ...quick, draws },
    stages: names.map((name) => stageNamed(name)),
    images,
    stepCosts,
    now: () => clock.ms,
  });
  const begin = (stage: string, { fromStep = 0, draw = 0, totalSteps = 400 } = {}) =>
    forecast.heed({
      ...{ type: 'stage-start', stage, draw, title: stage, totalSteps, fromStep },
      ...{ epochs: 1, stepsPerEpoch: totalSteps },
    });
  const step = (stage: string, stepMs: number): void => {
    clock.ms += stepMs;
    forecast.heed({ type: 'step', stage } as RunEvent);
  };
  const steps = (stage: string, count: number, stepMs: number): void => {
    for (let i = 0; i < count; i++) step(stage, stepMs);
  };
  return { clock, forecast, begin, step, steps };
}

describe('RunForecast', () => {
  test('knows nothing before ten steps, then what the plan of a budget would say at this speed', () => {
    const { clock, forecast, begin, step, steps } = setUp();
    expect(forecast.remainingMs(60_000)).toBeUndefined();
    begin('pretrain');
    // The first one is slow, since its graph is compiled.
    step('pretrain', 900);
    steps('pretrain', 9, 64);
    expect(forecast.remainingMs(60_000)).toBeUndefined();
    steps('pretrain', 1, 64);
    const stepMs = { pretrain: 64, finetune: 25, scratch: 25, selfTrain: 128, baseline: 25 };
    const planned = predictMs(quick, names, {
      stepMs,
      imageMs: 0.125,
      viewMs: 0.1,
      compileMs: { step: 300, classify: 50 },
      pile: { graphMs: 40_800, spreadStepMs: 18 },
      saveMs: 30,
      spentMs: 0,
      images,
    });
    expect(forecast.remainingMs()).toBeCloseTo(planned - clock.ms);
    expect(planned).toBeGreaterThan(150_000);
    expect(planned).toBeLessThan(350_000);
  });

  test('counts down with the clock, and what is measured of a stage is its own speed', () => {
    const { clock, forecast, begin, steps } = setUp();
    begin('pretrain');
    steps('pretrain', 11, 64);
    const before = forecast.remainingMs()!;
    clock.ms += 1000;
    expect(forecast.remainingMs()).toBeCloseTo(before - 1000);
    // What comes between two steps, such as a save, is no part of a step.
    forecast.heed({ type: 'checkpoint', path: '', step: 11 });
    clock.ms += 5000;
    steps('pretrain', 1, 64);
    expect(forecast.remainingMs()).toBeCloseTo(before - 6064);
    begin('finetune', { totalSteps: 300 });
    const usual = forecast.remainingMs()!;
    steps('finetune', 11, 50);
    // Twice as slow as its images told: its steps and trials, and the stages after it.
    expect(forecast.remainingMs()!).toBeGreaterThan(1.5 * usual);
  });

  test('what is under way takes as long as it says itself, and what was done before is not counted', () => {
    const { forecast, begin, steps } = setUp();
    begin('pretrain', { fromStep: 389 });
    steps('pretrain', 11, 64);
    const atEnd = forecast.remainingMs()!;
    const { forecast: other, begin: start, steps: go } = setUp();
    start('pretrain');
    go('pretrain', 11, 64);
    expect(other.remainingMs()! - atEnd).toBeCloseTo(389 * 64);
    expect(forecast.remainingMs(600_000)!).toBeGreaterThan(600_000);
  });

  test('each draw has its stages, and a stage that it does not know changes nothing', () => {
    const [one, three] = [setUp(), setUp({ draws: 3 })];
    for (const { begin, steps } of [one, three]) {
      begin('pretrain');
      steps('pretrain', 11, 64);
    }
    const [alone, all] = [one.forecast.remainingMs()!, three.forecast.remainingMs()!];
    expect(all).toBeGreaterThan(1.8 * alone);
    three.begin('distill');
    expect(three.forecast.remainingMs()).toBe(all);
    three.begin('baseline', { draw: 2, totalSteps: 20 });
    expect(three.forecast.remainingMs()!).toBeLessThan(20_000);
  });
});
