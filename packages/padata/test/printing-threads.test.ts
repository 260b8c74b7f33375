// Threads of a pool that closes: which of them are waited for because what they printed is still on its way.
import { expect, test } from '@jest/globals';
import { WORKER, workerBase } from '../dist/protocol/control-layout.js';
import { PrintingThreads } from '../dist/crew/printing-threads.js';

/** One thread, and what it says of itself. */
function thread() {
  const words = new Int32Array(256);
  const base = workerBase(1);
  const printing = new PrintingThreads(words);
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
        if (!printing.goesOn(1)) return n;
      }
      return most;
    },
  };
}

test('a thread without output is not waited for', () => {
  expect(thread().looks(1)).toBe(0);
});

test('one whose writes go on arriving is waited for, however long it takes, and a moment after the last', () => {
  const it = thread();
  let left = 1000;
  const arrives = (): void => {
    it.turns();
    left -= 1;
    it.writes(Math.max(0, left));
  };
  expect(it.looks(2000, arrives)).toBe(1000);
});

test('one that a function keeps is given up after a second', () => {
  const it = thread();
  it.writes(3);
  expect(it.looks(2000)).toBe(4);
});

test('one of which nobody reads anything is given up after half a minute', () => {
  const it = thread();
  it.writes(3);
  expect(it.looks(2000, it.turns)).toBe(120);
});
