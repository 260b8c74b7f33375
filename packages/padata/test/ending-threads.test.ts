// Threads of a pool that closes: which of them are waited for because they go on with what they have to end.
import { expect, test } from '@jest/globals';
import { WORKER, workerBase } from '../dist/protocol/control-layout.js';
import { EndingThreads } from '../dist/threads/ending-threads.js';

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
    looks: (most: number, before: () => void = () => undefined): number => {
      for (let n = 0; n < most; n += 1) {
        before();
        if (!ending.goesOn(1)) return n;
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
