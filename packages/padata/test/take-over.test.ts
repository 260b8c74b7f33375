// A thread that looks for a job of another's, while the owner goes on between two of its looks.
import { afterEach, beforeAll, expect, test } from '@jest/globals';

const { load } = Atomics;
/** What happens right after a load of this word, once. */
let after:
  { readonly words: Int32Array; readonly word: number; readonly happens: () => void } | undefined;
// Before the package is imported: it takes its functions then.
Atomics.load = ((words: Int32Array, word: number) => {
  const value = load(words, word);
  if (after?.words === words && after.word === word) {
    const { happens } = after;
    after = undefined;
    happens();
  }
  return value;
}) as typeof load;

let thread: typeof import('./fixtures/one-thread.js');
beforeAll(async () => {
  thread = await import('./fixtures/one-thread.js');
});
afterEach(() => {
  after = undefined;
});

test.each(['PROCESSED', 'PUBLISHED'] as const)(
  'jobs that are not published are left alone when all before them ended after %s was read',
  async (name) => {
    const { RING } = await import('../dist/protocol/ring-layout.js');
    const { ring, runner, began, submit } = thread.oneThread(4);
    submit(4);
    while (runner.scan());
    expect(began).toEqual([0, 1, 2, 3]);
    const { words } = ring.memory;
    after = {
      words,
      word: RING[name],
      happens: () => {
        expect(ring.deliver(4, 0)).toBe(4);
        // They lie in the slots of before, ready, and the owner's turn has not ended.
        submit(2, true);
      },
    };
    expect(runner.steal()).toBe(false);
    expect(after).toBeUndefined();
    expect(began).toEqual([0, 1, 2, 3]);
    ring.publish();
    // Taken over one by one, the first goes first.
    expect(runner.steal()).toBe(true);
    expect(runner.steal()).toBe(true);
    expect(began).toEqual([0, 1, 2, 3, 4, 5]);
    expect(ring.deliver(4, 0)).toBe(2);
  },
);

test('a place whose job was taken over is no place of the job that lies in its slot now', () => {
  const { ring, runner, began, submit } = thread.oneThread(4);
  submit(4);
  // Nobody has reserved it: who looks for what is left finds it all the same.
  expect(runner.steal()).toBe(true);
  expect(ring.deliver(4, 0)).toBe(1);
  submit(1);
  while (runner.scan());
  expect(began).toEqual([0, 1, 2, 3, 4]);
  expect(ring.deliver(4, 0)).toBe(4);
});
