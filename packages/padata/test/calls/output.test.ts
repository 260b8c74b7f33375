// What a job writes to its standard streams, told before its outcome: all of it or the first bytes, whose it is, and what is
// nobody's goes the ordinary way.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool, map, wrap } from '@bootmem/padata';
import type { JobOptions, JobOutput, SeriesOptions, WorkPool } from '@bootmem/padata';
import { OutputKeeper } from '../../dist/slot/job-output.js';

const module = new URL('../fixtures/output-jobs.mjs', import.meta.url);
const named = (name: string) => ({ module, name });
type Any = (input: unknown) => unknown;
let pool: WorkPool;
afterEach(() => pool.close());

const series = (name: string, options: Partial<SeriesOptions<Any>> = {}) =>
  pool.series<Any>({ fn: named(name), captureOutput: true, ...options });
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};
const text = (stdout: string, stderr = ''): JobOutput => ({ stdout, stderr, truncated: false });
const later = (name: string) =>
  text(
    [0, 1, 2, 3, 4].map((i) => `${name} ${i}\n`).join(''),
    [0, 1, 2, 3, 4].map((i) => `${name} ${i}!\n`).join(''),
  );

test.each(['submission', 'none'] as const)(
  'each job has its own, before its outcome, whatever that is: order %s',
  async (order) => {
    pool = createWorkPool({ threads: 2 });
    for (const name of ['says', 'saysLater']) {
      await using s = series(name, { order });
      const outcomes = ['number', 'text', 'object', 'nothing', 'error'];
      await Promise.all(
        [...outcomes, ...outcomes].map(async (outcome, i) => {
          const told: unknown[] = [];
          const onOutput = (output: JobOutput): unknown => told.push(output);
          const ended = s.run([`job ${i}`, outcome], { onOutput });
          await ended.then(
            () => told.push('ends'),
            (error: unknown) => told.push((error as { code: string }).code),
          );
          const own = name === 'says' ? text(`job ${i}\n`, `job ${i}!\n`) : later(`job ${i}`);
          expect(told).toEqual([own, outcome === 'error' ? 'ERR_PADATA_JOB_FAILED' : 'ends']);
        }),
      );
    }
  },
);

test('jobs that overlap on one thread are told apart; pool.run needs no series for it', async () => {
  pool = createWorkPool({ threads: 1 });
  const names = Array.from({ length: 20 }, (_, i) => `job ${i}`);
  await Promise.all(
    names.map(async (name) => {
      let told: JobOutput | undefined;
      const onOutput = (output: JobOutput): void => void (told = output);
      expect(await pool.run(named('saysLater'), [name, 'number'], { onOutput })).toBe(7);
      expect(told).toEqual(later(name));
    }),
  );
  let told: JobOutput | undefined;
  await pool.run(named('nested'), 'x', { onOutput: (output) => (told = output) });
  expect(told).toEqual(text('x microtask\nx tick\nx immediate\n'));
});

test('every way to write is one; callbacks come, and bytes are those of the moment', async () => {
  pool = createWorkPool({ threads: 1 });
  let told: JobOutput | undefined;
  const calls = await pool.run(named('inManyWays'), 0, { onOutput: (output) => (told = output) });
  expect([calls, told]).toEqual([2, text('one two three four\n{ a: 1 }\nsame', 'warned\n')]);
  await pool.run(named('inHalves'), 'süß 漢字 🎈', { onOutput: (output) => (told = output) });
  expect(told).toEqual(text('süß 漢字 🎈'));
});

test('who writes nothing is not told of; a series hears all its jobs, by number', async () => {
  pool = createWorkPool({ threads: 2 });
  const told: unknown[] = [];
  await pool.run(named('quiet'), 1, { onOutput: (output) => told.push(output) });
  expect(told).toEqual([]);
  const onJobOutput = ({ stdout }: JobOutput, seq: number): unknown => told.push([seq, stdout]);
  const inputs = ['a', 'b', 'c'].map((name) => [name, 'number'] as const);
  expect(await map(pool, inputs, named('says'), { onJobOutput })).toEqual([7, 7, 7]);
  expect(told.toSorted()).toEqual([
    [0, 'a\n'],
    [1, 'b\n'],
    [2, 'c\n'],
  ]);
  const jobs = wrap<{ says: (input: readonly string[]) => number }>(pool, module, {
    captureOutput: true,
  });
  let own: JobOutput | undefined;
  await jobs.says(['wrapped', 'number'], { onOutput: (output) => (own = output) });
  expect(own).toEqual(text('wrapped\n', 'wrapped!\n'));
});

test('progress and output of one job are both told', async () => {
  pool = createWorkPool({ threads: 1 });
  await using s = series('progresses');
  for (const name of ['first', 'second']) {
    const told: unknown[] = [];
    const options: JobOptions = {
      onProgress: (value) => told.push(value),
      onOutput: ({ stdout }) => told.push(stdout),
      progress: 'all',
    };
    expect(await s.run(name, options)).toBe(name);
    expect(told.toSorted()).toEqual(['all', `${name}\n${name}\n`, 'half'].toSorted());
    expect(await s.run(name)).toBe(name);
  }
});

test.each([
  [8, ['12345678'], '12345678', false],
  [8, ['123456789'], '12345678', true],
  [8, ['1234', '5678', '9'], '12345678', true],
  [8, ['123456', '漢'], '123456', true],
  [9, ['123456', '漢'], '123456漢', false],
  [1, ['🎈'], '', true],
  [3, ['', 'ü', ''], 'ü', false],
])('of %i bytes at most are kept: %p', async (maxOutputBytes, texts, stdout, truncated) => {
  pool = createWorkPool({ threads: 1 });
  await using s = series('writes', { maxOutputBytes });
  let told: JobOutput | undefined;
  await s.run(texts, { onOutput: (output) => (told = output) });
  expect(told).toEqual({ stdout, stderr: '', truncated });
  const keeper = new OutputKeeper(maxOutputBytes);
  for (const part of texts) keeper.add(1, new TextEncoder().encode(part));
  expect(keeper.close()).toEqual({ stdout: '', stderr: stdout, truncated });
});

test('whoever gave up hears nothing, and the next job is heard as itself', async () => {
  pool = createWorkPool({ threads: 1 });
  const shared = new Int32Array(new SharedArrayBuffer(64));
  await using s = series('deaf', { shared, window: 1, order: 'none' });
  const control = new AbortController();
  const told: unknown[] = [];
  const onOutput = ({ stdout }: JobOutput): unknown => told.push(stdout);
  const first = s.run('first', { signal: control.signal, onOutput });
  await until(() => shared[0] === 1);
  control.abort();
  await expect(first).rejects.toThrow();
  Atomics.store(shared, 1, 1);
  await until(() => shared[0] === 2);
  await s.drain();
  const second = new AbortController();
  const other = s.run('second', { signal: second.signal, onOutput });
  await until(() => shared[0]! >= 3);
  second.abort();
  await expect(other).rejects.toThrow();
  expect(told).toEqual([]);
});

test('what a job had written that left its completion to others, until then; one whose thread ends has none', async () => {
  pool = createWorkPool({ threads: 1 });
  await using s = series('defers');
  const told: string[] = [];
  const onOutput = ({ stdout }: JobOutput): unknown => told.push(stdout);
  const control = new AbortController();
  const job = s.run('x', { signal: control.signal, onOutput });
  await until(() => told.length === 1);
  expect(told).toEqual(['x before\n']);
  control.abort();
  await expect(job).rejects.toThrow();
  const dead = pool.run(named('dies'), 'y', { onOutput });
  await expect(dead).rejects.toMatchObject({ code: 'ERR_PADATA_WORKER_DIED' });
  expect(told).toHaveLength(1);
});

test.each([[2], [0]])(
  'what is captured is not printed, and all else is: %i threads',
  async (threads) => {
    pool = createWorkPool({ threads: 0 });
    const file = fileURLToPath(new URL('../fixtures/programs/captures.mjs', import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file, `${threads}`]);
    const lines = stdout.trim().split('\n');
    // What two threads print has no order.
    expect(lines.slice(0, -1).toSorted()).toEqual(['again', 'left too late', 'plain']);
    expect(stderr).toBe('plain!\nagain!\n');
    const told = JSON.parse(lines.at(-1)!) as JobOutput[];
    const wanted = [
      text('captured\n', 'captured!\n'),
      later('a'),
      later('b'),
      later('c'),
      text('left in time\n'),
    ];
    expect(told.map((one) => JSON.stringify(one)).toSorted()).toEqual(
      wanted.map((one) => JSON.stringify(one)).toSorted(),
    );
  },
);

test.each([[{ captureOutput: 'yes' }], [{ maxOutputBytes: 0 }], [{ onJobOutput: 5 }]])(
  '%p is a mistake',
  (options) => {
    pool = createWorkPool({ threads: 0 });
    expect(() => pool.series({ fn: named('quiet'), ...(options as object) })).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
    );
  },
);

test('onOutput without a series that captures is a mistake', async () => {
  pool = createWorkPool({ threads: 0 });
  const s = pool.series<Any>({ fn: named('quiet') });
  const wanted = { code: 'ERR_PADATA_ARGUMENT', details: { name: 'onOutput' } };
  await expect(s.run(1, { onOutput: () => undefined })).rejects.toMatchObject(wanted);
  await expect(pool.run(named('quiet'), 1, { onOutput: 5 as never })).rejects.toMatchObject(wanted);
});
