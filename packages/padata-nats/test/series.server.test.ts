import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import { orderedMap } from '@bootmem/padata';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { startNatsWorker } from '@bootmem/padata-nats/worker';
import type { NatsWorker } from '@bootmem/padata-nats/worker';
import { TestServer, jobsFile, withServer } from './support/server.js';

const fn = (name: string): { module: string; name: string } => ({ module: 'jobs', name });

withServer('a series over a server', () => {
  let server: TestServer;
  let worker: NatsWorker;
  let pool: NatsPool;

  beforeAll(async () => {
    server = await TestServer.start();
    const { url: servers } = server;
    worker = await startNatsWorker({
      servers,
      modules: { jobs: `file://${jobsFile}` },
      threads: 2,
    });
    pool = await createNatsPool({ servers });
    await pool.ready('jobs', { threads: 2 });
  });

  afterAll(async () => {
    await pool.close();
    await worker.close();
    await server.stop();
  });

  test('results come in order of submission, whatever order the jobs end in', async () => {
    const items = Array.from({ length: 60 }, (_, value) => ({ ms: (value * 7) % 13, value }));
    const results: unknown[] = [];
    for await (const result of orderedMap(pool, items, fn('sleep'), { window: 16 })) {
      results.push(result);
    }
    expect(results).toEqual(items.map(({ value }) => value));
  });

  test('numbers, texts, objects, bytes and nothing cross and come back', async () => {
    const series = pool.series({ fn: fn('sleep') });
    const values = [
      undefined,
      null,
      0.5,
      'ä',
      { deep: [new Date(7)] },
      new Map([[1, new Set([2])]]),
    ];
    for (const value of values) {
      expect(await series.run({ ms: 0, value })).toEqual(value);
    }
    await series.close();
    const bytes = pool.series({ fn: fn('reverse') });
    expect(await bytes.run(Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(3, 2, 1));
    await bytes.close();
  });

  test('bytes are what they were at submission, though the caller uses their memory again', async () => {
    const series = pool.series({ fn: fn('reverse'), window: 32 });
    const memory = new Uint8Array(2);
    const results: number[] = [];
    for (let i = 0; i < 30; i += 1) {
      memory.set([i, 0]);
      series.submit(memory, (_error, value) => results.push((value as Uint8Array)[1]!));
    }
    await series.drain();
    expect(results).toEqual(Array.from({ length: 30 }, (_, i) => i));
    await series.close();
  });

  test('many quick jobs share messages, and each callback is called once', async () => {
    const series = pool.series({ fn: fn('double'), window: 512 });
    const seen: number[] = [];
    for (let i = 0; i < 5000; i += 1) {
      const more = series.submit(i, (error, value, seq) => {
        expect(error).toBeUndefined();
        expect(value).toBe(2 * seq);
        seen.push(seq);
      });
      if (!more) await series.room();
    }
    await series.drain();
    expect(seen).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    const stats = series.stats();
    expect(stats).toMatchObject({
      submitted: 5000,
      delivered: 5000,
      failed: 0,
      inFlight: 0,
      overflow: 0,
    });
    expect(stats.latency.count).toBe(5000);
    await series.close();
  });

  test('a job that throws fails alone, with its own error as the cause', async () => {
    const series = pool.series({ fn: fn('someFail') });
    const outcomes = await Promise.allSettled([0, 1, 2, 3].map((value) => series.run(value)));
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect((outcomes[2] as PromiseRejectedResult).reason).toMatchObject({
      name: 'PadataError',
      code: 'ERR_PADATA_JOB_FAILED',
      details: { seq: 2 },
      cause: { message: 'bad 2' },
    });
    await series.close();
  });

  test('error policies of map: throw at its place, skip, collect', async () => {
    const series = pool.series({ fn: fn('someFail'), window: 4 });
    const take = async (errors: 'throw' | 'skip' | 'collect'): Promise<unknown[]> => {
      const got: unknown[] = [];
      try {
        for await (const value of series.map([0, 1, 2, 3, 4, 5, 6], { errors })) got.push(value);
      } catch (error) {
        got.push(error instanceof AggregateError ? error.errors.length : 'thrown');
      }
      return got;
    };
    expect(await take('throw')).toEqual([0, 1, 'thrown']);
    expect(await take('skip')).toEqual([0, 1, 3, 4, 6]);
    expect(await take('collect')).toEqual([0, 1, 3, 4, 6, 2]);
    await series.close();
  });

  test('what cannot cross is refused: inputs at once, results in their place, transfers always', async () => {
    const series = pool.series({ fn: fn('uncloneable') });
    expect(() =>
      series.submit(
        () => 1,
        () => undefined,
      ),
    ).toThrow(expect.objectContaining({ code: 'ERR_PADATA_CLONE' }));
    await expect(series.run(1)).rejects.toMatchObject({
      code: 'ERR_PADATA_CLONE',
      details: { seq: 0 },
    });
    await expect(series.run(1, { transfer: [new ArrayBuffer(8)] })).rejects.toMatchObject({
      code: 'ERR_PADATA_NATS_ARGUMENT',
    });
    const noop = (): void => undefined;
    const local = [{ timeoutMs: 1 }, { deadlineMs: 1 }, { onProgress: noop }, { onOutput: noop }];
    for (const options of local) {
      await expect(series.run(1, options)).rejects.toMatchObject({
        code: 'ERR_PADATA_NATS_ARGUMENT',
      });
    }
    await series.close();
    expect(() => pool.series({ fn: fn('double'), onJobProgress: noop })).toThrow('one machine');
    for (const options of [{ captureOutput: true }, { onJobOutput: noop }]) {
      expect(() => pool.series({ fn: fn('double'), ...options })).toThrow('what jobs write');
    }
    expect(() => pool.series({ fn: fn('double'), workers: [1] })).toThrow('modules decide');
    expect(() => pool.series({ fn: fn('double'), priority: 'high' })).toThrow('as they come');
    expect(() => pool.series({ fn: fn('double'), order: 'none' })).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_NATS_ARGUMENT' }),
    );
  });

  test('functions get byte inputs of their own where that is asked for', async () => {
    const views = pool.series({ fn: fn('madeOf') });
    const copies = pool.series({ fn: fn('madeOf'), inputBytes: 'copy' });
    expect(await views.run(new Uint8Array(8))).toBe('SharedArrayBuffer');
    expect(await copies.run(new Uint8Array(8))).toBe('ArrayBuffer');
    await Promise.all([views.close(), copies.close()]);
  });

  test('shared state goes to each worker once per run', async () => {
    const series = pool.series({ fn: fn('shared'), shared: { greeting: 'hello' } });
    expect(await Promise.all([series.run(1), series.run(2)])).toEqual(['hello', 'hello']);
    await series.close();
  });

  test('a full window: wait queues in order, reject refuses, inline has the caller do one', async () => {
    const slow = { ms: 30, value: 1 };
    const waiting = pool.series({ fn: fn('sleep'), window: 2 });
    const order: number[] = [];
    const submitted = [0, 1, 2, 3].map((value) =>
      waiting.submit({ ms: 5, value }, (_error, result) => order.push(result as number)),
    );
    expect(submitted).toEqual([true, false, false, false]);
    expect(waiting.stats()).toMatchObject({ inFlight: 2, overflow: 2 });
    await waiting.room();
    await waiting.close();
    expect(order).toEqual([0, 1, 2, 3]);

    const strict = pool.series({ fn: fn('sleep'), window: 1, onFull: 'reject' });
    const first = strict.run(slow);
    expect(() => strict.submit(slow, () => undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_FULL' }),
    );
    await first;
    await strict.close();

    const here = { module: `file://${jobsFile}`, name: 'double' };
    const inline = pool.series({ fn: here, window: 1, onFull: 'inline', workerWaitMs: Infinity });
    expect(await Promise.all([inline.run(4), inline.run(5)])).toEqual([8, 10]);
    await inline.close();
  });

  test('a name is free again when its run was closed: nothing of it is taken for the new one’s', async () => {
    for (let times = 0; times < 3; times += 1) {
      const series = pool.series({ fn: fn('double'), run: 'again' });
      expect(await Promise.all([series.run(times), series.run(7)])).toEqual([2 * times, 14]);
      await series.close();
    }
  });

  test('streams: a Duplex and a Web pair, in order', async () => {
    const series = pool.series({ fn: fn('double'), window: 8 });
    const duplex = series.duplex();
    for (let i = 0; i < 50; i += 1) duplex.write(i);
    duplex.end();
    const got: unknown[] = [];
    for await (const value of duplex) got.push(value);
    expect(got).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i));
    const { readable, writable } = series.transform();
    const writer = writable.getWriter();
    void writer.write(21).then(() => writer.close());
    const web: unknown[] = [];
    for await (const value of readable) web.push(value);
    expect(web).toEqual([42]);
    await series.close();
  });

  test('abort ends everything with its reason, and nothing stays on the server', async () => {
    const abort = new AbortController();
    const series = pool.series({ fn: fn('sleep'), window: 64, signal: abort.signal, graceMs: 10 });
    const jobs = Array.from({ length: 40 }, (_, value) => series.run({ ms: 50, value }));
    const settled = Promise.allSettled(jobs);
    await series.ready();
    await jobs[0];
    abort.abort(new Error('enough'));
    const outcomes = await settled;
    expect(outcomes[0]!.status).toBe('fulfilled');
    expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    expect(() => series.submit(1, () => undefined)).toThrow('enough');
    await series.close();
    const other = pool.series({ fn: fn('double') });
    expect(await other.run(1)).toBe(2);
    await other.close();
  });

  test('one job is cancelled: its promise ends, the order of the rest is kept', async () => {
    const abort = new AbortController();
    const series = pool.series({ fn: fn('sleep'), window: 2 });
    const one = series.run({ ms: 40, value: 1 });
    const two = series.run({ ms: 0, value: 2 }, { signal: abort.signal });
    const three = series.run({ ms: 0, value: 3 }, { signal: abort.signal });
    abort.abort(new Error('not these'));
    expect(await one).toBe(1);
    await expect(two).rejects.toThrow('not these');
    await expect(three).rejects.toThrow('not these');
    await expect(series.run(1, { signal: abort.signal })).rejects.toThrow('not these');
    expect(await series.run({ ms: 0, value: 4 })).toBe(4);
    await series.close();
  });

  test.each(['soon,fail=1', 'now,fail=1'] as const)(
    'halt %s stops at the same job',
    async (halt) => {
      const series = pool.series({ fn: fn('someFail'), window: 32, halt });
      const outcomes = await Promise.allSettled(
        [0, 1, 2, 3, 4, 5].map((value) => series.run(value)),
      );
      expect(outcomes.slice(0, 3).map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
      ]);
      expect(() => series.submit(9, () => undefined)).toThrow(
        expect.objectContaining({ code: 'ERR_PADATA_HALTED' }),
      );
      await series.close();
    },
  );

  test('the watchdog reports the job that everyone waits for', async () => {
    const reports: { seq: number; behind: number }[] = [];
    const series = pool.series({
      fn: fn('sleep'),
      watchdogMs: 40,
      onStall: (report) => reports.push(report),
    });
    const jobs = [series.run({ ms: 300, value: 0 }), series.run({ ms: 0, value: 1 })];
    await Promise.all(jobs);
    expect(reports[0]).toMatchObject({ seq: 0, behind: 1, state: 'sent' });
    await series.close();
  });

  test('close is idempotent and final', async () => {
    const series = pool.series({ fn: fn('double') });
    await series.run(1);
    await Promise.all([series.close(), series.close()]);
    expect(() => series.submit(1, () => undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_CLOSED' }),
    );
    const own = await createNatsPool({ servers: server.url });
    await own.close();
    await own.close();
    expect(() => own.series({ fn: fn('double') })).toThrow('closed');
    await expect(
      own.runMultithreaded({ threadFn: fn('sum'), start: 0, size: 1 }),
    ).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
  });

  test('a connection that is closed for good ends what is under way', async () => {
    const connection = await connect({ servers: server.url });
    const own = await createNatsPool({ connection });
    const series = own.series({ fn: fn('sleep'), window: 1 });
    const jobs = [1, 2].map((value) => series.run({ ms: 500, value }));
    for (const job of jobs) job.catch(() => undefined);
    await series.ready();
    await connection.close();
    for (const job of jobs) await expect(job).rejects.toMatchObject({ name: 'PadataNatsError' });
    await own.close();
  });
});
