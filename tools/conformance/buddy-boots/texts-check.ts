/** The texts of /proc from the counts in them: every byte, including what is not printed for empty zones. */
import { MIGRATETYPE_NAMES } from '@bootmem/memmap';
import {
  formatBuddyinfo,
  formatPagetypeinfo,
  formatZoneinfo,
} from '@bootmem/buddy-allocator/reports';
import type {
  BuddyinfoZone,
  Counters,
  PagetypeinfoZone,
  ZoneinfoReport,
} from '@bootmem/buddy-allocator/reports';
import type { ZoneName } from '@bootmem/memmap';
import type { PagetypeinfoNode, ZoneinfoItem, ZoneinfoZone } from '@bootmem-tools/oracle';
import type { Checks } from './checks.js';
import type { Machine } from './machine.js';

const isNuma = (name: string): boolean => name.startsWith('numa_');

/** What the recorded kernels print: they were built without contiguous-memory areas. */
const NAMES_WITHOUT_CMA = MIGRATETYPE_NAMES.filter((name) => name !== 'CMA');

/** Counters in alphabetical order, so that their order in the text is the formatter's own. */
function counters(items: readonly ZoneinfoItem[]): Counters {
  return Object.fromEntries([...items].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function zoneinfoReport(zone: ZoneinfoZone, all: readonly ZoneinfoZone[]): ZoneinfoReport {
  const page = (name: string): number => zone.pages.find(([key]) => key === name)?.[1] ?? 0;
  const tail = (name: string): number => zone.tail.find(([key]) => key === name)?.[1] ?? 0;
  const node = all.find((entry) => entry.nid === zone.nid && entry.perNodeStats !== undefined);
  return {
    nid: zone.nid,
    zone: zone.zone as ZoneName,
    freePages: page('free'),
    boost: page('boost'),
    min: page('min'),
    low: page('low'),
    high: page('high'),
    promo: page('promo'),
    spannedPages: page('spanned'),
    presentPages: page('present'),
    managedPages: page('managed'),
    cmaPages: page('cma'),
    protection: zone.protection,
    counters: counters(zone.stats.filter(([name]) => !isNuma(name))),
    numa: counters(zone.stats.filter(([name]) => isNuma(name))),
    nodeCounters: counters(node?.perNodeStats ?? []),
    pagesets: zone.pagesets.map((pageset) => {
      const item = (name: string): number => pageset.items.find(([key]) => key === name)?.[1] ?? 0;
      return {
        cpu: pageset.cpu,
        count: item('count'),
        high: item('high'),
        batch: item('batch'),
        threshold: pageset.threshold ?? 0,
      };
    }),
    nodeUnreclaimable: tail('node_unreclaimable') !== 0,
    startPfn: tail('start_pfn'),
  };
}

function pagetypeinfoZones(node: PagetypeinfoNode): PagetypeinfoZone[] {
  return node.blocks.map(({ nid, zone, blocks }) => ({
    nid,
    zone: zone as ZoneName,
    free: NAMES_WITHOUT_CMA.map(
      (name) =>
        node.free.find((line) => line.zone === zone && line.migratetype === name)?.free ?? [],
    ),
    pageblocks: blocks,
  }));
}

/** All three texts, also where a step of the recording repeated them. */
export function checkTexts({ boot, profile }: Machine, checks: Checks): void {
  for (const file of boot.files()) {
    const found = /^(buddyinfo|pagetypeinfo|zoneinfo)(?:_(\w+))?\.txt$/.exec(file);
    if (found === null) continue;
    const [, kind, step] = found;
    const text = boot.text(file);
    if (kind === 'buddyinfo') {
      checks.sameText(file, formatBuddyinfo(boot.buddyinfo(step) as BuddyinfoZone[]), text);
    } else if (kind === 'pagetypeinfo') {
      const zones = boot.pagetypeinfo(step).flatMap(pagetypeinfoZones);
      checks.sameText(file, formatPagetypeinfo(zones), text);
    } else {
      const zones = boot.zoneinfo(step);
      const reports = zones.map((zone) => zoneinfoReport(zone, zones));
      checks.sameText(file, formatZoneinfo(reports, profile), text);
    }
  }
}
