/**
 * A memory map made of the spans of /proc/zoneinfo, for machines that show no other.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { MapEntry } from '@bootmem/firmware-map/types';
import { BootmemError } from '../errors.js';

/** What was assumed, for notes. */
export const LAID_OUT =
  'memory was laid out from the zone spans of /proc/zoneinfo, holes inside zones are put at their ends';

/** Who "printed" such a map. */
const PROVIDER = 'zoneinfo';

/** End of the legacy video and firmware area below 1 MiB, bytes: where a PC's first hole ends. */
const LEGACY_END = 2 ** 20;
/** Its bytes. */
const LEGACY_BYTES = 0x60000;

/** Whether the memory of a machine was laid out from the zones that it is compared with. */
export function isFromZoneinfo({ firmware }: MachineDescription): boolean {
  return firmware.map[0]?.provider === PROVIDER;
}

/** Where a zone's present bytes may lie: all at its start, except for the hole that every PC has below 1 MiB. */
function placed(start: number, spanned: number, present: number): { start: number; end: number }[] {
  const hole = spanned - present;
  const isLegacy =
    hole >= LEGACY_BYTES && start + hole < LEGACY_END && start + spanned > LEGACY_END;
  if (!isLegacy) return [{ start, end: start + present }];
  return [
    { start, end: LEGACY_END - hole },
    { start: LEGACY_END, end: start + spanned },
  ];
}

/**
 * The description with a map and nodes of its zones.
 * @param description  holds zoneinfo
 * @throws BootmemError ERR_BOOTMEM_READ when no zone has pages
 */
export function fromZoneinfo(description: MachineDescription): MachineDescription {
  const { pageSize = 4096, proc, firmware, numa } = description;
  const blocks = (proc.zoneinfo ?? []).flatMap(({ nid, startPfn, spanned = 0, present = 0 }) =>
    present === 0 || startPfn === undefined
      ? []
      : placed(startPfn * pageSize, spanned * pageSize, present * pageSize).map((range) => ({
          nid,
          line: 0,
          ...range,
        })),
  );
  if (blocks.length === 0) {
    throw new BootmemError('ERR_BOOTMEM_READ', '/proc/zoneinfo holds no zone with pages');
  }
  const map = blocks.map(({ start, end }): MapEntry => ({
    line: 0,
    start,
    end,
    kind: 'usable',
    text: 'System RAM',
    provider: PROVIDER,
  }));
  return { ...description, firmware: { ...firmware, map }, numa: { ...numa, blocks } };
}
