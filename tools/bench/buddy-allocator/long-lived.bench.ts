/**
 * `npm run bench -- long-lived`: what long-lived pages cost in large blocks.
 *
 * Single pages come and go at 80 % occupancy of 1 GiB; a share of all allocations is never freed. At the end
 * everything else is freed, and the free 2 MiB blocks are counted. Ideal: the long-lived pages lie side by
 * side, so that only the blocks they fill are lost. Subjects: long-lived pages asked for as `unmovable`, and
 * the same allocator with no difference made between requests. Each row is the median of three seeds.
 */
import { BuddyAllocator } from '@bootmem/buddy-allocator';
import { benchOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { Samples, inTurn } from '../../kit/samples.js';
import { quantile } from '../../kit/statistics.js';
import { stopwatch } from '../../kit/stopwatch.js';
import { printTable } from '../../kit/table.js';
import { warmUp } from '../../kit/warm-up.mjs';

const PAGES = 512 * 512;
const BLOCK_PAGES = 512;
const OCCUPANCY = 0.8;
const SHARES = [0.001, 0.005, 0.02];
const SEEDS = [1, 2, 3];
const GROUPED = 'bootmem';
const PLAIN = 'one mobility for all';
const SURVIVING = 'free 2 MiB blocks';

interface Outcome {
  readonly pinned: number;
  readonly ideal: number;
  readonly whole: number;
  /** CPU nanoseconds per allocation or free of the churn. */
  readonly cpuNs: number;
}

function churn(subject: string, share: number, seed: number, operations: number): Outcome {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null });
  const random = new Random(seed);
  const live: number[] = [];
  const target = Math.floor(PAGES * OCCUPANCY);
  const mobility = subject === GROUPED ? 'unmovable' : 'movable';
  let pinned = 0;
  const allocate = (): void => {
    if (random.unit() < share) {
      allocator.allocOrThrow(0, { mobility });
      pinned += 1;
    } else live.push(allocator.allocOrThrow(0));
  };
  const times = stopwatch();
  while (live.length + pinned < target) allocate();
  for (let i = 0; i < operations; i += 1) {
    const at = random.below(live.length);
    allocator.free(live[at]!, 0);
    live[at] = live.at(-1)!;
    live.pop();
    allocate();
  }
  const { cpuMs } = times();
  for (const pfn of live) allocator.free(pfn, 0);
  allocator.drain();
  const violations = allocator.verify();
  if (violations.length > 0) throw new Error(`invariants: ${JSON.stringify(violations[0])}`);
  const { freeBlocks, freePages } = allocator.stats();
  if (freePages !== PAGES - pinned) throw new Error(`${PAGES - pinned - freePages} pages lost`);
  const whole = freeBlocks.reduce(
    (sum, count, order) => sum + (order >= 9 ? count * 2 ** (order - 9) : 0),
    0,
  );
  const ideal = PAGES / BLOCK_PAGES - Math.ceil(pinned / BLOCK_PAGES);
  return { pinned, ideal, whole, cpuNs: (cpuMs * 1e6) / (target + 2 * operations) };
}

const { json, quick } = benchOptions(
  'long-lived',
  'What pages that are never freed cost in large blocks; fails when less than 99 % of the ideal survives.',
  [],
  {},
);
const operations = quick ? 100_000 : 500_000;
const caseOf = (share: number): string => `${share * 100} % never freed`;
const samples = new Samples('long-lived');
for (const subject of [GROUPED, PLAIN])
  await warmUp(() => 1 / churn(subject, SHARES[0]!, 0, 100_000).cpuNs);
for (const share of SHARES) {
  for (const seed of SEEDS) {
    for (const subject of inTurn([GROUPED, PLAIN], seed)) {
      const { pinned, ideal, whole, cpuNs } = churn(subject, share, seed, operations);
      samples.add(caseOf(share), subject, SURVIVING, 'share of ideal', whole / ideal);
      samples.add(caseOf(share), subject, 'CPU per operation', 'ns', cpuNs);
      samples.add(caseOf(share), subject, 'pages never freed', 'pages', pinned);
    }
  }
}
const worst = Math.min(
  ...SHARES.map((share) => quantile(samples.values(caseOf(share), GROUPED, SURVIVING), 0)),
);
if (json) samples.print({ json });
else {
  const rows = SHARES.map((share) => {
    const figure = (subject: string, metric: string): number =>
      samples.median(caseOf(share), subject, metric);
    const percent = (subject: string): string =>
      `${(100 * figure(subject, SURVIVING)).toFixed(1)} %`;
    const nanoseconds = (subject: string): string =>
      figure(subject, 'CPU per operation').toFixed(0);
    return [
      `${share * 100} %`,
      figure(GROUPED, 'pages never freed').toFixed(0),
      percent(GROUPED),
      percent(PLAIN),
      nanoseconds(GROUPED),
      nanoseconds(PLAIN),
    ];
  });
  printTable(
    `long-lived: ${operations} frees and allocations of single pages, medians of ${SEEDS.length} seeds; surviving 2 MiB blocks, of the ideal`,
    ['share', 'pinned', 'with grouping', 'without', 'ns/op with', 'ns/op without'],
    rows,
  );
  console.log(`long-lived: at least ${(worst * 100).toFixed(1)} % of the ideal blocks survive`);
}
process.exitCode = worst >= 0.99 ? 0 : 1;
