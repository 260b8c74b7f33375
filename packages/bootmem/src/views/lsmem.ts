/** Memory blocks, as `lsmem` shows them: ranges of one state, node and zone. */
import type { Steps } from '@bootmem/firmware-map/derive';
import type { LoadedMachine } from '../input/types.js';
import { planLayoutSteps } from '../plan/layout-plan.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { zonesWithPages } from '../plan/zones/zones-with-pages.js';
import type { BlockRangeView, LsmemView } from '../view-result.js';

/** Bytes of a block where the input does not say. */
const USUAL_BLOCK = 2 ** 27;

/** Blocks in a row that are alike. */
interface Run {
  readonly first: number;
  readonly last: number;
  readonly online: boolean;
  readonly nid: number;
  readonly zones: readonly string[];
}

/**
 * @param input  a loaded machine; blocks recorded beside it count, else every block that holds memory is online
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no memory follows from the description
 */
export function* lsmemView(input: LoadedMachine): Steps<LsmemView> {
  const plan = yield* planLayoutSteps(input.description);
  yield;
  const blockBytes =
    input.blocks?.blockBytes ?? input.description.printed.blockSize?.bytes ?? USUAL_BLOCK;
  const pages = blockBytes / plan.pageSize;
  const spans = spansOf(plan);
  const zonesOf = (block: number): string[] => zonesIn(spans, block * pages, (block + 1) * pages);
  const blocks =
    input.blocks?.blocks.map(({ index, online, nid, zone }) => ({
      first: index,
      last: index,
      online,
      nid,
      zones: zone === '' || zone === 'none' ? zonesOf(index) : [zone],
    })) ?? runsOf(plan, pages, zonesOf);
  const ranges = joined(blocks, blockBytes);
  const sum = (online: boolean): number =>
    ranges.reduce((bytes, one) => (one.online === online ? bytes + one.end - one.start : bytes), 0);
  return {
    schema: 'bootmem/lsmem',
    version: 1,
    source: input.source,
    blockBytes,
    ranges,
    onlineBytes: sum(true),
    offlineBytes: sum(false),
  };
}

/** A zone with memory, in pages. */
interface Span {
  readonly zone: string;
  readonly startPfn: number;
  readonly endPfn: number;
  /** Its place among all zones, by node and then by kind. */
  readonly order: number;
  /** Where those that begin before it, and itself, have ended. */
  readonly allEnd: number;
}

/** Zones with memory, by where they begin. */
function spansOf(plan: LayoutPlan): Span[] {
  let allEnd = 0;
  return zonesWithPages(plan)
    .map(({ zone, startPfn, endPfn }, order) => ({ zone, startPfn, endPfn, order }))
    .sort((a, b) => a.startPfn - b.startPfn)
    .map((span) => ({ ...span, allEnd: (allEnd = Math.max(allEnd, span.endPfn)) }));
}

/** Zones that a range of blocks touches. O(log zones), and those that lie across one another there. */
function zonesIn(spans: readonly Span[], startPfn: number, endPfn: number): string[] {
  let at = firstAtOrAfter(spans, ({ startPfn: start }) => start >= endPfn);
  const found: Span[] = [];
  for (at--; at >= 0 && spans[at]!.allEnd > startPfn; at--) {
    if (spans[at]!.endPfn > startPfn) found.push(spans[at]!);
  }
  return [...new Set(found.sort((a, b) => a.order - b.order).map(({ zone }) => zone))];
}

/** Index of the first that is so; all behind it are. */
function firstAtOrAfter<Item>(items: readonly Item[], isSo: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isSo(items[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Blocks that hold memory, ascending. A block of two nodes counts as the first one's. O((ranges + zones) × log zones), however many
 * blocks.
 */
function runsOf(plan: LayoutPlan, pages: number, zonesOf: (block: number) => string[]): Run[] {
  // Only a block with the edge of a zone in it is unlike the one before it.
  const edges = plan.layout.nodes
    .flatMap((node) => node.zones.flatMap(({ startPfn, endPfn }) => [startPfn, endPfn]))
    .map((pfn) => Math.floor(pfn / pages))
    .flatMap((block) => [block, block + 1]);
  const starts = [...new Set(edges)].sort((a, b) => a - b);
  const runs: Run[] = [];
  let next = 0;
  for (const { startPfn, endPfn, nid } of plan.memory) {
    const from = Math.max(next, Math.floor(startPfn / pages));
    next = Math.max(next, Math.ceil(endPfn / pages));
    const inside = starts.slice(
      firstAtOrAfter(starts, (block) => block > from),
      firstAtOrAfter(starts, (block) => block >= next),
    );
    const cuts = [from, ...inside, next];
    for (let index = 1; index < cuts.length; index++) {
      const [first, last] = [cuts[index - 1]!, cuts[index]! - 1];
      if (first > last) continue;
      runs.push({ first, last, online: true, nid, zones: zonesOf(first) });
    }
  }
  return runs;
}

function joined(runs: readonly Run[], blockBytes: number): BlockRangeView[] {
  const ranges: { -readonly [Key in keyof BlockRangeView]: BlockRangeView[Key] }[] = [];
  for (const { first, last: lastBlock, online, nid, zones } of runs.toSorted(
    (a, b) => a.first - b.first,
  )) {
    const last = ranges.at(-1);
    const isSame =
      last?.lastBlock === first - 1 &&
      last.online === online &&
      last.nid === nid &&
      last.zones.join() === zones.join();
    const end = (lastBlock + 1) * blockBytes;
    if (isSame) Object.assign(last, { lastBlock, end });
    else {
      const start = first * blockBytes;
      ranges.push({ start, end, online, nid, firstBlock: first, lastBlock, zones });
    }
  }
  return ranges;
}
