/**
 * `npm run bench -- memblock`: the workloads that the kernel's own memblock was timed with, on ours and on range
 * libraries.
 *
 * CPU time of the process per operation; subjects take turns within one run. The C column is what was recorded for
 * the original on another day; with it on the same machine the least is the steadier figure.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedOracle } from '@bootmem-tools/oracle';
import { benchOptions, integer, numbers, text } from '../../kit/options.js';
import { Samples, inTurn, printJson, type Row } from '../../kit/samples.js';
import { stopwatch } from '../../kit/stopwatch.js';
import { printTable } from '../../kit/table.js';
import { warmUp } from '../../kit/warm-up.mjs';
import { PEERS } from './peers.js';
import { WORKLOADS, type Workload } from './workloads.js';

const OURS = 'bootmem';
const RECORDED = 'C (6.12, recorded)';
const RECORDED_ROUNDS = 5;

interface Subject {
  readonly name: string;
  readonly workload: Workload;
  readonly run: (n: number) => number;
}

interface Reference {
  readonly bench: string;
  readonly regions: number;
  readonly median_ns: number;
  readonly min_ns: number;
}

const { quick, json, only, regions, rounds } = benchOptions(
  'memblock',
  "The workloads that the kernel's memblock was timed with, beside range libraries.",
  [],
  {
    only: text('', 'workloads whose name has this text'),
    regions: numbers(undefined, 'region counts, default 100,1000,10000 and without --quick 100000'),
    rounds: integer(undefined, 'rounds, default 7, with --quick 3', 1),
  },
);
const sizes = regions ?? (quick ? [100, 1000, 10_000] : [100, 1000, 10_000, 100_000]);
/** Keeps results alive. */
let sink = 0;

function references(): readonly Reference[] {
  const file = join(sharedOracle('memblock') ?? '', 'perf.json');
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { results: Reference[] }).results;
}

/** CPU nanoseconds per unit of one round. */
function timeOnce({ workload, run }: Subject, count: number): number {
  const n = workload.iterations(count);
  const times = stopwatch();
  sink += run(n);
  return (times().cpuMs * 1e6) / (n * (workload.units?.(count) ?? 1));
}

/** The very first bulk call of the process, nothing compiled yet, in CPU milliseconds. */
function firstBulkCall(): number {
  const run = WORKLOADS.find(({ name }) => name.startsWith('build_in_bulk'))!.setUp(100_000);
  const times = stopwatch();
  sink += run(1);
  return times().cpuMs;
}

/** Ours, and the peers that can do it with so many regions. */
function subjectsOf(workload: Workload, count: number): Subject[] {
  const peers = PEERS.filter(({ mostRegions }) => count <= mostRegions).flatMap((peer) =>
    peer.workloads
      .filter(({ name }) => name === workload.name)
      .map((same) => ({ name: peer.name, workload: same, run: same.setUp(count) })),
  );
  return [{ name: OURS, workload, run: workload.setUp(count) }, ...peers];
}

const caseOf = (workload: Workload, count: number): string => `${workload.name}/${count}`;
const first = only === '' && sizes.includes(100_000) ? firstBulkCall() : undefined;
const samples = new Samples('memblock');
const workloads = WORKLOADS.filter(({ name }) => name.includes(only));
for (const workload of workloads) {
  for (const count of sizes) {
    const subjects = subjectsOf(workload, count);
    for (const subject of subjects) await warmUp(() => 1 / timeOnce(subject, count));
    for (let round = 0; round < (rounds ?? (quick ? 3 : 7)); round += 1) {
      for (const subject of inTurn(subjects, round)) {
        const ns = timeOnce(subject, count);
        samples.add(caseOf(workload, count), subject.name, 'cpu', `ns/${workload.unit}`, ns);
      }
    }
  }
}
if (!Number.isFinite(sink)) throw new Error('the work was not done');

/** The recorded figures as rows; the greatest was not recorded. */
const recorded: Row[] = references().map(({ bench, regions: count, median_ns, min_ns }) => ({
  bench: 'memblock',
  case: `${bench}/${count}`,
  subject: RECORDED,
  metric: 'cpu',
  unit: 'ns',
  median: median_ns,
  min: min_ns,
  max: median_ns,
  n: RECORDED_ROUNDS,
}));
const measured = samples.rows();
const rows = [...new Set(measured.map((row) => row.case))].flatMap((name) => [
  ...measured.filter((row) => row.case === name),
  ...recorded.filter((row) => row.case === name),
]);
if (json) for (const row of rows) printJson(row);
else {
  const table = rows.map(({ case: name, subject, median, min, max, unit }) => {
    const ratio = median / samples.median(name, OURS, 'cpu');
    const figures = [median, min, max].map((ns) => ns.toFixed(1));
    return [`${name}: ${subject}`, ...figures, unit, subject === OURS ? '' : ratio.toFixed(2)];
  });
  printTable(
    'workload/regions: subject',
    ['', 'median', 'min', 'max', 'unit', 'time / ours'],
    table,
  );
  if (first !== undefined)
    console.log(`first call of the process, 100000 regions in bulk: ${first.toFixed(1)} ms of CPU`);
}
