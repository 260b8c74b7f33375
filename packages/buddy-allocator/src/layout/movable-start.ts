/**
 * Where the Movable zone of every node starts.
 *
 *      node 0                      node 1
 *      |DMA|   DMA32    |  Normal  |      Normal      |
 *      |k k k k k k k k k k k|M M M|k k k k k|M M M M M|     k: kernel part, M: Movable
 *
 * With a size, the kernel part is dealt out evenly over the nodes with memory. Memory below the highest
 * zone cannot become movable, so it counts as kernel part first; what a small node cannot take is dealt
 * out again among one node less, until hardly anything is left. Movable memory is therefore only ever cut
 * from the highest zone that has memory. Starts are rounded up to a block of the largest order, so a node
 * can lose its Movable zone to the rounding.
 *
 * Source: reference of the buddy allocator, section 2; kernel-parameters.txt (kernelcore=, movablecore=,
 * movable_node)
 * @kernel find_zone_movable_pfns_for_nodes
 */
import { checkPages } from '../base/errors.js';
import type { MemoryPfnRange } from '@bootmem/memmap';
import type { CoreSize, MovablePolicy, ZoneLayoutWarning } from './layout-types.js';

/** What `movableStarts` looks at. */
interface MovableInput {
  /** Ascending, disjoint. */
  readonly memory: readonly MemoryPfnRange[];
  /** The same of each node. */
  readonly memoryOf: ReadonlyMap<number, readonly MemoryPfnRange[]>;
  readonly policy: MovablePolicy;
  /** First pfn of the highest zone with memory: only from here on can memory be movable. */
  readonly usableStartPfn: number;
  /** Pages of a block of the largest order, to which starts are rounded up. */
  readonly maxOrderPages: number;
  /** First pfn at or above 4 GiB, below which `mirror` leaves memory to the kernel. */
  readonly pfn4G: number;
}

/** Movable starts by node, and what was odd about the request. */
interface MovableStarts {
  readonly starts: Map<number, number>;
  readonly warnings: ZoneLayoutWarning[];
}

/** The amount in pages of `total`. */
function pagesOf(size: CoreSize | undefined, total: number): number {
  if (size === undefined) return 0;
  if ('pages' in size) {
    checkPages(size.pages, 'kernelcore/movablecore');
    return size.pages;
  }
  checkPages(size.percent, 'kernelcore/movablecore percent');
  return Math.floor((total * 100 * size.percent) / 10000);
}

/** Kernel pages the two options ask for together; 0 for "no limit on movable memory was asked". */
function kernelcorePages(
  policy: MovablePolicy & { kind: 'size' },
  total: number,
  maxOrderPages: number,
): number {
  const kernelcore = pagesOf(policy.kernelcore, total);
  let movablecore = pagesOf(policy.movablecore, total);
  if (movablecore === 0) return kernelcore;
  movablecore = Math.min(total, Math.ceil(movablecore / maxOrderPages) * maxOrderPages);
  return Math.max(kernelcore, total - movablecore);
}

/** A node while kernel memory is dealt out. */
interface NodeShare {
  readonly nid: number;
  /** Its memory, ascending. */
  readonly ranges: readonly MemoryPfnRange[];
  /** The first range that is not kernel memory to its end. */
  next: number;
  /** Where the kernel part ends; `undefined` before the first round. */
  end: number | undefined;
}

/**
 * Gives a node up to `share` pages of kernel memory; what lies below `usableStartPfn` it takes in any case.
 * @returns how many pages it took in all
 */
function giveTo(node: NodeShare, share: number, usableStartPfn: number): number {
  let nodeLeft = share;
  let taken = 0;
  for (; node.next < node.ranges.length; node.next++) {
    const range = node.ranges[node.next]!;
    let start = Math.max(range.startPfn, node.end ?? 0);
    if (start >= range.endPfn) continue;
    if (start < usableStartPfn) {
      const kernelPages = Math.min(range.endPfn, usableStartPfn) - start;
      nodeLeft -= Math.min(kernelPages, nodeLeft);
      taken += kernelPages;
      if (range.endPfn <= usableStartPfn) {
        // All of the range is kernel memory; the next round continues after it.
        node.end = range.endPfn;
        continue;
      }
      start = usableStartPfn;
    }
    const take = Math.min(range.endPfn - start, nodeLeft);
    node.end = start + take;
    taken += take;
    nodeLeft -= take;
    if (nodeLeft === 0) break;
  }
  return taken;
}

/**
 * Deals `required` kernel pages out over the nodes. Nodes that have nothing left to give leave the round: those that stay take
 * a fixed part of what is left, so all rounds together visit nodes × log(pages) nodes and every range once.
 * @returns where the kernel part of each node ends
 */
function dealOut(
  memoryOf: ReadonlyMap<number, readonly MemoryPfnRange[]>,
  usableStartPfn: number,
  required: number,
): Map<number, number> {
  const nodes = [...memoryOf]
    .sort(([a], [b]) => a - b)
    .map(([nid, ranges]): NodeShare => ({ nid, ranges, next: 0, end: undefined }));
  let open = nodes;
  let usableNodes = nodes.length;
  let left = required;
  do {
    let share = Math.floor(left / usableNodes);
    for (const node of open) {
      if (left < share) share = Math.floor(left / usableNodes);
      left -= Math.min(left, giveTo(node, share, usableStartPfn));
    }
    open = open.filter((node) => node.end! < node.ranges.at(-1)!.endPfn);
    usableNodes -= 1;
  } while (usableNodes > 0 && left > usableNodes);
  return new Map(nodes.map(({ nid, end }) => [nid, end!]));
}

/** Lowest range of each node that `isMovable` accepts. */
function lowestPerNode(
  memory: readonly MemoryPfnRange[],
  isMovable: (range: MemoryPfnRange) => boolean,
): Map<number, number> {
  const starts = new Map<number, number>();
  for (const range of memory) {
    if (isMovable(range) && !starts.has(range.nid)) starts.set(range.nid, range.startPfn);
  }
  return starts;
}

/**
 * Starts of the Movable zones; nodes without one are missing from the map.
 * @remarks O(ranges + nodes × log(pages)), the nodes sorted.
 */
export function movableStarts(input: MovableInput): MovableStarts {
  const { memory, memoryOf, policy, maxOrderPages, pfn4G } = input;
  const warnings: ZoneLayoutWarning[] = [];
  let starts = new Map<number, number>();
  if (policy.kind === 'node') {
    starts = lowestPerNode(memory, (range) => range.hotplug === true);
  } else if (policy.kind === 'mirror') {
    if (policy.always !== true && !memory.some((range) => range.mirror === true)) {
      warnings.push('NO_MIRRORED_MEMORY');
      return { starts, warnings };
    }
    const plain = (range: MemoryPfnRange): boolean => range.mirror !== true;
    starts = lowestPerNode(memory, (range) => plain(range) && range.startPfn >= pfn4G);
    if (memory.some((range) => plain(range) && range.startPfn < pfn4G)) {
      warnings.push('UNMIRRORED_BELOW_4G');
    }
  } else if (policy.kind === 'size') {
    const total = memory.reduce((sum, range) => sum + range.endPfn - range.startPfn, 0);
    const required = kernelcorePages(policy, total, maxOrderPages);
    if (required >= total && required > 0) warnings.push('KERNELCORE_COVERS_ALL');
    if (required === 0 || required >= total) return { starts, warnings };
    starts = dealOut(memoryOf, input.usableStartPfn, required);
  }
  return { starts: roundStarts(starts, memoryOf, maxOrderPages), warnings };
}

/** Rounds starts up to `maxOrderPages`; a start at or past the node's end is no Movable zone. */
function roundStarts(
  starts: ReadonlyMap<number, number>,
  memoryOf: ReadonlyMap<number, readonly MemoryPfnRange[]>,
  maxOrderPages: number,
): Map<number, number> {
  const rounded = new Map<number, number>();
  for (const [nid, start] of starts) {
    const up = Math.ceil(start / maxOrderPages) * maxOrderPages;
    const end = memoryOf.get(nid)?.at(-1)?.endPfn ?? 0;
    if (up > 0 && up < end) rounded.set(nid, up);
  }
  return rounded;
}
