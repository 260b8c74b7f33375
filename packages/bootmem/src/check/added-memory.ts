/**
 * Memory that was added to a booted machine and is online: blocks outside boot memory, each in its zone.
 *
 * ```
 * boot zones  +  online blocks outside boot memory  ─▶ start, spanned, present, managed
 * ```
 * A zone grows to the outer ends of what is online in it. With memmap-on-memory the descriptors of a block
 * lie in the block itself and are not managed: 6.1 does that for a device of exactly one block, later
 * kernels block by block.
 */
import type { MemoryBlock, MemoryBlocks } from '../input/memory-blocks.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { overlaps } from '../plan/page-frames.js';
import { LINUX_DESCRIPTOR } from '../plan/reservations.js';

/** Blocks of a machine at one moment. */
export interface AddedMemory {
  readonly blockPages: number;
  /** Online blocks outside boot memory. */
  readonly blocks: readonly (MemoryBlock & {
    readonly startPfn: number;
    readonly endPfn: number;
  })[];
}

/** A zone with what was added to it. */
export interface GrownZone {
  readonly startPfn: number;
  readonly spannedPages: number;
  readonly presentPages: number;
  /** Blocks that were added to it. */
  readonly addedBlocks: number;
  /** What they add to managed pages. */
  readonly addedManaged: number;
}

/**
 * The blocks that were added.
 * @param plan    a planned machine
 * @param blocks  all of its blocks; `undefined` when they are not known: then none
 */
export function addedMemory(plan: LayoutPlan, blocks: MemoryBlocks | undefined): AddedMemory {
  if (blocks === undefined) return { blockPages: 0, blocks: [] };
  const blockPages = blocks.blockBytes / plan.pageSize;
  const all = blocks.blocks.map((block) => ({
    ...block,
    startPfn: block.index * blockPages,
    endPfn: (block.index + 1) * blockPages,
  }));
  return { blockPages, blocks: all.filter((block) => block.online && !isBootMemory(plan, block)) };
}

function isBootMemory(plan: LayoutPlan, block: { startPfn: number; endPfn: number }): boolean {
  return overlaps(plan.memory, block.startPfn, block.endPfn);
}

/** A zone of the booted machine, grown; all 0 for one that is not there. */
export function grownZone(
  plan: LayoutPlan,
  added: AddedMemory,
  { nid, zone }: { readonly nid: number; readonly zone: string },
): GrownZone {
  const boot = plan.layout.nodes
    .find((node) => node.nid === nid)
    ?.zones.find((candidate) => candidate.zone === zone);
  const own = added.blocks.filter((block) => block.nid === nid && block.zone === zone);
  const parts = (boot?.spannedPages ?? 0) > 0 ? [boot!, ...own] : own;
  const startPfn = parts.length === 0 ? 0 : Math.min(...parts.map((part) => part.startPfn));
  const endPfn = parts.length === 0 ? 0 : Math.max(...parts.map((part) => part.endPfn));
  const pages = own.length * added.blockPages;
  return {
    startPfn,
    spannedPages: endPfn - startPfn,
    presentPages: (boot?.presentPages ?? 0) + pages,
    addedBlocks: own.length,
    addedManaged: pages - ownDescriptors(plan, added, own),
  };
}

/** Pages of blocks that hold their own descriptors. */
function ownDescriptors(plan: LayoutPlan, added: AddedMemory, own: AddedMemory['blocks']): number {
  const option = plan.description.options.memmapOnMemory;
  if (option === undefined || /^(?:[0nN]|[oO][fF]|[fF](?!orce$|ORCE$))/.test(option)) return 0;
  const perBlock = (added.blockPages * LINUX_DESCRIPTOR) / plan.pageSize;
  if (plan.kernel.pages.memmapOnMemory === 'each') return own.length * perBlock;
  const alone = (block: { startPfn: number; endPfn: number }): boolean =>
    !added.blocks.some(
      (other) => other.startPfn === block.endPfn || other.endPfn === block.startPfn,
    );
  return own.filter(alone).length * perBlock;
}
