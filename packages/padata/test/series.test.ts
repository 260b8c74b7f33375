import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createWorkPool, functionRef, map, orderedMap, parallelFor } from '@bootmem/padata';
import type { Series, SeriesOptions, WorkPool } from '@bootmem/padata';

const module = new URL('./fixtures/series-jobs.mjs', import.meta.url);
let pool: WorkPool;

beforeAll(async () => {
  pool = createWorkPool({ threads: 2 });
  await pool.ready();
});
afterAll(() => pool.close());

type Any = (input: unknown) => unknown;
function series(name: string, options: Partial<SeriesOptions<Any>> = {}): Series<Any> {
  return pool.series<Any>({ fn: { module, name }, ...options });
}
async function all(iterable: AsyncIterable<unknown>): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const item of iterable) list.push(item);
  return list;
}
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
/** Words that threads share; the first is a gate: 0 = closed. */
const gate = (words = 4) => new Int32Array(new SharedArrayBuffer(4 * words));
const open = (words: Int32Array) => {
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
};
/** Lets events in until the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('callbacks run in order of submission whatever the jobs take', async () => {
  await using s = series('slow', { window: 16 });
  const seen: number[] = [];
  for (let i = 0; i < 60; i += 1) {
    s.submit((i * 7) % 5, (error, result, seq) => {
      expect(error).toBeUndefined();
      expect(result).toBe(seq);
      seen.push(seq);
    });
  }
  expect(seen).toEqual([]);
  await s.drain();
  expect(seen).toEqual(range(60));
});

test('submit says when the window is full, and room() when it is not', async () => {
  await using s = series('slow', { window: 4 });
  const answers = range(6).map(() => s.submit(1, () => undefined));
  expect(answers).toEqual([true, true, true, false, false, false]);
  expect(s.stats()).toMatchObject({ inFlight: 4, overflow: 2 });
  await s.room();
  expect(s.stats().overflow).toBe(0);
});

test('what a callback submits comes behind what waits outside the window, though there is room', async () => {
  // window [ 0 1 ], outside [ 2 3 4 ]: the callback of 0 finds its place free, and others were there before.
  await using s = series('same', { window: 2 });
  const seen: unknown[] = [];
  const note = (_error: unknown, value: unknown): unknown => seen.push(value);
  s.submit(0, (error, value) => {
    note(error, value);
    s.submit('late', note);
  });
  for (const i of [1, 2, 3, 4]) s.submit(i, note);
  await s.drain();
  expect(seen).toEqual([0, 1, 2, 3, 4, 'late']);
});

test('results for which the series can never have room go by message', async () => {
  await using s = series('same', { window: 8, outputBytes: () => 2 ** 30 });
  const bytes = new Uint8Array(100).fill(7);
  const results = await Promise.all([s.run(1), s.run('two'), s.run(bytes), s.run({ three: 3 })]);
  expect(results).toEqual([1, 'two', bytes, { three: 3 }]);
});

test('slow jobs among quick ones hold no result up that is done and next in order', async () => {
  const words = gate();
  await using s = series('counted', { window: 64, shared: words });
  await s.ready();
  // While many quick jobs wait, the owner is woken for several at once.
  for (let i = 0; i < 200; i += 1) if (!s.submit(0.1, () => undefined)) await s.room();
  await s.drain();
  let slowAtThird = -1;
  for (let i = 0; i < 64; i += 1) {
    s.submit(i === 3 || i === 5 ? -1 : 0.1, () => {
      if (i !== 2) return;
      slowAtThird = Atomics.load(words, 3);
      // The slow ones end only now: held up by them, this result would never have come.
      open(words);
    });
  }
  await s.drain();
  expect(slowAtThird).toBe(0);
  expect(words.subarray(2)).toEqual(new Int32Array([262, 2]));
});

test.each([1, 2, 8, 64])('with `more` and window %i nothing waits for ever', async (window) => {
  await using s = series('slow', { window });
  const seen: number[] = [];
  for (let i = 0; i < 200; i += 1) {
    const room = s.submit(
      i % 3 === 0 ? 1 : 0,
      (error, _result, seq) => {
        expect(error).toBeUndefined();
        seen.push(seq);
      },
      undefined,
      true,
    );
    if (!room && i % 2 === 0) await s.room();
  }
  await s.drain();
  expect(seen).toEqual(range(200));
});

test('with `more`, a dying thread holds nothing up', async () => {
  await using s = series('exitAt', { window: 16 });
  const failed: number[] = [];
  let done = 0;
  for (let i = 0; i < 40; i += 1) {
    s.submit(
      i,
      (error, _result, seq) => {
        done += 1;
        if (error !== undefined) failed.push(seq);
      },
      undefined,
      true,
    );
  }
  await s.drain();
  expect(done).toBe(40);
  expect(failed).toEqual([13]);
});

test('map keeps the order of synchronous and asynchronous sources', async () => {
  await using s = series('twice', { window: 8 });
  expect(await all(s.map(range(1000)))).toEqual(range(1000).map((n) => n * 2));
  async function* numbers() {
    for (const n of range(100)) {
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      yield n;
    }
  }
  expect(await all(s.map(numbers()))).toEqual(range(100).map((n) => n * 2));
  expect(
    await all(
      s.map(
        new ReadableStream({
          start(c) {
            for (const n of range(20)) c.enqueue(n);
            c.close();
          },
        }),
      ),
    ),
  ).toEqual(range(20).map((n) => n * 2));
});

test('map reads at most a window ahead of what was taken', async () => {
  await using s = series('twice', { window: 8 });
  let read = 0;
  function* source() {
    for (;;) yield read++;
  }
  const iterator = s.map(source());
  for (let i = 0; i < 20; i += 1) {
    await iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(read).toBeLessThanOrEqual(i + 1 + 8);
  }
  await iterator.return?.();
});

test('asynchronous functions overlap and still complete in order', async () => {
  // Each ends only when all eight have begun.
  const begun = new Int32Array(new SharedArrayBuffer(8));
  begun[1] = 8;
  await using s = series('together', { window: 32, shared: begun });
  expect(await all(s.map([30, 20, 10, 1, 30, 20, 10, 1]))).toEqual([30, 20, 10, 1, 30, 20, 10, 1]);
});

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['false', false],
  ['integer', -5],
  ['minus zero', -0],
  ['NaN', NaN],
  ['float', 1.5e300],
  ['empty text', ''],
  ['text', 'Grüße, 世界 \ud800'],
  ['long text', 'x'.repeat(100_000)],
  ['object', { a: 1, b: [1, 2, { c: 'd' }], n: null, u: undefined, wide: '世' }],
  ['proto key', JSON.parse('{"__proto__": 5, "a": 1}')],
  ['array with a hole', Object.assign([1, 2, 3], { length: 5 })],
  ['map', new Map([[1, { a: new Set([2]) }]])],
  ['bigint', 12345678901234567890n],
  ['date', new Date(86_400_000)],
  ['float array', new Float32Array([1, 2])],
])('%s comes back as structured clone would give it', async (_name, value) => {
  await using s = series('echo');
  const result = (await s.run(value)) as { value: unknown; kind: string };
  expect(result.value).toEqual(value);
  expect(Object.is(result.value, value) || typeof value === 'object').toBe(true);
  expect(result.kind).toBe(Object.prototype.toString.call(value));
});

test('cycles and shared references survive', async () => {
  await using s = series('echo');
  const node: { self?: unknown } = {};
  node.self = node;
  const a = (await s.run(node)) as { value: { self: unknown } };
  expect(a.value.self).toBe(a.value);
  const leaf = { x: 1 };
  const b = (await s.run({ p: leaf, q: leaf })) as { value: { p: unknown; q: unknown } };
  expect(b.value.p).toBe(b.value.q);
});

test('bytes of any length go in and out, in the slot or by message', async () => {
  await using s = series('shift', { window: 4, slotBytes: 4096 });
  const inputs = [0, 1, 63, 64, 1000, 4000, 60_000, 200_000].map((n) =>
    new Uint8Array(n).fill(n & 7),
  );
  let i = 0;
  for await (const result of s.map(inputs)) {
    const input = inputs[i]!;
    const out = result as Uint8Array;
    expect(out.length).toBe(input.length + 1);
    expect(out.subarray(0, -1).every((b) => b === (input[0] ?? 0) + 1)).toBe(true);
    i += 1;
  }
  expect(i).toBe(inputs.length);
});

test("views stay valid until the next item is asked for, in a window's worth of arena", async () => {
  await using s = series('same', { window: 8, slotBytes: 20_000, bytes: 'view' });
  let i = 0;
  const source = range(100).map((n) => new Uint8Array(9000).fill(n));
  for await (const view of s.map(source)) {
    await new Promise((resolve) => setImmediate(resolve));
    expect((view as Uint8Array).every((b) => b === i)).toBe(true);
    i += 1;
  }
  expect(i).toBe(100);
});

test('whoever looks at a result later than in a callback gets a copy, also of a series of views', async () => {
  await using s = series('same', { window: 1, bytes: 'view' });
  const inputs = range(8).map((n) => new Uint8Array(600).fill(n));
  // All of them lie in the same bytes, one after the other, while those before are kept.
  const { signal } = new AbortController();
  const ran = await Promise.all(inputs.map((b, n) => s.run(b, n % 2 === 0 ? {} : { signal })));
  expect(ran).toEqual(inputs);
  const duplex = s.duplex();
  for (const input of inputs) duplex.write(input);
  duplex.end();
  expect(await all(duplex)).toEqual(inputs);
  const { readable, writable } = s.transform();
  const writer = writable.getWriter();
  const writes = inputs.map((input) => writer.write(input));
  const reading = all(readable);
  await Promise.all([...writes, writer.close()]);
  expect(await reading).toEqual(inputs);
});

test('transferred buffers are moved', async () => {
  await using s = series('buffers');
  const buffer = new ArrayBuffer(1000);
  expect(await s.run(buffer, { transfer: [buffer] })).toBe(1000);
  expect(buffer.byteLength).toBe(0);
});

test('a failing job rejects with its error; others are not touched', async () => {
  await using s = series('failOdd');
  const outcomes = await Promise.allSettled(range(6).map((n) => s.run(n)));
  expect(outcomes.map((o) => o.status)).toEqual(
    range(6).map((n) => (n % 2 === 1 ? 'rejected' : 'fulfilled')),
  );
  const reason = (outcomes[3] as PromiseRejectedResult).reason as { code: string; cause: Error };
  expect(reason.code).toBe('ERR_PADATA_JOB_FAILED');
  expect(reason.cause).toMatchObject({ name: 'RangeError', message: 'odd 3' });
});

test('map: throw at the place, skip, collect', async () => {
  await using s = series('failOdd');
  const seen: unknown[] = [];
  await expect(
    (async () => {
      for await (const n of s.map([0, 2, 3, 4])) seen.push(n);
    })(),
  ).rejects.toMatchObject({ code: 'ERR_PADATA_JOB_FAILED', details: { seq: 2 } });
  expect(seen).toEqual([0, 2]);
  expect(await all(s.map(range(6), { errors: 'skip' }))).toEqual([0, 2, 4]);
  const kept: unknown[] = [];
  await expect(
    (async () => {
      for await (const n of s.map(range(6), { errors: 'collect' })) kept.push(n);
    })(),
  ).rejects.toMatchObject({ errors: [expect.anything(), expect.anything(), expect.anything()] });
  expect(kept).toEqual([0, 2, 4]);
});

test('halt soon,fail=1 ends what has not begun and refuses more', async () => {
  await using s = series('failOdd', { halt: 'soon,fail=1', window: 64 });
  const codes: string[] = [];
  for (const n of range(64)) {
    s.submit(n, (error) => codes.push((error as { code?: string } | undefined)?.code ?? 'ok'));
  }
  await s.drain();
  expect(codes.slice(0, 2)).toEqual(['ok', 'ERR_PADATA_JOB_FAILED']);
  expect(codes.length).toBe(64);
  expect(() => s.submit(1, () => undefined)).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_HALTED' }),
  );
});

test.each(['sometimes', 'now,fail=0', 'soon,fail', 'later,fail=1'])(
  'halt %s is refused',
  (halt) => {
    expect(() => series('same', { halt: halt as never })).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
    );
  },
);

test('halt by share of failures and by success', async () => {
  await using a = series('failOdd', { halt: 'soon,fail=50%' });
  const outcomes = await Promise.allSettled([1, 3, 0, 5, 2, 4].map((n) => a.run(n)));
  expect(outcomes.filter((o) => o.status === 'fulfilled').length).toBeLessThanOrEqual(3);
  await using b = series('same', { halt: 'now,success=1' });
  await b.run(1);
  await expect(async () => b.run(2)).rejects.toMatchObject({ code: 'ERR_PADATA_HALTED' });
});

test('an aborted series ends what waits at once and what runs when it polls', async () => {
  const control = new AbortController();
  const s = series('slow', { window: 8, signal: control.signal, graceMs: 10_000 });
  await s.ready();
  const jobs = range(12).map(() => s.run(60_000));
  await new Promise((resolve) => setTimeout(resolve, 30));
  control.abort(new Error('enough'));
  const outcomes = await Promise.allSettled(jobs);
  // The two that ran saw ctx.aborted and returned.
  expect(outcomes.filter((o) => o.status === 'rejected').length).toBeGreaterThanOrEqual(10);
  await s.close();
});

test('a job that ignores the abort loses its thread after the grace time', async () => {
  await pool.ready();
  await using s = series('outOfMemory', { window: 8, graceMs: 50 });
  await s.ready();
  const control = new AbortController();
  const before = pool.stats().deaths;
  const begun = gate();
  const spin = series('endless', { graceMs: 20, shared: begun });
  const job = spin.run(0, { signal: control.signal });
  await until(() => Atomics.load(begun, 0) === 1);
  control.abort(new Error('stop it'));
  await expect(job).rejects.toThrow('stop it');
  await spin.close();
  expect(pool.stats().deaths).toBe(before + 1);
  await pool.ready();
});

test('onFull reject throws, inline runs in the caller', async () => {
  await using r = series('slow', { window: 2, onFull: 'reject' });
  r.submit(5, () => undefined);
  r.submit(5, () => undefined);
  expect(() => r.submit(5, () => undefined)).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_FULL' }),
  );
  // The workers wait for the owner: the window of four is full until it has done a job itself.
  await using s = series('ownerOpens', { window: 4, onFull: 'inline', shared: gate() });
  await s.ready();
  await s.loadHere();
  const workers = new Set<number>();
  const order: number[] = [];
  for (let i = 0; i < 40; i += 1) {
    s.submit(1, (_error, worker, seq) => {
      workers.add(worker as number);
      order.push(seq);
    });
  }
  await s.drain();
  expect(order).toEqual(range(40));
  expect(workers.has(0)).toBe(true);
});

test('the caller blocked for long: the workers finish the whole window meanwhile', async () => {
  const words = gate();
  await using s = series('counted', { window: 256, shared: words });
  await s.ready();
  let done = 0;
  for (let i = 0; i < 200; i += 1) s.submit(0.2, () => (done += 1));
  // Blocks this thread: no event is handled before all have run.
  for (let n = 0; n < 200; n = Atomics.load(words, 2)) Atomics.wait(words, 2, n, 20);
  expect(done).toBe(0);
  await s.drain();
  expect(done).toBe(200);
  // A worker notes times after its jobs are done.
  await until(() => s.stats().run.count === 200);
});

test.each([
  ['exitAt', 'ERR_PADATA_WORKER_DIED'],
  ['throwLater', 'ERR_PADATA_WORKER_DIED'],
  ['unclonable', 'ERR_PADATA_CLONE'],
])('%s: exactly the affected jobs fail, in order, and the series goes on', async (name, code) => {
  await using s = series(name, { window: 8 });
  const seen: [number, string][] = [];
  for (const n of range(40)) {
    s.submit(n, (error, _value, seq) => {
      seen.push([seq, (error as { code?: string } | undefined)?.code ?? 'ok']);
    });
    if (!s.submit(n === 13 ? 0 : n, () => undefined)) await s.room();
  }
  await s.drain();
  expect(seen.length).toBe(40);
  expect(seen.map(([seq]) => seq)).toEqual(range(40).map((n) => 2 * n));
  expect(seen[13]![1]).toBe(code);
  const others = seen.filter(([seq, c]) => seq !== 26 && c !== 'ok');
  // A dying thread may take at most what it had begun with it: asynchronous jobs in flight.
  expect(others.length).toBeLessThanOrEqual(name === 'throwLater' ? 8 : 0);
});

test('a worker out of memory fails its job and is replaced', async () => {
  await using small = createWorkPool({
    threads: 1,
    resourceLimits: { maxOldGenerationSizeMb: 48 },
  });
  await using s = small.series<Any>({ fn: { module, name: 'outOfMemory' }, window: 32 });
  const outcomes = await Promise.allSettled(range(20).map((n) => s.run(n)));
  expect(outcomes.map((o) => o.status === 'rejected')).toEqual(range(20).map((n) => n === 13));
  expect((outcomes[13] as PromiseRejectedResult).reason).toMatchObject({
    code: 'ERR_PADATA_WORKER_DIED',
    details: { seq: 13, worker: 1 },
  });
}, 60_000);

test('idempotent jobs run again when their worker dies', async () => {
  await using s = series('onlyOnce', { idempotent: true, window: 8 });
  const words = new SharedArrayBuffer(4 * 10);
  const results = await Promise.all(range(10).map((i) => s.run({ i, words, die: i === 4 })));
  expect(results).toEqual(range(10));
  expect(new Int32Array(words)[4]).toBe(2);
  expect(s.stats().retried).toBeGreaterThanOrEqual(1);
});

test('a module that does not load ends every job with its name', async () => {
  const fn = { module: new URL('./fixtures/missing.mjs', import.meta.url), name: 'x' };
  const s = pool.series<Any>({ fn });
  await expect(s.run(1)).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
  await expect(s.ready()).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
  await s.close();
});

test('shared goes to every thread once', async () => {
  await using s = series('sharedValue', { shared: { base: 100 } });
  expect(await s.run(5)).toBe(105);
  expect(() => series('same', { shared: () => 1 })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_CLONE' }),
  );
});

test('inputs that cannot be cloned fail that job only', async () => {
  await using s = series('same');
  const outcomes = await Promise.allSettled([s.run(1), s.run(() => 1), s.run(2)]);
  expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'ERR_PADATA_CLONE' });
});

test('a Duplex and a pair of Web streams pass everything in order', async () => {
  await using s = series('twice', { window: 8 });
  const out: number[] = [];
  await pipeline(
    Readable.from(range(500)),
    s.duplex(),
    new Writable({
      objectMode: true,
      highWaterMark: 2,
      write(n: number, _encoding, done) {
        out.push(n);
        setImmediate(done);
      },
    }),
  );
  expect(out).toEqual(range(500).map((n) => n * 2));
  const pair = s.transform();
  const writer = pair.writable.getWriter();
  const written = (async () => {
    for (const n of range(100)) await writer.write(n);
    await writer.close();
  })();
  const read: unknown[] = [];
  const reader = pair.readable.getReader();
  for (let item = await reader.read(); !item.done; item = await reader.read())
    read.push(item.value);
  await written;
  expect(read).toEqual(range(100).map((n) => n * 2));
});

test('results of the Web pair that are read in lumps leave room for as many jobs', async () => {
  await using s = series('slow', { window: 8 });
  const pair = s.transform();
  const writer = pair.writable.getWriter();
  const reader = pair.readable.getReader();
  const read: unknown[] = [];
  const next = async (): Promise<void> => {
    read.push((await reader.read()).value);
  };
  for (const round of range(10)) {
    for (const n of range(8)) await writer.write(8 * round + n);
    await s.drain();
    // All eight wait: no ninth is taken before one of them is read.
    const ninth = writer.write(-1);
    await s.room();
    expect(s.stats().submitted).toBe(9 * round + 8);
    await next();
    await ninth;
    while (read.length < 9 * (round + 1)) await next();
  }
  expect(read).toHaveLength(90);
  await writer.close();
  expect((await reader.read()).done).toBe(true);
});

test('a failing job destroys the Duplex and errors the Web pair', async () => {
  await using s = series('failOdd');
  await expect(
    pipeline(
      Readable.from([0, 1, 2]),
      s.duplex(),
      new Writable({
        objectMode: true,
        write(_c, _e, d) {
          d();
        },
      }),
    ),
  ).rejects.toMatchObject({ code: 'ERR_PADATA_JOB_FAILED' });
  const pair = s.transform();
  const writer = pair.writable.getWriter();
  void writer.write(1).catch(() => undefined);
  await expect(pair.readable.getReader().read()).rejects.toMatchObject({
    code: 'ERR_PADATA_JOB_FAILED',
  });
});

test('sequence numbers wrap without a gap', async () => {
  await using s = pool.seriesFrom<Any>({ fn: { module, name: 'slow' }, window: 8 }, 0xffff_fff0);
  const seen: number[] = [];
  for (let i = 0; i < 64; i += 1) {
    s.submit(i % 3, (error, result, seq) => {
      expect(error).toBeUndefined();
      expect(result).toBe(seq);
      seen.push(seq);
    });
  }
  await s.drain();
  expect(seen).toEqual(range(64).map((i) => (0xffff_fff0 + i) >>> 0));
});

test('the inline pool runs the same series in the calling thread', async () => {
  await using inline = createWorkPool({ backend: 'inline' });
  await using s = inline.series<Any>({ fn: { module, name: 'shift' }, window: 4 });
  const out = await all(s.map(range(20).map((n) => new Uint8Array(n))));
  expect(out.map((o) => (o as Uint8Array).length)).toEqual(range(20).map((n) => n + 1));
  expect((out[5] as Uint8Array)[5]).toBe(0);
  await using m = inline.series<Any>({ fn: { module, name: 'echo' }, window: 4 });
  expect(await m.run(new Map([[1, 2]]))).toMatchObject({ value: new Map([[1, 2]]) });
});

test('resize while jobs are in flight loses nothing', async () => {
  await using p = createWorkPool({ threads: 3 });
  await using s = p.series<Any>({ fn: { module, name: 'slow' }, window: 64 });
  const jobs = range(200).map((i) => s.run(i % 3));
  p.resize(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  p.resize(4);
  expect(await Promise.all(jobs)).toEqual(range(200));
  await p.ready();
  expect(p.stats()).toMatchObject({ threads: 4, ready: 4, deaths: 0 });
});

test('the watchdog names the job that everyone waits for', async () => {
  const reports: { seq: number; state: string; behind: number }[] = [];
  const words = gate();
  const s = series('counted', {
    watchdogMs: 20,
    // On a busy machine the jobs before and after it may be late too; theirs is not looked at.
    onStall: (r) => r.seq === 1 && reports.push(r),
    window: 8,
    shared: words,
  });
  await s.run(0);
  const jobs = [s.run(-1), s.run(0)];
  // Until a thread has begun it, it is reported as waiting.
  await until(() => reports.at(-1)?.state === 'running');
  open(words);
  await Promise.all(jobs);
  expect(reports.every(({ behind }) => behind === 1)).toBe(true);
  expect(reports.at(-1)).toMatchObject({ seq: 1, state: 'running', behind: 1 });
  await s.close();
});

test('closing the pool ends every promise', async () => {
  const p = createWorkPool({ threads: 1 });
  const s = p.series<Any>({ fn: { module, name: 'later' }, graceMs: 10 });
  const jobs = [s.run(100_000), s.run(1)];
  await new Promise((resolve) => setTimeout(resolve, 150));
  const closed = p.close();
  // Neither hangs; the second may have been done already, behind the first.
  expect((await Promise.allSettled(jobs))[0]?.status).toBe('rejected');
  await closed;
  expect(() => p.series({ fn: { module, name: 'same' } })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_CLOSED' }),
  );
});

test('one-shot forms', async () => {
  const fn = functionRef<{ twice: (n: number) => number }, 'twice'>(module, 'twice');
  const doubled: number[] = await map(pool, range(50), fn);
  expect(doubled).toEqual(range(50).map((n) => n * 2));
  expect(await all(orderedMap(pool, range(5), fn, { window: 2 }))).toEqual([0, 2, 4, 6, 8]);
  const ranges = new URL('./fixtures/range-jobs.mjs', import.meta.url);
  const result = await parallelFor(
    pool,
    10,
    20,
    { module: ranges, name: 'sum' },
    {
      reduce: (a: number, v) => a + (v as number),
      initial: 0,
    },
  );
  expect(result.value).toBe(145);
});

// What a source says at its end is nobody's when there is an error already; a `break` passes it on, as ever.
test.each(['throws', 'rejects'])(
  'a source whose return %s does not hide the error, nor end the program',
  async (how) => {
    const say = (): never => {
      throw new Error('of return');
    };
    const source = () => {
      let n = 0;
      const next = () => ({ done: false, value: (n += 1) });
      const it = {
        next: how === 'throws' ? next : () => Promise.resolve(next()),
        return: how === 'throws' ? say : () => Promise.reject(new Error('of return')),
      };
      const key = how === 'throws' ? Symbol.iterator : Symbol.asyncIterator;
      return { [key]: () => it } as unknown as Iterable<number>;
    };
    await using s = series('same', { window: 4 });
    const control = new AbortController();
    const read = async (stop: () => void): Promise<void> => {
      for await (const n of s.map(source() as Iterable<never>, { signal: control.signal })) {
        if (n === 3) stop();
        if (n === 3 && !control.signal.aborted) break;
      }
    };
    await expect(read(() => undefined)).rejects.toThrow('of return');
    await expect(
      read(() => {
        control.abort(new Error('of abort'));
      }),
    ).rejects.toThrow('of abort');
    await new Promise((resolve) => setImmediate(resolve));
  },
);
