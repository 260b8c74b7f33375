/**
 * The server forgets: the last messages of a stream, as a disk that loses its last seconds, a stream, the workers' consumer, a run's
 * description. Each job has its value, or a code.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool, NatsSeries } from '@bootmem/padata-nats';
import { TcpLink } from '../../../tools/kit/tcp-link.mjs';
import { LocalServer, LocalWorker } from '../examples/local-cluster.mjs';
import { BatchType } from '../dist/wire/batch.js';
import { moduleToken } from '../dist/wire/names.js';
import { peekBatch } from '../dist/wire/seal.js';
import { jobsFile, withServer } from './support/server.js';

const fn = (name: string): { module: string; name: string } => ({ module: 'jobs', name });
const values = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const doubled = (count: number): number[] => values(count).map((value) => 2 * value);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const consumer = `workers-${moduleToken('jobs')}`;

withServer('when the server forgets', () => {
  let server: LocalServer;
  let pool: NatsPool;
  let nc: NatsConnection;
  let jsm: JetStreamManager;
  let workers: LocalWorker[];

  beforeEach(async () => {
    server = await LocalServer.nats();
    nc = await connect({ servers: server.url, maxReconnectAttempts: -1 });
    jsm = await jetstreamManager(nc);
    pool = await createNatsPool({ servers: server.url, workerWaitMs: Infinity });
    workers = [];
  });

  afterEach(async () => {
    await pool.close();
    await nc.close();
    await Promise.all(workers.map((worker) => worker.kill()));
    await server.stop();
  });

  const start = async (): Promise<void> => {
    workers.push(new LocalWorker(server.url, { jobs: jobsFile }, { args: ['--ack-wait', '1000'] }));
    await pool.ready('jobs');
  };
  /** Results in order; an error's code in its place. */
  const run = async (series: NatsSeries, inputs: readonly unknown[]): Promise<unknown[]> => {
    const ends: unknown[] = [];
    for (const input of inputs) {
      const more = series.submit(input, (error, value) => {
        ends.push(error === undefined ? value : (error as { code: string }).code);
      });
      if (!more) await series.room();
    }
    await series.drain();
    return ends;
  };
  const messagesOf = (stream: string): string =>
    join(server.folder, 'store', 'jetstream', '$G', 'streams', stream, 'msgs');
  const kept = (): string => join(server.folder, 'kept');
  const keep = (stream: string): void => {
    cpSync(messagesOf(stream), kept(), { recursive: true });
  };
  /** A stream has what it had when it was kept. */
  const forget = (stream: string): void => {
    rmSync(messagesOf(stream), { recursive: true });
    cpSync(kept(), messagesOf(stream), { recursive: true });
  };
  const stored = async (stream: string, count: number): Promise<void> => {
    for (;;) {
      try {
        if ((await jsm.streams.info(stream)).state.messages === count) return;
      } catch {
        // It is starting anew.
      }
      await sleep(10);
    }
  };
  /** Workers have acknowledged all that is stored: a server that was killed may keep such messages, and gives them to nobody. */
  const allAnswered = async (): Promise<void> => {
    for (;;) {
      try {
        const { state } = await jsm.streams.info('padata_JOBS');
        if (state.messages === 0) return;
        const { ack_floor: floor } = await jsm.consumers.info('padata_JOBS', consumer);
        if (floor.stream_seq >= state.last_seq) return;
      } catch {
        // It is starting anew.
      }
      await sleep(10);
    }
  };
  const jobsThere = async (): Promise<number> => {
    let found = 0;
    const { state } = await jsm.streams.info('padata_JOBS');
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await jsm.streams.getMessage('padata_JOBS', { seq });
      if (message !== null) found += peekBatch(message.data, BatchType.JOBS).items.length;
    }
    return found;
  };
  /** Until so many jobs are there, in however many messages. */
  const storedJobs = async (count: number): Promise<void> => {
    let found = 0;
    while (found < count) {
      await sleep(10);
      // What was asked of a server that started anew meanwhile has no answer.
      found = await jobsThere().catch(() => 0);
    }
  };

  test.each(['padata_JOBS', 'padata_RESULTS', 'padata_RUNS'])(
    'the last messages of %s: all jobs have their values, those after it too',
    async (stream) => {
      await start();
      const before = pool.series({ fn: fn('double') });
      expect(await run(before, values(3))).toEqual(doubled(3));
      await before.close();
      await allAnswered();
      await server.kill();
      keep(stream);
      await server.start();
      const series = pool.series({ fn: fn('double'), window: 8, idempotent: true });
      // Each in a message of its own: so many numbers begin again that sending lost jobs anew does not reach their end.
      for (const value of values(300)) expect(await series.run(value)).toBe(2 * value);
      await allAnswered();
      await server.kill();
      forget(stream);
      await server.start();
      expect(await run(series, values(20))).toEqual(doubled(20));
      const after = pool.series({ fn: fn('double') });
      expect(await run(after, values(5))).toEqual(doubled(5));
      await after.close();
      await series.close();
    },
  );

  test('the last results, and has others under their numbers before they are asked for: these are read', async () => {
    const cable = await TcpLink.to(server.port);
    const far = await createNatsPool({ servers: cable.url, workerWaitMs: Infinity });
    try {
      await start();
      const series = far.series({ fn: fn('double') });
      expect(await run(series, values(3))).toEqual(doubled(3));
      await allAnswered();
      await server.kill();
      keep('padata_RESULTS');
      await server.start();
      for (const value of values(30)) expect(await series.run(value)).toBe(2 * value);
      await Promise.all(workers.map((worker) => worker.kill()));
      const running = Promise.all(values(10).map((value) => series.run(value)));
      await storedJobs(10);
      cable.cut();
      await server.kill();
      forget('padata_RESULTS');
      await server.start();
      await start();
      await allAnswered();
      cable.heal();
      expect(await running).toEqual(doubled(10));
      await series.close();
    } finally {
      cable.heal();
      await far.close();
      await cable.close();
    }
  });

  test.each(['padata_JOBS', 'padata_RESULTS', 'padata_RUNS'])(
    'the whole of %s before anybody begins: what may be run again has its value',
    async (stream) => {
      const series = pool.series({ fn: fn('double'), idempotent: true });
      const running = run(series, values(16));
      await stored('padata_JOBS', 16);
      await jsm.streams.delete(stream);
      await start();
      expect(await running).toEqual(doubled(16));
      await series.close();
    },
  );

  test.each(['padata_JOBS', 'padata_RESULTS', 'padata_RUNS'])(
    'the whole of %s while jobs run: each has its value or a code, later ones have values',
    async (stream) => {
      await start();
      const series = pool.series({ fn: fn('spin'), window: 16 });
      const inputs = values(60).map((value) => ({ ms: 5, value }));
      const running = run(series, inputs);
      while (series.stats().delivered < 20) await sleep(5);
      await jsm.streams.delete(stream);
      const ends = await running;
      const known = ['ERR_PADATA_NATS_SERVER', 'ERR_PADATA_WORKER_DIED'];
      for (const [i, end] of ends.entries()) expect([i, ...known]).toContain(end);
      expect(ends).toHaveLength(60);
      expect(await series.run({ ms: 1, value: 'after' })).toBe('after');
      await series.close();
    },
  );

  test('the workers’ consumer: it is made again', async () => {
    await start();
    const series = pool.series({ fn: fn('spin'), window: 16, idempotent: true });
    const running = run(
      series,
      values(60).map((value) => ({ ms: 5, value })),
    );
    while (series.stats().delivered < 20) await sleep(5);
    await jsm.consumers.delete('padata_JOBS', consumer);
    expect(await running).toEqual(values(60));
    await series.close();
  });

  test('a description alone: it is stored again, and its jobs are run', async () => {
    const series = pool.series({ fn: fn('double'), idempotent: true });
    const running = run(series, values(3));
    await stored('padata_JOBS', 3);
    await jsm.streams.purge('padata_RUNS', { filter: `padata.run.${series.runId}` });
    await start();
    expect(await running).toEqual(doubled(3));
    await series.close();
  });

  test('to give what it has: jobs that nobody is given end with a code', async () => {
    // As if its workers had been past everything: it has the messages, and passes over them.
    await jsm.consumers.add('padata_JOBS', {
      durable_name: consumer,
      ack_policy: 'explicit',
      ack_wait: 1e9,
      filter_subject: `padata.job.${moduleToken('jobs')}.none`,
    });
    await start();
    const series = pool.series({ fn: fn('double') });
    expect(await run(series, values(3))).toEqual(new Array(3).fill('ERR_PADATA_NATS_SERVER'));
    await stored('padata_JOBS', 0);
    await series.close();
  });
});
