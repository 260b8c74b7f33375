// Zones, marks and texts against the recorded boots that are part of the repository; the full set is
// gone over by the buddy-boots conformance run.
import { expect, test } from '@jest/globals';
import { fixtureOracle, listBoots, type ZonesSnapshot } from '@bootmem-tools/oracle';
import {
  bootManagedPages,
  lowmemReserve,
  pfnRangesOf,
  profileForRelease,
  unavailableHoles,
  x86ZoneLimits,
  zoneLayout,
  zoneWatermarks,
} from '@bootmem/buddy-allocator/zones';
import type { ManagedZone } from '../dist/marks/watermarks.js';
import { formatBuddyinfo, bootLines, type BuddyinfoZone } from '@bootmem/buddy-allocator/reports';
import type { ZoneName } from '@bootmem/memmap';

const boots = listBoots(fixtureOracle('boots')!);

const managedZones = (snapshot: ZonesSnapshot): ManagedZone[] =>
  snapshot.nodes.flatMap((node) =>
    node.zones.map((zone) => ({ zone: zone.name as ZoneName, managedPages: zone.managed })),
  );

test('there are recorded boots of both kernels and of several nodes', () => {
  expect(boots.map((boot) => boot.name)).toEqual(['k61-1n-128m', 'k61-4n-odd', 'k612-4n-small']);
});

test.each(boots.map((boot) => [boot.name, boot] as const))(
  '%s: zones, holes and managed pages follow from memory',
  (_name, boot) => {
    const memory = pfnRangesOf(boot.memblock('P3').memory.regions);
    const layout = zoneLayout({ memory, limits: x86ZoneLimits(memory.at(-1)!.endPfn) });
    const recorded = boot.zones('P4');
    const profile = profileForRelease(boot.meta().kernel);
    expect(
      layout.nodes.flatMap((node) =>
        node.zones.map((zone) => [zone.startPfn, zone.spannedPages, zone.presentPages]),
      ),
    ).toEqual(
      recorded.nodes.flatMap((node) =>
        node.zones.map((zone) => [zone.startPfn, zone.spanned, zone.present]),
      ),
    );
    expect(
      layout.nodes.flatMap((node) =>
        node.zones.map((zone) =>
          bootManagedPages(zone, profile, node.nid === 0 ? recorded.dmaReserve : 0),
        ),
      ),
    ).toEqual(recorded.nodes.flatMap((node) => node.zones.map((zone) => zone.managed)));
    const lines = boot.dmesg();
    expect(bootLines.unavailable(unavailableHoles(layout, memory))).toEqual(
      lines.filter((line) => line.endsWith('pages in unavailable ranges')),
    );
    for (const own of [
      bootLines.zoneRanges(layout),
      bootLines.movableStart(layout),
      bootLines.memoryRanges(memory),
      bootLines.initmem(layout),
    ]) {
      expect(own.length).toBeGreaterThan(0);
      for (const line of own) expect(lines).toContain(line);
    }
  },
);

test.each(boots.map((boot) => [boot.name, boot] as const))(
  '%s: marks and protection follow from managed pages',
  (_name, boot) => {
    const recorded = boot.zones('P7');
    const info = boot.zoneinfo();
    const marks = zoneWatermarks(managedZones(recorded), {
      minFreeKbytes: Number(boot.sysctl().get('min_free_kbytes')),
      profile: profileForRelease(boot.meta().kernel),
    });
    expect(marks.map(({ min, low, high }) => [min, low, high])).toEqual(
      info.map((zone) =>
        ['min', 'low', 'high'].map((name) => zone.pages.find(([key]) => key === name)![1]),
      ),
    );
    for (const node of recorded.nodes) {
      const zones = managedZones({ ...recorded, nodes: [node] });
      expect(lowmemReserve(zones)).toEqual(
        info.filter((zone) => zone.nid === node.nid).map((zone) => zone.protection),
      );
    }
  },
);

test.each(boots.map((boot) => [boot.name, boot] as const))('%s: buddyinfo text', (_name, boot) => {
  const zones = boot.buddyinfo() as BuddyinfoZone[];
  expect(formatBuddyinfo(zones)).toBe(boot.text('buddyinfo.txt'));
});
