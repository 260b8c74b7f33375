import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createNatsPool } from '@bootmem/padata-nats';
import { startNatsWorker } from '@bootmem/padata-nats/worker';
import { hasOpenssl, makeCertificates } from './support/certificates.js';
import { TestServer, WorkerProcess, command, jobsFile, withServer } from './support/server.js';

const USERS = `
authorization {
  users = [
    { user: admin, password: all }
    { user: one, password: first, permissions: {
      publish: ["one.>", "$JS.API.>", "$JS.ACK.>", "_INBOX.>"], subscribe: ["one.>", "_INBOX.>"] } }
  ]
}`;

withServer('who may do what', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start(USERS);
  });

  afterAll(async () => {
    await server.stop();
  });

  test('wrong credentials are refused with a code, by the library and the command', async () => {
    await expect(createNatsPool({ servers: server.url })).rejects.toMatchObject({
      code: 'ERR_PADATA_NATS_CONNECT',
    });
    await expect(
      createNatsPool({ servers: server.url, user: 'admin', pass: 'wrong' }),
    ).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_CONNECT' });
    await expect(
      createNatsPool({ servers: server.url, creds: '/does/not/exist.creds' }),
    ).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_CONNECT' });
    const refused = await command('worker', '-s', server.url, '-m', `jobs=${jobsFile}`);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toMatch(/^padata-nats: cannot connect to /);
    expect(refused.stderr).not.toMatch(/ {4}at /);
  });

  test('a user who may only see its own prefix works there, and not elsewhere', async () => {
    const own = { servers: server.url, user: 'one', pass: 'first' };
    const worker = await startNatsWorker({
      ...own,
      prefix: 'one',
      modules: { jobs: `file://${jobsFile}` },
      threads: 1,
    });
    const pool = await createNatsPool({ ...own, prefix: 'one' });
    await pool.ready('jobs');
    const series = pool.series({ fn: { module: 'jobs', name: 'double' } });
    expect(await series.run(4)).toBe(8);
    await series.close();
    await pool.close();
    await worker.close();
  });

  test('prefixes do not see each other', async () => {
    const admin = { servers: server.url, user: 'admin', pass: 'all' };
    const worker = new WorkerProcess(server, ['--user', 'admin', '--pass', 'all', '-p', 'left']);
    const left = await createNatsPool({ ...admin, prefix: 'left' });
    await left.ready('jobs');
    const right = await createNatsPool({ ...admin, prefix: 'right', workerWaitMs: 200 });
    const series = right.series({ fn: { module: 'jobs', name: 'double' } });
    await expect(series.run(1)).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_NO_WORKER' });
    await series.close();
    await right.close();
    await left.close();
    await worker.kill();
  });

  test('a module that was not named is never imported, and a path is no name', async () => {
    const admin = { servers: server.url, user: 'admin', pass: 'all', prefix: 'strict' };
    const worker = await startNatsWorker({
      ...admin,
      modules: { jobs: `file://${jobsFile}` },
      threads: 1,
    });
    const pool = await createNatsPool({ ...admin, workerWaitMs: 300 });
    await pool.ready('jobs');
    for (const module of ['node:child_process', `file://${jobsFile}`, 'data:text/javascript,1']) {
      const series = pool.series({ fn: { module, name: 'exec' } });
      await expect(series.run('true')).rejects.toMatchObject({
        code: 'ERR_PADATA_NATS_NO_WORKER',
        details: { module },
      });
      await series.close();
    }
    const absent = pool.series({ fn: { module: 'jobs', name: 'constructor' } });
    await expect(absent.run(1)).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
    await absent.close();
    await pool.close();
    await worker.close();
  });

  test('a worker without modules, or with one that cannot be imported, does not start', async () => {
    await expect(startNatsWorker({ modules: {} })).rejects.toThrow('at least one module');
    await expect(
      startNatsWorker({ modules: { jobs: 'file:///does/not/exist.mjs' } }),
    ).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_ARGUMENT', details: { module: 'jobs' } });
    await expect(
      startNatsWorker({ modules: { jobs: `file://${jobsFile}` }, ackWaitMs: 1 }),
    ).rejects.toThrow('at least 100 ms');
  });
});

const withTls = hasOpenssl ? withServer : describe.skip;

withTls('TLS', () => {
  test('server and client prove who they are', async () => {
    const server = await TestServer.start();
    const { server: own, client: tls } = makeCertificates(server.folder);
    const secure = await TestServer.start(`
      tls { cert_file: "${own.cert}", key_file: "${own.key}", ca_file: "${own.ca}", verify: true }
    `);
    const worker = new WorkerProcess(secure, [
      '--tls-ca',
      tls.ca,
      '--tls-cert',
      tls.cert,
      '--tls-key',
      tls.key,
    ]);
    const pool = await createNatsPool({ servers: secure.url, tls });
    await pool.ready('jobs');
    const series = pool.series({ fn: { module: 'jobs', name: 'double' } });
    expect(await series.run(21)).toBe(42);
    await series.close();
    await pool.close();
    await expect(
      createNatsPool({ servers: secure.url, tls: { ca: tls.ca }, connectTimeoutMs: 2000 }),
    ).rejects.toMatchObject({ code: 'ERR_PADATA_NATS_CONNECT' });
    await worker.kill();
    await secure.stop();
    await server.stop();
  });
});
