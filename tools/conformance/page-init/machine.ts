/** A recorded boot as input of the planner: memblock at hand-over, zones as the kernel computed them. */
import type { ZoneSpec } from '@bootmem/buddy-allocator/machine';
import { type MemoryPfnRange, ZONE_INDEX_BY_NAME, type ZoneName } from '@bootmem/memmap';
import {
  type InitPlan,
  type PageInitProfile,
  planInit,
  profileForRelease,
  type ZonePfnRange,
} from '@bootmem/page-init';
import type { BootRecord, ZoneSnapshot } from '@bootmem-tools/oracle';

const NO_INIT = 0x10;
const PAGE = 4096;

/** Kernel zone number of the recorded configurations by our number; 5 is "no zone". */
export const KERNEL_ZONE: readonly number[] = [0, 1, 2, -1, 3, 4, -1, 5];

/** A recorded boot, planned. */
export interface Machine {
  readonly boot: BootRecord;
  readonly profile: PageInitProfile;
  readonly plan: InitPlan;
  readonly memory: readonly MemoryPfnRange[];
  /** Zones as the allocator wants them. */
  readonly zones: readonly ZoneSpec[];
}

/** Reads and plans a boot. */
export function machineOf(boot: BootRecord): Machine {
  const profile = profileForRelease(boot.meta().kernel);
  const { memory, reserved } = boot.memblock('P4');
  const populated = boot
    .zones('P4')
    .nodes.flatMap((node) => node.zones)
    .filter((zone) => zone.spanned > 0 && zone.present > 0);
  // Memory counts in whole pages; a page that is reserved in part is reserved.
  const spans = memory.regions
    .map(({ base, size, nid }) => ({
      startPfn: Math.ceil(base / PAGE),
      endPfn: Math.floor((base + size) / PAGE),
      nid,
    }))
    .filter(({ startPfn, endPfn }) => startPfn < endPfn);
  const plan = planInit({
    memory: spans,
    reserved: reserved.regions.map(({ base, size, flags }) => ({
      startPfn: Math.floor(base / PAGE),
      endPfn: Math.ceil((base + size) / PAGE),
      noInit: (flags & NO_INIT) !== 0,
    })),
    zones: populated.map((zone) => spanOf(zone)),
    memorylessNids: boot
      .zones('P4')
      .nodes.filter((node) => node.spanned === 0)
      .map((node) => node.nid),
    profile,
  });
  const zones = populated.map((zone): ZoneSpec => ({
    nid: zone.nid,
    zone: zone.name as ZoneSpec['zone'],
    startPfn: zone.startPfn,
    endPfn: zone.startPfn + zone.spanned,
    presentPages: zone.present,
  }));
  return { boot, profile, plan, memory: spans, zones };
}

function spanOf(zone: ZoneSnapshot): ZonePfnRange {
  return {
    nid: zone.nid,
    zoneIndex: ZONE_INDEX_BY_NAME[zone.name as ZoneName],
    startPfn: zone.startPfn,
    endPfn: zone.startPfn + zone.spanned,
  };
}
