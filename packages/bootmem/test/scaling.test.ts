// Threads a node, the published tables, and the model that predicts them.
import { synthesize } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { fitModel, leaveOneOut, pointsOf, predictMs } from '../dist/bench/model.js';
import { PUBLISHED_MACHINES } from '../dist/bench/published.js';
import { bootMemory } from '../dist/index.js';
import { planLayout } from '../dist/plan/layout-plan.js';
import { threadLimits } from '../dist/plan/thread-limits.js';
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
  const { log, threads } = up.report();
  await up.close();
  expect(log.some((line) => line.endsWith('deferred pages: 2 threads, at most 1 a node'))).toBe(
    true,
  );
  expect(threads.map(({ thread, share }) => [thread, share])).toEqual([
    [0, 1],
    [1, 0],
  ]);
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

test('the published tables are those of the series: gains as printed there', () => {
  const gains = PUBLISHED_MACHINES.map(({ rows }) => {
    const [base, last] = [rows[0]!, rows.at(-1)!];
    const gain = (from: number, to: number): string => (((from - to) / from) * 100).toFixed(1);
    return [last.threads, gain(base.bootMs, last.bootMs), gain(base.definitMs, last.definitMs)];
  });
  expect(gains).toEqual([
    [52, '40.0', '91.9'],
    [32, '49.4', '88.6'],
    [36, '32.1', '85.7'],
    [16, '19.8', '76.4'],
    [4, '3.0', '56.0'],
    [4, '5.3', '63.2'],
  ]);
});

test('a fit finds the numbers that points were made with', () => {
  const made = { perPage: 2e-5, bandwidth: 3e-6, sharpness: 1.3, startMs: 4 };
  const points = [1, 2, 4, 8, 16, 32].flatMap((threads) =>
    [2 ** 20, 2 ** 24].map((pages) => ({ pages, threads, ms: predictMs(made, pages, threads) })),
  );
  const found = fitModel(points);
  for (const { pages, threads, ms } of points) {
    expect(predictMs(found, pages, threads) / ms).toBeCloseTo(1, 1);
  }
  expect(fitModel(points, { startMs: 0 }).startMs).toBe(0);
});

test('leave one out: a machine that was not fitted is predicted within a factor of 1.5', () => {
  const left = leaveOneOut(PUBLISHED_MACHINES);
  const errors = [45.4, 16.4, 28.7, 17.6, 30.5, 4];
  for (const [i, one] of left.entries()) {
    expect(Math.abs(one.errorPercent - errors[i]!)).toBeLessThan(2);
  }
  // What is predicted does not rest on the machine's own rows.
  const changed = PUBLISHED_MACHINES.map((one, i) =>
    i > 0
      ? one
      : { ...one, rows: one.rows.map((row) => ({ ...row, definitMs: 2 * row.definitMs })) },
  );
  expect(leaveOneOut(changed)[0]!.rows.map((row) => row.predictedMs)).toEqual(
    left[0]!.rows.map((row) => row.predictedMs),
  );
  expect(pointsOf(PUBLISHED_MACHINES[0]!)[0]).toEqual({
    pages: 384 * 2 ** 18,
    threads: 1,
    ms: 1779,
  });
});

test('bench --model predicts a machine by threads a node; a published one stands beside it', async () => {
  const args = ['bench', '--model', '--rounds', '1', '--threads', '2', '--memory', '768G'];
  const { code, out, err } = await run([...args, '--nodes', '2', '--cpus', '104']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/mean 24%, with the row of one thread known 21%/);
  expect(out).toMatch(/^ +12% \(6\) +341\.0 +[\d.]+ +[\d.]+$/m);
  expect(out).toMatch(/^ +100% \(52\) +143\.3 +[\d.]+ +[\d.]+$/m);
}, 120_000);
