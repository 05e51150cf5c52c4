import { describe, expect, test } from 'vitest';
import { type Clock, EventHub, type HubMessage } from './event-hub.js';

/** A clock that goes on only when it is told. */
function fakeClock() {
  let nowMs = 0;
  const timers = new Map<object, { readonly at: number; readonly run: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    after: (ms, run) => {
      const timer = {};
      timers.set(timer, { at: nowMs + ms, run });
      return () => timers.delete(timer);
    },
  };
  const advance = async (ms: number): Promise<void> => {
    const until = nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const due = [...timers].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      timers.delete(due[0]);
      nowMs = Math.max(nowMs, due[1].at);
      due[1].run();
    }
    nowMs = until;
  };
  return { clock, advance, timers };
}

type Message = HubMessage<number, string>;

function hubWith(options: { readonly logSize?: number } = {}) {
  const time = fakeClock();
  let state = 0;
  const hub = new EventHub<number, string>({
    snapshot: () => state,
    firstId: 1000,
    clock: time.clock,
    ...options,
  });
  const publish = (delta: string, key?: string): void => {
    state++;
    hub.publish(delta, key === undefined ? {} : { key });
  };
  const open = (after?: number, send = async (_: Message): Promise<void> => {}) => {
    const got: (Message & { readonly ms: number })[] = [];
    let ended = 0;
    const tab = hub.subscribe({
      after,
      send: async (message) => {
        got.push({ ...message, ms: time.clock.now() });
        await send(message);
      },
      onEnd: () => ended++,
    });
    return { tab, got, ended: () => ended };
  };
  return { ...time, hub, publish, open };
}

describe('EventHub', () => {
  test('begins with a snapshot, tells changes of one moment at once and together, and at most four times a second', async () => {
    const { publish, open, advance } = hubWith();
    publish('before');
    const { got } = open();
    await advance(0);
    expect(got).toEqual([{ kind: 'snapshot', id: 1001, state: 1, ms: 0 }]);
    await advance(1000);
    for (const delta of ['a', 'b']) publish(delta);
    await advance(0);
    expect(got.slice(1)).toEqual([{ kind: 'deltas', id: 1003, deltas: ['a', 'b'], ms: 1000 }]);
    for (let i = 0; i < 100; i++) {
      publish(`${i}`);
      await advance(10);
    }
    await advance(250);
    const deltas = got.slice(2).flatMap((message) => (message.kind === 'deltas' ? message.deltas : []));
    expect(deltas).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
    const gaps = got.slice(2).map(({ ms }, i) => ms - (got[i + 1]?.ms ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
    expect(gaps.length).toBeLessThanOrEqual(5);
  });

  test('goes on after the last message that was seen, from the log or by a snapshot', async () => {
    const { publish, open, advance } = hubWith({ logSize: 3 });
    for (const delta of ['a', 'b', 'c', 'd', 'e']) publish(delta);
    const tabs = [1002, 1001, 1004, 5000, 0].map((after) => open(after).got);
    const upToDate = open(1005).got;
    await advance(0);
    expect(tabs.map(([first]) => first)).toMatchObject([
      { kind: 'deltas', id: 1005, deltas: ['c', 'd', 'e'] },
      { kind: 'snapshot', id: 1005, state: 5 },
      { kind: 'deltas', deltas: ['e'] },
      { kind: 'snapshot' },
      { kind: 'snapshot' },
    ]);
    expect(upToDate).toEqual([]);
  });

  test('of progress tells the latest, and keeps room in the log for what is not progress', async () => {
    const { publish, open, advance } = hubWith({ logSize: 3 });
    const { got } = open(1000);
    publish('label', undefined);
    for (let i = 0; i < 50; i++) publish(`${i} %`, 'import');
    await advance(0);
    expect(got).toEqual([{ kind: 'deltas', id: 1051, deltas: ['label', '49 %'], ms: 0 }]);
  });

  test('sends a sign of life where nothing changes', async () => {
    const { open, advance } = hubWith();
    const { got } = open(1000);
    await advance(31_000);
    expect(got).toEqual([15_000, 30_000].map((ms) => ({ kind: 'heartbeat', ms })));
  });

  test('a slow subscriber gets one message when it can take one, and holds nobody up', async () => {
    const { publish, open, advance } = hubWith();
    let taken = (): void => {};
    const slow = open(1000, () => new Promise((resolve) => (taken = resolve)));
    const quick = open(1000);
    for (let i = 0; i < 8; i++) {
      publish(`${i}`);
      await advance(250);
    }
    expect(quick.got).toHaveLength(8);
    expect(slow.got).toHaveLength(1);
    taken();
    await advance(0);
    await advance(250);
    expect(slow.got[1]).toMatchObject({ deltas: ['1', '2', '3', '4', '5', '6', '7'] });
  });

  test('what has ended leaves nothing behind', async () => {
    const { hub, publish, open, advance, timers } = hubWith();
    const [ended, failing, closed] = [
      open(),
      open(undefined, () => Promise.reject(new Error('gone'))),
      open(),
    ];
    publish('a');
    ended.tab.end();
    ended.tab.end();
    await advance(0);
    expect([ended, failing, closed].map((each) => each.ended())).toEqual([1, 1, 0]);
    expect(ended.got).toEqual([]);
    expect(hub.size).toBe(1);
    hub.close();
    const late = open();
    expect([closed, late].map((each) => each.ended())).toEqual([1, 1]);
    expect([hub.size, timers.size]).toEqual([0, 0]);
  });
});
