// The queue of what waits: as an array would do it, and without what has left.
import { expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Fifo } from '../dist/base/fifo.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('any order of steps gives what an array gives', () => {
  const queue = new Fifo<number>();
  const model: number[] = [];
  let random = 7;
  for (let step = 0; step < 4000; step += 1) {
    random = (Math.imul(random, 48_271) >>> 0) % 0x7fffffff;
    // Now it grows, now it runs empty.
    const grows = Math.floor(step / 500) % 2 === 0;
    if (random % 4 < (grows ? 3 : 1)) {
      queue.push(step);
      model.push(step);
    } else if (random % 4 === 3 && model.length > 0) {
      const n = random % model.length;
      queue.replace(n, -step);
      model[n] = -step;
    } else expect(queue.shift()).toBe(model.shift());
    if (random % 397 === 0) {
      queue.clear();
      model.length = 0;
    }
    expect([queue.length, queue.at(0), queue.at(model.length)]).toEqual([
      model.length,
      model[0],
      undefined,
    ]);
  }
});

test('what has left is let go of while something always waits', async () => {
  const queue = new Fifo<object>();
  const refs: WeakRef<object>[] = [];
  const push = (): void => {
    const item = {};
    refs.push(new WeakRef(item));
    queue.push(item);
  };
  push();
  for (let i = 0; i < 300; i += 1) {
    push();
    queue.shift();
  }
  // A reference is held until the turn that made it is over.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(refs.filter((ref) => ref.deref() !== undefined)).toHaveLength(1);
});
