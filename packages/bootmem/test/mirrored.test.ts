/** `kernelcore=mirror`: zones that span one another, and pages of a zone that counts none as present. */
import { atOnce } from '@bootmem/firmware-map/derive';
import { parseDescription } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { ZONE_NAMES } from '@bootmem/memmap';
import { expect, test } from '@jest/globals';
import { bootMemory } from '../dist/index.js';
import { needsOf } from '../dist/plan/limits/needs.js';
import { planLayout } from '../dist/plan/layout-plan.js';
import { lsmemView } from '../dist/views/lsmem.js';

/** Nothing is mirrored; what lies above 4 GiB begins at an address, and Movable at the next largest block. */
function machine(start: string): MachineDescription {
  const result = parseDescription(
    [
      'Linux version 4.19.0 (a@b) #1 SMP',
      'Command line: ro kernelcore=mirror',
      'BIOS-e820: [mem 0x0000000000001000-0x0000000008ffffff] usable',
      `BIOS-e820: [mem ${start}-0x0000000107ffffff] usable`,
      '',
    ].join('\n'),
    { name: 'test' },
  );
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return result.description;
}

const zonesOfLsmem = (description: MachineDescription): unknown =>
  atOnce(lsmemView({ description, source: 'test', notes: [] })).ranges.at(-1)?.zones;

test.each(['eager', 'deferred', 'on-demand'] as const)(
  'memory below the start of Movable is of Normal, which counts none of it as present; %s',
  async (mode) => {
    const description = machine('0x0000000100001000');
    await using booted = await bootMemory(description, { threads: 1, mode });
    const { memmap, plan } = booted;
    const report = booted.report();
    expect(
      report.zones.map(({ name, presentPages, managedPages }) => [
        name,
        presentPages,
        managedPages > 0,
      ]),
    ).toEqual([
      ['DMA', 3999, true],
      ['DMA32', 0x8000, true],
      ['Normal', 0, true],
      ['Movable', 0x7c00, true],
    ]);
    // From one page behind a largest block to the next: a free block of each smaller order.
    expect(report.zones[2]).toMatchObject({
      managedPages: 1023,
      freePages: 1023,
      freeBlocks: Array(10).fill(1).concat(0),
    });
    expect(report.buddyinfo).not.toContain('Normal');
    const zoneOf = (pfn: number): unknown =>
      ZONE_NAMES[memmap.zones.info(memmap.zoneId(pfn))!.zoneIndex];
    expect([0x100001, 0x1003ff, 0x100400].map(zoneOf)).toEqual(['Normal', 'Normal', 'Movable']);
    expect(needsOf(plan).zones).toBe(4);
    expect(zonesOfLsmem(description)).toEqual(['Normal', 'Movable']);
  },
);

test('where Movable begins with its memory, Normal has no pages: spanning them is not enough', () => {
  const description = machine('0x0000000100000000');
  expect(needsOf(planLayout(description)).zones).toBe(3);
  expect(zonesOfLsmem(description)).toEqual(['Movable']);
});
