// The published tables, and the model that predicts them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { synthesize } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { atOnce } from '@bootmem/firmware-map/derive';
import { deferredPartsSteps } from '../dist/bench/deferred-pages.js';
import { predictMachine } from '../dist/bench/bench-model.js';
import { fitModel, leaveOut, pointsOf, predictMs } from '../dist/bench/model.js';
import { PUBLISHED_MACHINES, SECOND_REPORT } from '../dist/bench/published.js';
import { chunkCost, helperStart } from '../dist/bench/statistics.js';
import { validate } from './helpers/schemas.js';
import { run } from './helpers/run.js';

const MAILS = new URL('../../../../shared/seeds/', import.meta.url);

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

(existsSync(MAILS) ? test : test.skip)('every published row stands in the mail', () => {
  const mails = readdirSync(MAILS).map((name) => readFileSync(new URL(name, MAILS), 'utf8'));
  const mail = mails.find((text) => text.includes('parallelize deferred_init_memmap'))!;
  const rows = PUBLISHED_MACHINES.flatMap((machine) => machine.rows);
  const row =
    /^ {4} +(?:(\d+)%)? \( *(\d+)\) +\S+ +([\d.]+) \( *([\d.]+)\) +\S+ +([\d.]+) \( *([\d.]+)\)$/gm;
  const printed = [...mail.matchAll(row)].map((match) => match.slice(1).map(Number));
  expect(printed).toEqual(
    rows.map((one) => [
      one.percent === 0 ? NaN : one.percent,
      one.threads,
      one.bootMs,
      one.bootStdev,
      one.definitMs,
      one.definitStdev,
    ]),
  );
  const { boot, nodes } = SECOND_REPORT;
  const starts = [...mail.matchAll(/^ {4}\[ +([\d.]+)\] Run \/sbin\/init/gm)];
  const inMail = starts.map(([, seconds]) => seconds);
  expect(inMail).toEqual([boot.beforeMs, boot.withMs].map((ms) => (ms / 1000).toFixed(6)));
  const lines = [
    ...mail.matchAll(/^(?: {4})?\[ .*\] node (\d) initialised, (\d+) pages in (\d+)ms$/gm),
  ];
  const byNode = nodes.map(({ nid, pages, beforeMs, withMs, againMs }) => [
    [nid, pages, beforeMs],
    [nid, pages, withMs],
    [nid, pages, againMs],
  ]);
  const found = nodes.map(({ nid }) =>
    lines.map((match) => match.slice(1).map(Number)).filter(([node]) => node === nid),
  );
  expect(found).toEqual(byNode);
});

test('a fit finds the numbers that points were made with', () => {
  const made = { perPage: 2e-5, bandwidth: 3e-6, startMs: 4, chunkMs: 0 };
  const points = [1, 2, 4, 8, 16, 32].flatMap((threads) =>
    [2 ** 20, 2 ** 24].flatMap((pages) =>
      [4, 32].map((cpus) => ({
        pages,
        threads,
        cpus,
        ms: predictMs(made, { pages, threads, cpus }),
      })),
    ),
  );
  const found = fitModel(points);
  for (const point of points) {
    expect(predictMs(found, point) / point.ms).toBeCloseTo(1, 1);
  }
  expect(fitModel(points, { startMs: 0 }).startMs).toBe(0);
});

test('terms: one thread starts nobody and has one chunk, others have four; more threads are never slower', () => {
  const model = { perPage: 1e-5, bandwidth: 1e-5, startMs: 3, chunkMs: 0.5 };
  const still = { pages: 0, cpus: 4 };
  expect(predictMs(model, { ...still, threads: 1 })).toBe(0.5);
  expect(predictMs(model, { ...still, threads: 2 })).toBe(5);
  const kernel = fitModel(PUBLISHED_MACHINES.flatMap(pointsOf));
  for (const pages of [2 ** 20, 2 ** 28]) {
    const times = Array.from({ length: 64 }, (_, i) =>
      predictMs(kernel, { pages, cpus: 64, threads: i + 1 }),
    );
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  }
});

test('leave one out: errors of the six machines as the manual states them', () => {
  const left = PUBLISHED_MACHINES.map((machine) => leaveOut(machine, PUBLISHED_MACHINES));
  expect(left.map((one) => Math.round(one.errorPercent))).toEqual([19, 12, 27, 12, 25, 8]);
  expect(left.map((one) => Math.round(one.knownBaseErrorPercent))).toEqual([19, 3, 23, 6, 9, 6]);
  // What is predicted does not rest on the machine's own rows.
  const changed = PUBLISHED_MACHINES.map((one, i) =>
    i > 0
      ? one
      : { ...one, rows: one.rows.map((row) => ({ ...row, definitMs: 2 * row.definitMs })) },
  );
  expect(leaveOut(changed[0]!, changed).rows.map((row) => row.predictedMs)).toEqual(
    left[0]!.rows.map((row) => row.predictedMs),
  );
});

test('deferred pages of the published machines are those of a boot of such a machine', () => {
  for (const machine of PUBLISHED_MACHINES) {
    const { nodes, gibPerNode, cpusPerNode } = machine;
    const description = synthesize({
      memory: `${nodes * gibPerNode}G`,
      nodes,
      cpus: nodes * cpusPerNode,
    });
    const most = Math.max(
      ...atOnce(deferredPartsSteps(description, '5.8')).parts.map(({ pages }) => pages),
    );
    expect(Math.abs(most / pointsOf(machine)[0]!.pages - 1)).toBeLessThan(0.02);
  }
});

test('what a helper and a chunk cost is read from the chunks of a pass', () => {
  const chunks = [
    { thread: 0, startMs: 10, endMs: 14 },
    { thread: 2, startMs: 13, endMs: 15 },
    { thread: 0, startMs: 14.5, endMs: 18 },
    { thread: 1, startMs: 11, endMs: 15 },
    { thread: 1, startMs: 15.25, endMs: 18 },
  ];
  expect(helperStart(chunks)).toEqual([2]);
  expect(chunkCost(chunks)).toEqual([0.375]);
  expect(helperStart([])).toEqual([]);
  expect(helperStart(chunks.filter(({ thread }) => thread > 0))).toEqual([]);
  expect(chunkCost(chunks.slice(0, 2))).toEqual([]);
});

test('bench --model predicts a machine by threads a node; a published one stands beside it; its JSON fits the schema', async () => {
  const args = ['bench', '--model', '--rounds', '1', '--threads', '2', '--memory', '768G'];
  const machine = [...args, '--nodes', '2', '--cpus', '104'];
  const { code, out, err } = await run(machine);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/mean 17%, with the row of one thread known 11%/);
  expect(out).toMatch(/^ +12% \(6\) +341\.0 +[\d.]+ +[\d.]+$/m);
  expect(out).toMatch(/^ +100% \(52\) +143\.3 +[\d.]+ +[\d.]+$/m);
  const report = JSON.parse((await run([...machine, '--json'])).out) as {
    measured: Parameters<typeof predictMachine>[2];
    here: { startMs: number };
  };
  await validate('bench-model', report);
  // Nothing of the machine is booted: from the same measurement follows the same prediction.
  const description = synthesize({ memory: '768G', nodes: 2, cpus: 104 });
  expect(predictMachine(description, 'auto', report.measured)).toEqual(report);
}, 120_000);

test('bench --model of a machine of which nothing is deferred is refused', async () => {
  const { code, out, err } = await run(['bench', '--model', '--memory', '64M']);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('nothing of this machine is deferred');
});
