// What jobs are shown of a series' `shared`: a clone, whoever runs them.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { Series, WorkPool } from '@bootmem/padata';

const module = new URL('../fixtures/shared-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
let pool: WorkPool;
afterEach(() => pool.close());
const series = (name: string, shared: unknown, more = {}): Series<Any> =>
  pool.series<Any>({ fn: { module, name }, shared, ...more });

class Point {
  x = 1;
}

/** Of all kinds that a clone makes something else of. */
function makeShared(): object {
  const one = { n: 1 };
  const buffer = new ArrayBuffer(8);
  const shared = {
    point: new Point(),
    get got() {
      return 'got';
    },
    one,
    other: one,
    first: new Uint8Array(buffer, 0, 4),
    second: new Uint16Array(buffer, 4, 2),
    bytes: Buffer.from('text'),
    holes: Object.assign(new Array<number>(3), { 0: 1, 2: 3 }),
    frozen: Object.freeze({ n: 1 }),
    when: new Date(0),
    round: undefined as unknown,
  };
  Object.defineProperty(shared, 'hidden', { value: 1, enumerable: false });
  shared.round = shared;
  return shared;
}

const EXPECTED = {
  kind: 'Object',
  got: { value: 'got', writable: true, enumerable: true, configurable: true },
  hidden: false,
  areOne: true,
  shareBuffer: true,
  isRound: true,
  bytes: 'Uint8Array',
  holes: ['0', '2'],
  isFrozen: false,
  when: true,
};

test.each([0, 1])('it is what a clone is, with %d threads', async (threads) => {
  pool = createWorkPool({ threads });
  for (const order of ['submission', 'none'] as const) {
    expect(await series('seen', makeShared(), { order }).run(1)).toEqual(EXPECTED);
  }
});

test('it is for jobs that the caller runs instead of waiting', async () => {
  pool = createWorkPool({ threads: 1 });
  await pool.ready();
  const s = series('seen', makeShared(), { onFull: 'inline', window: 1 });
  // Its function is here as soon as it is in the thread, about.
  for (let round = 0; round < 20; round += 1) {
    const all = await Promise.all(Array.from({ length: 50 }, () => s.run(1)));
    for (const seen of all) expect(seen).toEqual(EXPECTED);
  }
});

test.each([0, 1])(
  'a job changes its own, and shared memory is shared, with %d threads',
  async (threads) => {
    pool = createWorkPool({ threads });
    const shared = { words: new Int32Array(new SharedArrayBuffer(8)), text: 'before' };
    const first = series('change', shared);
    await pool.ready();
    const second = series('get', shared);
    shared.text = 'by the caller';
    expect(await second.run('text')).toBe('before');
    expect(await first.run('text')).toBe('by a job');
    expect(shared.text).toBe('by the caller');
    expect(await second.run('text')).toBe('before');
    expect(shared.words[0]).toBe(1);
  },
);

test.each([0, 1])('what cannot be cloned is refused, with %d threads', async (threads) => {
  pool = createWorkPool({ threads });
  const refusal: unknown = expect.objectContaining({ code: 'ERR_PADATA_CLONE' });
  expect(() => series('get', { fn: () => 1 })).toThrow(refusal);
  await pool.ready();
  expect(() => series('get', { fn: () => 1 })).toThrow(refusal);
  expect(await series('get', { n: 1 }).run('n')).toBe(1);
});

test('a series whose value no new thread can be told of ends, and the others go on', async () => {
  pool = createWorkPool({ threads: 1 });
  const before = series('where', { n: 1 });
  const shared: Record<string, unknown> = { n: 2 };
  const broken = series('where', shared);
  const after = series('where', { n: 3 });
  const ends = series('ends', undefined);
  const [first] = (await broken.run(0)) as [number];
  shared['fn'] = () => 1;
  const waiting = [ends.run(0), broken.run(0)];
  const [ended, failed] = await Promise.allSettled(waiting);
  expect(ended).toMatchObject({ reason: { code: 'ERR_PADATA_WORKER_DIED' } });
  const refusal = { code: 'ERR_PADATA_CLONE' };
  // It may have been told of before the thread had ended.
  if (failed!.status === 'rejected') expect(failed).toMatchObject({ reason: refusal });
  const [[there, one], [, three]] = (await Promise.all([before.run(0), after.run(0)])) as [
    [number, number],
    [number, number],
  ];
  expect([one, three, there === first]).toEqual([1, 3, false]);
  await expect(broken.run(0)).rejects.toMatchObject(refusal);
  await broken.close();
});
