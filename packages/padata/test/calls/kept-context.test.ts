// A context belongs to one job. Whoever keeps it and uses it later, within another job, between jobs or while another job has its
// slot, touches nobody's.
import { describe, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import { seesContext } from '../../dist/slot/sees-context.js';
import { ringOf, runnerOf } from '../fixtures/one-thread.js';

const module = new URL('../fixtures/kept-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
interface Seen {
  readonly found: Record<string, unknown>;
  readonly isMine: boolean;
  readonly seq: number;
}

const FAILS = ['throws', 'rejects'];
const ENDS = ['returns', ...FAILS, 'fulfils', 'defers', 'defersAndGoesOn', 'defersLater'];
/** What they give; undefined = their number. */
const GIVES: Readonly<Record<string, unknown>> = {
  returns: 1,
  defers: { before: [false, false] },
  defersAndGoesOn: { before: [false, false] },
  defersLater: 2,
};

describe.each([
  [1, 'submission'],
  [1, 'none'],
  [0, 'submission'],
  [0, 'none'],
] as const)('%i threads, order %s', (threads, order) => {
  test.each(ENDS)('a context whose job %s is nobody else’s', async (way) => {
    // What a function leaves behind runs in the event loop.
    await using pool = createWorkPool({ threads, idle: 'loop' });
    const told: unknown[] = [];
    const onJobProgress = (value: unknown): void => void told.push(value);
    await using s = pool.series<Any>({
      fn: { module, name: 'declared' },
      order,
      // The next job has the same slot.
      window: 1,
      shared: 'of the series',
      onJobProgress,
    });
    let seq = 0;
    for (const use of ['uses', 'usesLater']) {
      const first = s.run(way);
      if (FAILS.includes(way)) await expect(first).rejects.toThrow('as it was told');
      else expect(await first).toEqual(GIVES[way] ?? seq);
      const { found, ...own } = (await s.run(use)) as Seen;
      expect(own).toEqual({ isMine: true, seq: seq + 1 });
      expect(found).toEqual({
        seq,
        worker: threads,
        shared: 'of the series',
        local: undefined,
        aborted: true,
        bytes: false,
        completes: 'ERR_PADATA_DOUBLE_COMPLETE',
      });
      seq += 2;
    }
    expect(told).toEqual([]);
    // Nothing is left over: all are told, and a deferred one is waited for no more.
    await s.drain();
    const { submitted, delivered } = s.stats();
    expect([submitted, delivered]).toEqual([4, 4]);
  });
});

test.each(['declared', 'rest', 'second', 'byDefault', 'old', 'bound', 'proxied', 'method'])(
  'each job has a context of its own, however its function comes by it: %s',
  async (name) => {
    await using pool = createWorkPool({ threads: 1 });
    await using s = pool.series<Any>({ fn: { module, name }, window: 1 });
    expect(await s.run('returns')).toBe(1);
    const { found, ...own } = (await s.run('uses')) as Seen;
    expect(own).toEqual({ isMine: true, seq: 1 });
    expect(found).toMatchObject({ seq: 0, aborted: true, bytes: false });
  },
);

/* eslint-disable prefer-rest-params, @typescript-eslint/no-empty-function --
   the forms that functions have */
test.each<[boolean, (...all: never[]) => unknown]>([
  [false, (n: number) => n],
  [false, () => 1],
  [false, async (n: number) => Promise.resolve(n)],
  [
    false,
    function (n: number) {
      return n;
    },
  ],
  [false, async function named(_n: number) {}],
  [false, ({ a, b: c, ...d }: Record<string, unknown>) => [a, c, d]],
  [false, async ([a, ...b]: unknown[]) => Promise.resolve([a, b])],
  [true, (n: number, ctx: unknown) => [n, ctx]],
  [true, (...all: unknown[]) => all],
  [true, (n: number, ...more: unknown[]) => [n, more]],
  [true, (n = 1, ctx = {}) => [n, ctx]],
  [true, ({ n }: { n: number }, ctx = {}) => [n, ctx]],
  [
    true,
    function (_n: number): unknown {
      return arguments;
    },
  ],
  [true, Math.abs],
  [true, ((n: number) => n).bind(undefined)],
  [true, new Proxy((n: number) => n, {})],
])('can it see what comes second? %p: %p', (sees, fn) => {
  expect(seesContext(fn as (...all: unknown[]) => unknown)).toBe(sees);
});
/* eslint-enable prefer-rest-params, @typescript-eslint/no-empty-function */

test.each([
  'n => arguments',
  'function f(n) { return eval("argu" + "ments")[1]; }',
  'function f(n) { return \\u0061rguments[1]; }',
  '(n /* , ctx */) => n',
  '(n, ) => n',
  '({ a = 1 }) => a',
  '({ a: { b } }) => b',
  '({ a }, ...rest) => rest',
  '([a], ...rest) => rest',
])('what the text of a function leaves open counts as seen: %s', (text) => {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- no translator is to change it
  const made = new Function(`return (${text})`) as () => (...all: unknown[]) => unknown;
  expect(seesContext(made())).toBe(true);
});

test.each(['gives', 'givesLater'])(
  'the job is over for whoever reads its result: %s',
  async (name) => {
    await using pool = createWorkPool({ threads: 1 });
    const told: unknown[] = [];
    const onJobProgress = (value: unknown): void => void told.push(value);
    await using s = pool.series<Any>({ fn: { module, name }, window: 1, onJobProgress });
    for (let n = 0; n < 2; n += 1) expect(await s.run(n)).toEqual({ late: [true, false] });
    expect(told).toEqual([]);
  },
);

test('a function is called as a method of nothing', async () => {
  await using pool = createWorkPool({ threads: 1 });
  expect(await pool.run({ module, name: 'self' }, 0)).toBe(true);
});

test('a job that is run within another has its own context, and leaves the other its', () => {
  const ring = ringOf({ window: 4 });
  const results: unknown[] = [];
  for (const n of [0, 1, 2]) {
    ring.submit(n, (_error, value) => results.push(value), undefined, 0, 0);
  }
  const runner = runnerOf(ring);
  runner.fn = (n, given) => {
    const ctx = given as { readonly seq: number; readonly aborted: boolean };
    if (n === 0) expect([runner.runOne(1), runner.runOne(2)]).toEqual([true, true]);
    return [n, ctx.seq, ctx.aborted];
  };
  expect(runner.runOne(0)).toBe(true);
  ring.deliver(4, 0);
  expect(results).toEqual([0, 1, 2].map((n) => [n, n, false]));
});

test('promises of functions that see no context are each the job’s own, also of jobs within jobs', async () => {
  const ring = ringOf({ window: 4 });
  const results: unknown[] = [];
  for (const n of [0, 1]) ring.submit(n, (_error, value) => results.push(value), undefined, 0, 0);
  const runner = runnerOf(ring);
  runner.fn = (n) => {
    if (n === 0) expect(runner.runOne(1)).toBe(true);
    return Promise.resolve(n);
  };
  expect(seesContext(runner.fn)).toBe(false);
  expect(runner.runOne(0)).toBe(true);
  while (ring.deliver(4, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  ring.deliver(4, 0);
  expect(results).toEqual([0, 1]);
});
