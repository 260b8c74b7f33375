// Threads of a pool that closes: which of them are waited for because they go on with what they have to end.
import { expect, jest, test } from '@jest/globals';
import { WORKER, workerBase } from '../dist/protocol/control-layout.js';
import { EndingThreads } from '../dist/threads/ending-threads.js';
import type { Member } from '../dist/threads/member.js';
import { liveTime } from './fixtures/live-time.js';

jest.unstable_mockModule('../dist/base/host-time.js', () => liveTime);
const { ThreadEnds } = await import('../dist/crew/thread-ends.js');

/** One thread, and what it says of itself. */
function thread() {
  const words = new Int32Array(256);
  const base = workerBase(1);
  const ending = new EndingThreads(words);
  return {
    writes(count: number) {
      words[base + WORKER.OUTPUT] = count;
    },
    turns: () => {
      words[base + WORKER.TURN]! += 1;
    },
    looks: (most: number, before: () => void = () => undefined, boots = false): number => {
      for (let n = 0; n < most; n += 1) {
        before();
        if (!ending.goesOn(1, boots)) return n;
      }
      return most;
    },
  };
}

test('one that turns its loop, as it does until its imports have ended, is waited for', () => {
  const it = thread();
  expect(it.looks(100, it.turns)).toBe(100);
  // It begins something that keeps it.
  expect(it.looks(2000)).toBe(3);
});

test('one whose writes go on arriving is waited for, however long it takes, and then as one that prints nothing', () => {
  const it = thread();
  let left = 1000;
  const arrives = (): void => {
    it.turns();
    left -= 1;
    it.writes(Math.max(0, left));
  };
  expect(it.looks(1000, arrives)).toBe(1000);
  expect(it.looks(2000, it.turns)).toBe(119);
});

test('one that a function keeps is given up after a second', () => {
  for (const writes of [0, 3]) {
    const it = thread();
    it.writes(writes);
    expect(it.looks(2000)).toBe(4);
  }
});

test('one of which nobody reads anything is given up after half a minute', () => {
  const it = thread();
  it.writes(3);
  expect(it.looks(2000, it.turns)).toBe(120);
});

test('one that boots has no loop to turn: it is given up after ten seconds, and has its second when it is there', () => {
  expect(thread().looks(2000, undefined, true)).toBe(40);
  const it = thread();
  expect(it.looks(30, undefined, true)).toBe(30);
  expect(it.looks(2000)).toBe(3);
});

test('a pool that closes ends one that a function keeps, and lets one alone that boots', async () => {
  jest.useFakeTimers();
  try {
    const ended = new Set<number>();
    const member = (id: number, isThere: boolean): Member =>
      ({
        id,
        isThere,
        platform: { terminate: () => Promise.resolve(ended.add(id)) },
      }) as unknown as Member;
    const boots = member(1, false);
    let living = [boots, member(2, true)];
    const ends = new ThreadEnds();
    const closed = ends.ofAll(
      { words: new Int32Array(256), living: () => living, isTearingDown: () => false },
      2000,
    );
    await jest.advanceTimersByTimeAsync(5000);
    expect([...ended]).toEqual([2]);
    ends.ended(living.pop()!);
    await jest.advanceTimersByTimeAsync(5000);
    expect([...ended]).toEqual([2]);
    await jest.advanceTimersByTimeAsync(2000);
    expect([...ended]).toEqual([2, 1]);
    living = [];
    ends.ended(boots);
    await closed;
  } finally {
    jest.useRealTimers();
  }
});
