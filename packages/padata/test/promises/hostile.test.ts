// Functions that give back, throw or are given what bites: the job's own outcome is a coded error or its right value,
// its neighbours' are theirs, and the thread goes on.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createWorkPool, orderedMap } from '@bootmem/padata';
import type { Series, SeriesOptions, WorkPool } from '@bootmem/padata';
import { fromErrorRecord, toErrorRecord } from '../../dist/base/error-record.js';

const module = new URL('../fixtures/hostile-jobs.mjs', import.meta.url);
/** What `gives` and `throws` know. */
const values = [
  'getter',
  'inMap',
  'thenGetter',
  'thenThrows',
  'proxy',
  'ownKeys',
  'revoked',
  'species',
  'ownThen',
];
const thrown = [
  'messageGetter',
  'allGetters',
  'hasTrap',
  'revoked',
  'noText',
  'symbol',
  'badMessage',
];
type Any = (input: unknown) => unknown;
const pools: Record<string, WorkPool> = {};

beforeAll(async () => {
  pools['threads'] = createWorkPool({ threads: 1 });
  pools['inline'] = createWorkPool({ threads: 0 });
  await pools['threads'].ready();
});
afterAll(() => Promise.all(Object.values(pools).map((pool) => pool.close())));

const series = (where: string, name: string, options: Partial<SeriesOptions<Any>> = {}) =>
  pools[where]!.series<Any>({ fn: { module, name }, ...options });
const settled = (s: Series<Any>, inputs: readonly unknown[]) =>
  Promise.allSettled(inputs.map((input) => s.run(input)));
const value = (v: unknown) => ({ status: 'fulfilled', value: v });
const failed = (code: string, seq: number, cause: unknown = expect.anything()) => ({
  status: 'rejected',
  reason: expect.objectContaining({
    code,
    cause,
    details: expect.objectContaining({ seq }) as unknown,
  }) as unknown,
});
const jobs = (what: string) => [0, 1, 2].map((n) => ({ n, what }));
const places = ['threads', 'inline'];
const each = (names: readonly string[]) =>
  places.flatMap((where) => names.map((what) => [where, what] as const));

/** Writing the value down is what bites; in the calling thread too, which gives a copy. */
const CODES: Readonly<Record<string, string>> = {
  getter: 'ERR_PADATA_CLONE',
  inMap: 'ERR_PADATA_CLONE',
  ownKeys: 'ERR_PADATA_CLONE',
};

test.each(each(values.filter((v) => v !== 'ownThen')))(
  '%s: a result like "%s" is an error of its own job; the thread goes on',
  async (where, what) => {
    const deaths = pools[where]!.stats().deaths;
    await using s = series(where, 'gives');
    const [zero, one, two] = await settled(s, jobs(what));
    expect(zero).toEqual(value(0));
    expect(two).toEqual(value(2));
    expect(one).toEqual(failed(CODES[what] ?? 'ERR_PADATA_JOB_FAILED', 1));
    expect(pools[where]!.stats().deaths).toBe(deaths);
  },
);

test.each(places)('%s: what a promise resolves to bites no less', async (where) => {
  await using s = series(where, 'resolves');
  const outcomes = await settled(s, jobs('getter'));
  expect(outcomes).toEqual([value(0), failed('ERR_PADATA_CLONE', 1), value(2)]);
});

test.each(places)('%s: a promise with a `then` of its own is the promise it is', async (where) => {
  await using s = series(where, 'gives');
  expect(await settled(s, jobs('ownThen'))).toEqual([value(0), value(7), value(2)]);
});

test.each(each(thrown))(
  '%s: throwing or rejecting with "%s" fails that job',
  async (where, what) => {
    const deaths = pools[where]!.stats().deaths;
    for (const name of ['throws', 'rejects']) {
      await using s = series(where, name);
      const outcomes = await settled(s, jobs(what));
      expect(outcomes[0]).toEqual(value(0));
      expect(outcomes[1]).toMatchObject({
        status: 'rejected',
        reason: { code: 'ERR_PADATA_JOB_FAILED', details: { seq: 1 }, message: expect.any(String) },
      });
      expect(outcomes[2]).toEqual(value(2));
    }
    expect(pools[where]!.stats().deaths).toBe(deaths);
  },
);

test.each(places)(
  '%s: hostile values and errors of chunks are their range job alone',
  async (where) => {
    const pool = pools[where]!;
    const run = (name: string, what: string) =>
      pool
        .runMultithreaded<Any, number>({
          threadFn: { module, name },
          arg: { what },
          start: 0,
          size: 40,
          initial: 0,
          reduce: (sum, n) => sum + (n as number),
        })
        .then(
          (r) => r.value,
          (error: unknown) => (error as { code: unknown }).code,
        );
    for (const what of thrown)
      expect(await run('throwsChunk', what)).toBe('ERR_PADATA_CHUNK_FAILED');
    for (const what of ['thenGetter', 'thenThrows', 'revoked']) {
      expect(await run('givesChunk', what)).toBe('ERR_PADATA_CHUNK_FAILED');
    }
    expect(await run('chunkTwice', '')).toBe(40);
    expect(pool.stats().deaths).toBe(0);
  },
);

const keep = {
  get x() {
    throw new Error('bomb');
  },
};
const deep = () => {
  const root: { a?: object } = {};
  for (let at = root, i = 0; i < 100_000; i += 1) at = at.a = {};
  return root;
};
const INPUTS: readonly (readonly [string, () => unknown])[] = [
  ['a getter', () => keep],
  [
    'a proxy',
    () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('keys');
          },
        },
      ),
  ],
  ['a function', () => () => 1],
  ['a symbol', () => Symbol('s')],
  ['too deep an object', deep],
];
test.each(INPUTS)(
  'an input that is %s rejects with a coded error; others go on',
  async (_, make) => {
    await using s = series('threads', 'alive');
    const outcomes = await settled(s, [0, make(), 2]);
    expect(outcomes[0]).toEqual(value(0));
    expect(outcomes[1]).toMatchObject({ status: 'rejected', reason: { code: 'ERR_PADATA_CLONE' } });
    expect(outcomes[2]).toEqual(value(2));
  },
);

test('what a getter of an input submits comes behind that input', async () => {
  await using s = series('threads', 'alive');
  const seen: [number, unknown][] = [];
  const note = (_error: unknown, result: unknown, seq: number) => seen.push([seq, result]);
  const input = (more: object) => ({
    get own() {
      s.submit({ inner: 1 }, note);
      return 'outer';
    },
    ...more,
  });
  s.submit(input({}), note);
  // One that goes by message.
  s.submit(input({ at: new Map() }), note);
  await s.drain();
  const bad = {
    get own() {
      s.submit('after an input that failed', note);
      throw new Error('bomb');
    },
  };
  expect(() => s.submit(bad, note)).toThrow(expect.objectContaining({ code: 'ERR_PADATA_CLONE' }));
  const isLast = ([, result]: [number, unknown]) => result === 'after an input that failed';
  while (!seen.some(isLast)) await s.drain().then(() => new Promise((r) => setImmediate(r)));
  // How often a getter is read is nobody's promise.
  expect(seen.length).toBeGreaterThanOrEqual(5);
  expect(seen.map(([seq]) => seq)).toEqual(seen.map((_, i) => i));
  const results = seen.map(([, result]) => result);
  expect(results[0]).toEqual({ own: 'outer' });
  expect(results.filter((r) => r === 'after an input that failed')).toHaveLength(1);
  expect(results.filter((r) => (r as { own?: string }).own === 'outer')).toHaveLength(2);
});

test('a getter of an input may run other jobs: their values do not mix with it', async () => {
  // A full window makes the caller run what waits, in the middle of the getter.
  await using helper = series('inline', 'alive', { window: 1, onFull: 'inline' });
  await helper.run({ first: true });
  await using s = series('threads', 'alive');
  const got: unknown[] = [];
  const note = (_error: unknown, result: unknown) => got.push(result);
  const inner = { list: ['inner', 0.5], deep: { at: [1, 2] } };
  const outer = {
    before: ['outer', 1.5],
    get within() {
      helper.submit(inner, note);
      helper.submit(inner, note);
      return { nested: 'outer' };
    },
    after: ['outer', 2.5],
  };
  expect(await s.run(outer)).toEqual({
    before: ['outer', 1.5],
    within: { nested: 'outer' },
    after: ['outer', 2.5],
  });
  await helper.drain();
  expect(got).toEqual([inner, inner]);
});

test.each(places)(
  '%s: a job that was completed has its value whatever its function comes to afterwards',
  async (where) => {
    // One slot: what fails late would meet the next job.
    await using s = series(where, 'completesAndFails', { window: 1 });
    for (const how of ['throws', 'rejects', 'later']) {
      expect(await s.run({ n: 1, how })).toBe(1);
      for (const n of [2, 3, 4]) expect(await s.run({ n, how: 'not' })).toBe(n);
      await new Promise((resolve) => setTimeout(resolve, how === 'later' ? 10 : 0));
    }
    expect(s.stats()).toMatchObject({ failed: 0, inFlight: 0 });
  },
);

test.each(places)(
  '%s: a getter of a result may complete another job: each has its own value',
  async (where) => {
    await using s = series(where, 'completesWithin', { outputBytes: () => 256 });
    expect(await Promise.all([s.run(0), s.run(1)])).toEqual([
      { of: 0, list: ['inner', { deep: true }], pad: 'i'.repeat(20) },
      { before: ['outer', 1.5], within: { of: 1 }, after: ['outer', { deep: true }] },
    ]);
  },
);

test.each(places)(
  '%s: a thenable that settles more than once settles its own job, once',
  async (where) => {
    const numbers = [0, 1, 2, 3, 4];
    for (const name of ['twiceAtOnce', 'resolvesThenRejects']) {
      await using s = series(where, name);
      expect(await settled(s, numbers)).toEqual(numbers.map(value));
    }
    await using rejecting = series(where, 'rejectsThenResolves');
    expect(await settled(rejecting, numbers)).toEqual(
      numbers.map((n) => failed('ERR_PADATA_JOB_FAILED', n, new RangeError(`${n}`))),
    );
  },
);

test.each([1, 4])(
  'a settlement that comes again is not that of a later job (window %i)',
  async (window) => {
    await using s = series('threads', 'callsFirstAgain', { window });
    const got: unknown[] = [];
    for (let n = 0; n < 12; n += 1) got.push(await s.run(n));
    expect(got).toEqual(['first', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  },
);

test('a null result is an error of the duplex that names the job', async () => {
  await using s = series('threads', 'oneNull');
  const got: unknown[] = [];
  const copy = pipeline(Readable.from([1, 2, 3, 4, 5]), s.duplex(), async (source) => {
    for await (const item of source as AsyncIterable<unknown>) got.push(item);
  });
  await expect(copy).rejects.toMatchObject({ code: 'ERR_PADATA_JOB_FAILED', details: { seq: 2 } });
  expect(got).toEqual([1, 2].slice(0, got.length));
});

test('undefined and null go through where they mean nothing: duplex and Web streams', async () => {
  await using s = series('threads', 'nothing');
  const out: unknown[] = [];
  for await (const item of Readable.from([1, 2]).pipe(s.duplex())) out.push(item);
  expect(out).toEqual([undefined, undefined]);
  await using nulls = series('threads', 'oneNull');
  const source = new ReadableStream<unknown>({
    start(controller) {
      for (const n of [2, 3]) controller.enqueue(n);
      controller.close();
    },
  });
  const web: unknown[] = [];
  for await (const item of source.pipeThrough(nulls.transform())) web.push(item);
  expect(web).toEqual([2, null]);
});

/** Keeps the only thread busy; returns how to let it go. */
async function busy(): Promise<() => Promise<void>> {
  const gate = new Int32Array(new SharedArrayBuffer(16));
  const jobs = new URL('../fixtures/series-jobs.mjs', import.meta.url);
  const block = pools['threads']!.series<Any>({
    fn: { module: jobs, name: 'untilShared' },
    shared: gate,
  });
  const job = block.run(0);
  while (Atomics.load(gate, 1) === 0) await new Promise((resolve) => setImmediate(resolve));
  return async () => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await job;
    await block.close();
  };
}
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );

const isAbort = expect.objectContaining({ name: 'AbortError' }) as unknown;

test('an abort without a reason is an AbortError everywhere', async () => {
  const release = await busy();
  const s = series('threads', 'alive');
  const seen: unknown[] = [];
  s.submit(1, (error, result) => seen.push([error, result]));
  const run = outcomeOf(s.run(2));
  const items = s.map([1, 2, 3]);
  const next = outcomeOf(items.next());
  s.abort();
  expect(await run).toEqual({ error: isAbort });
  expect(await next).toEqual({ error: isAbort });
  await s.close();
  await release();
  expect(seen).toEqual([[isAbort, undefined]]);
  await expect(s.run(1)).rejects.toEqual(isAbort);
  expect(() => s.submit(1, () => undefined)).toThrow(DOMException);
  expect(await s.run(1).catch((error: unknown) => error)).toBeInstanceOf(DOMException);
});

test('so is a signal without a reason, of whoever made it', async () => {
  const listeners: (() => void)[] = [];
  const signal = {
    aborted: false,
    reason: undefined,
    addEventListener: (_: string, listener: () => void) => listeners.push(listener),
    removeEventListener: () => undefined,
  };
  const any = signal as unknown as AbortSignal;
  const release = await busy();
  await using s = series('threads', 'alive');
  const run = s.run(1, { signal: any });
  const next = s.map([1, 2], { signal: any }).next();
  const mapped = orderedMap(pools['threads']!, [1, 2], { module, name: 'alive' }, { signal: any });
  const outcomes = [run, next, mapped.next()].map(outcomeOf);
  signal.aborted = true;
  for (const listener of listeners) listener();
  outcomes.push(outcomeOf(s.run(1, { signal: any })));
  await release();
  const error = isAbort;
  expect(await Promise.all(outcomes)).toEqual([{ error }, { error }, { error }, { error }]);
});

test('a Web stream that is aborted or cancelled without a reason says AbortError', async () => {
  await using s = series('threads', 'alive');
  const { readable, writable } = s.transform();
  const reader = readable.getReader();
  const read = reader.read();
  await writable.abort();
  await expect(read).rejects.toEqual(isAbort);
  const second = s.transform();
  await second.readable.cancel();
  await expect(second.writable.getWriter().write(1)).rejects.toEqual(isAbort);
});

test('a reason that is given is kept as it is, null too', async () => {
  const release = await busy();
  for (const reason of [null, 0, '', 'why', new RangeError('why')]) {
    const s = series('threads', 'alive');
    const run = outcomeOf(s.run(1));
    s.abort(reason);
    expect(await run).toEqual({ error: reason });
    await s.close();
  }
  await release();
});

test('errors cross as what they are: class, causes, errors within, own fields', () => {
  const root = new TypeError('root', { cause: 'deep' });
  const error = Object.assign(new RangeError('bad', { cause: root }), {
    code: 'E_CODE',
    status: 418,
    data: { a: [1] },
    fn: () => 1,
  });
  const back = fromErrorRecord(structuredClone(toErrorRecord(error))) as typeof error;
  expect(back).toBeInstanceOf(RangeError);
  expect(back).toMatchObject({ name: 'RangeError', message: 'bad', code: 'E_CODE', status: 418 });
  expect(back.data).toEqual({ a: [1] });
  expect(back.stack).toBe(error.stack);
  expect('fn' in back).toBe(false);
  expect(Object.keys(back).sort()).toEqual(['code', 'data', 'status']);
  expect(back.cause).toBeInstanceOf(TypeError);
  expect((back.cause as Error).cause).toBe('deep');
  const many = new AggregateError([new SyntaxError('x'), 'plain'], 'many');
  const manyBack = fromErrorRecord(structuredClone(toErrorRecord(many))) as AggregateError;
  expect(manyBack).toBeInstanceOf(AggregateError);
  expect(manyBack.errors[0]).toBeInstanceOf(SyntaxError);
  expect(manyBack.errors[1]).toBe('plain');
  const dom = fromErrorRecord(toErrorRecord(new DOMException('no', 'DataCloneError')));
  expect(dom).toBeInstanceOf(DOMException);
  expect(dom).toMatchObject({ name: 'DataCloneError', code: 25 });
  class Mine extends URIError {
    override name = 'Mine';
  }
  const mine = fromErrorRecord(structuredClone(toErrorRecord(new Mine('m'))));
  expect(mine).toBeInstanceOf(URIError);
  expect(mine).toMatchObject({ name: 'Mine', message: 'm' });
  expect(fromErrorRecord(structuredClone(toErrorRecord({ a: 1 })))).toEqual({ a: 1 });
  const loop = new Error('loop');
  loop.cause = loop;
  expect(fromErrorRecord(toErrorRecord(loop))).toMatchObject({ message: 'loop' });
});
