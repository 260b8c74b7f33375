/** What lies between submitter, server and workers fails: the network, the disk, a clock. Each callback once, in order, or a code. */
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectTo } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool, NatsPoolOptions, NatsSeries } from '@bootmem/padata-nats';
import { SmallDisk } from '../../../tools/kit/small-disk.mjs';
import { TcpLink } from '../../../tools/kit/tcp-link.mjs';
import { LocalServer, LocalWorker } from '../examples/local-cluster.mjs';
import { moduleToken } from '../dist/wire/names.js';
import { jobsFile, withServer } from './support/server.js';
import { Standing } from './support/standing.js';

const fn = (name: string): { module: string; name: string } => ({ module: 'jobs', name });
const ACK_WAIT_MS = 1500;
/** Longer than the server waits for a sign of life. */
const CUT_MS = 4000;
const clockJump = fileURLToPath(new URL('../../../tools/kit/clock-jump.mjs', import.meta.url));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Callbacks by number: each once, in order; a value, or an error's code. */
class Ledger {
  readonly ends: unknown[] = [];

  /** @param pad bytes that each input carries besides */
  async submit(series: NatsSeries, count: number, pad = 0): Promise<void> {
    for (let value = 0; value < count; value += 1) {
      const more = series.submit({ ms: 3, value, pad: 'x'.repeat(pad) }, (error, result, seq) => {
        expect(seq).toBe(this.ends.length);
        this.ends.push(error === undefined ? result : (error as { code: string }).code);
      });
      if (!more) await series.room();
    }
  }

  async reached(count: number): Promise<void> {
    while (this.ends.length < count) await sleep(5);
  }
}

const values = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

withServer('when what lies between fails', () => {
  let server: LocalServer;
  let pool: NatsPool;
  let ledger: Ledger;
  let standing: Standing;
  let workers: LocalWorker[];
  const all: NatsSeries[] = [];
  /** What ends all that a test began, first begun first. */
  const ends: (() => Promise<unknown>)[] = [];

  const open = async (disk?: SmallDisk): Promise<void> => {
    server = await LocalServer.nats(disk);
    ends.push(() => server.stop());
  };
  const link = async (): Promise<TcpLink> => {
    const one = await TcpLink.to(server.port);
    ends.push(() => {
      one.heal();
      return one.close();
    });
    return one;
  };
  const start = (url: string, node: readonly string[] = []): LocalWorker => {
    const args = ['--ack-wait', String(ACK_WAIT_MS)];
    const worker = new LocalWorker(url, { jobs: jobsFile }, { args, node });
    workers.push(worker);
    ends.push(() => worker.kill());
    return worker;
  };
  /** A pool to which all workers are there. */
  const connect = async (options: NatsPoolOptions): Promise<void> => {
    pool = await createNatsPool(options);
    ends.push(() => pool.close());
    standing.at('until workers are there');
    await pool.ready('jobs', { threads: workers.length });
  };
  const spins = (options: { window: number; idempotent?: boolean }, name = 'spin'): NatsSeries => {
    const series = pool.series({ fn: fn(name), ...options });
    all.push(series);
    ends.push(async () => {
      if (series.inFlight > 0) series.abort();
      await series.close();
    });
    return series;
  };
  const cutOff = async (cable: TcpLink): Promise<void> => {
    cable.cut();
    await sleep(CUT_MS);
    cable.heal();
  };
  /** Until workers hold so many messages. */
  const held = async (count: number): Promise<void> => {
    const nc = await connectTo({ servers: server.url });
    const jsm = await jetstreamManager(nc);
    for (;;) {
      const { num_ack_pending: pending } = await jsm.consumers.info(
        'padata_JOBS',
        `workers-${moduleToken('jobs')}`,
      );
      if (pending >= count) break;
      await sleep(5);
    }
    await nc.close();
  };

  beforeEach(() => {
    ledger = new Ledger();
    workers = [];
    standing = new Standing({
      url: () => server.url,
      moves: () => [ledger.ends.length, all.map((series) => series.stats().delivered)],
      more: () => ({
        series: all.map((series) => series.stats()),
        heard: pool.workers(),
        workers: workers.map(({ isRunning, errors }) => ({ isRunning, errors })),
      }),
    });
    ends.push(() => {
      standing.stop();
      all.length = 0;
      return Promise.resolve();
    });
  });

  // Where a test fails too: a program that it left running would keep all tests from ending.
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  test('a worker that is cut off for longer than the ack wait: others do its jobs, and its late results are dropped', async () => {
    await open();
    const cable = await link();
    start(cable.url);
    await connect({ servers: server.url });
    const series = spins({ window: 64, idempotent: true }, 'sleep');
    const first = series.run({ ms: 1000, value: 'first' });
    standing.at('until the worker behind the cut holds the first job');
    await held(1);
    cable.cut();
    start(server.url);
    const rest = values(600).map((value) => series.run({ ms: 1, value }));
    standing.at('until the other one has done all');
    expect(await first).toBe('first');
    expect(await Promise.all(rest)).toEqual(values(600));
    // It was given to two: the first one's answer cannot have come.
    expect(series.stats().retried).toBeGreaterThan(0);
    cable.heal();
    standing.at('until the worker behind the cut is there again');
    await pool.ready('jobs', { threads: 2 });
    expect(await series.run({ ms: 1, value: 'after' })).toBe('after');
    expect(series.stats()).toMatchObject({ delivered: 602, failed: 0 });
  });

  test('without idempotent, what the worker behind the cut had begun has its value or says so', async () => {
    await open();
    const cable = await link();
    start(cable.url);
    start(server.url);
    await connect({ servers: server.url });
    const series = spins({ window: 64 });
    const submitted = ledger.submit(series, 400);
    await ledger.reached(50);
    await cutOff(cable);
    await submitted;
    await series.drain();
    expect(ledger.ends).toHaveLength(400);
    for (const [i, end] of ledger.ends.entries())
      expect([i, 'ERR_PADATA_WORKER_DIED']).toContain(end);
    expect(ledger.ends.filter((end) => end === 'ERR_PADATA_WORKER_DIED').length).toBeLessThan(64);
  });

  test('a submitter that is cut off for longer than the ack wait goes on where it was', async () => {
    await open();
    const cable = await link();
    start(server.url);
    start(server.url);
    await connect({ servers: cable.url, workerWaitMs: 60_000 });
    const series = spins({ window: 64, idempotent: true });
    const submitted = ledger.submit(series, 600);
    await ledger.reached(50);
    await cutOff(cable);
    await submitted;
    await series.drain();
    expect(ledger.ends).toEqual(values(600));
  });

  test('clocks that jump by hours are nobody’s business', async () => {
    await open();
    const workers = [0, 1].map(() => start(server.url, ['--import', clockJump]));
    await connect({ servers: server.url });
    const series = spins({ window: 32 });
    const submitted = ledger.submit(series, 400);
    for (let jumps = 1; jumps <= 10; jumps += 1) {
      await ledger.reached(jumps * 30);
      for (const worker of workers) worker.child.kill('SIGUSR2');
    }
    await submitted;
    await series.drain();
    expect(ledger.ends).toEqual(values(400));
    expect(series.stats()).toMatchObject({ retried: 0, failed: 0 });
    for (const worker of workers) expect(worker.isRunning).toBe(true);
  });

  test('a full disk: each job has its value or a code; with room again and the server started anew all goes on', async () => {
    const disk = await SmallDisk.make(2 ** 25);
    if (disk === undefined) {
      process.stderr.write('\n*** SKIPPED: no user namespaces here: a full disk is not tested.\n');
      return;
    }
    ends.push(() => disk.close());
    await open(disk);
    start(server.url);
    start(server.url);
    await connect({ servers: server.url, workerWaitMs: 60_000 });
    const series = spins({ window: 64, idempotent: true });
    const submitted = ledger.submit(series, 600, 20_000);
    standing.at('until jobs are done, before the disk is full');
    await ledger.reached(50);
    // What the server takes away makes room again.
    const full = setInterval(() => {
      disk.fill();
    }, 10);
    ends.push(() => {
      clearInterval(full);
      return Promise.resolve();
    });
    // What exists may go on from the server's memory; what is new may not be stored, and says so.
    const another = spins({ window: 256, idempotent: true });
    const ended = another.run({ ms: 1, value: 'another' }).catch((error: unknown) => error);
    standing.at('while the disk is full');
    await sleep(CUT_MS);
    clearInterval(full);
    disk.free();
    standing.at('until the server has started anew');
    await server.restart();
    standing.at('until the run of the full disk has ended');
    const end = await ended;
    expect(end === 'another' || (end as { code: string }).code === 'ERR_PADATA_NATS_SERVER').toBe(
      true,
    );
    await another.close();
    standing.at('until all jobs were sent');
    await submitted;
    standing.at('until all jobs have ended');
    await series.drain();
    const known = [...values(600), 'ERR_PADATA_NATS_SERVER'];
    expect(ledger.ends).toHaveLength(600);
    for (const end of ledger.ends) expect(known).toContain(end);
    const done = ledger.ends.filter((end) => typeof end === 'number');
    expect(done).toEqual([...done].sort((a, b) => a - b));
    standing.at('until a job after all this has ended');
    expect(await series.run({ ms: 1, value: 'after' })).toBe('after');
  });
});
