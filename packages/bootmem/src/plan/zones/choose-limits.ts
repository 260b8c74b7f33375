/**
 * Zone limits of the machine at hand: each boundary follows from its architecture's rule, or it is read from the
 * printed zone ranges and that is said. No architecture gets another's limits.
 *
 * ```
 * rule        DMA ── 2 GiB     DMA32 ── 4 GiB      Normal ── end of memory
 * print       DMA, Normal      (a zone without a line is not in this build: left out)
 * limits      DMA ── 2 GiB                         Normal ── end of memory
 * ```
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { Architecture } from '@bootmem/firmware-map/types';
import type { ZoneLimit, ZoneLimits } from '@bootmem/buddy-allocator/zones';
import { ZONE_NAMES } from '@bootmem/memmap';
import type { ZoneName } from '@bootmem/memmap';
import { BootmemError } from '../../errors.js';
import type { PrintedProfile } from '../releases.js';
import { arm64 } from './arm64.js';
import {
  alpha,
  board32,
  ia64,
  inBytes,
  loongarch64,
  mips,
  oneZone,
  ppc64,
  riscv64,
  s390x,
  um,
  unknown,
} from './other.js';
import { i386, x86_64 } from './x86.js';
import { TO_THE_END } from './zone-rule.js';
import type { ZoneEnd, ZoneRule } from './zone-rule.js';

const RULES: Readonly<Record<Architecture, ZoneRule>> = {
  x86_64,
  i386,
  arm64,
  arm: board32,
  ppc64,
  ppc32: board32,
  riscv64,
  s390x,
  mips,
  loongarch64,
  sh: board32,
  sparc64: oneZone,
  sparc: board32,
  parisc: inBytes,
  m68k: inBytes,
  alpha,
  ia64,
  microblaze: board32,
  xtensa: board32,
  arc: board32,
  openrisc: oneZone,
  riscv32: oneZone,
  um,
};

/** Limits and where they come from. */
export interface ChosenLimits {
  readonly limits: ZoneLimits;
  /** Zones whose upper end was read from the printed zone ranges, and why it does not follow from anything. */
  readonly copied: ReadonlyMap<ZoneName, string>;
  /** Zones that are printed with their whole reach, and the page where it ends. */
  readonly whole: ReadonlyMap<ZoneName, number>;
  /** Why the zones themselves are not known: neither printed nor all said by the architecture. */
  readonly guessed?: string;
}

/** What {@link chooseLimits} needs. */
export interface LimitsInput {
  readonly description: MachineDescription;
  readonly printed: PrintedProfile;
  readonly pageSize: number;
  /** First page of memory. */
  readonly minPfn: number;
  /** One past the last page of memory. */
  readonly maxPfn: number;
}

/**
 * Chooses limits.
 * @param input  the machine and the extent of its memory
 */
export function chooseLimits({
  description,
  printed,
  pageSize,
  minPfn,
  maxPfn,
}: LimitsInput): ChosenLimits {
  const { architecture } = description;
  const rule = architecture === undefined ? unknown : RULES[architecture];
  const ends = zonesOfBuild(
    description,
    rule({
      ...{ description, printed },
      ...{ memoryStart: minPfn * pageSize, memoryEnd: maxPfn * pageSize },
    }),
  );
  if (ends === undefined) {
    const limits = [{ zone: 'Normal' as const, endPfn: maxPfn }, ...NO_LIMIT];
    return { limits, copied: new Map(), whole: new Map(), guessed: NOT_PRINTED };
  }
  const copied = new Map<ZoneName, string>();
  const whole = new Map<ZoneName, number>();
  const limits: ZoneLimit[] = [];
  let previous = 0;
  for (const [index, entry] of ends.entries()) {
    if (entry.whole === true && 'end' in entry) whole.set(entry.zone, entry.end / pageSize);
    if (entry.outer !== undefined && isLastPrinted(description, entry.zone)) {
      copied.set(entry.zone, entry.outer);
    }
    const isOpen = index === ends.length - 1 && entry.cutsMemory !== true;
    const end = isOpen ? TO_THE_END : endOf(description, entry, copied);
    previous = Math.max(previous, Math.min(Math.floor(end / pageSize), maxPfn));
    limits.push({ zone: entry.zone, endPfn: previous });
  }
  return { limits: [...limits, ...NO_LIMIT], copied, whole };
}

/**
 * Refuses zones none of which has memory: the print contradicts the map.
 * @param limits  from {@link chooseLimits}
 * @param input   what it was given
 * @returns where the last zone ends, pages
 * @throws BootmemError ERR_BOOTMEM_INPUT with the line that names the zones
 */
export function zonesEndOf(
  { limits }: ChosenLimits,
  { description, pageSize, minPfn }: LimitsInput,
): number {
  const end = Math.max(...limits.map(({ endPfn }) => endPfn));
  if (end > minPfn) return end;
  const line = description.printed.zoneRanges[0]?.line ?? 0;
  const address = (pfn: number): string => `0x${(pfn * pageSize).toString(16)}`;
  throw new BootmemError(
    'ERR_BOOTMEM_INPUT',
    `${line === 0 ? '' : `line ${line}: `}no zone has memory: zones end at ${address(end)}, and memory begins at ${address(minPfn)}`,
    { line, zonesEnd: end * pageSize, memoryStart: minPfn * pageSize },
  );
}

const NOT_PRINTED = 'zone boundaries of this architecture are not printed';

/** Zones that have no limit of their own. */
const NO_LIMIT: readonly ZoneLimit[] = [
  { zone: 'Movable', endPfn: 0 },
  { zone: 'Device', endPfn: 0 },
];

/**
 * The rule's zones that this build has: those that its log names. Without printed ranges, all of them.
 * @returns `undefined` when none is printed and one of them has no known end
 */
function zonesOfBuild(
  { printed }: MachineDescription,
  ends: readonly ZoneEnd[],
): readonly ZoneEnd[] | undefined {
  if (printed.zoneRanges.length === 0) {
    return ends.every((entry) => 'end' in entry) ? ends : undefined;
  }
  const named = new Set(printed.zoneRanges.map(({ zone }) => zone));
  // Lines of holes are printed later; they may have survived where the ranges were cut.
  for (const { zone } of printed.unavailable) if (zone !== undefined) named.add(zone);
  for (const { zone, always } of ends) if (always === true) named.add(zone);
  const own = ZONE_NAMES.filter(
    (zone) => zone !== 'Movable' && zone !== 'Device' && named.has(zone),
  );
  return own.map(
    (zone) =>
      ends.find((entry) => entry.zone === zone) ?? {
        zone,
        why: 'kernels of this architecture have no such zone as far as is known',
      },
  );
}

/** Zones below Movable that are printed with a range. */
function populated({ printed }: MachineDescription): MachineDescription['printed']['zoneRanges'] {
  return printed.zoneRanges.filter(
    ({ zone, range }) => range !== undefined && zone !== 'Movable' && zone !== 'Device',
  );
}

function isLastPrinted(description: MachineDescription, zone: ZoneName): boolean {
  return populated(description).at(-1)?.zone === zone;
}

function endOf(
  description: MachineDescription,
  entry: ZoneEnd,
  copied: Map<ZoneName, string>,
): number {
  if ('end' in entry) return entry.end;
  const zones = populated(description);
  // Whatever its limit is, the last zone with memory ends where memory does.
  if (zones.length === 0 || zones.at(-1)!.zone === entry.zone) return TO_THE_END;
  copied.set(entry.zone, entry.why);
  return zones.find(({ zone }) => zone === entry.zone)?.range?.end ?? 0;
}
