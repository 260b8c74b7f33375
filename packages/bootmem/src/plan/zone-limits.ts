/**
 * Zone limits of the machine at hand. On x86-64 they follow from the architecture; elsewhere part of them
 * comes from tables that no log prints (the most limited device on arm64, the size of lowmem on i386), so
 * the boundary is taken from the printed zone ranges and that is said.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { x86ZoneLimits } from '@bootmem/buddy-allocator/zones';
import type { ZoneLimit, ZoneLimits } from '@bootmem/buddy-allocator/zones';
import { ZONE_NAMES } from '@bootmem/memmap';

/** Limits and where they come from. */
export interface ChosenLimits {
  readonly limits: ZoneLimits;
  /** False when some boundary was read from the printed zone ranges. */
  readonly derived: boolean;
  /** Why not, when `derived` is false. */
  readonly reason?: string;
}

/**
 * Chooses limits.
 * @param description  the machine
 * @param maxPfn       one past the last page of memory
 */
export function chooseLimits(description: MachineDescription, maxPfn: number): ChosenLimits {
  const printed = description.printed.zoneRanges;
  const names = new Set(printed.map((range) => range.zone));
  const x86 = description.architecture === undefined || description.architecture === 'x86_64';
  if (x86) {
    const all = x86ZoneLimits(maxPfn);
    // A kernel built without ZONE_DMA prints no DMA line: its configuration, not an outcome.
    const dma =
      names.has('DMA') || description.printed.unavailable.some((one) => one.zone === 'DMA');
    const limits = printed.length > 0 && !dma ? all.filter((limit) => limit.zone !== 'DMA') : all;
    return { limits, derived: true };
  }
  if (printed.length === 0) {
    return {
      limits: [
        { zone: 'Normal', endPfn: maxPfn },
        { zone: 'Movable', endPfn: 0 },
        { zone: 'Device', endPfn: 0 },
      ],
      derived: false,
      reason: 'zone boundaries of this architecture are not printed',
    };
  }
  return {
    limits: printedLimits(description, maxPfn),
    derived: false,
    reason: boundaryReason(description),
  };
}

function boundaryReason(description: MachineDescription): string {
  if (description.architecture === 'i386') return 'the end of lowmem depends on the vmalloc area';
  return 'the DMA boundary depends on device tables that are not printed';
}

function printedLimits(description: MachineDescription, maxPfn: number): ZoneLimit[] {
  const pageSize = description.pageSize ?? 4096;
  const printed = new Map(description.printed.zoneRanges.map((range) => [range.zone, range.range]));
  const populated = ZONE_NAMES.filter(
    (zone) => printed.get(zone) !== undefined && zone !== 'Device',
  );
  const last = populated.at(-1);
  const limits: ZoneLimit[] = [];
  let previous = 0;
  for (const zone of ZONE_NAMES) {
    if (zone === 'Movable' || zone === 'Device') {
      limits.push({ zone, endPfn: 0 });
      continue;
    }
    if (!printed.has(zone)) continue;
    const range = printed.get(zone);
    const end = range === undefined ? previous : Math.ceil(range.end / pageSize);
    // The last zone ends with memory: derived, not copied.
    previous = zone === last ? maxPfn : Math.min(end, maxPfn);
    limits.push({ zone, endPfn: previous });
  }
  return limits;
}
