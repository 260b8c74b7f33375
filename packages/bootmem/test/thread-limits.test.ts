// Threads a node: how many, and which work side by side.
import { synthesize } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { createLoneRunner } from '../dist/boot/lone-jobs.js';
import { bootMemory } from '../dist/index.js';
import { planLayout } from '../dist/plan/layout-plan.js';
import { threadLimits } from '../dist/plan/limits/thread-limits.js';
import { run } from './helpers/run.js';

const machine = (
  architecture: NonNullable<MachineDescription['architecture']>,
): MachineDescription => ({
  ...synthesize({ memory: '16G', nodes: 2, cpus: 12 }),
  architecture,
});

test.each([
  ['x86_64', '5.7', 1],
  ['x86_64', '5.8', 6],
  ['x86_64', 'latest', 6],
  ['arm64', '5.8', 1],
  ['arm64', '6.10', 1],
  ['arm64', '6.11', 6],
] as const)(
  '%s, kernel %s: %i threads a node of 6 processors',
  (architecture, release, threads) => {
    const plan = planLayout(machine(architecture), release);
    const limits = threadLimits(plan, 'architecture');
    expect([limits.of(0), limits.of(1)]).toEqual([threads, threads]);
    expect(threadLimits(plan, 3).of(0)).toBe(3);
    expect(threadLimits(plan, undefined).of(0)).toBe(Infinity);
  },
);

test('nodes have the processors that the log names; a node without any has one thread', () => {
  const { numa, ...rest } = machine('x86_64');
  const cpus = [0, 1, 2].map((id) => ({ nid: 0, pxm: 0, id, line: 1 }));
  const plan = planLayout({ ...rest, numa: { ...numa, cpus } }, 'latest');
  const limits = threadLimits(plan, 'architecture');
  expect([limits.of(0), limits.of(1)]).toEqual([3, 1]);
});

test('a boot obeys the limit of a node, says which it was, and refuses what is none', async () => {
  const description = machine('x86_64');
  const up = await bootMemory(description, { threads: 2, perNode: 1 });
  const { log, chunks, nodes, zones } = up.report();
  await up.close();
  expect(log.some((line) => line.endsWith('deferred pages: 2 threads, at most 1 a node'))).toBe(
    true,
  );
  // A node is one thread's, whichever it is.
  expect(chunks.map(({ nid }) => nid).sort()).toEqual([0, 1]);
  for (const { deferredMs } of nodes) expect(deferredMs).toBeGreaterThan(0);
  const alone = await bootMemory(description, { threads: 1 });
  expect(zones.map(({ freeBlocks }) => freeBlocks)).toEqual(
    alone.report().zones.map(({ freeBlocks }) => freeBlocks),
  );
  await alone.close();
  for (const perNode of [0, 1.5, -1, 'every'] as (number | 'architecture')[]) {
    await expect(bootMemory(description, { perNode })).rejects.toMatchObject({
      code: 'ERR_BOOTMEM_USAGE',
    });
  }
});

test('--threads takes a number, all and node', async () => {
  const args = ['boot', '--memory', '2G', '--cpus', '4'];
  expect((await run([...args, '--threads', 'node'])).out).toMatch(
    /deferred pages: \d+ threads, as many as the node has processors/,
  );
  const old = await run([...args, '--threads', 'node', '--profile', '5.7']);
  expect(old.out).toMatch(/one a node, as kernels of this release do on/);
  expect(old.out).toMatch(/node 0 initialised, \d+ pages in \d+ms/);
  expect((await run([...args, '--threads', 'all'])).out).toContain('threads, all threads on every');
  const { code, err } = await run([...args, '--threads', 'most']);
  expect(code).toBe(2);
  expect(err).toContain('--threads is a whole number from 1 to 255');
});

test('jobs of one thread each that are asked for together run side by side, others later', async () => {
  const batches: { size: number; maxThreads: number }[] = [];
  const pool = {
    runMultithreaded: (job: { size: number; maxThreads: number }) => {
      batches.push({ size: job.size, maxThreads: job.maxThreads });
      const value = Array.from({ length: job.size }, (_, index) => ({
        index,
        worker: index,
        ms: 10 + index,
      }));
      return Promise.resolve({ value: value.reverse() });
    },
  };
  const done: number[] = [];
  const runner = createLoneRunner({
    pool: pool as never,
    threadFn: { module: 'none', name: 'none' },
    machine: {} as never,
    threads: 2,
    signal: () => new AbortController().signal,
    onDone: ({ nid }) => {
      done.push(nid);
    },
  });
  const job = (nid: number): Promise<{ wallMs: number; workers: readonly { worker: number }[] }> =>
    runner.run({ nid, start: nid * 8, size: 8, align: 8, minChunk: 8, maxThreads: 1 });
  const results = await Promise.all([job(5), job(6), job(7)]);
  expect(batches).toEqual([{ size: 3, maxThreads: 2 }]);
  expect(results.map(({ wallMs, workers }) => [wallMs, workers[0]!.worker])).toEqual([
    [10, 0],
    [11, 1],
    [12, 2],
  ]);
  await job(8);
  expect(batches[1]).toEqual({ size: 1, maxThreads: 1 });
  expect(done).toEqual([5, 6, 7, 8]);
});
