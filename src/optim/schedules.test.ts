import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constantRate, inverseTime, oneCycle } from './schedules.js';

describe('schedules', () => {
  it('constant stays', () => {
    expect([0, 7, 1e6].map(constantRate(0.1))).toEqual([0.1, 0.1, 0.1]);
  });

  it('inverseTime follows Keras: lr / (1 + decay·step)', () => {
    const schedule = inverseTime(0.0005, 1e-5);
    expect(schedule(0)).toBe(0.0005);
    expect(schedule(200)).toBeCloseTo(0.0005 / 1.002, 12);
  });

  it('oneCycle climbs from a tenth to the peak in a quarter of the steps, then falls to 0', () => {
    const schedule = oneCycle({ peak: 0.4, totalSteps: 100 });
    expect(schedule(0)).toBeCloseTo(0.04, 12);
    expect(schedule(25)).toBeCloseTo(0.4, 12);
    expect(schedule(62.5)).toBeCloseTo(0.2, 12);
    expect(schedule(100)).toBeCloseTo(0, 12);
  });

  it('oneCycle stays within 0 and the peak, rises before it and falls after', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 1e-4, max: 10, noNaN: true }),
        (totalSteps, peak) => {
          const schedule = oneCycle({ peak, totalSteps });
          const top = Math.max(1, Math.round(totalSteps * 0.25));
          for (let step = 0; step < totalSteps; step++) {
            expect(schedule(step)).toBeGreaterThanOrEqual(0);
            expect(schedule(step)).toBeLessThanOrEqual(peak * (1 + 1e-12));
            const rises = schedule(step + 1) >= schedule(step);
            if (step + 1 <= top) expect(rises).toBe(true);
            else expect(schedule(step + 1)).toBeLessThanOrEqual(schedule(step) + 1e-12 * peak);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
