import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool, NatsSeries } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, command, withServer } from './support/server.js';
import { moduleToken } from '../dist/wire/names.js';

const fn = (name: string): { module: string; name: string } => ({ module: 'jobs', name });
/**
 * Short enough that what a dead worker held comes again soon, long enough that no worker on a busy machine is silent
 * for so long.
 */
const ACK_WAIT = ['--ack-wait', '3000'];

/** Submits jobs and notes what each callback got; checks order and number at the end. */
class Ledger {
  readonly values: unknown[] = [];
  readonly errors: unknown[] = [];
  #count = 0;

  async submitAll(series: NatsSeries, inputs: readonly unknown[]): Promise<void> {
    for (const input of inputs) {
      const more = series.submit(input, (error, value, seq) => {
        expect(seq).toBe(this.#count);
        this.#count += 1;
        if (error === undefined) this.values.push(value);
        else this.errors.push(error);
      });
      if (!more) await series.room();
    }
  }

  get count(): number {
    return this.#count;
  }
}

const spins = (count: number, ms: number): { ms: number; value: number }[] =>
  Array.from({ length: count }, (_, value) => ({ ms, value }));
const values = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

withServer('when something dies', () => {
  let server: TestServer;
  let pool: NatsPool;
  let workers: WorkerProcess[];

  beforeEach(async () => {
    server = await TestServer.start();
    pool = await createNatsPool({ servers: server.url, workerWaitMs: 15_000 });
    workers = [];
  });

  afterEach(async () => {
    await pool.close();
    await Promise.all(workers.map((worker) => worker.kill()));
    await server.stop();
  });

  const start = async (count: number, args: readonly string[] = ACK_WAIT): Promise<void> => {
    for (let i = 0; i < count; i += 1) workers.push(new WorkerProcess(server, args));
    await pool.ready('jobs', { threads: count });
  };

  /** From here on with streams that a restart does not survive. */
  const forgetful = async (): Promise<void> => {
    await pool.close();
    const options = { servers: server.url, workerWaitMs: 15_000 } as const;
    pool = await createNatsPool({ ...options, prefix: 'mem', storage: 'memory' });
  };

  test('three workers, one killed over its job, one stopped for a while: each once, in order', async () => {
    await start(3);
    const series = pool.series({ fn: fn('spin'), window: 48, idempotent: true });
    const ledger = new Ledger();
    const submitted = ledger.submitAll(series, spins(400, 2));
    while (ledger.count < 100) await new Promise((resolve) => setTimeout(resolve, 5));
    await workers[0]!.kill();
    // The slow one: silent for longer than the server waits for it, then it goes on where it was.
    workers[1]!.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 4500));
    workers[1]!.child.kill('SIGCONT');
    await submitted;
    await series.drain();
    expect(ledger.errors).toEqual([]);
    expect(ledger.values).toEqual(values(400));
    expect(series.stats().retried).toBeGreaterThan(0);
    await series.close();
  });

  test('the server is killed and started again in the middle of a run', async () => {
    await start(2);
    const series = pool.series({ fn: fn('spin'), window: 32, idempotent: true });
    const ledger = new Ledger();
    const submitted = ledger.submitAll(series, spins(500, 2));
    while (ledger.count < 100) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.restart();
    await submitted;
    await series.drain();
    expect(ledger.errors).toEqual([]);
    expect(ledger.values).toEqual(values(500));
    await series.close();
  });

  test('the server comes back without its streams: jobs that may be run again are', async () => {
    await forgetful();
    await start(2, [...ACK_WAIT, '-p', 'mem', '--storage', 'memory']);
    const series = pool.series({ fn: fn('spin'), window: 32, idempotent: true });
    const ledger = new Ledger();
    const submitted = ledger.submitAll(series, spins(400, 2));
    while (ledger.count < 100) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.restart();
    await submitted;
    await series.drain();
    expect(ledger.errors).toEqual([]);
    expect(ledger.values).toEqual(values(400));
    await series.close();
  });

  test('the server comes back without its streams: other jobs fail, later ones run, nothing hangs', async () => {
    await forgetful();
    const series = pool.series({ fn: fn('spin'), window: 8 });
    const ledger = new Ledger();
    // Nobody takes these before the server goes.
    await ledger.submitAll(series, spins(8, 1).slice(0, 7));
    const nc = await connect({ servers: server.url });
    const jsm = await jetstreamManager(nc);
    while ((await jsm.streams.info('mem_JOBS')).state.messages < 7) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await nc.close();
    // What the submitter has not heard of being stored it stores again, in the new stream.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.restart();
    while (ledger.count < 7) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ledger.errors.map((error) => (error as { code: string }).code)).toEqual(
      new Array(7).fill('ERR_PADATA_NATS_SERVER'),
    );
    await start(1, [...ACK_WAIT, '-p', 'mem', '--storage', 'memory']);
    await ledger.submitAll(series, spins(20, 1));
    await series.drain();
    expect(ledger.count).toBe(27);
    expect(ledger.values).toEqual(values(20));
    await series.close();
  });

  test('a run that an operator purges ends: its open jobs say so', async () => {
    const series = pool.series({ fn: fn('spin'), window: 4, workerWaitMs: Infinity });
    const ended = Promise.allSettled([1, 2, 3].map((value) => series.run({ ms: 1, value })));
    await series.ready();
    const nc = await connect({ servers: server.url });
    const jsm = await jetstreamManager(nc);
    while ((await jsm.streams.info('padata_JOBS')).state.messages < 3) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await nc.close();
    const purged = await command('purge', '-s', server.url, series.runId);
    expect(purged.stdout).toBe(`${series.runId}: 3 messages of jobs and 0 of results\n`);
    const codes = (await ended).map((end) =>
      end.status === 'rejected' ? (end.reason as { code: string }).code : 'done',
    );
    expect(codes).toEqual(new Array(3).fill('ERR_PADATA_NATS_RUN'));
  });

  test('results that come twice, and twice under other ids, are handed out once', async () => {
    await start(1);
    const series = pool.series({ fn: fn('double'), window: 8 });
    await series.ready();
    const nc = await connect({ servers: server.url });
    const js = jetstream(nc);
    const subject = `padata.res.${series.runId}`;
    const copies: Promise<unknown>[] = [];
    const copying = nc.subscribe(subject, {
      callback: (_error, message) => {
        // Copies have no id, so the server keeps them, and they are not copied again.
        if (message.headers?.has('Nats-Msg-Id') !== true) return;
        copies.push(js.publish(subject, message.data));
      },
    });
    await nc.flush();
    const ledger = new Ledger();
    await ledger.submitAll(series, values(300));
    await series.drain();
    // No copy is begun after this line.
    copying.unsubscribe();
    await Promise.all(copies);
    await nc.close();
    expect(copies.length).toBeGreaterThan(0);
    expect(ledger.values).toEqual(values(300).map((value) => 2 * value));
    await series.close();
  });

  test('jobs that are delivered twice by force run twice and count once', async () => {
    await start(1, ['--ack-wait', '60000']);
    const series = pool.series({ fn: fn('sleep'), window: 8, idempotent: true });
    await series.ready();
    // Whoever may publish jobs may publish one again: under no id, the server keeps both.
    const nc = await connect({ servers: server.url });
    const js = jetstream(nc);
    const copies: Promise<unknown>[] = [];
    const copying = nc.subscribe(`padata.job.${moduleToken('jobs')}.${series.runId}`, {
      callback: (_error, message) => {
        if (message.headers?.has('Nats-Msg-Id') !== true) return;
        copies.push(js.publish(message.subject, message.data));
      },
    });
    await nc.flush();
    const ledger = new Ledger();
    await ledger.submitAll(series, spins(60, 3));
    await series.drain();
    // No copy is begun after this line.
    copying.unsubscribe();
    await Promise.all(copies);
    await nc.close();
    expect(copies.length).toBeGreaterThan(0);
    expect(ledger.errors).toEqual([]);
    expect(ledger.values).toEqual(values(60));
    await series.close();
  });

  test('a job that kills its worker ends as an error in its place, after so many tries', async () => {
    await start(1);
    const series = pool.series({ fn: fn('deadly'), window: 16, idempotent: true, retries: 2 });
    const ledger = new Ledger();
    await ledger.submitAll(series, values(12));
    // An operator's restart policy.
    const guard = setInterval(() => {
      const last = workers.at(-1)!;
      if (last.child.signalCode !== null) {
        workers.push(new WorkerProcess(server, ACK_WAIT));
      }
    }, 20);
    await series.drain();
    clearInterval(guard);
    expect(ledger.errors).toEqual([
      expect.objectContaining({ code: 'ERR_PADATA_NATS_POISON', details: { seq: 7, tries: 3 } }),
    ]);
    expect(ledger.values).toEqual(values(12).filter((value) => value !== 7));
    await series.close();
  });

  test('without idempotent, a job that may have been run is not run again', async () => {
    await start(1);
    const series = pool.series({ fn: fn('deadly'), window: 16 });
    const outcome = series.run(7);
    outcome.catch(() => undefined);
    while (workers[0]!.child.signalCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await start(1);
    await expect(outcome).rejects.toMatchObject({
      code: 'ERR_PADATA_WORKER_DIED',
      details: { seq: 0 },
    });
    expect(await series.run(8)).toBe(8);
    await series.close();
  });

  test('a worker that is told to leave answers for what it holds', async () => {
    await start(1);
    const series = pool.series({ fn: fn('sleep'), window: 4 });
    const job = series.run({ ms: 400, value: 'kept' });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await workers[0]!.leave()).toBe(0);
    expect(await job).toBe('kept');
    expect(workers[0]!.output).toMatch(/left after 1 jobs/);
    await series.close();
  });

  test('values larger than a message go through the object store, both ways, and leave nothing', async () => {
    await start(1);
    const large = new Uint8Array(2_500_000).map((_, i) => i % 251);
    const series = pool.series({ fn: fn('reverse'), slotBytes: 8_000_000 });
    const back = await series.run(large);
    expect(Buffer.compare(Buffer.from(back as Uint8Array), Buffer.from(large).reverse())).toBe(0);
    // Several that fit alone and not together.
    const some = await Promise.all(
      [1, 2, 3].map((n) => series.run(new Uint8Array(700_000).fill(n)) as Promise<Uint8Array>),
    );
    expect(some.map((bytes) => [bytes.length, bytes[0]])).toEqual(
      [1, 2, 3].map((n) => [700_000, n]),
    );
    await series.close();
    const nc = await connect({ servers: server.url });
    const { Objm } = await import('@nats-io/obj');
    const store = await new Objm(jetstream(nc)).open('padata_VALUES');
    for (let tries = 0; tries < 100 && (await store.list()).length > 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await store.list()).toEqual([]);
    await nc.close();
  });

  test('when no worker offers the module, jobs end with a code that says so', async () => {
    await start(1);
    const series = pool.series({ fn: { module: 'elsewhere', name: 'x' }, workerWaitMs: 300 });
    await expect(series.run(1)).rejects.toMatchObject({
      code: 'ERR_PADATA_NATS_NO_WORKER',
      details: { module: 'elsewhere' },
    });
    await series.close();
  });

  test('a worker that comes later takes the jobs that wait', async () => {
    const series = pool.series({ fn: fn('double') });
    const jobs = [1, 2, 3].map((value) => series.run(value));
    await start(1);
    expect(await Promise.all(jobs)).toEqual([2, 4, 6]);
    await series.close();
  });
});
