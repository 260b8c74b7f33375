import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createNatsPool } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, withServer } from './support/server.js';

withServer('workers that do not agree on the time without a sign of life', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start();
  });

  afterAll(async () => {
    await server.stop();
  });

  test('a patient worker keeps long jobs, although an earlier one made an impatient consumer', async () => {
    const pool = await createNatsPool({ servers: server.url });
    const first = new WorkerProcess(server, ['--ack-wait', '2000']);
    await pool.ready('jobs');
    await first.leave();
    const second = new WorkerProcess(server, ['--ack-wait', '60000']);
    await pool.ready('jobs');
    const series = pool.series({ fn: { module: 'jobs', name: 'sleep' } });
    // More than twice as long as the consumer waits; not idempotent, so a second delivery would fail it.
    expect(await series.run({ ms: 5000, value: 'kept' })).toBe('kept');
    await series.close();
    await pool.close();
    await second.leave();
  });
});
