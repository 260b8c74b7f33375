/**
 * Where kernel releases differ in the memory they take from the same map, as data.
 *
 * Source: logs of 2.6.32, 2.6.39 and later releases, with the map and the ranges it became
 */
import { byRelease } from './by-release.js';
import type { ReleaseTable } from './by-release.js';

/** What a kernel release does with a map. */
export interface MapProfile {
  /** The newest release whose changes are in it, for example `3.0`. */
  readonly release: string;
  /** Bytes from 0 that x86 keeps away; where it keeps none, it leaves video memory and option ROMs alone too. */
  readonly lowReserve: number;
  /** Memory is taken from the map right after `last_pfn`; before, much later, when nodes are set up. */
  readonly fillsAfterLastPfn: boolean;
  /** `last_pfn` is the end of ACPI data where that lies above all usable memory. */
  readonly countsAcpiData: boolean;
  /** The table of nodes begins with memory; before, at address 0. */
  readonly nodesBeginAtMemory: boolean;
  /** The boot loader's data gets a type of its own, so that changes of usable memory pass it by. */
  readonly keepsSetupData: boolean;
  /** All architectures print their ranges; before, some printed totals only. */
  readonly printsRanges: boolean;
  /** Memory that firmware mirrors is marked, which parts it from its neighbours: always, or with `kernelcore=mirror` only. */
  readonly marksMirrored: 'never' | 'always' | 'when-asked';
}

/** What each release changed, with the reason. */
export const RELEASES: ReleaseTable<Omit<MapProfile, 'release'>> = [
  {
    since: '2.6.32',
    lowReserve: 0,
    keepsSetupData: true,
    countsAcpiData: false,
    nodesBeginAtMemory: false,
    fillsAfterLastPfn: false,
    printsRanges: false,
    marksMirrored: 'never',
  },
  // "x86: Reserve low memory against BIOS corruption": the first 64 KiB.
  { since: '2.6.36', lowReserve: 65_536 },
  // memblock took over on x86: the range is reserved, only the first page is taken out of the map.
  { since: '3.0', lowReserve: 4096, fillsAfterLastPfn: true },
  // "x86, mirror: x86 enabling - find mirrored memory ranges".
  { since: '4.3', marksMirrored: 'always' },
  // "mm: remove CONFIG_HAVE_MEMBLOCK_NODE_MAP option": free_area_init() is the one way to size zones.
  { since: '5.8', printsRanges: true },
  // "memblock: Disable mirror feature if kernelcore is not specified", and arm64 marks too.
  { since: '6.0', marksMirrored: 'when-asked' },
  // "x86/mm: Make e820__end_ram_pfn() cover E820_TYPE_ACPI ranges".
  { since: '6.11', countsAcpiData: true },
  // numa_emulation moved to mm/ (recorded with 6.12.100 and 7.3, not with 6.1).
  { since: '6.12', nodesBeginAtMemory: true },
  // "x86/boot/e820: remove E820_TYPE_RESERVED_KERN and related code": memblock alone keeps the loader's data.
  { since: '6.15', keepsSetupData: false },
];

const choose = byRelease(RELEASES);

/**
 * What a kernel release does.
 * @param release  as `uname -r` prints it; any text that begins with a `MAJOR.MINOR` will do
 * @returns what all rows of the table up to it add up to; the newest where no number is found
 */
export function profileForRelease(release?: string): MapProfile {
  return choose(release);
}
