// `npm run bench -- long-lived [--json] [--quick]`: what long-lived pages cost in large blocks.
//
// Single pages come and go at 80 % occupancy of 1 GiB; a share of all allocations is never freed. At the end
// everything else is freed, and the free 2 MiB blocks are counted. Ideal: the long-lived pages lie side by
// side, so that only the blocks they fill are lost. Subjects: long-lived pages asked for as `unmovable`, and
// the same allocator with no difference made between requests. Each row is the median of three seeds.
import { BuddyAllocator } from '@bootmem/buddy-allocator';

const PAGES = 512 * 512;
const BLOCK_PAGES = 512;
const OCCUPANCY = 0.8;
const SHARES = [0.001, 0.005, 0.02];
const SEEDS = [1, 2, 3];

/** Small fast random generator, so that runs repeat. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Outcome {
  readonly pinned: number;
  readonly ideal: number;
  readonly whole: number;
  /** CPU nanoseconds per allocation or free of the churn. */
  readonly cpuNs: number;
}

function churn(grouped: boolean, share: number, seed: number, operations: number): Outcome {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null });
  const next = random(seed);
  const live: number[] = [];
  const target = Math.floor(PAGES * OCCUPANCY);
  let pinned = 0;
  const allocate = (): void => {
    if (next() < share) {
      allocator.allocOrThrow(0, { mobility: grouped ? 'unmovable' : 'movable' });
      pinned += 1;
    } else live.push(allocator.allocOrThrow(0));
  };
  const start = process.cpuUsage();
  while (live.length + pinned < target) allocate();
  for (let i = 0; i < operations; i += 1) {
    const at = Math.floor(next() * live.length);
    allocator.free(live[at]!, 0);
    live[at] = live.at(-1)!;
    live.pop();
    allocate();
  }
  const { user, system } = process.cpuUsage(start);
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
  const calls = target + 2 * operations;
  return { pinned, ideal, whole, cpuNs: ((user + system) * 1000) / calls };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const json = process.argv.includes('--json');
const operations = process.argv.includes('--quick') ? 100_000 : 500_000;
let worst = 1;
if (!json) {
  console.log(`long-lived: ${operations} frees and allocations of single pages, median of 3 seeds`);
  console.log('share    pinned  ideal  with grouping  without  ns/op with  ns/op without');
}
for (const share of SHARES) {
  const runs = SEEDS.map((seed) => ({
    grouped: churn(true, share, seed, operations),
    plain: churn(false, share, seed, operations),
  }));
  const of = (pick: (run: (typeof runs)[number]) => number): number => median(runs.map(pick));
  worst = Math.min(worst, ...runs.map(({ grouped }) => grouped.whole / grouped.ideal));
  if (json) {
    const row = (
      subject: string,
      metric: string,
      unit: string,
      pick: (r: (typeof runs)[number]) => number,
    ): void => {
      const values = runs.map(pick);
      console.log(
        JSON.stringify({
          bench: 'long-lived',
          case: `${share * 100} % never freed`,
          subject,
          metric,
          unit,
          median: median(values),
          min: Math.min(...values),
          max: Math.max(...values),
          n: values.length,
        }),
      );
    };
    row('bootmem', 'free 2 MiB blocks', 'share of ideal', (r) => r.grouped.whole / r.grouped.ideal);
    row(
      'one mobility for all',
      'free 2 MiB blocks',
      'share of ideal',
      (r) => r.plain.whole / r.plain.ideal,
    );
    row('bootmem', 'CPU per operation', 'ns', (r) => r.grouped.cpuNs);
    row('one mobility for all', 'CPU per operation', 'ns', (r) => r.plain.cpuNs);
  } else {
    const cells = [
      `${share * 100} %`.padEnd(7),
      String(of((r) => r.grouped.pinned)).padStart(7),
      String(of((r) => r.grouped.ideal)).padStart(6),
      String(of((r) => r.grouped.whole)).padStart(14),
      String(of((r) => r.plain.whole)).padStart(8),
      of((r) => r.grouped.cpuNs)
        .toFixed(0)
        .padStart(11),
      of((r) => r.plain.cpuNs)
        .toFixed(0)
        .padStart(14),
    ];
    console.log(cells.join(' '));
  }
}
if (!json) {
  console.log(`long-lived: at least ${(worst * 100).toFixed(1)} % of the ideal blocks survive`);
}
process.exitCode = worst >= 0.99 ? 0 : 1;
