// Limits of one call: from its start, from its submission. No test here fails because something took longer than expected.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool, wrap } from '@bootmem/padata';
import type { Series, SeriesOptions, WorkPool } from '@bootmem/padata';

const module = new URL('../fixtures/limit-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
const [GATE, BEGUN, STOPPED] = [0, 1, 2];
let pool: WorkPool;
let words: Int32Array;

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64));
});
afterEach(() => pool.close());

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await later(1);
}
const at = (index: number) => Atomics.load(words, index);
function open(): void {
  Atomics.store(words, GATE, 1);
  Atomics.notify(words, GATE);
}
function series(name: string, options: Partial<SeriesOptions<Any>> = {}): Series<Any> {
  return pool.series<Any>({ fn: { module, name }, shared: words, graceMs: 20, ...options });
}
const codeOf = (job: Promise<unknown>) =>
  job.then(
    (value) => value,
    (reason: unknown) => {
      const { code, details } = reason as { code: string; details: { since: string } };
      return `${code} ${details.since}`;
    },
  );
const START = 'ERR_PADATA_TIMEOUT start';
const SUBMISSION = 'ERR_PADATA_TIMEOUT submission';

for (const order of ['submission', 'none'] as const) {
  test(`order ${order}: a limit from the start does not run while the job waits for a thread`, async () => {
    pool = createWorkPool({ threads: 1 });
    await using s = series('gated', { order });
    const first = s.run('first', { timeoutMs: 600_000 });
    await until(() => at(BEGUN) === 1);
    const waiting = s.run('second', { timeoutMs: 100 });
    let isOver = false;
    void waiting.finally(() => (isOver = true)).catch(() => undefined);
    await later(250);
    expect(isOver).toBe(false);
    open();
    expect(await Promise.all([first, waiting])).toEqual(['first', 'second']);
  });

  test(`order ${order}: one from the submission does, and the job never begins`, async () => {
    pool = createWorkPool({ threads: 1 });
    await using s = series('gated', { order, window: 2 });
    const first = s.run('first');
    await until(() => at(BEGUN) === 1);
    // Some have a slot, some wait for one.
    const waiting = Array.from({ length: 6 }, (_, i) => codeOf(s.run(i, { deadlineMs: 5 + i })));
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => SUBMISSION));
    const behind = s.run('behind', { deadlineMs: 600_000, timeoutMs: 600_000 });
    open();
    expect(await Promise.all([first, behind])).toEqual(['first', 'behind']);
    expect(at(BEGUN)).toBe(2);
    expect(s.stats()).toMatchObject({ delivered: 8, failed: 6 });
  });

  test(`order ${order}: what runs is asked to stop, neighbours go on`, async () => {
    pool = createWorkPool({ threads: 2 });
    // Time enough for a thread to be heard on a busy machine, before it is replaced for the one that never ends.
    await using s = series('patient', { order, graceMs: 3000 });
    const asked = codeOf(s.run('until asked', { timeoutMs: 10 }));
    const never = codeOf(s.run('never', { timeoutMs: 10 }));
    const others = Array.from({ length: 50 }, (_, n) => s.run(n));
    expect(await Promise.all([asked, never])).toEqual([START, START]);
    expect(await Promise.all(others)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    await until(() => at(STOPPED) === 1);
    expect(await s.run(7, { timeoutMs: 600_000 })).toBe(7);
  });
}

for (const order of ['submission', 'none'] as const) {
  test(`order ${order}: a job that has ended in time is in time, however late it is told`, async () => {
    pool = createWorkPool({ threads: 1 });
    await using s = series('gated', { order });
    open();
    await s.run('warm');
    // This thread does not listen while all of them end, and their limits.
    const jobs = ['text', 1, { n: 1 }].map((n) => s.run(n, { deadlineMs: 20 }));
    await Promise.resolve();
    const until = performance.now() + 40;
    while (performance.now() < until || s.busyJobs() > 0);
    expect(await Promise.all(jobs)).toEqual(['text', 1, { n: 1 }]);
    expect(s.stats()).toMatchObject({ delivered: 4, failed: 0 });
  });
}

test('one that has ended and waits for its turn is in time; one that has not is not', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = series('pausing');
  await s.ready();
  const first = s.run('gate');
  const second = s.run('second', { deadlineMs: 30 });
  await until(() => s.busyJobs() === 1);
  const third = codeOf(s.run('gate', { deadlineMs: 30 }));
  expect(await third).toBe(SUBMISSION);
  open();
  expect(await Promise.all([first, second])).toEqual(['gate', 'second']);
});

test('a function that keeps its thread is asked, and loses the thread when it does not listen', async () => {
  pool = createWorkPool({ threads: 1 });
  await using s = series('stubborn');
  const exits: boolean[] = [];
  pool.on('worker-exit', ({ expected }) => exits.push(expected));
  expect(await codeOf(s.run('listens', { timeoutMs: 5 }))).toBe(START);
  await until(() => at(STOPPED) === 1);
  expect(exits).toEqual([]);
  expect(await codeOf(s.run('for ever', { timeoutMs: 5 }))).toBe(START);
  await until(() => exits.length === 1);
});

test('an outcome that comes first is the outcome, and nothing of the limit is left', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = series('patient');
  const jobs = Array.from({ length: 200 }, (_, n) =>
    s.run(n, { timeoutMs: 40, deadlineMs: 400_000 }),
  );
  expect(await Promise.all(jobs)).toEqual(jobs.map((_, n) => n));
  await later(100);
  expect(await s.run(1)).toBe(1);
  expect(s.stats()).toMatchObject({ delivered: 201, failed: 0 });
  // A signal beside them is let go of too, and is its own reason when it comes first.
  const control = new AbortController();
  const aborted = s.run('never', {
    signal: control.signal,
    timeoutMs: 600_000,
    deadlineMs: 600_000,
  });
  control.abort(new RangeError('mine'));
  await expect(aborted).rejects.toThrow('mine');
});

test('a thread that dies first is the reason; a job that is run again has its time again', async () => {
  pool = createWorkPool({ threads: 1 });
  await using once = series('mortal');
  const options = { timeoutMs: 600_000, deadlineMs: 600_000 };
  await expect(once.run(1, options)).rejects.toMatchObject({ code: 'ERR_PADATA_WORKER_DIED' });
  Atomics.store(words, 3, 0);
  await using again = series('mortal', { idempotent: true });
  expect(await again.run(2, options)).toBe(2);
});

test('pool.run, wrap and the calling thread have limits too', async () => {
  pool = createWorkPool({ threads: 1 });
  await expect(pool.run({ module, name: 'nothing' }, 1, { deadlineMs: 0 })).rejects.toMatchObject({
    code: 'ERR_PADATA_ARGUMENT',
  });
  const members = wrap<Record<string, Any>>(pool, module, { shared: words, graceMs: 20 });
  const limited = members['patient']!('never', { timeoutMs: 5 });
  expect(await codeOf(limited)).toBe(START);
  await pool.close();
  pool = createWorkPool({ threads: 0 });
  await using here = series('patient');
  expect(await codeOf(here.run('never', { timeoutMs: 5 }))).toBe(START);
  expect(await codeOf(here.run('never', { deadlineMs: 5 }))).toBe(SUBMISSION);
  expect(await here.run(3, { timeoutMs: 600_000 })).toBe(3);
});

test.each([0, -1, 1.5, NaN, 2 ** 31, '5', null])(
  '%p is no limit, and nothing happens',
  async (ms) => {
    pool = createWorkPool({ threads: 0 });
    await using s = series('patient');
    for (const name of ['timeoutMs', 'deadlineMs']) {
      const job = s.run(1, { [name]: ms });
      await expect(job).rejects.toMatchObject({ code: 'ERR_PADATA_ARGUMENT', details: { name } });
    }
    expect(s.stats().submitted).toBe(0);
  },
);
