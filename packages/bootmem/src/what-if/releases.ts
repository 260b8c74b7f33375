/** Where kernel releases ask for early memory differently, in ways that only what other options would do shows. */
import { byRelease } from '@bootmem/memmap/releases';
import type { ReleaseTable } from '@bootmem/memmap/releases';

/** What a release does. */
interface Row {
  /** The crash kernel lies at its alignment at the lowest; later at 0. */
  readonly crashFromAlign: boolean;
  /** Gigantic pages are taken before page descriptors; earlier, when the command line is read to its end. */
  readonly giganticFirst: boolean;
  /** `reserve_mem=` is an option. */
  readonly namesReservations: boolean;
  /** The bounce buffer is cut into areas, with a record for each. */
  readonly bounceAreas: boolean;
  /** A kernel that chooses its own place at random does so below this address. */
  readonly randomBelow: number;
}

const RELEASES: ReleaseTable<Row> = [
  {
    since: '2.6.32',
    crashFromAlign: true,
    giganticFirst: false,
    namesReservations: false,
    bounceAreas: false,
    randomBelow: 2 ** 30,
  },
  // "x86/KASLR: Extend kernel image physical address randomization to addresses larger than 4G".
  { since: '4.8', randomBelow: Infinity },
  // "swiotlb: split up the global swiotlb lock": recorded with 6.1.
  { since: '6.0', bounceAreas: true },
  // "x86: kdump: use generic interface to simplify crashkernel reservation".
  { since: '6.7', crashFromAlign: false },
  // "mm/memblock: Add reserve_mem command line option".
  { since: '6.12', namesReservations: true },
  // "mm/hugetlb: do pre-HVO for bootmem allocated pages": recorded with 7.3, with 6.12 the other way.
  { since: '6.15', giganticFirst: true },
];

/** What a kernel release does. */
export const asksOf = byRelease(RELEASES);
