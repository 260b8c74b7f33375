import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, command, withServer } from './support/server.js';

const fn = { module: 'jobs', name: 'spin' };
const input = (value: number): { ms: number; value: number } => ({ ms: 2, value });

withServer('a run whose submitter dies', () => {
  let server: TestServer;
  let worker: WorkerProcess;
  let pool: NatsPool;

  beforeAll(async () => {
    server = await TestServer.start();
    worker = new WorkerProcess(server);
    pool = await createNatsPool({ servers: server.url });
    await pool.ready('jobs');
  });

  afterAll(async () => {
    await pool.close();
    await worker.leave();
    await server.stop();
  });

  /** A submitter that ends without a word after so many callbacks; resolves with how many there were in its turn. */
  async function dieAfter(run: string, most: number, keeps: number[]): Promise<number> {
    let calls = 0;
    const connection = await connect({ servers: server.url });
    const doomed = await createNatsPool({ connection });
    const series = doomed.series({ fn, run, window: 32, idempotent: true });
    await new Promise<void>((resolve) => {
      const dead = (): boolean => keeps.length >= most;
      const feed = async (): Promise<void> => {
        for (let i = 0; !dead(); i += 1) {
          const more = series.submit(input(i), (_error, value) => {
            calls += 1;
            if (dead()) return;
            keeps.push(value as number);
            if (dead()) resolve();
          });
          if (!more) await series.room();
        }
      };
      void feed();
    });
    // What a crash does to the connection; nothing is closed or purged.
    const inItsTurn = calls;
    await connection.close();
    return inItsTurn;
  }

  test('is taken up from the last callback, each exactly once, with a position of one’s own', async () => {
    const delivered: number[] = [];
    await dieAfter('exact', 57, delivered);
    const series = pool.series({
      fn,
      run: 'exact',
      resume: { from: delivered.length },
      window: 32,
      idempotent: true,
    });
    await series.ready();
    expect(series.position).toBe(57);
    for (let i = series.position; i < 150; i += 1) {
      const more = series.submit(input(i), (error, value, seq) => {
        expect(error).toBeUndefined();
        expect(seq).toBe(delivered.length);
        delivered.push(value as number);
      });
      if (!more) await series.room();
    }
    await series.drain();
    expect(delivered).toEqual(Array.from({ length: 150 }, (_, i) => i));
    await series.close();
  });

  test('is taken up from the stored position, which may lag and never leads', async () => {
    const delivered: number[] = [];
    const called = await dieAfter('stored', 40, delivered);
    const series = pool.series({ fn, run: 'stored', resume: true, window: 32, idempotent: true });
    // Submissions may begin at once; they wait until the position is known.
    await series.ready();
    const from = series.position;
    expect(from).toBeLessThanOrEqual(called);
    const again: number[] = [];
    for (let i = from; i < 80; i += 1) {
      const more = series.submit(input(i), (_error, value) => again.push(value as number));
      if (!more) await series.room();
    }
    await series.drain();
    expect(again).toEqual(Array.from({ length: 80 - from }, (_, i) => from + i));
    await series.close();
  });

  test('names are unique while a run lives, and unknown ones cannot be resumed', async () => {
    const one = pool.series({ fn, run: 'once' });
    await one.ready();
    const two = pool.series({ fn, run: 'once' });
    await expect(two.ready()).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_RUN' });
    await two.close();
    expect(await one.run(input(3))).toBe(3);
    await one.close();
    const gone = pool.series({ fn, run: 'once', resume: true });
    await expect(gone.ready()).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_RUN' });
    await gone.close();
    expect(() => pool.series({ fn, run: 'no.dots' })).toThrow('run is 1 to 64');
  });

  test('results are taken off the server as they are delivered, all of them at the end', async () => {
    const series = pool.series({ fn: { module: 'jobs', name: 'double' }, window: 64 });
    for (let i = 0; i < 1500; i += 1) {
      if (!series.submit(i, () => undefined)) await series.room();
    }
    await series.drain();
    await series.close();
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    for (const stream of ['padata_JOBS', 'padata_RESULTS', 'padata_RUNS']) {
      const { state } = await manager.streams.info(stream);
      expect([stream, state.messages]).toEqual([stream, 0]);
    }
    await connection.close();
  });

  test('status shows it, purge takes it off the server', async () => {
    const delivered: number[] = [];
    await dieAfter('left', 10, delivered);
    await worker.leave();
    const paused = pool.series({ fn, run: 'waiting', workerWaitMs: Infinity, window: 4 });
    const jobs = [1, 2, 3].map((value) => paused.run(input(value)));
    for (const job of jobs) job.catch(() => undefined);
    await paused.ready();
    let shown = await command('status', '-s', server.url);
    for (let i = 0; i < 50 && !shown.stdout.includes('waiting: 3'); i += 1) {
      shown = await command('status', '-s', server.url);
    }
    expect(shown.status).toBe(0);
    expect(shown.stdout).toContain('0 workers');
    expect(shown.stdout).toContain('waiting: 3 messages');
    const json = JSON.parse(
      (await command('status', '--json', '-s', server.url)).stdout,
    ) as unknown;
    expect(json).toMatchObject({ prefix: 'padata', workers: [], waiting: { waiting: 3 } });
    const purged = await command('purge', 'waiting', '-s', server.url);
    expect(purged.stdout).toBe('waiting: 3 messages of jobs and 0 of results\n');
    expect((await command('purge', 'left', '-s', server.url)).status).toBe(0);
    paused.abort(new Error('purged'));
    await Promise.allSettled(jobs);
    await paused.close();
  });
});
