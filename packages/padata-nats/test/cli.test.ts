import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { run } from '../dist/cli/program.js';
import { TestServer, WorkerProcess, command, jobsFile, withServer } from './support/server.js';

test('wrong usage ends with 2 and says what is wrong; help and version with 0', async () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  expect(await command('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
  expect((await command('worker', '--help')).stdout).toContain('--module');
  for (const args of [
    ['worker'],
    ['worker', '-m', '=x'],
    ['worker', '-m', jobsFile, '-t', 'none'],
    ['worker', '-m', jobsFile, '--storage', 'paper'],
    ['purge'],
    ['nothing'],
  ]) {
    const { status, stderr } = await command(...args);
    expect([args, status]).toEqual([args, 2]);
    expect(stderr).not.toMatch(/ {4}at /);
  }
  expect(await run(['worker', '-m', 'x=./absent.mjs'])).toBe(2);
  expect(await run(['status', '-p', 'no.dots'])).toBe(2);
});

test('without a server the command says so and ends with 1', async () => {
  const { status, stderr } = await command('status', '-s', 'nats://127.0.0.1:1');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^padata-nats: cannot connect to nats:\/\/127\.0\.0\.1:1/);
});

withServer('the worker command', () => {
  test('says what it offers, packages too, and leaves at a signal with a summary', async () => {
    const server = await TestServer.start();
    const worker = new WorkerProcess(server, [
      '-m',
      'fast-check',
      '-m',
      'node:path',
      '--storage',
      'memory',
    ]);
    for (let i = 0; i < 3000 && !worker.output.includes('modules'); i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(worker.output).toMatch(
      /1 threads, prefix padata, modules jobs, fast-check, node:path\n/,
    );
    const shown = await command('status', '-s', server.url);
    expect(shown.stdout).toMatch(
      /^1 workers\n.* pid \d+: 1 threads, 0 messages held, jobs, fast-check/,
    );
    expect(await worker.leave()).toBe(0);
    expect(worker.output).toMatch(/left after 0 jobs, 0 of them given up\n$/);
    await server.stop();
  });

  test('leaves at once at the second signal', async () => {
    const server = await TestServer.start();
    const worker = new WorkerProcess(server);
    for (let i = 0; i < 3000 && !worker.output.includes('modules'); i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const gone = new Promise<number | null>((resolve) => worker.child.once('exit', resolve));
    worker.child.kill('SIGINT');
    while (!worker.output.includes('leaving') && worker.child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 5));
    worker.child.kill('SIGINT');
    expect(await gone).toBe(1);
    await server.stop();
  });
});
