/**
 * Watermarks, lowmem reserve, cache sizes and counter thresholds in /proc/zoneinfo follow from the managed
 * pages at the end of deferred initialisation, when the kernel computes them.
 */
import {
  hugePageMinFreeKbytes,
  lowmemKbytes,
  lowmemReserve,
  minFreeKbytes,
  pcpBatch,
  pcpHigh,
  statThreshold,
  zoneWatermarks,
} from '@bootmem/buddy-allocator/zones';
import type { ZoneName } from '@bootmem/memmap';
import type { ZoneSnapshot, ZoneinfoZone } from '@bootmem-tools/oracle';
import type { Checks } from './checks.js';
import type { Machine } from './machine.js';

const managedZone = (zone: ZoneSnapshot): { zone: ZoneName; managedPages: number } => ({
  zone: zone.name as ZoneName,
  managedPages: zone.managed,
});

/** Machines below this do not get huge pages by default, and so no raised minimum. */
const HUGE_PAGES_FROM = (512 * 1024 * 1024) / 4096;

function checkPagesets(
  machine: Machine,
  zone: ZoneSnapshot,
  info: ZoneinfoZone,
  low: number,
  checks: Checks,
): void {
  const nodes = machine.boot.nodes();
  // Emulated nodes list the same CPUs several times.
  const online = new Set(nodes.flatMap((node) => node.cpus)).size;
  const local = nodes.find((node) => node.nid === zone.nid)!.cpus.length;
  const batch = pcpBatch(zone.managed, machine.profile);
  const { highMin, highMax } = pcpHigh({
    managedPages: zone.managed,
    low,
    workers: local > 0 ? local : online,
    batch,
    profile: machine.profile,
  });
  for (const pageset of info.pagesets) {
    const item = (name: string): number => pageset.items.find(([key]) => key === name)![1];
    const what = `node ${zone.nid} zone ${zone.name} cpu ${pageset.cpu}`;
    checks.equal(`${what} batch`, batch, item('batch'));
    checks.equal(`${what} threshold`, statThreshold(zone.managed, online), pageset.threshold);
    const high = item('high');
    // A tuned mark is 0 before the first use. It follows a change of its lower limit only when the cache
    // is next used, so it can still stand at the limit from before the watermarks were computed.
    const tuned = high === 0 || (high >= 4 * batch && high <= highMax);
    if (machine.profile.pcpHigh === 'fixed') checks.equal(`${what} high`, highMin, high);
    else checks.equal(`${what} high ${high} in ${4 * batch} … ${highMax}`, tuned, true);
  }
}

/** Marks, protection and cache sizes of all zones. */
export function checkMarks(machine: Machine, checks: Checks): void {
  const { boot, profile } = machine;
  const nodes = boot.zones('P7').nodes;
  const zones = nodes.flatMap((node) => node.zones);
  const managed = zones.map(managedZone);
  const total = managed.reduce((sum, zone) => sum + zone.managedPages, 0);
  const first = zoneWatermarks(managed, {
    minFreeKbytes: minFreeKbytes({ lowmemKbytes: lowmemKbytes(managed) }),
    profile,
  });
  let kbytes = minFreeKbytes({ lowmemKbytes: lowmemKbytes(managed) });
  if (total >= HUGE_PAGES_FROM) {
    const lowmem = managed.map((zone, i) => ({ ...zone, high: first[i]!.high }));
    kbytes = hugePageMinFreeKbytes({
      current: kbytes,
      populatedZones: zones.filter((zone) => zone.present > 0 && zone.index <= 2).length,
      freeBufferPages: lowmemKbytes(lowmem) / 4,
    });
  }
  checks.equal('min_free_kbytes', String(kbytes), boot.sysctl().get('min_free_kbytes'));
  const marks = zoneWatermarks(managed, { minFreeKbytes: kbytes, profile });
  const info = boot.zoneinfo();
  for (const node of nodes) {
    const reserve = lowmemReserve(node.zones.map(managedZone));
    for (const zone of node.zones) {
      const what = `node ${zone.nid} zone ${zone.name}`;
      const printed = info.find((entry) => entry.nid === zone.nid && entry.zone === zone.name);
      // A node that was not online yet is not listed.
      if (printed === undefined && zone.present === 0) continue;
      if (printed === undefined) {
        checks.equal(`${what} listed`, false, true);
        continue;
      }
      const mark = marks[zones.indexOf(zone)]!;
      const page = (name: string): number | undefined =>
        printed.pages.find(([key]) => key === name)?.[1];
      checks.equal(
        `${what} marks`,
        [mark.min, mark.low, mark.high, ...(profile.printsPromo ? [mark.promo] : [])],
        ['min', 'low', 'high', ...(profile.printsPromo ? ['promo'] : [])].map(page),
      );
      checks.equal(`${what} protection`, reserve[zone.index], printed.protection);
      checkPagesets(machine, zone, printed, mark.low, checks);
    }
  }
}
