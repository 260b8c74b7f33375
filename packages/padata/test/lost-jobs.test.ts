// Jobs whose threads die, and threads that only look dead.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MessageChannel } from 'node:worker_threads';
import { createWorkPool } from '@bootmem/padata';
import type { SeriesOptions, WorkPool } from '@bootmem/padata';
import type { DeferredJob } from '@bootmem/padata/worker';
import { RING, ringMemory } from '../dist/protocol/ring-layout.js';

type Any = (input: unknown) => unknown;
const module = new URL('./fixtures/pending-jobs.mjs', import.meta.url);
const others = new URL('./fixtures/series-jobs.mjs', import.meta.url);
const TRIES = 13;
const BEGUN = 15;
let pool: WorkPool;
let words: Int32Array;

beforeEach(async () => {
  words = new Int32Array(new SharedArrayBuffer(64));
  pool = createWorkPool({ threads: 1 });
  await pool.ready();
});
afterEach(() => pool.close());

const series = (name: string, options: Partial<SeriesOptions<Any>> = {}) =>
  pool.series<Any>({ fn: { module, name }, shared: words, ...options });
const begun = async (count: number) => {
  while (Atomics.load(words, BEGUN) < count) await new Promise((resolve) => setTimeout(resolve, 1));
};

// By message, and in a slot.
test.each([new Map([[1, 2]]), 'text'])(
  'a job that ends each thread that runs it fails after its retries: %j',
  async (input) => {
    await using s = series('exits', { idempotent: true, retries: 2 });
    const job = s.run(input);
    await expect(job).rejects.toMatchObject({
      code: 'ERR_PADATA_WORKER_DIED',
      details: { exitCode: 7 },
    });
    expect(words[TRIES]).toBe(3);
    expect(s.stats()).toMatchObject({ retried: 2, failed: 1 });
  },
);

test('a job that was aborted and loses its thread is not run again', async () => {
  await using s = series('stuckOnce', { idempotent: true, retries: 5, graceMs: 0 });
  const control = new AbortController();
  const job = s.run(1, { signal: control.signal });
  await begun(1);
  control.abort(new Error('enough'));
  await expect(job).rejects.toThrow('enough');
  await s.drain();
  expect(words[TRIES]).toBe(1);
  expect(s.stats()).toMatchObject({ retried: 0, failed: 1 });
  expect(await s.run(2)).toBe('again');
});

test('a thread that is to leave and runs a job that nobody has cancelled is not stuck, however long that takes', async () => {
  await using s = series('pend', { graceMs: 0 });
  await using blocks = series('block');
  const control = new AbortController();
  const aborted = s.run(1, { signal: control.signal });
  await begun(1);
  const patient = blocks.run(0);
  await begun(2);
  // Its promise is pending: it is abandoned, and the thread is to leave.
  control.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  await s.drain();
  // Whoever took it for stuck would have ended it by now.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  Atomics.store(words, 0, 1);
  expect(await patient).toBe(0);
  expect(pool.stats().deaths).toBe(0);
});

test('a deferred job that is settled from outside is waited for no longer', async () => {
  await using s = pool.series<Any>({ fn: { module: others, name: 'deferToShared' } });
  const { port1, port2 } = new MessageChannel();
  const control = new AbortController();
  const handle = new Promise<DeferredJob>((resolve) => {
    port1.once('message', resolve);
  });
  const job = s.run({ port: port2 }, { transfer: [port2], signal: control.signal });
  const { buffer, window, arenaBytes } = await handle;
  const ring = ringMemory(buffer, window, arenaBytes).words;
  expect(Atomics.load(ring, RING.DEFERRED)).toBe(1);
  control.abort(new Error('enough'));
  await expect(job).rejects.toThrow('enough');
  await s.drain();
  expect(Atomics.load(ring, RING.DEFERRED)).toBe(0);
  port1.close();
});

test('a function that asks for bytes when its job has ended gets none of the next job in its slot', async () => {
  await using s = series('late', { window: 1 });
  expect(await s.run(0)).toBe(0);
  expect(await s.run(7)).toEqual(new Uint8Array(16).fill(7));
});
