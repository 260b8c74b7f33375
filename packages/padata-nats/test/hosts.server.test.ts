/**
 * Several hosts: a worker in a network namespace of its own, joined to the server by a pair of virtual interfaces.
 * Needs the right to make namespaces (root on Linux); skipped with a notice elsewhere.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { createNatsPool } from '@bootmem/padata-nats';
import { TestServer, WorkerProcess, hasServer } from './support/server.js';

const NAME = `padata-nats-${process.pid}`;
/** Interfaces and networks of this test run: a left-over of another must not be in the way. */
const near = (i: number): string => `pn${process.pid % 100_000}${i}a`;
const far = (i: number): string => `pn${process.pid % 100_000}${i}b`;
const net = (i: number): string => `10.213.${(process.pid % 120) * 2 + i}`;
const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

const mayMake = hasServer && ip('netns', 'add', NAME);
if (mayMake) ip('netns', 'del', NAME);
else {
  process.stderr.write(
    '\n*** SKIPPED: no right to make network namespaces: several hosts are not tested.\n',
  );
}

(mayMake ? describe : describe.skip)('workers on hosts of their own', () => {
  test('jobs go to both, and a host whose network goes away loses none', async () => {
    const [a, b] = [`${NAME}-a`, `${NAME}-b`];
    const hosts = [a, b];
    try {
      for (const [i, name] of hosts.entries()) {
        expect(ip('netns', 'add', name)).toBe(true);
        expect(ip('link', 'add', near(i), 'type', 'veth', 'peer', 'name', far(i))).toBe(true);
        ip('link', 'set', far(i), 'netns', name);
        ip('addr', 'add', `${net(i)}.1/24`, 'dev', near(i));
        ip('link', 'set', near(i), 'up');
        ip('-n', name, 'addr', 'add', `${net(i)}.2/24`, 'dev', far(i));
        ip('-n', name, 'link', 'set', far(i), 'up');
        ip('-n', name, 'link', 'set', 'lo', 'up');
        ip('-n', name, 'route', 'add', 'default', 'via', `${net(i)}.1`);
      }
      const server = await TestServer.start('', '0.0.0.0');
      const port = server.url.slice(server.url.lastIndexOf(':') + 1);
      const workers = hosts.map(
        (name, i) =>
          new WorkerProcess(
            { url: `nats://${net(i)}.1:${port}` },
            ['--ack-wait', '3000'],
            ['ip', 'netns', 'exec', name],
          ),
      );
      const pool = await createNatsPool({ servers: `nats://127.0.0.1:${port}` });
      await pool.ready('jobs', { threads: 2, signal: AbortSignal.timeout(60_000) });
      const series = pool.series({
        fn: { module: 'jobs', name: 'spin' },
        window: 16,
        idempotent: true,
      });
      const seen: unknown[] = [];
      for (let i = 0; i < 200; i += 1) {
        const more = series.submit({ ms: 5, value: i }, (_error, value) => seen.push(value));
        if (i === 80) ip('-n', a, 'link', 'set', far(0), 'down');
        if (!more) await series.room();
      }
      await series.drain();
      expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i));
      await series.close();
      await pool.close();
      await Promise.all(workers.map((worker) => worker.kill()));
      await server.stop();
    } finally {
      for (const [i, name] of hosts.entries()) {
        ip('link', 'del', near(i));
        ip('netns', 'del', name);
      }
    }
  });
});
