/**
 * Facts of memory that was added after boot: zones as /proc/zoneinfo shows them after a step, from the
 * blocks that are online then.
 *
 * ```
 * boot zones  +  online blocks outside boot memory, each in its zone  ─▶ spanned, present, managed
 * ```
 * A zone grows to the outer ends of what is online in it. With memmap-on-memory the descriptors of a block
 * lie in the block itself and are not managed: 6.1 does that for a device of exactly one block, later
 * kernels block by block.
 */
import type { HotplugStep } from '../../input/types.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { LINUX_DESCRIPTOR } from '../../plan/reservations.js';
import type { FactList } from '../fact-list.js';
import type { MemoryBlock } from '../../input/memory-blocks.js';

/** A stretch of added memory in one zone. */
interface Added extends MemoryBlock {
  readonly startPfn: number;
  readonly endPfn: number;
}

/**
 * Zones after each step.
 * @param plan   a planned machine
 * @param steps  what was recorded after boot
 * @param facts  receives the facts
 */
export function hotplugFacts(
  plan: LayoutPlan,
  steps: readonly HotplugStep[],
  facts: FactList,
): void {
  const base = plan.description.proc.zoneinfo ?? [];
  for (const step of steps) {
    const blockPages = step.blocks.blockBytes / plan.pageSize;
    const added = step.blocks.blocks
      .map((block) => ({
        ...block,
        startPfn: block.index * blockPages,
        endPfn: (block.index + 1) * blockPages,
      }))
      .filter((block) => block.online && !isBootMemory(plan, block));
    for (const zone of step.zoneinfo) {
      if (zone.zone === 'Device' || zone.zone === 'HighMem') continue;
      const subject = `${step.name}: node ${zone.nid} ${zone.zone}`;
      const boot = plan.layout.nodes
        .find((node) => node.nid === zone.nid)
        ?.zones.find((candidate) => candidate.zone === zone.zone);
      const own = added.filter((block) => block.nid === zone.nid && block.zone === zone.zone);
      const hasBoot = (boot?.spannedPages ?? 0) > 0;
      const starts = [...(hasBoot ? [boot!.startPfn] : []), ...own.map((block) => block.startPfn)];
      const ends = [...(hasBoot ? [boot!.endPfn] : []), ...own.map((block) => block.endPfn)];
      const spanned = starts.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts);
      const present = (boot?.presentPages ?? 0) + own.length * blockPages;
      if (zone.spanned !== undefined)
        facts.compare('hot-plug spanned', subject, zone.spanned, spanned);
      if (zone.present !== undefined)
        facts.compare('hot-plug present', subject, zone.present, present);
      const before = base.find((one) => one.nid === zone.nid && one.zone === zone.zone)?.managed;
      if (zone.managed === undefined || before === undefined || own.length === 0) continue;
      const managed = own.length * blockPages - ownDescriptors(plan, added, own, blockPages);
      facts.compare('hot-plug managed', subject, zone.managed - before, managed);
    }
  }
}

function isBootMemory(plan: LayoutPlan, block: { startPfn: number; endPfn: number }): boolean {
  return plan.memory.some(
    (range) => range.startPfn < block.endPfn && range.endPfn > block.startPfn,
  );
}

/** Pages of blocks that hold their own descriptors. */
function ownDescriptors(
  plan: LayoutPlan,
  all: readonly Added[],
  own: readonly Added[],
  blockPages: number,
): number {
  const option = plan.description.options.memmapOnMemory;
  if (option === undefined || /^(0|n|off|false)$/i.test(option)) return 0;
  const perBlock = (blockPages * LINUX_DESCRIPTOR) / plan.pageSize;
  if (plan.kernel.pages.memmapOnMemory === 'each') return own.length * perBlock;
  const alone = (block: Added): boolean =>
    !all.some((other) => other.startPfn === block.endPfn || other.endPfn === block.startPfn);
  return own.filter(alone).length * perBlock;
}
