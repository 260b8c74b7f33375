/**
 * Settings of `/proc/sys/vm` on the command line (`sysctl.vm.NAME=VALUE`, from 5.8 on). The kernel writes them when it has
 * given back all that only the boot needed, right before init: marks, page sets and reserves then follow managed pages as they
 * stay.
 * @kernel do_sysctl_args
 */
import { lowmemReserve, zoneWatermarks } from '@bootmem/buddy-allocator/zones';
import type { KernelProfile } from '@bootmem/buddy-allocator/zones';
import { splitCommandLine } from '@bootmem/firmware-map';
import type { ZoneinfoZone } from '@bootmem/firmware-map/types';
import type { ZoneName } from '@bootmem/memmap';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { managedZones } from './possible-marks.js';
import type { Marks } from './possible-marks.js';

/** What was set. */
export interface SysctlSettings {
  readonly minFreeKbytes?: number;
  readonly watermarkScaleFactor?: number;
  /** One number for each zone but the last, from the lowest on. */
  readonly reserveRatios?: readonly number[];
  /** Page sets hold this part of a zone; 0: as much as the low mark. */
  readonly highFraction?: number;
}

const NAME = /^sysctl[./]vm[./](\w+)$/;

/** Reads a list of whole numbers as the kernel does: blanks part them, anything else refuses the whole. */
function wholeNumbers(value: string, most: number): number[] | undefined {
  const words = value.trim().split(/\s+/);
  const numbers = words.map(Number);
  return numbers.every((number) => Number.isSafeInteger(number) && number >= 0 && number <= most)
    ? numbers
    : undefined;
}

/** Largest number of the kernel's type. */
const INT_MAX = 2 ** 31 - 1;

/** Settings of a machine's command line; the last of a name counts. */
export function sysctlSettings({ description, kernel }: LayoutPlan): SysctlSettings {
  if (!kernel.printed.setsSysctls) return {};
  const values = new Map<string, number[]>();
  for (const { name, value = '' } of splitCommandLine(description.commandLine?.text ?? '')) {
    const own = NAME.exec(name)?.[1];
    const most = own === 'watermark_scale_factor' ? 3000 : INT_MAX;
    const numbers = own === undefined ? undefined : wholeNumbers(value, most);
    if (numbers !== undefined) values.set(own!, numbers);
  }
  const [minimum] = values.get('min_free_kbytes') ?? [];
  const [factor] = values.get('watermark_scale_factor') ?? [];
  const ratios = values.get('lowmem_reserve_ratio');
  const [fraction] = values.get('percpu_pagelist_high_fraction') ?? [];
  return {
    ...(minimum === undefined ? {} : { minFreeKbytes: minimum }),
    ...(factor === undefined || factor === 0 ? {} : { watermarkScaleFactor: factor }),
    ...(ratios === undefined ? {} : { reserveRatios: ratios }),
    ...(fraction === undefined ? {} : { highFraction: fraction }),
  };
}

/**
 * Marks as settings leave them.
 * @param marks    those of the boot
 * @param zones    the machine's zones
 * @param kernel   the planned machine and its kernel's constants
 */
export function marksAsSet(
  marks: Marks,
  zones: readonly ZoneinfoZone[],
  { plan, profile }: { plan: LayoutPlan; profile: KernelProfile },
): Marks {
  const { minFreeKbytes, watermarkScaleFactor } = sysctlSettings(plan);
  if (minFreeKbytes === undefined && watermarkScaleFactor === undefined) return marks;
  const managed = zones.map((zone) => zone.managed ?? 0);
  const minimum = minFreeKbytes ?? marks.minFreeKbytes;
  return {
    marks: zoneWatermarks(managedZones(zones, managed), {
      minFreeKbytes: minimum,
      pageKbytes: plan.pageSize / 1024,
      profile,
      ...(watermarkScaleFactor === undefined ? {} : { watermarkScaleFactor }),
    }),
    managed,
    minFreeKbytes: minimum,
  };
}

/**
 * Reserves of a node's zones as settings leave them: those that no number was set for keep their own ratio.
 * @param zones  of one node, from the lowest on, with final managed pages
 */
export function reservesAsSet(
  plan: LayoutPlan,
  zones: readonly { readonly zone: ZoneName; readonly managedPages: number }[],
): number[][] {
  const { emptyZoneReserve } = plan.kernel.buddy;
  const usual = lowmemReserve(zones, undefined, emptyZoneReserve);
  const set = sysctlSettings(plan).reserveRatios;
  if (set === undefined) return usual;
  const ratios = Object.fromEntries(zones.map(({ zone }, index) => [zone, set[index] ?? 0]));
  const own = lowmemReserve(zones, ratios, emptyZoneReserve);
  return usual.map((row, index) => (set[index] === undefined ? row : own[index]!));
}
