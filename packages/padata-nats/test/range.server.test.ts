import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parallelFor } from '@bootmem/padata';
import { planRange } from '@bootmem/padata/backend';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, jobsFile, withServer } from './support/server.js';

const href = `file://${jobsFile}`;

withServer('range jobs over a server', () => {
  let server: TestServer;
  let pool: NatsPool;
  let workers: WorkerProcess[];

  beforeAll(async () => {
    server = await TestServer.start();
    // The same module under two names: one that the submitter can import too, one that only workers know.
    const args = ['-m', `${href}=${jobsFile}`, '--ack-wait', '3000'];
    workers = [new WorkerProcess(server, args), new WorkerProcess(server, args)];
    pool = await createNatsPool({ servers: server.url });
    await pool.ready('jobs', { threads: 2 });
  });

  afterAll(async () => {
    await pool.close();
    await Promise.all(workers.map((worker) => worker.leave()));
    await server.stop();
  });

  const total = (a: number, b: number): number => a + b;

  test('the chunks are those of the formulas, each done once, reduced in ascending order', async () => {
    const shape = { start: 100, size: 10_000, align: 64, minChunk: 10 };
    const spans: [number, number][] = [];
    const progress: number[] = [];
    const result = await pool.runMultithreaded({
      threadFn: { module: 'jobs', name: 'sum' },
      ...shape,
      initial: 0,
      reduce: (sum: number, value: unknown, start: number, end: number) => {
        spans.push([start, end]);
        return total(sum, value as number);
      },
      onProgress: (done) => progress.push(done),
    });
    const plan = planRange({ ...shape, maxThreads: 3 }, 2);
    expect(result).toMatchObject({
      planned: 3,
      got: 3,
      chunkSize: plan.chunkSize,
      chunks: plan.chunkCount,
      value: (10_000 * (100 + 10_099)) / 2,
    });
    expect(spans[0]![0]).toBe(100);
    expect(spans.at(-1)![1]).toBe(10_100);
    for (let i = 1; i < spans.length; i += 1) expect(spans[i]![0]).toBe(spans[i - 1]![1]);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(10_000);
  });

  test('a caller that has the module takes part; the argument arrives once', async () => {
    const result = await parallelFor(
      pool,
      0,
      4000,
      { module: href, name: 'sumWith' },
      {
        arg: { weight: 2 },
        initial: 0,
        reduce: (sum: number, value: unknown) => total(sum, value as number),
      },
    );
    expect(result.value).toBe(8000);
    expect(result.workers.reduce((sum, { units }) => sum + units, 0)).toBe(4000);
    expect(result.workers[0]!.worker).toBe(0);
    const alone = await pool.runMultithreaded({
      threadFn: { module: href, name: 'sum' },
      start: 0,
      size: 10,
      maxThreads: 1,
      initial: 0,
      reduce: (sum: number, value: unknown) => total(sum, value as number),
    });
    expect(alone).toMatchObject({ value: 45, chunks: 1, workers: [{ worker: 0, units: 10 }] });
    const empty = await pool.runMultithreaded({
      threadFn: { module: href, name: 'sum' },
      start: 5,
      size: 0,
      initial: 'nothing',
    });
    expect(empty).toMatchObject({ planned: 0, chunks: 0, value: 'nothing' });
  });

  test('the first error stops claiming and names its chunk; what was done is undone', async () => {
    const undone: [number, number][] = [];
    const arg = { weight: 1, failAt: 2500 };
    const job = {
      threadFn: { module: href, name: 'sumWith' },
      arg,
      start: 0,
      size: 4000,
      minChunk: 100,
      undoFn: { module: href, name: 'remember' },
    };
    await expect(pool.runMultithreaded(job)).rejects.toMatchObject({
      name: 'PadataError',
      code: 'ERR_PADATA_CHUNK_FAILED',
      cause: { message: 'bad chunk' },
    });
    const { remembered } = (await import(href)) as { remembered: [number, number][] };
    undone.push(...remembered);
    expect(undone.length).toBeGreaterThan(0);
    for (const [start, end] of undone) expect(start <= 2500 && 2500 < end).toBe(false);
    await expect(
      pool.runMultithreaded({
        ...job,
        threadFn: { module: 'jobs', name: 'sumWith' },
        undoFn: { module: 'nowhere', name: 'x' },
      }),
    ).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_ARGUMENT' });
  });

  test('abort ends with the signal’s reason', async () => {
    const abort = new AbortController();
    const running = pool.runMultithreaded({
      threadFn: { module: 'jobs', name: 'slowChunk' },
      arg: { ms: 30 },
      start: 0,
      size: 1000,
      signal: abort.signal,
      onProgress: () => {
        abort.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
    await expect(
      pool.runMultithreaded({
        threadFn: { module: href, name: 'sum' },
        start: 0,
        size: 9,
        signal: abort.signal,
      }),
    ).rejects.toThrow('enough');
  });

  test('a worker that is killed costs an idempotent job nothing', async () => {
    let killed: Promise<void> | undefined;
    const result = await pool.runMultithreaded({
      threadFn: { module: 'jobs', name: 'slowChunk' },
      arg: { ms: 40 },
      start: 0,
      size: 1200,
      idempotent: true,
      initial: 0,
      reduce: (sum: number, value: unknown) => total(sum, value as number),
      onProgress: () => {
        killed ??= workers[0]!.kill();
      },
    });
    await killed;
    expect(result.value).toBe(1200);
    workers[0] = new WorkerProcess(server, ['-m', `${href}=${jobsFile}`, '--ack-wait', '3000']);
    await pool.ready('jobs', { threads: 2 });
  });

  test('what is no range is refused before anything happens', async () => {
    await expect(
      pool.runMultithreaded({ threadFn: { module: 'jobs', name: 'sum' }, start: -1, size: 1 }),
    ).rejects.toMatchObject({ code: 'ERR_PADATA_ARGUMENT' });
    await expect(
      pool.runMultithreaded({ threadFn: { module: 'jobs', name: 'absent' }, start: 0, size: 100 }),
    ).rejects.toMatchObject({ code: 'ERR_PADATA_CHUNK_FAILED' });
  });
});
