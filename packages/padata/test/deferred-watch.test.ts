// Who completes a deferred job wakes the owner through a word that the owner watches: only while it knows of one.
import { expect, test } from '@jest/globals';
import type { Crew } from '../dist/crew/crew.js';
import { DeferredWatch } from '../dist/turns/deferred-watch.js';
import { HEAD } from '../dist/protocol/control-layout.js';
import type { Platform } from '../dist/threads/platform.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const words = new Int32Array(new SharedArrayBuffer(4 * 64));
  const platform = { yieldToEvents: turn } as unknown as Platform;
  const watch = new DeferredWatch(platform, { words } as unknown as Crew);
  return { words, watch };
}

test('a job that was completed before the owner heard of it is delivered', async () => {
  const { watch } = setUp();
  let deliveries = 0;
  const begin = (): void => {
    watch.begin(
      () => false,
      () => (deliveries += 1),
    );
  };
  begin();
  await turn();
  expect(deliveries).toBe(1);
  begin();
  await turn();
  expect(deliveries).toBe(2);
});

test('so is the one that was completed between the last delivery and the look at what is deferred', async () => {
  const { words, watch } = setUp();
  let deferred = 1;
  let isDone = false;
  let isDelivered = false;
  const looks = { count: 0 };
  await new Promise<void>((resolve) => {
    watch.begin(
      () => {
        looks.count += 1;
        // Another thread, just before the second look; nobody waits on the word.
        if (looks.count === 2) {
          deferred = 0;
          isDone = true;
          words[HEAD.OWNER_ASLEEP] = 0;
          Atomics.notify(words, HEAD.OWNER_ASLEEP);
        }
        return deferred > 0;
      },
      () => {
        words[HEAD.OWNER_ASLEEP] = 1;
        isDelivered = isDone;
        if (isDone) resolve();
      },
    );
  });
  expect(isDelivered).toBe(true);
});
