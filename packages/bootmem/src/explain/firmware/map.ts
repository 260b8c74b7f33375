/**
 * The firmware's own map, before anybody changed it, as ranges that do not overlap, and where installed memory ends
 * below 4 GiB.
 *
 * ```
 * |usable ..... |rsv|usable|ACPI|NVS|  reserved: graphics, chipset |···devices···|  4 GiB  |usable ...... |rsv|
 *                                   └ tail ───────────^ lowEnd                             └ high ─────────────┘
 * ```
 * A PC puts devices below 4 GiB and the memory that they hide above it, so `installed = lowEnd + high`. No line says
 * where the tail's memory ends and devices begin: but installed memory is a few modules of one size, and where only one
 * such amount lets the memory end inside the tail, that is it.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { MapEntry, RangeKind } from '@bootmem/firmware-map/types';
import type { ByteSpan } from '../../explain-result.js';
import { owners } from '../../accounts/base/owners.js';
import type { Owned } from '../../accounts/base/owners.js';

/** Where addresses of 32 bits end. */
const GIB_4 = 2 ** 32;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** Memory is put together of modules of one size, and of no more than so many. */
const MOST_MODULES = 32;

/** Where entries overlap, the later kind wins. */
const RANKS: readonly RangeKind[] = [
  'usable',
  'unaccepted',
  'reserved',
  'acpi-data',
  'acpi-nvs',
  'unusable',
  'persistent',
  'other',
  'soft-reserved',
];

/** What is memory and nothing else. */
const MEMORY: ReadonlySet<RangeKind> = new Set([
  'usable',
  'unaccepted',
  'acpi-data',
  'acpi-nvs',
  'unusable',
  'soft-reserved',
]);

/** A stretch of the map with its entry. */
export type MapPart = Owned<MapEntry>;

/** The map as the firmware handed it over: sorted, disjoint; empty without one. */
export function firmwareParts({ firmware, proc }: MachineDescription): MapPart[] {
  const lists = [firmware.map, firmware.setupData, proc.firmwareMemmap ?? []];
  const entries = lists.find((list) => list.length > 0) ?? [];
  const own = entries.filter(
    ({ provider, kind }) => provider === entries[0]!.provider && kind !== 'gap',
  );
  const ranked = own
    .map((entry) => ({ start: entry.start, end: entry.end, owner: entry }))
    .sort((a, b) => RANKS.indexOf(a.owner.kind) - RANKS.indexOf(b.owner.kind));
  return owners(ranked);
}

/** What a PC's map says about installed memory. */
export interface Installed {
  /** Bytes of installed memory: given, or the only amount that fits. */
  readonly bytes?: number;
  /** How the amount was found, in words. */
  readonly why?: string;
  /** Where memory ends below 4 GiB, as far as that is known. */
  readonly lowEnd: number;
  /** Bytes above 4 GiB. */
  readonly high: number;
}

/**
 * Where installed memory is.
 * @param parts  from {@link firmwareParts}
 * @param given  bytes of installed memory, if somebody says so
 */
export function installedMemory(parts: readonly MapPart[], given?: number): Installed {
  const low = parts.filter(({ start }) => start < GIB_4);
  const lastRam = endOf(low.filter(({ owner }) => MEMORY.has(owner.kind)));
  const tailEnd = endOfChain(low, lastRam);
  const high = highMemory(parts).reduce((sum, { start, end }) => sum + (end - start), 0);
  const fits = (bytes: number): boolean => bytes - high >= lastRam && bytes - high <= tailEnd;
  if (given !== undefined) {
    const lowEnd = Math.min(Math.max(given - high, lastRam), tailEnd);
    return { bytes: given, lowEnd, high };
  }
  for (let unit = 16 * GIB; unit >= (lastRam + high) / MOST_MODULES; unit /= 2) {
    const least = Math.ceil((lastRam + high) / unit) * unit;
    if (!fits(least)) continue;
    if (fits(least + unit)) break;
    const why = `the only multiple of ${unit / MIB} MiB that lets ${high} bytes above 4 GiB and the rest end between 0x${lastRam.toString(16)} and 0x${tailEnd.toString(16)}`;
    return { bytes: least, why, lowEnd: least - high, high };
  }
  return { lowEnd: lastRam, high };
}

function endOf(ranges: readonly ByteSpan[]): number {
  return ranges.reduce((end, range) => Math.max(end, Math.min(range.end, GIB_4)), 0);
}

/** End of the reserved ranges that follow each other without a gap from an address on. */
function endOfChain(parts: readonly MapPart[], from: number): number {
  let end = from;
  for (const part of parts) {
    if (part.start === end && part.owner.kind === 'reserved') end = Math.min(part.end, GIB_4);
  }
  return end;
}

/** Memory above 4 GiB, with reserved ranges that touch it. */
export function highMemory(parts: readonly MapPart[]): MapPart[] {
  const result: MapPart[] = [];
  for (const part of parts) {
    if (part.end <= GIB_4) continue;
    const own = { ...part, start: Math.max(part.start, GIB_4) };
    const touches = result.at(-1)?.end === own.start;
    if (MEMORY.has(own.owner.kind) || (touches && own.owner.kind === 'reserved')) result.push(own);
  }
  return result;
}

/** Whether a stretch is memory to the page allocator, as far as the firmware is concerned. */
export function isUsable({ owner }: MapPart): boolean {
  return owner.kind === 'usable' || owner.kind === 'unaccepted';
}
