/**
 * Facts of memory that was added after boot: zones as /proc/zoneinfo shows them after a step, from the
 * blocks that are online then.
 */
import type { HotplugStep } from '../../input/types.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { addedMemory, grownZone } from '../added-memory.js';
import type { FactList } from '../fact-list.js';

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
    const added = addedMemory(plan, step.blocks);
    for (const zone of step.zoneinfo) {
      if (zone.zone === 'Device' || zone.zone === 'HighMem') continue;
      const subject = `${step.name}: node ${zone.nid} ${zone.zone}`;
      const grown = grownZone(plan, added, zone);
      if (zone.spanned !== undefined)
        facts.compare('hot-plug spanned', subject, zone.spanned, grown.spannedPages);
      if (zone.present !== undefined)
        facts.compare('hot-plug present', subject, zone.present, grown.presentPages);
      if (zone.managed === undefined || grown.addedBlocks === 0) continue;
      // A node that was not there before had nothing.
      const before = base.find((one) => one.nid === zone.nid && one.zone === zone.zone)?.managed;
      facts.compare('hot-plug managed', subject, zone.managed - (before ?? 0), grown.addedManaged);
    }
  }
}
