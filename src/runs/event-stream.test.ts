import { describe, expect, it } from 'vitest';
import { EventStream } from './event-stream.js';

interface Event {
  readonly type: 'step' | 'pass' | 'epoch';
  readonly n: number;
}

const step = (n: number): Event => ({ type: 'step', n });
const pass = (n: number): Event => ({ type: 'pass', n });
const epoch = (n: number): Event => ({ type: 'epoch', n });
const stream = () => new EventStream<Event>(({ type }) => type !== 'epoch');

async function all(events: AsyncIterable<Event>): Promise<Event[]> {
  const found: Event[] = [];
  for await (const event of events) found.push(event);
  return found;
}

describe('EventStream', () => {
  it('gives who comes late all that counts in its order, and of steps and passes the newest', async () => {
    const events = stream();
    for (const event of [step(1), epoch(1), step(2), pass(1), step(3), epoch(2), pass(2)]) events.emit(event);
    events.end();
    const expected = [epoch(1), step(3), epoch(2), pass(2)];
    expect(await all(events)).toEqual(expected);
    expect(await all(events), 'once more').toEqual(expected);
  });

  it('gives who waits every event, and each of several consumers all of them', async () => {
    const events = stream();
    const [first, second] = [all(events), all(events)];
    const told = [step(1), step(2), epoch(1), pass(1), pass(2), step(3)];
    for (const event of told) {
      events.emit(event);
      await new Promise((resolve) => setImmediate(resolve));
    }
    events.end();
    expect(await first).toEqual(told);
    expect(await second).toEqual(told);
  });

  it('gives who is slow none twice and none in another order', async () => {
    const events = stream();
    const found: Event[] = [];
    const slow = (async () => {
      for await (const event of events) {
        found.push(event);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    for (let n = 1; n <= 40; n++) {
      events.emit(step(n));
      if (n % 10 === 0) events.emit(epoch(n / 10));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    events.end();
    await slow;
    expect(found.filter(({ type }) => type === 'epoch')).toEqual([1, 2, 3, 4].map(epoch));
    const steps = found.filter(({ type }) => type === 'step').map(({ n }) => n);
    expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
    expect(steps.at(-1)).toBe(40);
  });

  it('does not grow with steps that nobody listens to', async () => {
    const events = stream();
    for (let n = 0; n < 100_000; n++) {
      events.emit(step(n));
      events.emit(pass(n));
    }
    events.end();
    expect(await all(events)).toEqual([step(99_999), pass(99_999)]);
  });

  it('lets a consumer go that has seen enough', async () => {
    const events = stream();
    events.emit(epoch(1));
    events.emit(epoch(2));
    for await (const event of events) {
      expect(event).toEqual(epoch(1));
      break;
    }
    events.end();
    expect(await all(events)).toHaveLength(2);
  });
});
