/** Values too large for a message, while the server loses them, or is away. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, withServer } from './support/server.js';

const LARGE = 3_000_000;

withServer('large values', () => {
  let server: TestServer;
  let pool: NatsPool;
  let worker: WorkerProcess;

  beforeAll(async () => {
    server = await TestServer.start();
    worker = new WorkerProcess(server);
    pool = await createNatsPool({ servers: server.url });
    await pool.ready('jobs', { threads: 1 });
  });

  afterAll(async () => {
    await pool.close();
    await worker.leave();
    await server.stop();
  });

  const reverse = { module: 'jobs', name: 'reverse' };

  /** Turns large bytes around, on the worker. */
  async function turned(): Promise<void> {
    const series = pool.series({ fn: reverse });
    const bytes = new Uint8Array(LARGE);
    bytes[0] = 7;
    const back = (await series.run(bytes)) as Uint8Array;
    expect([back.length, back[0], back.at(-1)]).toEqual([LARGE, 0, 7]);
    await series.close();
  }

  test('a bucket that was taken away is made again, by submitter and worker', async () => {
    await turned();
    const nc = await connect({ servers: server.url });
    const jsm = await jetstreamManager(nc);
    for (let times = 0; times < 2; times += 1) {
      await jsm.streams.delete('OBJ_padata_VALUES');
      await turned();
    }
    await nc.close();
  });

  test('a value of which the server lost chunks, some or all, ends its job with a code', async () => {
    const nc = await connect({ servers: server.url });
    const jsm = await jetstreamManager(nc);
    for (const all of [true, false]) {
      const other = await createNatsPool({ servers: server.url, prefix: `lost${String(all)}` });
      const series = other.series({ fn: reverse, workerWaitMs: Infinity });
      const done = series.run(new Uint8Array(LARGE));
      done.catch(() => undefined);
      const bucket = `${other.prefix}_VALUES`;
      // The job was sent: its value is there.
      const jobs = `${other.prefix}_JOBS`;
      while ((await jsm.streams.info(jobs)).state.messages === 0) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const filter = `$O.${bucket}.C.>`;
      await jsm.streams.purge(`OBJ_${bucket}`, all ? { filter } : { filter, keep: 3 });
      const late = new WorkerProcess(server, ['-p', other.prefix]);
      await expect(done).rejects.toMatchObject({
        code: 'ERR_PADATA_NATS_VALUE',
        details: { isGone: true },
      });
      await series.close();
      await other.close();
      await late.leave();
    }
    await nc.close();
  });

  test('a server that is away is waited for', async () => {
    const series = pool.series({ fn: reverse, idempotent: true });
    await series.ready();
    const restarted = server.restart(1000);
    const run = series.run(new Uint8Array(LARGE));
    await restarted;
    expect(((await run) as Uint8Array).length).toBe(LARGE);
    await series.close();
  });

  test('an error that is too large for a message arrives', async () => {
    const series = pool.series({ fn: { module: 'jobs', name: 'fail' } });
    const text = 'x'.repeat(LARGE);
    const error = await series.run(text).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_PADATA_JOB_FAILED' });
    expect((error as { cause: Error }).cause.message).toHaveLength(LARGE + 3);
    await series.close();
  });
});
