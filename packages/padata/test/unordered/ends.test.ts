// Jobs without an order that end from outside: aborts, deaths, resizing, modules that do not load, closing. Each promise
// settles, each outcome is its job's own, and nobody waits for anybody else.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { Series, SeriesOptions, WorkPool } from '@bootmem/padata';

const jobs = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const pending = new URL('../fixtures/pending-jobs.mjs', import.meta.url);
const messages = new URL('../fixtures/message-jobs.mjs', import.meta.url);
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

function series(module: URL, name: string, options: Partial<SeriesOptions<Any>> = {}): Series<Any> {
  return pool.series<Any>({ fn: { module, name }, order: 'none', shared: words, ...options });
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
const begun = (count: number) => until(() => Atomics.load(words, BEGUN) >= count);
function open(at: number): void {
  Atomics.store(words, at, 1);
  Atomics.notify(words, at);
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
function watch(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'pending' };
  promise.then(
    () => (seen.state = 'fulfilled'),
    () => (seen.state = 'rejected'),
  );
  return seen;
}
/** How promises end: their values, or the codes or messages of their errors. */
async function ends(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises);
  return results.map((r) => {
    if (r.status === 'fulfilled') return r.value;
    const { code, message } = r.reason as { code?: string; message: string };
    return code ?? message;
  });
}

test('300 jobs that never end are aborted, window 64: 10 000 others around them are all right', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = series(pending, 'mixed', { window: 64, graceMs: 50 });
  const never = range(300).map(() => new AbortController());
  const bad: Promise<unknown>[] = [];
  const good: Promise<unknown>[] = [];
  for (const k of range(10_000)) {
    if (k % 33 === 0 && bad.length < 300)
      bad.push(s.run(-1, { signal: never[bad.length]!.signal }));
    good.push(s.run(k));
  }
  await turn();
  never.forEach((control, k) => {
    setTimeout(() => {
      control.abort(new Error(`never ${k}`));
    }, k % 7);
  });
  expect(await ends(bad)).toEqual(range(300).map((k) => `never ${k}`));
  expect(await Promise.all(good)).toEqual(range(10_000));
  await s.drain();
  expect(s.stats()).toMatchObject({ delivered: 10_300, failed: 300, inFlight: 0 });
  expect(pool.stats().deaths).toBe(0);
}, 60_000);

test('an aborted job ends at once wherever it is; the others go on', async () => {
  pool = createWorkPool({ threads: 1 });
  await using s = series(pending, 'block', { window: 2, graceMs: 60_000 });
  const controls = range(4).map(() => new AbortController());
  const runs = range(4).map((n) => s.run(n, { signal: controls[n]!.signal }));
  const seen = runs.map(watch);
  await begun(1);
  // One runs, one waits in its slot, two wait for room.
  controls[1]!.abort(new Error('one'));
  controls[3]!.abort(new Error('three'));
  await turn();
  expect(seen.map(({ state }) => state)).toEqual(['pending', 'rejected', 'pending', 'rejected']);
  open(0);
  open(2);
  expect(await ends(runs)).toEqual([0, 'one', 2, 'three']);
  await s.drain();
  expect(s.stats()).toMatchObject({ submitted: 4, delivered: 4, failed: 2, overflow: 0 });
});

test('a series that is aborted ends all at once, also what waits for room while the window is kept', async () => {
  pool = createWorkPool({ threads: 1 });
  const s = series(pending, 'block', { window: 2, graceMs: 60_000 });
  const runs = range(6).map((n) => s.run(n));
  await begun(1);
  const others = ends(runs.slice(1));
  s.abort(new Error('enough'));
  expect(await others).toEqual(range(5).map(() => 'enough'));
  expect(s.stats()).toMatchObject({ inFlight: 1, overflow: 0 });
  open(0);
  // What runs may end well: it was asked to stop, and did not have to.
  expect(await runs[0]).toBe(0);
  await s.close();
  expect(() => s.submit(1, () => undefined)).toThrow('enough');
});

test('halt counts outcomes as they come', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = series(jobs, 'failOdd', { halt: 'soon,fail=2', window: 4 });
  const all = await ends(range(200).map((n) => s.run(n)));
  expect(all.filter((end) => end === 'ERR_PADATA_JOB_FAILED').length).toBeGreaterThanOrEqual(2);
  expect(all).toContain('ERR_PADATA_HALTED');
});

test('an abort without a reason is an AbortError', async () => {
  pool = createWorkPool({ threads: 1 });
  const s = series(pending, 'pend');
  const run = s.run(0);
  await begun(1);
  s.abort();
  open(0);
  await run.catch(() => undefined);
  await expect(s.run(1)).rejects.toMatchObject({ name: 'AbortError' });
  await s.close();
});

test('bytes that abandoned functions see and write go to no other job', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = series(pending, 'scribble', {
    window: 8,
    slotBytes: 8192,
    graceMs: 1,
    workers: [1],
  });
  await using held = series(pending, 'pend', { workers: [1] });
  // A neighbour: the thread does not end, and its functions go on writing, before this is opened.
  const neighbour = held.run(0);
  const ended = neighbour.then(() => Promise.reject(new Error('the neighbour has ended')));
  ended.catch(() => undefined);
  const controls = range(5).map(() => new AbortController());
  const bad = controls.map((c) => s.run(new Uint8Array(5000).fill(255), { signal: c.signal }));
  await begun(6);
  for (const control of controls) control.abort(new Error('enough'));
  await ends(bad);
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
  await neighbour;
  await pool.ready();
  expect(await s.run(new Uint8Array(8000))).toEqual(new Uint8Array(8000).fill(1));
});

test.each([
  ['once', false],
  ['again where it may', true],
])(
  'a thread that dies: its job fails, or is run %s; all others end well',
  async (_how, idempotent) => {
    pool = createWorkPool({ threads: 2 });
    await using s = series(jobs, 'exitAt', { window: 32, idempotent });
    const inputs = range(300).map((n) => (n % 50 === 13 ? 13 : n + 100));
    const all = await ends(inputs.map((n) => s.run(n)));
    expect(all).toEqual(inputs.map((n) => (n === 13 ? 'ERR_PADATA_WORKER_DIED' : n)));
    expect(s.stats()).toMatchObject({ delivered: 300, failed: 6, retried: idempotent ? 6 : 0 });
  },
  60_000,
);

test('what a dead thread had reserved and not begun, others run; details say which job died', async () => {
  pool = createWorkPool({ threads: 1 });
  await using s = series(pending, 'exits', { window: 64 });
  const error = await s.run(0).catch((e: unknown) => e);
  expect(error).toMatchObject({
    code: 'ERR_PADATA_WORKER_DIED',
    details: { seq: 0, started: true },
  });
  await using again = series(pending, 'stuckOnce', { window: 64, idempotent: true, graceMs: 20 });
  Atomics.store(words, 13, 0);
  const control = new AbortController();
  const stuck = again.run(0, { signal: control.signal });
  const others = range(20).map(() => again.run(0));
  await begun(1);
  control.abort(new Error('enough'));
  expect(await ends([stuck])).toEqual(['enough']);
  expect(await Promise.all(others)).toEqual(others.map(() => 'again'));
});

test('an input by message whose thread dies goes to another, if it is still here', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = series(messages, 'blockOrNot', { window: 16 });
  const blocked = range(2).map(() => s.run(new Map([['at', 0]])));
  const waiting = range(6).map(() => s.run(new Map([['at', -1]])));
  await begun(2);
  await using killer = series(jobs, 'exitAt', { window: 2 });
  const killed = killer.run(13);
  open(0);
  await ends([...blocked, killed]);
  for (const end of await ends(waiting)) expect([1, 2]).toContain(end);
});

test('resize(0) while jobs wait: they run here; resize back: in threads', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = series(jobs, 'same', { window: 8 });
  await s.run(1);
  const all = range(200).map((n) => s.run(n % 3 === 0 ? new Map([[n, n]]) : n));
  pool.resize(0);
  await Promise.all(all);
  const more = range(50).map((n) => s.run(n));
  pool.resize(2);
  expect(await Promise.all(more)).toEqual(range(50));
});

test('masks: jobs whose workers have gone run on others', async () => {
  pool = createWorkPool({ threads: 3 });
  await using s = series(jobs, 'same', { window: 8, workers: [3] });
  const all = range(100).map((n) => s.run(n));
  pool.resize(2);
  expect(await Promise.all(all)).toEqual(range(100));
  s.setWorkers([1]);
  expect(await Promise.all(range(50).map((n) => s.run(n)))).toEqual(range(50));
});

test('a module that does not load: every job ends with that, whatever waits', async () => {
  pool = createWorkPool({ threads: 2 });
  const module = new URL('../fixtures/no-such-module.mjs', import.meta.url);
  const s = series(module, 'same', { window: 4 });
  const all = await ends(range(20).map((n) => s.run(n)));
  expect(all).toEqual(range(20).map(() => 'ERR_PADATA_MODULE'));
  const dies = new URL('../fixtures/exits-at-load.mjs', import.meta.url);
  const d = series(dies, 'same', { window: 4 });
  expect(await ends(range(9).map((n) => d.run(n)))).toEqual(
    range(9).map(() => 'ERR_PADATA_MODULE'),
  );
  await using good = series(jobs, 'same');
  expect(await good.run(5)).toBe(5);
  await Promise.all([s.close(), d.close()]);
}, 30_000);

test('close waits for all that was accepted; the pool that closes ends it', async () => {
  pool = createWorkPool({ threads: 2 });
  const s = series(jobs, 'later', { window: 4 });
  const all = range(20).map((n) => s.run(n));
  await s.close();
  expect(await Promise.all(all)).toEqual(range(20));
  expect(s.stats()).toMatchObject({ delivered: 20 });
  const other = series(pending, 'pend', { window: 4 });
  const open_ = ends(range(9).map(() => other.run(0)));
  await begun(1);
  await pool.close();
  for (const end of await open_) {
    expect(['the pool was closed', 'ERR_PADATA_CLOSED', 'ERR_PADATA_WORKER_DIED']).toContain(end);
  }
});

test('a stalled series says which job is out for longest', async () => {
  pool = createWorkPool({ threads: 2 });
  const reports: unknown[] = [];
  await using s = series(pending, 'pend', {
    window: 8,
    watchdogMs: 5,
    onStall: (report) => reports.push(report),
  });
  const runs = [s.run(0), s.run(1)];
  await begun(2);
  open(1);
  await runs[1];
  reports.length = 0;
  await until(() => reports.length > 0);
  expect(reports[0]).toMatchObject({ seq: 0, state: 'running', behind: 0 });
  open(0);
  await runs[0];
});
