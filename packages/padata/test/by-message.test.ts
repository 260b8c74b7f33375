// Jobs whose inputs travel by message: each is begun once, with its own input; none waits behind a slow one while a
// thread is idle; what is handed over is handed over.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool, map } from '@bootmem/padata';
import type { Series, SeriesOptions, WorkPool } from '@bootmem/padata';
import { isWorthMoving, jobsAtHand } from '../dist/protocol/feed-policy.js';

const module = new URL('./fixtures/message-jobs.mjs', import.meta.url);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
type Any = (input: unknown) => unknown;
const BEGUN = 15;
let pool: WorkPool;
let words: Int32Array;

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64));
});
afterEach(() => pool.close());

async function start(threads: number): Promise<void> {
  pool = createWorkPool({ threads });
  await pool.ready();
}
function series(name: string, options: Partial<SeriesOptions<Any>> = {}): Series<Any> {
  return pool.series<Any>({ fn: { module, name }, shared: words, ...options });
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
async function begun(count: number): Promise<void> {
  while (Atomics.load(words, BEGUN) < count) await turn();
}
function open(at: number): void {
  Atomics.store(words, at, 1);
  Atomics.notify(words, at);
}
const slowInput = (at: number): Map<string, number> => new Map([['at', at]]);
const handOver = (s: Series<Any>) => {
  const bytes = new Uint8Array(100_000);
  const result = s.run(bytes, { transfer: [bytes.buffer] });
  expect(bytes.length).toBe(0);
  return result;
};

// The slow job ends only when all others have begun: one that is left behind it would wait for ever.
test.each([
  ['a copy', (s: Series<Any>) => s.run(new Map())],
  ['handed over', handOver],
])(
  'inputs do not wait behind a slow function while another thread is idle: %s',
  async (_, submit) => {
    await start(2);
    await using s = series('blockOrNot');
    await s.ready();
    for (let round = 0; round < 4; round += 1) {
      const slow = s.run(slowInput(round));
      const rest = range(20).map(() => submit(s));
      await begun(21 * (round + 1));
      open(round);
      const worker = await slow;
      expect(new Set(await Promise.all(rest)).has(worker)).toBe(false);
    }
  },
);

test('neither do those that were sent when the thread was not known to be slow', async () => {
  await start(2);
  await using s = series('blockOrNot');
  // Tiny ones: many are with each thread before they are begun.
  await Promise.all(range(500).map(() => s.run(new Map())));
  const all = range(100).map((i) => s.run(i === 50 ? slowInput(0) : new Map()));
  await begun(600);
  open(0);
  expect(await Promise.all(all)).toHaveLength(100);
});

test('nor behind one that works for another series', async () => {
  await start(2);
  await using slow = series('blockOrNot');
  await using s = series('sum');
  await Promise.all([slow.ready(), s.ready()]);
  const first = slow.run(slowInput(0));
  await begun(1);
  const rest = range(10).map((i) => {
    const bytes = new Uint8Array(200_000).fill(i % 2);
    return s.run(bytes, i < 5 ? {} : { transfer: [bytes.buffer] });
  });
  expect(await Promise.all(rest)).toEqual(range(10).map((i) => (i % 2) * 200_000));
  open(0);
  await first;
});

test('an input that is handed over finds a thread though all go from job to job of another series', async () => {
  await start(2);
  await using busy = series('entries', { window: 8 });
  await using s = series('sum');
  await Promise.all([busy.ready(), s.ready()]);
  let stop = false;
  const streams = range(8).map(async () => {
    while (!stop) await busy.run(new Map([[1, 2]]));
  });
  for (let i = 0; i < 5; i += 1) {
    const bytes = new Uint8Array(10).fill(i);
    expect(await s.run(bytes, { transfer: [bytes.buffer] })).toBe(10 * i);
  }
  stop = true;
  await Promise.all(streams);
});

test('an object that cannot be handed over is refused at once, and nothing has happened', async () => {
  await start(1);
  await using s = series('sum');
  const refused = expect.objectContaining({ code: 'ERR_PADATA_CLONE' });
  // Gone already: it could be posted, but no thread could take it.
  const { buffer } = new Uint8Array(8);
  structuredClone(buffer, { transfer: [buffer] });
  expect(() => s.submit(new Uint8Array(3), () => undefined, [buffer])).toThrow(refused);
  expect(() => s.submit(new Uint8Array(3), () => undefined, [{}])).toThrow(refused);
  const bytes = new Uint8Array(3).fill(2);
  expect(await s.run(bytes, { transfer: [bytes.buffer] })).toBe(6);
  expect(s.stats().submitted).toBe(1);
});

test('a result that cannot be handed over is an error of its own job; the thread goes on', async () => {
  await start(1);
  await using s = series('handsOver');
  const results = await Promise.allSettled([2, 3, 4].map((n) => s.run(n)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: { code: 'ERR_PADATA_CLONE', details: { seq: 1 } } });
  expect(pool.stats().deaths).toBe(0);
});

test('an input that is found to be no copy when it is sent fails its own job alone', async () => {
  await start(2);
  await using s = series('entries');
  const inputs = range(60).map((i) => new Map<unknown, unknown>([[i, i % 20 === 7 ? () => i : i]]));
  const results = await Promise.allSettled(inputs.map((input) => s.run(input)));
  results.forEach((result, i) => {
    if (i % 20 !== 7) expect(result).toEqual({ status: 'fulfilled', value: [[i, i]] });
    else
      expect(result).toMatchObject({ reason: { code: 'ERR_PADATA_CLONE', details: { seq: i } } });
  });
});

test('no more promises are pending on a thread than the option says, and all threads have as many', async () => {
  await start(2);
  await using s = series('pend', { pendingPerThread: 3 });
  await s.ready();
  const jobs = range(20).map(() => s.run(new Map()));
  await begun(6);
  for (let i = 0; i < 20; i += 1) await turn();
  expect([...words.subarray(2, 4)]).toEqual([3, 3]);
  open(0);
  await Promise.all(jobs);
  expect([...words.subarray(9, 11)]).toEqual([3, 3]);
});

test('the calling thread gives its jobs copies too, of inputs and of results', async () => {
  pool = createWorkPool({ threads: 0 });
  await using s = series('entries');
  const input = new Map([[1, [2]]]);
  const [[key, list]] = (await s.run(input)) as [[number, number[]]];
  expect([key, list, input.size]).toEqual([1, [2], 1]);
  expect(list).not.toBe(input.get(1));
  await expect(s.run(new Map([[1, () => 1]]))).rejects.toMatchObject({ code: 'ERR_PADATA_CLONE' });
  const bytes = new Uint8Array(5).fill(3);
  expect(await map(pool, [bytes], { module, name: 'sum' })).toEqual([15]);
  await using sums = series('sum');
  expect(await handOver(sums)).toBe(0);
});

test('jobs that wait for a thread run in the caller when there is none any more', async () => {
  await start(1);
  await using s = series('blockOrNot');
  const slow = s.run(slowInput(0));
  await begun(1);
  const rest = [s.run(new Map()), handOver(s), s.run(new Map())];
  pool.resize(0);
  await begun(4);
  open(0);
  expect(await slow).toBe(1);
  expect(await Promise.all(rest)).toEqual([0, 0, 0]);
});

test('a thread has jobs for about two round trips ahead, one at least', () => {
  expect(jobsAtHand(0, 0)).toBe(1);
  expect(jobsAtHand(1e9, 0)).toBe(1);
  expect(jobsAtHand(200_000, 0)).toBe(1);
  expect(jobsAtHand(50_000, 0)).toBe(4);
  // A job by message is never free, and no thread has all there is.
  expect(jobsAtHand(1, 0)).toBe(100);
  expect(jobsAtHand(1, 1000)).toBe(512);
  // The owner answers after its turn.
  expect(jobsAtHand(50_000, 0.9)).toBe(40);
  expect([0, 50_000, 50_001].map(isWorthMoving)).toEqual([true, false, true]);
});

test('a thread gets no input of a series that it has not heard of, however early it is chosen', async () => {
  await start(1);
  await using s = series('blockOrNot', { workers: [3] });
  await s.ready();
  for (let round = 0; round < 3; round += 1) {
    // All in one turn: the job waits, the threads are being started, the third alone may run it.
    const job = s.run(new Map());
    pool.resize(4);
    expect(await job).toBe(3);
    pool.resize(1);
    await pool.ready();
    expect(await s.run(new Map())).toBe(1);
  }
});

test('a large input stays with the thread that takes it in, however long that is: it is copied once, or once more', async () => {
  await start(2);
  const large = series('sizeOf');
  await large.ready();
  await large.run(new Map());
  let copies = 0;
  const counted = {
    get one() {
      copies += 1;
      return 1;
    },
  };
  const input = new Map<string, unknown>([
    ['text', 'x'.repeat(30_000_000)],
    ['counted', counted],
  ]);
  expect(await large.run(input)).toBe(2);
  expect(copies).toBeLessThanOrEqual(2);
});
