/** Whoever may publish below a prefix may publish anything: what comes of it, on a real server. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { Objm } from '@nats-io/obj';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { startNatsWorker } from '@bootmem/padata-nats/worker';
import type { NatsWorker } from '@bootmem/padata-nats/worker';
import { BatchType, encodeBatch } from '../dist/wire/batch.js';
import type { Batch } from '../dist/wire/batch.js';
import { Names, moduleToken } from '../dist/wire/names.js';
import { newKey, sealBatch } from '../dist/wire/seal.js';
import { encodeValue } from '../dist/wire/values.js';
import { TestServer, WorkerProcess, command, jobsFile, withServer } from './support/server.js';

const fn = (name: string): { module: string; name: string } => ({ module: 'jobs', name });
const jobsOf = (...values: readonly unknown[]): Batch => ({
  type: BatchType.JOBS,
  first: 0,
  micros: 0,
  items: values.map((value) => encodeValue(value)),
});

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 20));
}

withServer('strangers', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let js: JetStreamClient;
  let jsm: JetStreamManager;
  let pool: NatsPool;
  let worker: NatsWorker | undefined;
  let count = 0;
  let prefix: string;
  let names: Names;

  beforeAll(async () => {
    server = await TestServer.start();
    nc = await connect({ servers: server.url });
    js = jetstream(nc);
    jsm = await jetstreamManager(nc);
  });

  afterAll(async () => {
    await nc.close();
    await server.stop();
  });

  beforeEach(async () => {
    prefix = `strangers${(count += 1)}`;
    names = new Names(prefix);
    pool = await createNatsPool({ servers: server.url, prefix });
    worker = undefined;
  });

  afterEach(async () => {
    await pool.close();
    await worker?.close();
  });

  const start = async (): Promise<NatsWorker> => {
    worker = await startNatsWorker({
      servers: server.url,
      prefix,
      modules: { jobs: `file://${jobsFile}` },
      threads: 1,
    });
    await pool.ready('jobs');
    return worker;
  };

  /** Reason and subject of each dead letter. */
  const deadLetters = async (): Promise<[reason: string, subject: string][]> => {
    const { state } = await jsm.streams.info(names.deadStream);
    const found: [string, string][] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await jsm.streams.getMessage(names.deadStream, { seq });
      const of = (name: string): string => message!.header.get(name);
      found.push([of('Padata-Reason'), of('Padata-Subject')]);
    }
    return found;
  };

  test('jobs that nobody can use become dead letters after three deliveries, and are counted', async () => {
    const one = await start();
    const stats = (): ReturnType<typeof one.stats> => one.stats();
    const series = pool.series({ fn: fn('double') });
    expect(await series.run(1)).toBe(2);
    const jobs = (run: string): string => names.jobs(moduleToken('jobs'), run);
    const key = newKey();
    const described = (info: unknown): Uint8Array => encodeBatch(jobsOf(info));
    // Noise; another version; a description that is none; one of a module that is not offered; another's seal.
    await js.publish(jobs('noise'), new Uint8Array([1, 2, 3]));
    const old = sealBatch(jobsOf(4), key);
    old[0] = 1;
    await js.publish(jobs('old'), old);
    await js.publish(names.info('odd'), described(['no', 'description']));
    await js.publish(jobs('odd'), sealBatch(jobsOf(4), key));
    const info = {
      kind: 'series',
      module: 'elsewhere',
      name: 'f',
      key,
      epoch: 0,
      idempotent: true,
      retries: 0,
    };
    await js.publish(names.info('lost'), described(info));
    await js.publish(jobs('lost'), sealBatch(jobsOf(4), key));
    await js.publish(jobs(series.runId), sealBatch({ ...jobsOf(4), first: 1 }, key));
    await until(() => stats().deadLetters === 5);
    expect((await deadLetters()).sort(([, a], [, b]) => a.localeCompare(b))).toEqual(
      [
        ['a message of 3 bytes is shorter than its header', jobs('noise')],
        [`a message of ${old.length} bytes is of version 1, not 2`, jobs('old')],
        ['no description of a run: kind is of another kind, or out of range', jobs('odd')],
        ["the run 'lost' is described as one of a module that is not offered here", jobs('lost')],
        [
          expect.stringContaining("sealed by somebody who does not know the run's key"),
          jobs(series.runId),
        ],
      ].sort(([, a], [, b]) => String(a).localeCompare(String(b))),
    );
    // Two more deliveries of each; none of them ran, and the run goes on.
    expect(stats()).toMatchObject({ redelivered: 10, jobs: 1, failed: 0 });
    expect(await series.run(4)).toBe(8);
    expect(series.stats()).toMatchObject({ refused: 0, retried: 0 });
    // The last acknowledgement comes after the result.
    await until(async () => (await jsm.streams.info(names.jobsStream)).state.messages === 0);
    await series.close();
    const shown = await command('status', '-s', server.url, '-p', prefix, '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ deadLetters: 5 });
  });

  test('subjects that name no run, with whatever in them: dead letters too, and nothing of it reaches a terminal', async () => {
    const one = await start();
    const odd = ['\u001b[2J', 'ä\u202e', '\u0007x', 'y'.repeat(500)];
    for (const run of odd)
      await js.publish(names.jobs(moduleToken('jobs'), run), new Uint8Array(3));
    const hello = {
      id: 'x',
      host: '\u001b]0;h\u0007\nfake',
      pid: 1,
      threads: 1,
      modules: ['\u009bm'],
    };
    const saying = setInterval(() => {
      nc.publish(names.here, JSON.stringify(hello));
    }, 100);
    for (const flags of [[], ['--json']]) {
      const shown = await command('status', '-s', server.url, '-p', prefix, ...flags);
      expect(shown.status).toBe(0);
      // eslint-disable-next-line no-control-regex -- what must not be there
      expect(shown.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(shown.stdout).toContain('\\u001b]0;h\\u0007');
    }
    clearInterval(saying);
    await until(() => one.stats().deadLetters === 4);
    const found = await deadLetters();
    expect(found).toHaveLength(4);
    for (const [, subject] of found) expect(subject).toMatch(/^strangers\d+\.job\.[ -~]*$/);
    const { state } = await jsm.streams.info(names.deadStream, { subjects_filter: '>' });
    expect(state.subjects).toEqual({ [names.dead('_')]: 4 });
  });

  test('a job of the run itself, published once more while it runs: begun once, and it has its value', async () => {
    const one = await start();
    const series = pool.series({ fn: fn('sleep') });
    await series.ready();
    const copies: Promise<unknown>[] = [];
    const copying = nc.subscribe(names.jobs(moduleToken('jobs'), series.runId), {
      callback: (_error, message) => {
        if (message.headers?.has('Nats-Msg-Id') !== true) return;
        copies.push(js.publish(message.subject, message.data));
      },
    });
    await nc.flush();
    const running = Promise.all([0, 1, 2].map((value) => series.run({ ms: 200, value })));
    expect(await running).toEqual([0, 1, 2]);
    copying.unsubscribe();
    await Promise.all(copies);
    expect(copies.length).toBeGreaterThan(0);
    await until(async () => (await jsm.streams.info(names.jobsStream)).state.messages === 0);
    expect(one.stats()).toMatchObject({ jobs: 3, failed: 0 });
    await series.close();
  });

  test('a worker that leaves says how many there were', async () => {
    const one = new WorkerProcess(server, ['-p', prefix]);
    await pool.ready('jobs');
    await js.publish(names.jobs(moduleToken('jobs'), 'noise'), new Uint8Array(0));
    await until(async () => {
      try {
        return (await jsm.streams.info(names.deadStream)).state.messages === 1;
      } catch {
        return false;
      }
    });
    expect(await one.leave()).toBe(0);
    expect(one.output).toContain(
      'left after 0 jobs, 0 of them given up; 1 messages moved to the dead letters\n',
    );
  });

  test('results that were not sealed for this run are refused and counted; the right ones come', async () => {
    await start();
    const [mine, other] = [pool.series({ fn: fn('double') }), pool.series({ fn: fn('double') })];
    const results = (items: Batch['items']): Batch => ({
      ...jobsOf(),
      type: BatchType.RESULTS,
      items,
    });
    await Promise.all([mine.ready(), other.ready()]);
    const subject = names.results(mine.runId);
    const forged = results([encodeValue('forged'), encodeValue('forged')]);
    // No seal, another key, noise; and whatever another run of the same prefix is answered.
    await js.publish(subject, encodeBatch(forged));
    await js.publish(subject, sealBatch(forged, newKey()));
    await js.publish(subject, new Uint8Array(100).fill(7));
    let copied: Promise<unknown> | undefined;
    nc.subscribe(names.results(other.runId), {
      max: 1,
      callback: (_error, message) => {
        copied = js.publish(subject, message.data);
      },
    });
    await nc.flush();
    expect(await other.run(50)).toBe(100);
    await until(() => copied !== undefined);
    await copied;
    await until(() => mine.stats().refused === 4);
    expect([await mine.run(1), await mine.run(2)]).toEqual([2, 4]);
    expect(other.stats().refused).toBe(0);
    await mine.close();
    await other.close();
  });

  test('a run whose description somebody replaces describes itself again, and is done', async () => {
    const series = pool.series({ fn: fn('double'), idempotent: true });
    await series.ready();
    const info = {
      kind: 'series',
      module: 'jobs',
      name: 'fail',
      key: newKey(),
      epoch: 0,
      idempotent: true,
      retries: 0,
    };
    await js.publish(names.info(series.runId), encodeBatch(jobsOf(info)));
    const done = series.run(4);
    await start();
    expect(await done).toBe(8);
    expect(worker!.stats().failed).toBe(0);
    await series.close();
  });

  test('a large value that somebody replaces is not taken for the job', async () => {
    const series = pool.series({ fn: fn('reverse'), slotBytes: 4_000_000 });
    const done = series.run(new Uint8Array(1_500_000).fill(1));
    done.catch(() => undefined);
    const store = await new Objm(js).create(`${prefix}_VALUES`);
    const name = `${series.runId}.0.in`;
    await until(async () => (await store.info(name)) !== null);
    await store.putBlob({ name }, new Uint8Array(1_500_000).fill(2));
    await start();
    await expect(done).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_VALUE', details: { name } });
    await series.close();
  });
});
