/**
 * A value of each kind and size goes in and comes back: jobs a second over sizes, beside the pools. Has a time for all of it
 * and gives each size its share: as many rounds as go into that, at least one. The pools stay open; ours has a new
 * series for each size, as a program that knows nothing of its values would.
 */
import { inTurn, ratios, type Samples } from '../../../kit/samples.js';
import { best, median } from '../../../kit/statistics.js';
import { printTable, short } from '../../../kit/table.js';
import type { Targets } from '../../../kit/targets.js';
import type { BenchOptions } from '../bench-options.js';
import { ALONE, copiedAloneUs } from '../copied-alone.js';
import { bars, points, share, sizesUpTo, type Point } from '../curve.js';
import { sample, warm, type WarmUpLimits } from '../measure.js';
import { PEERS, type OpenSubject } from '../peers.js';
import { DEFAULT_WINDOW, openPool, openSeries } from '../subjects.js';

const MOST = 1 << 24;
const QUICK_MOST = 1 << 20;
const SECONDS = 420;
const QUICK_SECONDS = 50;
const MOST_ROUNDS = 5;
const SAMPLE_MS = 60;
/** The pools are warm; what a new size needs is little. */
const LIMITS: WarmUpLimits = { sliceMs: 15, leastMs: 60, mostMs: 400 };
/** Jobs in flight; fewer where their values would take more bytes than this. */
const IN_FLIGHT = 64;
const BYTES_IN_FLIGHT = 1 << 24;
const LEAST_IN_FLIGHT = 4;
const LEAST_OF_BEST_POOL = 1.2;
const OURS = 'bootmem';

/** A pool that is open for all sizes; `begin` makes what one size needs. */
interface SizedSubject {
  readonly name: string;
  begin(): Promise<OpenSubject>;
  close(): Promise<void>;
}

async function ours(threads: number): Promise<SizedSubject> {
  const pool = await openPool(threads);
  return {
    name: OURS,
    begin: () => openSeries(pool, { fn: 'same', window: DEFAULT_WINDOW, way: 'run' }),
    close: () => pool.close(),
  };
}

/** Each pool at its best setting for many small tasks, tinypool at its defaults too. */
async function peers(threads: number): Promise<SizedSubject[]> {
  const chosen = PEERS.filter(
    ({ name }) => name === 'piscina, 64 per worker' || name.startsWith('tinypool'),
  );
  return await Promise.all(
    chosen.map(async (subject) => {
      const pool = await subject.open(threads, 'same');
      const stays = { ...pool, close: () => Promise.resolve() };
      return { name: subject.name, begin: () => Promise.resolve(stays), close: () => pool.close() };
    }),
  );
}

const inFlightFor = (bytes: number): number => {
  const room = Math.floor(BYTES_IN_FLIGHT / Math.max(1, bytes));
  return Math.max(LEAST_IN_FLIGHT, Math.min(IN_FLIGHT, room));
};
const caseOf = ({ name, bytes }: Point): string =>
  `${name}, there and back, ${inFlightFor(bytes)} in flight`;

/** Rounds of one size until its time is over. */
async function measurePoint(
  samples: Samples,
  subjects: readonly SizedSubject[],
  point: Point,
  ms: number,
): Promise<void> {
  const start = performance.now();
  const value = point.make();
  const inFlight = inFlightFor(point.bytes);
  const open = new Map<string, OpenSubject>();
  for (const subject of subjects) {
    const begun = await subject.begin();
    open.set(subject.name, begun);
    await warm(begun, value, inFlight, LIMITS);
  }
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    if (round > 0 && performance.now() - start >= ms) break;
    for (const { name } of inTurn(subjects, round)) {
      const { rate, cpu } = await sample(open.get(name)!, value, inFlight, SAMPLE_MS);
      samples.add(caseOf(point), name, 'rate', 'jobs/s', rate);
      samples.add(caseOf(point), name, 'CPU', 'us/job', cpu);
    }
    samples.add(caseOf(point), ALONE, 'CPU', 'us/job', copiedAloneUs(value, 2));
  }
  for (const subject of open.values()) await subject.close();
}

export async function sizes(
  samples: Samples,
  options: BenchOptions,
  targets: Targets,
): Promise<void> {
  const { quick, threads } = options;
  const list = quick ? sizesUpTo(QUICK_MOST, 4) : sizesUpTo(MOST, 1);
  const all = points(list).filter(({ name }) => name.includes(options.only));
  const subjects = [await ours(threads), ...(await peers(threads))];
  const until = performance.now() + 1000 * (quick ? QUICK_SECONDS : SECONDS);
  for (const [done, point] of all.entries()) {
    const ms = share(until - performance.now(), all.length - done);
    await measurePoint(samples, subjects, point, ms);
  }
  for (const subject of subjects) await subject.close();
  summarise(samples, all, subjects, options, targets);
}

/** How many times the best pool ours is at one size. */
function timesBest(samples: Samples, subjects: readonly SizedSubject[], point: Point): number {
  const rates = (name: string): readonly number[] => samples.values(caseOf(point), name, 'rate');
  const pools = subjects.slice(1).map(({ name }) => name);
  const pool = best(pools, (name) => median(rates(name)));
  return median(ratios(rates(OURS), rates(pool)));
}

/** The curve of each kind, and its lowest point. */
function summarise(
  samples: Samples,
  all: readonly Point[],
  subjects: readonly SizedSubject[],
  { json }: BenchOptions,
  targets: Targets,
): void {
  const rows: string[][] = [];
  for (const kind of new Set(all.map((point) => point.kind))) {
    const curve = all.filter((point) => point.kind === kind);
    const times = curve.map((point) => timesBest(samples, subjects, point));
    const lowest = Math.min(...times);
    const at = curve[times.indexOf(lowest)]!;
    targets.atLeast(
      `${kind}: of the best pool, lowest (${at.name})`,
      lowest,
      LEAST_OF_BEST_POOL,
      'x',
    );
    rows.push([kind, bars(times, 1, 64), ...[times[0]!, lowest, times.at(-1)!].map(short)]);
  }
  if (json) return;
  printTable(
    `times the best pool over sizes up to ${all.at(-1)?.bytes ?? 0} bytes; a bar more is 1.7 times more, from 1`,
    ['', 'curve', 'first', 'lowest', 'last'],
    rows,
  );
}
