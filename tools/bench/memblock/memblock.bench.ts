/**
 * The workloads that the kernel's own memblock was timed with, on ours and on range libraries.
 *
 *   npm run bench -- memblock [--quick] [--json] [--only NAME] [--regions N,N]
 *
 * CPU time of the process per operation; subjects take turns within one run; medians of 7 rounds
 * after a warm-up (3 with --quick). The C column is what was recorded for the original on another
 * day; with it on the same machine the least is the steadier figure.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedOracle } from '@bootmem-tools/oracle';
import { PEERS } from './peers.js';
import { WORKLOADS, type Workload } from './workloads.js';

interface Subject {
  readonly name: string;
  readonly workload: Workload;
  readonly run: (n: number) => number;
  readonly times: number[];
}

interface Reference {
  readonly bench: string;
  readonly regions: number;
  readonly median_ns: number;
  readonly min_ns: number;
}

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const json = args.includes('--json');
const valueOf = (name: string): string | undefined => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
};
const only = valueOf('--only');
const sizes = (valueOf('--regions') ?? (quick ? '100,1000,10000' : '100,1000,10000,100000'))
  .split(',')
  .map(Number);
const rounds = quick ? 3 : 7;
let sink = 0;

function references(): readonly Reference[] {
  const file = join(sharedOracle('memblock') ?? '', 'perf.json');
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { results: Reference[] }).results;
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** CPU nanoseconds per unit of one round. */
function timeOnce({ workload, run }: Subject, regions: number): number {
  const n = workload.iterations(regions);
  const start = cpuMicroseconds();
  sink += run(n);
  const spent = cpuMicroseconds() - start;
  return (spent * 1000) / (n * (workload.units?.(regions) ?? 1));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The very first bulk call of the process, nothing compiled yet, in CPU milliseconds. */
function firstBulkCall(): number {
  const run = WORKLOADS.find(({ name }) => name.startsWith('build_in_bulk'))!.setUp(100_000);
  const start = cpuMicroseconds();
  sink += run(1);
  return (cpuMicroseconds() - start) / 1000;
}

const kernel = references();
const first = only === undefined && sizes.includes(100_000) ? firstBulkCall() : undefined;
const lines: string[] = [];
for (const workload of WORKLOADS) {
  if (only !== undefined && !workload.name.includes(only)) continue;
  for (const regions of sizes) {
    const subjects: Subject[] = [
      { name: 'bootmem', workload, run: workload.setUp(regions), times: [] },
    ];
    for (const peer of PEERS) {
      if (regions > peer.mostRegions) continue;
      const same = peer.workloads.find(({ name }) => name === workload.name);
      if (same === undefined) continue;
      subjects.push({ name: peer.name, workload: same, run: same.setUp(regions), times: [] });
    }
    for (const subject of subjects) timeOnce(subject, regions);
    for (let round = 0; round < rounds; round++) {
      for (const subject of subjects) subject.times.push(timeOnce(subject, regions));
    }
    const c = kernel.find((entry) => entry.bench === workload.name && entry.regions === regions);
    report(workload, regions, subjects, c);
  }
}

function report(
  workload: Workload,
  regions: number,
  subjects: readonly Subject[],
  c: Reference | undefined,
): void {
  const entries = subjects.map(({ name, times }) => ({
    name,
    median: median(times),
    min: Math.min(...times),
    max: Math.max(...times),
  }));
  if (c !== undefined) {
    entries.push({
      name: 'C (6.12, recorded)',
      median: c.median_ns,
      min: c.min_ns,
      max: c.median_ns,
    });
  }
  if (json) {
    for (const { name, ...figures } of entries) {
      console.log(
        JSON.stringify({
          bench: 'memblock',
          case: `${workload.name}/${regions}`,
          subject: name,
          metric: 'cpu',
          unit: `ns/${workload.unit}`,
          ...figures,
          n: name.startsWith('C ') ? 5 : rounds,
        }),
      );
    }
    return;
  }
  const ours = entries[0]!;
  for (const { name, median: middle, min, max } of entries) {
    const ratio = name === 'bootmem' ? '' : ` ${(middle / ours.median).toFixed(2)}x`;
    lines.push(
      `${workload.name.padEnd(38)} ${String(regions).padStart(6)} ${name.padEnd(26)} ${middle.toFixed(1).padStart(11)} ${min.toFixed(1).padStart(11)} ${max.toFixed(1).padStart(11)} ${workload.unit.padEnd(8)}${ratio}`,
    );
  }
}

if (!json) {
  console.log(
    `${'workload'.padEnd(38)} ${'R'.padStart(6)} ${'subject'.padEnd(26)} ${'median ns'.padStart(11)} ${'min'.padStart(11)} ${'max'.padStart(11)} unit    time / ours`,
  );
  for (const line of lines) console.log(line);
  if (first !== undefined) {
    console.log(`first call of the process, 100000 regions in bulk: ${first.toFixed(1)} ms of CPU`);
  }
}
if (!Number.isFinite(sink)) throw new Error('the work was not done');
