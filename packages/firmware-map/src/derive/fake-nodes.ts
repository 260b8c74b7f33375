/**
 * `numa=fake=` when the log does not show its result (synthetic machines, another command line, /proc/iomem): memory is
 * dealt out to N nodes, or cut into nodes of one size, as x86 does it. Logs print the kernel's own cuts, and those are
 * taken where they are.
 *
 * ```
 * real node   [■■■■■■■■■■■■■■■■■■■■■■■■■■  hole  ]4 GiB[■■■■■■■■■]
 * N = 4       |--- 0 ---|--- 1 ---|--- 2 --------|---- 3 ----|
 *             share of memory, whole granules;     what is left below 4 GiB, or of the real node, is too
 *             the first ones one granule more      little for the next one: this one gets it
 * ```
 * Real nodes are cut in turn, each for one faked node at a time.
 *
 * Source: kernel documentation, "Fake NUMA For CPUSets"; borders as recorded with 6.1, 6.12 and 7.3
 * @kernel split_nodes_interleave, split_nodes_size_interleave
 */
import { MAX_NODE_ID } from '../base/constants.js';
import type { ProblemList } from '../base/problem-list.js';
import type { ByteRange, MachineDescription } from '../types/all.js';
import type { NodeBlock, NodeMap } from './assign-nodes.js';
import { profileForRelease } from '../base/releases.js';

/** Fake nodes begin and end at multiples of this, bytes. */
const GRANULE = 32 * 2 ** 20;

/**
 * Blocks of faked nodes.
 * @returns `undefined` when the command line does not ask for them
 */
export function fakeNodes(
  description: MachineDescription,
  memory: readonly ByteRange[],
  real: NodeMap,
  problems: ProblemList,
): NodeMap | undefined {
  const option = description.options.numa.findLast(({ mode }) => mode === 'fake');
  if (option?.mode !== 'fake' || memory.length === 0) return undefined;
  // A log of a kernel that ignored the option shows nothing of it, but shows the nodes it has.
  if (showsNodes(description)) return undefined;
  const line = description.commandLine?.line ?? 0;
  const blocks = cut(memory, realBlocks(real, memory, description), option);
  if (blocks.length === 0) {
    problems.warn(
      'ASSUMED',
      line,
      `numa=fake=${option.text}: too little memory for each node; ignored`,
    );
    return undefined;
  }
  const count = new Set(blocks.map(({ nid }) => nid)).size;
  const message = `numa=fake=${option.text}: ${count} nodes cut here (the real borders were not printed, nor whether the kernel was built to fake nodes)`;
  problems.warn('ASSUMED', line, message);
  if (real.blocks.length > 0) {
    problems.warn('ASSUMED', line, 'the real nodes are ignored in favour of the faked ones');
  }
  return { blocks, source: 'numa-fake' };
}

// A log that was cut before the nodes were set up shows neither the option's effect nor that there was none.
function showsNodes({ source, numa, printed }: MachineDescription): boolean {
  return (
    source.format === 'boot-log' &&
    (numa.single !== undefined ||
      numa.rejected !== undefined ||
      numa.nodeData.length > 0 ||
      printed.earlyRanges.length > 0 ||
      printed.nodeSetups.length > 0 ||
      printed.fallbackOrders.length > 0 ||
      printed.zonelists !== undefined)
  );
}

/** A stretch of a real node that is still to be cut. */
interface Real {
  start: number;
  readonly end: number;
  readonly nid: number;
}

/** Blocks of the real nodes, ascending; one for everything where there is no table. */
function realBlocks(
  real: NodeMap,
  memory: readonly ByteRange[],
  { kernel }: MachineDescription,
): Real[] {
  const bottom = profileForRelease(kernel?.release).nodesBeginAtMemory ? memory[0]!.start : 0;
  const top = memory.at(-1)!.end;
  const all = real.blocks.length > 0 ? real.blocks : [{ start: 0, end: top, nid: 0 }];
  return all
    .map(({ start, end, nid }) => ({
      start: Math.max(start, bottom),
      end: Math.min(end, top),
      nid,
    }))
    .filter(({ start, end }) => start < end)
    .sort((a, b) => a.start - b.start);
}

type FakeOption = Extract<MachineDescription['options']['numa'][number], { mode: 'fake' }>;

/** Where memory that devices of 32 bits reach ends. */
const LOW_END = 2 ** 32;

/** How much memory lies where; each question O(log ranges), however far apart they are. */
class Amounts {
  readonly #memory: readonly ByteRange[];
  /** Bytes of the ranges before each. */
  readonly #before: readonly number[];
  readonly total: number;

  /** @param memory  ascending, disjoint */
  constructor(memory: readonly ByteRange[]) {
    let sum = 0;
    this.#memory = memory;
    this.#before = memory.map(({ start, end }) => {
      sum += end - start;
      return sum - (end - start);
    });
    this.total = sum;
  }

  /** Bytes in `[start, end)`; 0 where that is nothing. */
  between(start: number, end: number): number {
    return start < end ? this.#below(end) - this.#below(start) : 0;
  }

  /** First address from which on `bytes` lie between it and `start`; infinite where there is less. */
  reach(start: number, bytes: number): number {
    const wanted = this.#below(start) + bytes;
    const index = firstFrom(this.#memory.length, (at) => this.#endOf(at) >= wanted);
    const range = this.#memory[index];
    return range === undefined ? Infinity : range.start + wanted - this.#before[index]!;
  }

  #below(address: number): number {
    const index = firstFrom(this.#memory.length, (at) => this.#memory[at]!.end > address);
    const range = this.#memory[index];
    if (range === undefined) return this.total;
    return this.#before[index]! + Math.max(0, address - range.start);
  }

  #endOf(index: number): number {
    const { start, end } = this.#memory[index]!;
    return this.#before[index]! + end - start;
  }
}

/** The first of `count` indices for which something holds that holds for all behind it; `count` when it never does. */
function firstFrom(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function cut(memory: readonly ByteRange[], reals: Real[], option: FakeOption): NodeBlock[] {
  const amounts = new Amounts(memory);
  const { total } = amounts;
  const count = 'count' in option ? Math.min(option.count, MAX_NODE_ID + 1) : MAX_NODE_ID + 1;
  const least = Math.ceil(Math.max(total / (MAX_NODE_ID + 1), GRANULE) / GRANULE) * GRANULE;
  const share = 'size' in option ? Math.max(option.size, least) : total / count;
  const size = Math.floor(share / GRANULE) * GRANULE;
  // What rounding left makes some nodes one granule larger.
  const large = 'size' in option ? 0 : Math.floor(((share - size) * count) / GRANULE);
  const blocks: NodeBlock[] = [];
  if (size === 0) return blocks;
  let number = 0;
  while (reals.length > 0) {
    for (const nid of [...new Set(reals.map((one) => one.nid))].sort((a, b) => a - b)) {
      const one = reals.find((real) => real.nid === nid)!;
      const { start, end: limit } = one;
      let end = start + size + (number < large ? GRANULE : 0);
      // By granules, over a hole of any size at once.
      const reached = Math.min(limit, amounts.reach(start, size));
      end += Math.max(0, Math.ceil((reached - end) / GRANULE)) * GRANULE;
      if (end < LOW_END && amounts.between(end, LOW_END) < GRANULE) end = LOW_END;
      if (end >= limit || amounts.between(end, limit) < Math.max(size, 1)) end = limit;
      blocks.push({ start, end, nid: number % count, hotplug: false });
      number++;
      one.start = end;
      if (end === limit) reals.splice(reals.indexOf(one), 1);
    }
  }
  return blocks;
}
