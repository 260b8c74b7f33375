/** One name, two submitters: one has the run, the other a code, and neither harms the other's jobs. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamManager } from '@nats-io/jetstream';
import { Objm } from '@nats-io/obj';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool, NatsSeries } from '@bootmem/padata-nats';
import { startNatsWorker } from '@bootmem/padata-nats/worker';
import type { NatsWorker } from '@bootmem/padata-nats/worker';
import { Names } from '../dist/wire/names.js';
import { TestServer, command, jobsFile, withServer } from './support/server.js';

const fn = (name: string): { module: string; name: string } => ({ module: 'jobs', name });
const RUN = expect.objectContaining({ code: 'ERR_PADATA_NATS_RUN' }) as unknown;
/** More than a message holds. */
const LARGE = 1_500_000;

withServer('a name that two submitters want', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let jsm: JetStreamManager;
  let count = 0;
  let prefix: string;
  let names: Names;
  let one: NatsPool;
  let two: NatsPool;
  let worker: NatsWorker | undefined;

  beforeAll(async () => {
    server = await TestServer.start();
    nc = await connect({ servers: server.url });
    jsm = await jetstreamManager(nc);
  });

  afterAll(async () => {
    await nc.close();
    await server.stop();
  });

  beforeEach(async () => {
    prefix = `names${(count += 1)}`;
    names = new Names(prefix);
    one = await createNatsPool({ servers: server.url, prefix, workerWaitMs: Infinity });
    two = await createNatsPool({ servers: server.url, prefix, workerWaitMs: Infinity });
    worker = undefined;
  });

  afterEach(async () => {
    await Promise.all([one.close(), two.close()]);
    await worker?.close();
  });

  const startWorker = async (): Promise<void> => {
    worker = await startNatsWorker({
      servers: server.url,
      prefix,
      modules: { jobs: `file://${jobsFile}` },
      threads: 1,
    });
  };

  const begin = (pool: NatsPool, run: string, options: object = {}): NatsSeries<never> =>
    pool.series<never>({ fn: fn('double'), run, ...options });

  /** What becomes of so many jobs. */
  const outcomes = (series: NatsSeries<never>, from = 0, to = 4): Promise<unknown[]> =>
    Promise.all(
      Array.from({ length: to - from }, (_, i) =>
        series.run((from + i) as never).catch((reason: unknown) => reason),
      ),
    );

  const messagesOf = async (stream: string): Promise<number> =>
    (await jsm.streams.info(stream)).state.messages;

  async function untilJobs(messages: number): Promise<void> {
    while ((await messagesOf(names.jobsStream)) !== messages) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Which of two is ready; the other has to have the code. */
  async function winnerOf(series: readonly NatsSeries<never>[]): Promise<number> {
    const ready = await Promise.allSettled(series.map((each) => each.ready()));
    const won = ready.findIndex(({ status }) => status === 'fulfilled');
    expect(ready.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(ready[1 - won]).toMatchObject({ reason: RUN });
    return won;
  }

  test('started at once by both: one has it and all of its jobs, the other the code, round after round', async () => {
    await startWorker();
    const won = [0, 0];
    for (let round = 0; round < 100; round += 1) {
      const both = [begin(one, 'same'), begin(two, 'same')];
      const jobs = both.map((series) => outcomes(series));
      const winner = await winnerOf(both);
      won[winner]! += 1;
      // Whoever loses may go at any time.
      if (round % 2 === 0) both[1 - winner]!.abort();
      else await both[1 - winner]!.close();
      expect(await jobs[winner]).toEqual([0, 2, 4, 6]);
      expect(await jobs[1 - winner]).toEqual([RUN, RUN, RUN, RUN]);
      await Promise.all(both.map((series) => series.close()));
    }
    expect(won[0]! + won[1]!).toBe(100);
    for (const stream of [names.jobsStream, names.resultsStream, names.runsStream]) {
      expect([stream, await messagesOf(stream)]).toEqual([stream, 0]);
    }
  });

  test('started at once by both with a large shared value: jobs see the one of the winner, and nothing stays', async () => {
    await startWorker();
    for (let round = 0; round < 12; round += 1) {
      const both = [one, two].map((pool, i) =>
        begin(pool, 'large', {
          fn: fn('shared'),
          shared: { greeting: `${round} of ${i}`, more: new Uint8Array(LARGE) },
        }),
      );
      const winner = await winnerOf(both);
      await both[1 - winner]!.close();
      expect(await outcomes(both[winner]!, 0, 1)).toEqual([`${round} of ${winner}`]);
      await both[winner]!.close();
    }
    const store = await new Objm(jetstream(nc)).create(names.bucket);
    expect((await store.list()).map(({ name }) => name)).toEqual([]);
  });

  test('who finds the name taken leaves the jobs alone: aborted, aborted before, closed, with jobs of its own', async () => {
    const winner = begin(one, 'mine');
    await winner.ready();
    const jobs = outcomes(winner);
    await untilJobs(4);
    const losers = [
      begin(two, 'mine', { signal: AbortSignal.abort(new Error('before')) }),
      begin(two, 'mine'),
      begin(two, 'mine'),
    ];
    const theirs = outcomes(losers[2]!);
    losers[1]!.abort();
    for (const loser of losers) await expect(loser.ready()).rejects.toEqual(RUN);
    expect(await theirs).toEqual([RUN, RUN, RUN, RUN]);
    losers[2]!.abort();
    for (const loser of losers) await loser.close();
    losers[2]!.abort();
    await two.close();
    expect(await messagesOf(names.jobsStream)).toBe(4);
    // Description only: a position would be another's, and lead.
    expect(await messagesOf(names.runsStream)).toBe(1);
    await startWorker();
    expect(await jobs).toEqual([0, 2, 4, 6]);
    await winner.close();
  });

  test('resumed at once by both: one has it and its jobs, the other the code, round after round', async () => {
    await startWorker();
    for (let round = 0; round < 40; round += 1) {
      const run = `again${round}`;
      const connection = await connect({ servers: server.url });
      const doomed = await createNatsPool({ connection, prefix });
      await begin(doomed, run).ready();
      await connection.close();
      const both = [one, two].map((pool) => begin(pool, run, { resume: true, idempotent: true }));
      const jobs = both.map((series) => outcomes(series));
      const winner = await winnerOf(both);
      await both[1 - winner]!.close();
      expect(await jobs[winner]).toEqual([0, 2, 4, 6]);
      expect(await jobs[1 - winner]).toEqual([RUN, RUN, RUN, RUN]);
      await both[winner]!.close();
    }
  });

  test('resumed while its submitter lives: that one ends with the code, and closes without harm', async () => {
    const old = begin(one, 'alive', { idempotent: true });
    await old.ready();
    const olds = outcomes(old);
    await untilJobs(4);
    const now = begin(two, 'alive', { resume: true, idempotent: true });
    await now.ready();
    await untilJobs(0);
    const jobs = outcomes(now);
    await untilJobs(4);
    // By its audit, and from then on at once.
    expect(await olds).toEqual([RUN, RUN, RUN, RUN]);
    expect(await outcomes(old, 4, 5)).toEqual([RUN]);
    old.abort();
    await old.close();
    expect(await messagesOf(names.jobsStream)).toBe(4);
    await startWorker();
    expect(await jobs).toEqual([0, 2, 4, 6]);
    await now.close();
  });

  test('closed, and aborted, while nobody knows that it was resumed: the jobs of the new submitter stay', async () => {
    const old = begin(one, 'idle');
    await old.ready();
    const now = begin(two, 'idle', { resume: true });
    await now.ready();
    const jobs = outcomes(now);
    await untilJobs(4);
    await old.close();
    // As a signal that comes late does.
    old.abort();
    await one.close();
    await startWorker();
    expect(await jobs).toEqual([0, 2, 4, 6]);
    await now.close();
  });

  test('taken off by an operator and started by another: the first does not take it back', async () => {
    const old = begin(one, 'moved', { idempotent: true });
    await old.ready();
    const olds = outcomes(old);
    await untilJobs(4);
    expect((await command('purge', 'moved', '-s', server.url, '-p', prefix)).status).toBe(0);
    const now = begin(two, 'moved');
    await now.ready();
    const jobs = outcomes(now);
    expect(await olds).toEqual([RUN, RUN, RUN, RUN]);
    await old.close();
    await startWorker();
    expect(await jobs).toEqual([0, 2, 4, 6]);
    await now.close();
  });
});
