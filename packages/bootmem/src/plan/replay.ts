/**
 * Replay of a log's `memblock=debug` lines.
 *
 * ```
 * dump 1 ──ops──▶ nodes are set ──ops──▶ dump 2 ──ops──▶ hand-over
 *          └── unprinted: every region loses its node, then each node block is set ──┘
 * ```
 *
 * What the kernel does without printing, and a replay must add: the first dump already holds everything
 * that happened before `memblock=debug` was parsed; the trim to whole pages; from 6.16 on the end of the
 * mark on memory below 1 MiB, with the reservation of it; the pass that gives regions their nodes, right before the first NODE_DATA is allocated; hot-plug marks of the SRAT, taken away again
 * from nodes that hold something reserved.
 *
 * Source: the recorded boots' notes on what is and is not printed.
 */
import { atOnce, isStep } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { MemFlags, Memblock } from '@bootmem/memblock';
import type { MemblockProfile, MemRegion } from '@bootmem/memblock';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { MemblockDump, MemblockOperation } from '@bootmem/firmware-map/types';
import type { LayoutPlan } from './layout-plan.js';

/** Node number of a region that never got one. */
const NODELESS = 1024;

/** A block of a node, bytes, as the kernel's NUMA table holds it. */
export interface NodeBlock {
  readonly start: number;
  readonly end: number;
  readonly nid: number;
}

function regionsOf(lines: MemblockDump['memory']): MemRegion[] {
  return lines.map((line) => ({
    base: line.start,
    size: line.end - line.start,
    nid: line.nid ?? NODELESS,
    flags: line.flags,
  }));
}

/** The state that a dump shows. */
export function stateOf(dump: MemblockDump, profile: MemblockProfile): Memblock {
  return Memblock.restore(
    {
      memory: regionsOf(dump.memory),
      reserved: regionsOf(dump.reserved),
      ...(dump.memorySize === undefined ? {} : { memoryTotal: dump.memorySize }),
      ...(dump.reservedSize === undefined ? {} : { reservedTotal: dump.reservedSize }),
    },
    { profile },
  );
}

/**
 * Applies one printed operation.
 * @remarks requests (`alloc`) change nothing by themselves: the reservation that follows does; what is freed late
 *   goes to the page allocator and leaves the lists alone
 */
export function applyOperation(memblock: Memblock, operation: MemblockOperation): void {
  switch (operation.op) {
    case 'add':
      memblock.add(operation.start, operation.end - operation.start, attributes(operation));
      return;
    case 'reserve':
      memblock.reserve(operation.start, operation.end - operation.start, attributes(operation));
      endLowScratch(memblock, operation);
      return;
    case 'remove':
      memblock.remove(operation.start, operation.end - operation.start);
      return;
    case 'free':
      memblock.free(operation.start, operation.end - operation.start);
      return;
    case 'free-late':
    case 'physmem-add':
    case 'alloc':
    case 'grow':
      return;
  }
}

/** Where memory ends that x86 keeps for firmware and for starting processors, bytes. */
const LOW_END = 2 ** 20;

/** Unprinted: with the reservation of all memory below 1 MiB its mark as hand-over memory goes. */
function endLowScratch(memblock: Memblock, { start, end }: { start: number; end: number }): void {
  if (!memblock.settings.profile.marksLowScratch || start !== 0 || end !== LOW_END) return;
  memblock.clear(0, LOW_END, MemFlags.KHO_SCRATCH);
}

function attributes(operation: { nid?: number; flags?: number }): { nid?: number; flags?: number } {
  return {
    ...(operation.nid === undefined ? {} : { nid: operation.nid }),
    ...(operation.flags === undefined ? {} : { flags: operation.flags }),
  };
}

/**
 * The memory of a log with `memblock=debug` at hand-over.
 * @param plan  a planned machine
 * @returns `undefined` when the log holds no complete dump
 */
export function finalState(plan: LayoutPlan): Memblock | undefined {
  return atOnce(finalStateSteps(plan));
}

/** The same, to be interrupted. */
export function* finalStateSteps(plan: LayoutPlan): Steps<Memblock | undefined> {
  const { dumps, operations } = plan.description.memblock;
  const last = dumps.findLast((dump) => dump.complete);
  if (last === undefined) return undefined;
  const memblock = stateOf(last, plan.kernel.memblock);
  // All memory is handed over when "Memory:" is printed: what memblock frees after that goes to nobody.
  const { memory, freeing } = plan.description.printed;
  // The line about what is given back stands right behind the operation.
  const handedOver = memory?.line ?? (freeing[0]?.line ?? Infinity) - 2;
  for (const [index, operation] of operations.entries()) {
    if (isStep(index)) yield;
    if (operation.op === 'free' && (operation.line > handedOver || isLateFree(operation))) continue;
    if (operation.line > last.line) applyOperation(memblock, operation);
  }
  if (dumps.length < 2) setNodes(memblock, plan.description, plan.kernel.memblock);
  return memblock;
}

/** What is given back late goes to the page allocator, whatever memblock is told of it. */
function isLateFree({ caller }: { readonly caller: string }): boolean {
  return /^(?:free_initrd_mem|free_initmem)/.test(caller);
}

/**
 * Blocks of the kernel's NUMA table: what the SRAT says, joined, cut to where memory ends; nodes of a device tree, which only
 * the early ranges show; one block when there is no usable table.
 * @param description  the machine
 * @param profile      what its kernel does: blocks begin at 0 or at the first byte of memory
 */
function nodeBlocks(description: MachineDescription, profile: MemblockProfile): NodeBlock[] {
  const { numa, memblock, printed } = description;
  const memory = memblock.dumps[0]?.memory ?? [];
  const top = memory.reduce((end, region) => Math.max(end, region.end), 0);
  const bottom = profile.numaBlocksFromDram ? (memory[0]?.start ?? 0) : 0;
  const off = description.options.numa.some((option) => option.mode === 'off');
  let blocks: NodeBlock[];
  const isTree = !isX86(description) && printed.earlyRanges.some(({ nid }) => nid > 0);
  if (numa.faked.length > 0) blocks = [...numa.faked];
  else if (numa.srat.length === 0 && isTree) blocks = [...printed.earlyRanges];
  else if (numa.srat.length === 0 || numa.rejected !== undefined || off) {
    blocks = [{ start: 0, end: top, nid: 0 }];
  } else blocks = mergedBlocks(numa, top);
  return blocks
    .map(({ start, end, nid }) => ({
      start: Math.max(start, bottom),
      end: Math.min(end, top),
      nid,
    }))
    .filter((block) => block.start < block.end)
    .sort((left, right) => left.start - right.start);
}

/**
 * Blocks of a node become one, hole and all, where no block of another node lies between them.
 * @kernel numa_cleanup_meminfo
 */
function mergedBlocks({ srat, merges }: MachineDescription['numa'], top: number): NodeBlock[] {
  // The kernel says so of each pair, which tells of a block whose own line is lost.
  const said = merges.map(({ nid, result }) => ({ ...result, nid }));
  const sorted = [...srat.filter(({ nonVolatile }) => !nonVolatile), ...said]
    .filter(({ start }) => start < top)
    .map(({ start, end, nid }) => ({ start, end, nid }))
    .sort((left, right) => left.start - right.start);
  const blocks: { start: number; end: number; nid: number }[] = [];
  for (const block of sorted) {
    const last = blocks.at(-1);
    if (last?.nid === block.nid) last.end = Math.max(last.end, block.end);
    else blocks.push(block);
  }
  return blocks;
}

function isX86({ architecture }: MachineDescription): boolean {
  return architecture === undefined || architecture === 'x86_64' || architecture === 'i386';
}

/**
 * Whether the pass over node blocks also visits what is reserved: x86, and from 6.12 on the architectures that share its
 * code. Elsewhere memory alone gets nodes.
 */
function reservedGetNodes(description: MachineDescription, profile: MemblockProfile): boolean {
  const { architecture } = description;
  if (architecture === 'arm64' || architecture === 'riscv64') return profile.numaBlocksFromDram;
  return isX86(description);
}

/**
 * The unprinted pass that gives regions their nodes.
 * @param memblock     the lists
 * @param description  the machine
 * @param profile      what its kernel does
 * @kernel numa_register_memblks
 */
export function setNodes(
  memblock: Memblock,
  description: MachineDescription,
  profile: MemblockProfile,
): void {
  const blocks = nodeBlocks(description, profile);
  const isBoth = reservedGetNodes(description, profile);
  if (isBoth) memblock.resetNodes();
  for (const { start, end, nid } of blocks) memblock.setNode(start, end - start, 'memory', nid);
  if (!isBoth) return;
  for (const { start, end, nid } of blocks) memblock.setNode(start, end - start, 'reserved', nid);
  // A node that holds anything reserved cannot be unplugged.
  const held = new Set(memblock.regions('reserved').map((region) => region.nid));
  for (const { start, end, nid } of blocks) {
    if (held.has(nid)) memblock.clear(start, end - start, MemFlags.HOTPLUG);
  }
}

/** Marks of the SRAT: memory that can be unplugged. */
export function markHotplug(memblock: Memblock, description: MachineDescription): void {
  for (const entry of description.numa.srat) {
    if (entry.hotplug) memblock.mark(entry.start, entry.end - entry.start, MemFlags.HOTPLUG);
  }
}
