import { expect, test } from '@jest/globals';
import type { Engine } from '../dist/server/streams.js';
import { Names } from '../dist/wire/names.js';
import { ResultReader } from '../dist/run/result-reader.js';

/** A server that gives a consumer and then goes away. */
function leaving(): { engine: Engine; asked: () => number; gone: Promise<void> } {
  let asked = 0;
  let isGone = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    isGone = resolve;
  });
  const away = (): Promise<never> => Promise.reject(new Error('away'));
  const consumer = {
    info: () => Promise.resolve({ num_pending: 0 }),
    consume: () => {
      isGone();
      return away();
    },
  };
  const engine = {
    names: new Names('padata'),
    nc: { isClosed: () => false },
    jsm: { consumers: { add: () => Promise.resolve({ name: 'reader' }) } },
    js: { consumers: { get: () => Promise.resolve(consumer) } },
    restore: () => {
      asked += 1;
      return away();
    },
  } as unknown as Engine;
  return { engine, asked: () => asked, gone };
}

const listener = { onResult: () => undefined, onAnew: () => undefined };

test('a reader that is closed between two tries asks for nothing more, and nothing is left to fail', async () => {
  const { engine, asked, gone } = leaving();
  const reader = new ResultReader(engine, 'run', listener);
  await reader.start();
  await gone;
  // It waits for the next.
  await new Promise((resolve) => setTimeout(resolve, 20));
  await reader.close();
  expect(asked()).toBe(0);
});

test('a reader tries again until the server is there, and is closed in the middle of a try', async () => {
  const { engine, asked } = leaving();
  const reader = new ResultReader(engine, 'run', listener);
  await reader.start();
  while (asked() < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  await reader.close();
  const count = asked();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(asked()).toBe(count);
});
