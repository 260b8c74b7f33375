/** examples/server.conf, but for paths and port, on a real server: each role can do its part, and no more. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, withServer } from './support/server.js';

const conf = readFileSync(new URL('../examples/server.conf', import.meta.url), 'utf8');
/** Users and permissions; the test's server has its own port and store, and TLS has a test of its own. */
const authorization = conf.slice(conf.indexOf('authorization {'));

const as = (user: string): { user: string; pass: string } => ({ user, pass: 'change-me' });

withServer('the permissions of the example configuration', () => {
  let server: TestServer;
  let pool: NatsPool;
  const workers: WorkerProcess[] = [];
  const startWorker = (): void => {
    const args = ['--user', 'worker', '--pass', 'change-me', '-p', 'jobs', '--ack-wait', '3000'];
    workers.push(new WorkerProcess(server, args));
  };

  beforeAll(async () => {
    server = await TestServer.start(authorization);
    startWorker();
    startWorker();
    pool = await createNatsPool({ servers: server.url, prefix: 'jobs', ...as('submitter') });
    await pool.ready('jobs', { threads: 2 });
  });

  afterAll(async () => {
    await pool.close();
    await Promise.all(workers.map((worker) => worker.kill()));
    await server.stop();
  });

  test('serve a series with a worker that is killed, and a range job', async () => {
    const series = pool.series({
      fn: { module: 'jobs', name: 'spin' },
      window: 32,
      idempotent: true,
    });
    const results: unknown[] = [];
    for (let i = 0; i < 120; i += 1) {
      const more = series.submit({ ms: 3, value: i }, (error, value) =>
        results.push(error ?? value),
      );
      if (i === 60) {
        await workers[0]!.kill();
        startWorker();
      }
      if (!more) await series.room();
    }
    await series.drain();
    expect(results).toEqual(Array.from({ length: 120 }, (_, i) => i));
    await series.close();
    const { value } = await pool.runMultithreaded({
      threadFn: { module: 'jobs', name: 'sum' },
      start: 0,
      size: 1000,
      reduce: (sum: number, part: unknown) => sum + (part as number),
      initial: 0,
    });
    expect(value).toBe(499_500);
  });

  test('carry values larger than a message, both ways', async () => {
    const series = pool.series({ fn: { module: 'jobs', name: 'reverse' } });
    const bytes = Uint8Array.from({ length: 1_500_000 }, (_, i) => i % 251);
    expect(await series.run(bytes)).toEqual(Uint8Array.from(bytes).reverse());
    await series.close();
  });

  test('serve a run that keeps its position', async () => {
    const series = pool.series({ fn: { module: 'jobs', name: 'double' }, run: 'named' });
    expect(await series.run(21)).toBe(42);
    await series.close();
  });

  test.each([
    ['worker', 'jobs.run.x'],
    ['worker', 'jobs.ctl.x'],
    ['worker', '$JS.API.STREAM.DELETE.jobs_JOBS'],
    ['submitter', 'jobs.res.x'],
    ['submitter', '$JS.API.CONSUMER.MSG.NEXT.jobs_JOBS.x'],
    ['submitter', '$JS.API.STREAM.DELETE.jobs_RUNS'],
    ['submitter', 'other.job.x.y'],
  ])('keep a %s from publishing to %s', async (user, subject) => {
    const nc = await connect({ servers: server.url, ...as(user) });
    const refused = (async () => {
      for await (const status of nc.status()) {
        if (status.type === 'error') return String(status.error);
      }
      return 'closed';
    })();
    nc.publish(subject);
    await nc.flush();
    expect(await refused).toMatch(/permission/i);
    await nc.close();
  });
});
