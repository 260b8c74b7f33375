/**
 * What an architecture says about its zones: a list from the lowest zone up, each with the address it ends at, or
 * the reason why that address is on no paper. Rules of one architecture stand in one file beside this one.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ZoneName } from '@bootmem/memmap';
import type { PrintedProfile } from '../releases.js';

/** A zone's upper end, bytes: known, or not with the reason. */
export type ZoneEnd = {
  readonly zone: ZoneName;
  /** Every build has the zone, so a log without its line was cut. */
  readonly always?: true;
  /** No zone has the memory above this end, although memblock has. */
  readonly cutsMemory?: true;
  /** `Zone ranges:` names the zone's whole reach, however little memory there is. */
  readonly whole?: true;
  /** Why the end that is printed does not follow even where the zone is the last one with memory. */
  readonly outer?: string;
} & ({ readonly end: number } | { readonly why: string });

/** What a rule may look at. */
export interface ZoneRuleInput {
  readonly description: MachineDescription;
  /** What the kernel's release does. */
  readonly printed: PrintedProfile;
  /** First byte of memory. */
  readonly memoryStart: number;
  /** One past its last byte. */
  readonly memoryEnd: number;
}

/** Zones below Movable that kernels of an architecture may have, lowest first. The last one ends with memory. */
export type ZoneRule = (input: ZoneRuleInput) => readonly ZoneEnd[];

/** "To the end of memory." */
export const TO_THE_END = Infinity;

/** What 32-bit devices reach. */
export const GIB_4 = 2 ** 32;

/** The zone of all memory that the zones below leave. */
export const NORMAL: ZoneEnd = { zone: 'Normal', end: TO_THE_END, always: true };

/** Lowmem ends where the kernel says so before it lays out zones ("low ram: 0 - …"); else why it is not known. */
export function lowmemEnd(description: MachineDescription, what: string): ZoneEnd {
  const { lowmem } = description.printed;
  return lowmem === undefined
    ? { zone: 'Normal', always: true, why: `the end of lowmem depends on ${what}` }
    : { zone: 'Normal', always: true, end: lowmem.end };
}
