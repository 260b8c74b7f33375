/** examples/server.conf, but for paths and port, on a real server: each role can do its part, and no more. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { createNatsPool } from '@bootmem/padata-nats';
import type { NatsPool } from '@bootmem/padata-nats';
import { hasOpenssl, makeCertificates } from './support/certificates.js';
import { TestServer, WorkerProcess, command, withServer } from './support/server.js';
import { moduleToken } from '../dist/wire/names.js';

/** As it is, but for what belongs to the machine: address, store and certificates. */
function configuration(folder: string): string {
  const { server } = makeCertificates(folder);
  const own: readonly (readonly [string, string])[] = [
    ['host: 0.0.0.0\nport: 4222\n', ''],
    ['jetstream {\n  store_dir: "/var/lib/nats"\n  max_file_store: 20GB\n}\n', ''],
    ['/etc/nats/server.pem', server.cert],
    ['/etc/nats/server-key.pem', server.key],
    ['/etc/nats/ca.pem', server.ca],
  ];
  let conf = readFileSync(new URL('../examples/server.conf', import.meta.url), 'utf8');
  for (const [theirs, mine] of own) {
    expect(conf).toContain(theirs);
    conf = conf.replace(theirs, mine);
  }
  return conf;
}

const as = (user: string): { user: string; pass: string } => ({ user, pass: 'change-me' });

const withTls = hasOpenssl ? withServer : describe.skip;

withTls('the permissions of the example configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'padata-nats-conf-'));
  const tls = {
    ca: join(folder, 'ca.pem'),
    cert: join(folder, 'client.pem'),
    key: join(folder, 'client.key'),
  };
  const tlsFlags = ['--tls-ca', tls.ca, '--tls-cert', tls.cert, '--tls-key', tls.key];
  const files = { caFile: tls.ca, certFile: tls.cert, keyFile: tls.key };
  let server: TestServer;
  let pool: NatsPool;
  const workers: WorkerProcess[] = [];
  const startWorker = (): void => {
    const args = [
      '--user',
      'worker',
      '--pass',
      'change-me',
      '-p',
      'jobs',
      '--ack-wait',
      '3000',
      ...tlsFlags,
    ];
    workers.push(new WorkerProcess(server, args));
  };

  beforeAll(async () => {
    server = await TestServer.start(configuration(folder));
    startWorker();
    startWorker();
    pool = await createNatsPool({ servers: server.url, prefix: 'jobs', tls, ...as('submitter') });
    await pool.ready('jobs', { threads: 2 });
  });

  afterAll(async () => {
    await pool.close();
    await Promise.all(workers.map((worker) => worker.kill()));
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
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

  test('let a worker put aside what nobody can use, and show how much there is', async () => {
    const nc = await connect({ servers: server.url, tls: files, ...as('submitter') });
    nc.publish(`jobs.job.${moduleToken('jobs')}.noise`, Uint8Array.of(1));
    await nc.flush();
    await nc.close();
    const flags = ['-s', server.url, '-p', 'jobs', '--user', 'submitter', '--pass', 'change-me'];
    for (;;) {
      const { stdout } = await command('status', '--json', ...flags, ...tlsFlags);
      const { deadLetters } = JSON.parse(stdout) as { deadLetters: number };
      if (deadLetters === 1) break;
    }
  });

  test('keep everybody out who shows no certificate of the authority, or no password', async () => {
    const { ca } = tls;
    for (const options of [
      { ...as('submitter') },
      { tls: { ca }, ...as('submitter') },
      { tls },
      { tls, user: 'submitter', pass: 'guessed' },
    ]) {
      await expect(
        createNatsPool({ servers: server.url, prefix: 'jobs', connectTimeoutMs: 2000, ...options }),
      ).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_CONNECT' });
    }
  });

  test('keep accounts apart: the same subjects, another world', async () => {
    const nc = await connect({ servers: server.url, tls: files, ...as('other') });
    const heard: string[] = [];
    nc.subscribe('>', {
      callback: (_error, { subject }) => {
        heard.push(subject);
      },
    });
    // Jobs, results and signs of life go by meanwhile.
    await nc.flush();
    const series = pool.series({ fn: { module: 'jobs', name: 'double' } });
    await series.ready();
    nc.publish(`jobs.res.${series.runId}`, Uint8Array.of(1));
    await nc.flush();
    expect(await series.run(21)).toBe(42);
    expect(series.stats().refused).toBe(0);
    await series.close();
    await nc.flush();
    expect(heard.filter((subject) => !subject.startsWith('jobs.res.'))).toEqual([]);
    await expect(jetstreamManager(nc)).rejects.toThrow();
    await nc.close();
  });

  test.each([
    ['worker', 'jobs.run.x'],
    ['worker', 'jobs.ctl.x'],
    ['worker', '$JS.API.STREAM.MSG.GET.jobs_DEAD'],
    ['worker', '$JS.API.STREAM.DELETE.jobs_JOBS'],
    ['submitter', 'jobs.res.x'],
    ['submitter', 'jobs.dead.x'],
    ['submitter', 'jobs.try.x.1'],
    ['submitter', 'jobs.here'],
    ['submitter', '$JS.API.CONSUMER.MSG.NEXT.jobs_JOBS.x'],
    ['submitter', '$JS.API.STREAM.DELETE.jobs_RUNS'],
    ['submitter', 'other.job.x.y'],
  ])('keep a %s from publishing to %s', async (user, subject) => {
    const nc = await connect({ servers: server.url, tls: files, ...as(user) });
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
