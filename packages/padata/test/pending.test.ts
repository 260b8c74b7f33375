// Aborted jobs whose promises are pending: the caller hears at once, the place in the order stays, the neighbours on
// the thread notice nothing, and the bytes of a function that nobody waits for go to no other job.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool, map } from '@bootmem/padata';
import type { Series, SeriesOptions, WorkPool } from '@bootmem/padata';

const module = new URL('./fixtures/pending-jobs.mjs', import.meta.url);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
type Any = (input: unknown) => unknown;
const BEGUN = 15;
const SCRIBBLES = 14;
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
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
function open(at: number): void {
  Atomics.store(words, at, 1);
  Atomics.notify(words, at);
}
const begun = (count: number) => until(() => Atomics.load(words, BEGUN) >= count);
/** What a promise has come to so far. */
function watch(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'pending' };
  promise.then(
    () => (seen.state = 'fulfilled'),
    () => (seen.state = 'rejected'),
  );
  return seen;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('300 jobs that never end are aborted, window 64: 10 000 others around them are all right', async () => {
  await start(2);
  await using s = series('mixed', { window: 64, graceMs: 200 });
  const never = Array.from({ length: 300 }, () => new AbortController());
  const order: number[] = [];
  const bad: Promise<unknown>[] = [];
  const good: Promise<unknown>[] = [];
  for (let k = 0; k < 10_000; k += 1) {
    if (k % 33 === 0 && bad.length < 300) {
      bad.push(s.run(-1, { signal: never[bad.length]!.signal }).catch((error: unknown) => error));
    }
    const job = s.run(k);
    void job.then((n) => order.push(n as number));
    good.push(job);
  }
  await turn();
  never.forEach((control, k) => {
    setTimeout(() => {
      control.abort(new Error(`never ${k}`));
    }, k % 7);
  });
  expect(await Promise.all(good)).toEqual(range(10_000));
  expect(order).toEqual(range(10_000));
  expect((await Promise.all(bad)).map((e) => (e as Error).message)).toEqual(
    range(300).map((k) => `never ${k}`),
  );
  expect(s.stats()).toMatchObject({ delivered: 10_300, failed: 300, inFlight: 0 });
  await pool.ready();
  expect(pool.stats()).toMatchObject({ ready: 2, deaths: 0 });
}, 60_000);

test('an aborted run rejects in the turn of the abort; its place counts later, drain waits for it', async () => {
  await start(1);
  await using s = series('block', { halt: 'soon,fail=2', graceMs: 60_000 });
  const control = new AbortController();
  const head = watch(s.run(0));
  const running = watch(s.run(1));
  const queued = watch(s.run(2, { signal: control.signal }));
  await begun(1);
  control.abort(new Error('enough'));
  await turn();
  expect([head.state, running.state, queued.state]).toEqual(['pending', 'pending', 'rejected']);
  expect(s.stats()).toMatchObject({ failed: 0, inFlight: 3 });
  const drained = watch(s.drain());
  await turn();
  expect(drained.state).toBe('pending');
  open(0);
  open(1);
  await s.drain();
  await turn();
  expect([head.state, running.state, queued.state]).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(s.stats()).toMatchObject({ delivered: 3, failed: 1, inFlight: 0 });
});

test('a job that ends after its abort has failed all the same, for halt and figures too', async () => {
  await start(1);
  await using s = series('polite', { halt: 'soon,fail=1', graceMs: 60_000 });
  const control = new AbortController();
  const job = s.run(7, { signal: control.signal });
  await begun(1);
  control.abort();
  await expect(job).rejects.toMatchObject({ name: 'AbortError' });
  await s.drain();
  expect(s.stats()).toMatchObject({ delivered: 1, failed: 1 });
  expect(() => s.submit(1, () => undefined)).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_HALTED' }),
  );
  expect(pool.stats().deaths).toBe(0);
});

test('map with a signal rejects in the turn of the abort', async () => {
  await start(1);
  const control = new AbortController();
  const fn = { module, name: 'mixed' };
  const all = watch(map<Any>(pool, [-1, -1, 3], fn, { signal: control.signal, graceMs: 60_000 }));
  await turn();
  control.abort(new Error('enough'));
  await turn();
  expect(all.state).toBe('rejected');
});

test('a pending job that is aborted costs its neighbours nothing; the thread is replaced when they have ended', async () => {
  await start(1);
  await using s = series('pend', { graceMs: 1 });
  const exits: number[] = [];
  pool.on('worker-exit', ({ worker }) => exits.push(worker));
  const control = new AbortController();
  const before = s.run(0);
  const aborted = s.run(1, { signal: control.signal });
  const after = s.run(2);
  await begun(3);
  control.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  open(0);
  expect(await before).toBe(1);
  // Settled, though its function goes on: the neighbour's end is what the thread waits for.
  await until(() => s.stats().delivered === 2);
  expect(exits).toEqual([]);
  open(2);
  expect(await after).toBe(1);
  open(3);
  expect(await s.run(3)).toBe(1);
  expect(exits).toEqual([1]);
  expect(pool.stats().deaths).toBe(0);
});

test.each([
  ['some of the arena', 3, 3000],
  ['nearly all of it', 7, 5000],
])(
  'bytes that abandoned functions see and write go to no other job: %s',
  async (_what, jobs, bytes) => {
    await start(2);
    await using s = series('scribble', { window: 8, slotBytes: 8192, graceMs: 1, workers: [1] });
    await using held = series('pend', { workers: [1] });
    // A neighbour: the thread does not end, and its functions go on writing, before this is opened.
    const neighbour = held.run(0);
    // Should the thread end nevertheless, nobody writes any more: this says why, instead of waiting.
    const ended = neighbour.then(() => Promise.reject(new Error('the neighbour has ended')));
    ended.catch(() => undefined);
    const controls = range(jobs).map(() => new AbortController());
    const bad = controls.map((c) =>
      s.run(new Uint8Array(bytes).fill(255), { signal: c.signal }).catch((e: unknown) => e),
    );
    await begun(jobs + 1);
    for (const control of controls) control.abort(new Error('enough'));
    await Promise.all(bad);
    await s.drain();
    s.setWorkers([1, 2]);
    for (const n of range(40)) {
      const [one, two] = [new Uint8Array(2500 + n).fill(n), new Uint8Array(9).fill(n)];
      const seen = Atomics.load(words, SCRIBBLES);
      const results = await Promise.all([s.run(one), s.run(two)]);
      expect(results).toEqual([one.map((b) => b + 1), two.map((b) => b + 1)]);
      await Promise.race([until(() => Atomics.load(words, SCRIBBLES) > seen), ended]);
    }
    open(0);
    expect(await neighbour).toBe(1);
    // The replacement: all bytes are there again.
    await pool.ready();
    expect(await s.run(new Uint8Array(8000))).toEqual(new Uint8Array(8000).fill(1));
  },
);

test('a function that keeps its thread after the abort: the thread ends, what was pending there runs again if it may', async () => {
  await start(1);
  await using s = series('trap', { graceMs: 20 });
  await using other = series('pend');
  await using again = series('again', { idempotent: true });
  const control = new AbortController();
  const trapped = s.run(0, { signal: control.signal });
  const neighbour = other.run(1).catch((error: unknown) => error);
  const second = again.run(2);
  await begun(3);
  open(0);
  control.abort(new Error('enough'));
  await expect(trapped).rejects.toThrow('enough');
  expect(await neighbour).toMatchObject({ code: 'ERR_PADATA_WORKER_DIED' });
  expect(await second).toBe('again');
});
