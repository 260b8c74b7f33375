// Ending a thread by force: its owner says so at every look until it is gone, which on a busy machine takes a while.
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { platform } from '../../dist/worker/platform.node.js';

test('a thread that is told again and again to end is listened to once, and each call waits for its end', async () => {
  const worker = new Worker('for (;;);', { eval: true });
  let ends = 0;
  const thread = platform.startWorker({} as never, {
    name: 'stays',
    execArgv: undefined,
    env: undefined,
    resourceLimits: undefined,
    factory: () => worker,
    onMessage: () => undefined,
    onEnd: () => {
      ends += 1;
    },
  });
  const before = worker.listenerCount('exit');
  const calls = Array.from({ length: 30 }, async () => {
    await thread.terminate();
    return ends;
  });
  expect(worker.listenerCount('exit')).toBe(before + 1);
  expect(new Set(await Promise.all(calls))).toEqual(new Set([1]));
});
