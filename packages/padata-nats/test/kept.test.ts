import { expect, test } from '@jest/globals';
import { Kept } from '../dist/server/kept.js';

/** Makes 1, 2, 3 …; the first `failing` of them not. */
function counting(failing: number): { kept: Kept<number>; made: () => number } {
  let made = 0;
  const kept = new Kept(async () => {
    made += 1;
    const mine = made;
    await Promise.resolve();
    if (mine <= failing) throw new Error(`no ${mine}`);
    return mine;
  });
  return { kept, made: () => made };
}

test('what could not be made is made at the next call', async () => {
  const { kept, made } = counting(2);
  await expect(kept.get()).rejects.toThrow('no 1');
  await expect(kept.get()).rejects.toThrow('no 2');
  expect(await kept.get()).toBe(3);
  expect(await kept.get()).toBe(3);
  expect(made()).toBe(3);
});

test('all who ask at once have the same one, or the same error', async () => {
  const { kept, made } = counting(1);
  const asked = await Promise.allSettled([kept.get(), kept.get()]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await Promise.all([kept.get(), kept.get()])).toEqual([2, 2]);
  expect(made()).toBe(2);
});

test('one that fails after it was forgotten leaves the next one alone', async () => {
  const { kept } = counting(1);
  const first = kept.get();
  kept.forget();
  const second = kept.get();
  await expect(first).rejects.toThrow('no 1');
  expect(kept.get()).toBe(second);
  expect(await second).toBe(2);
});
