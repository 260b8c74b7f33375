/** The server is there and does nothing of what it is asked for: each job ends with a code, within a bound that is stated. */
import { afterEach, expect, test } from '@jest/globals';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, withServer } from './support/server.js';

withServer('when the server comes back without JetStream', () => {
  let server: TestServer;
  let pool: NatsPool;
  let worker: WorkerProcess;

  afterEach(async () => {
    await pool.close();
    await worker.kill();
    await server.stop();
  });

  test('jobs that are stored, jobs that are not, and new runs end with a code; with it again all goes on', async () => {
    server = await TestServer.start();
    worker = new WorkerProcess(server);
    pool = await createNatsPool({ servers: server.url, workerWaitMs: Infinity });
    await pool.ready('jobs');
    const fn = { module: 'jobs', name: 'sleep' };
    const series = pool.series({ fn, window: 4 });
    const codeOf = (error: unknown): unknown => (error as { code?: string }).code;
    await series.ready();
    // Nobody answers this one any more.
    const first = series.run({ ms: 60_000, value: 0 }).catch(codeOf);
    while (pool.workers()[0]?.jobs !== 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await worker.kill();
    const stored = series.run({ ms: 1, value: 1 }).catch(codeOf);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.restart(300, '# without');
    const late = [2, 3].map((value) => series.run({ ms: 1, value }).catch(codeOf));
    const another = pool.series({ fn });
    const begun = another.run({ ms: 1, value: 4 }).catch(codeOf);
    expect(await Promise.all([first, stored, ...late, begun])).toEqual(
      new Array(5).fill('ERR_PADATA_NATS_SERVER'),
    );
    await server.restart();
    worker = new WorkerProcess(server);
    expect(await series.run({ ms: 1, value: 'after' })).toBe('after');
    await series.close();
  });
});
