/** Memory that is known and never mapped, tables that are thrown away, and what is given back late, off x86. */
import { parseDescription } from '@bootmem/firmware-map';
import { describe, expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import type { CheckReport } from '../dist/check.js';

function check(...lines: string[]): CheckReport {
  const read = parseDescription(`${lines.join('\n')}\n`, { name: 'test' });
  if (!read.ok) throw new Error(read.problems[0]?.message);
  return checkMachine({ description: read.description, source: 'test', notes: [] });
}

const differing = (report: CheckReport): string[] =>
  report.facts.filter(({ verdict }) => verdict === 'differs').map(({ fact }) => fact);

const HEAD = [
  'Booting Linux on physical CPU 0x0000000000 [0x411fd070]',
  'Linux version 7.2.0-arm64 (a@b) (aarch64-linux-gnu-gcc 14) #1 SMP',
  'Kernel command line: quiet',
];
const ZONES = [
  'Zone ranges:',
  '  DMA      [mem 0x0000000004000000-0x000000007fffffff]',
  'Movable zone start for each node',
  'Early memory node ranges',
  '  node   0: [mem 0x0000000004000000-0x0000000007ffffff]',
  '  node   0: [mem 0x0000000040000000-0x000000005fffffff]',
  '  node   0: [mem 0x0000000060000000-0x00000000600fffff]',
  '  node   0: [mem 0x0000000060100000-0x000000007fffffff]',
  'Initmem setup node 0 [mem 0x0000000004000000-0x000000007fffffff]',
  'Memory: 900000K/1114112K available (1K kernel code)',
];
const IOMEM = [
  '04000000-07ffffff : reserved',
  '40000000-5fffffff : System RAM',
  '  40200000-411fffff : Kernel code',
  '  41200000-415fffff : reserved',
  '  41600000-41dfffff : Kernel data',
  '60000000-600fffff : reserved',
  '60100000-7fffffff : System RAM',
];

describe('NOMAP memory of arm64', () => {
  test('stands in /proc/iomem beside System RAM, and is present', () => {
    const report = check(...HEAD, ...ZONES, ...IOMEM);
    expect(differing(report)).toEqual([]);
    expect(report.facts.filter(({ fact }) => fact === 'early node range')).toHaveLength(4);
  });

  test('what is in use inside System RAM is no NOMAP memory', () => {
    const moved = IOMEM.map((line) => line.replace('60000000-600fffff', '  60000000-600fffff'));
    expect(differing(check(...HEAD, ...ZONES, ...moved))).toContain('early node range');
  });

  test('a table that does not cover it is thrown away: one node', () => {
    const report = check(
      ...HEAD,
      'ACPI: SRAT: Node 0 PXM 0 [mem 0x40000000-0x5fffffff]',
      'ACPI: SRAT: Node 1 PXM 1 [mem 0x60000000-0x7fffffff]',
      'NUMA: no nodes coverage for 64MB of 1088MB RAM',
      ...ZONES,
      ...IOMEM,
    );
    expect(differing(report)).toEqual([]);
  });
});

/** 1 GiB from 1 GiB on; the image lies 2 MiB above, 4 MiB of it are given back. */
function kept(options: { reserved: string[]; managed: number; freed?: string[] }): CheckReport {
  return check(
    ...HEAD,
    'cma: Reserved 64 MiB at 0x0000000078000000',
    'Zone ranges:',
    '  DMA      [mem 0x0000000040000000-0x000000007fffffff]',
    'Early memory node ranges',
    '  node   0: [mem 0x0000000040000000-0x000000007fffffff]',
    'Memory: 900000K/1048576K available (1K kernel code)',
    ...(options.freed ?? ['Freeing unused kernel memory: 4096K']),
    '40000000-7fffffff : System RAM',
    '  40200000-411fffff : Kernel code',
    '  41200000-415fffff : reserved',
    '  41600000-41dfffff : Kernel data',
    'Node 0, zone      DMA',
    '        spanned  262144',
    '        present  262144',
    `        managed  ${options.managed}`,
    '  start_pfn:           262144',
    '--- /sys/kernel/debug/memblock/memory',
    '   0: 0x0000000040000000..0x000000007fffffff    0 NONE',
    '--- /sys/kernel/debug/memblock/reserved',
    ...options.reserved,
  );
}

const managedFact = (report: CheckReport): string | undefined =>
  report.facts.find(({ fact }) => fact === 'managed pages')?.verdict;

describe('managed pages from the lists that memblock keeps', () => {
  const PAGES = 262144;
  const CODE = 0x1000;
  const INIT = 0x400;
  const DATA = 0x800;

  test('lists from after the late frees: memory less what is reserved; CMA areas are pages too', () => {
    const report = kept({
      reserved: [
        '   0: 0x0000000040200000..0x00000000411fffff    0 NONE',
        '   1: 0x0000000041600000..0x0000000041dfffff    0 NONE',
        '   2: 0x0000000078000000..0x000000007bffffff    0 RSV_KERN',
      ],
      managed: PAGES - CODE - DATA,
    });
    expect(managedFact(report)).toBe('equal');
    expect(differing(report)).toEqual([]);
  });

  test('lists from before them: what was freed is added', () => {
    const report = kept({
      reserved: [
        '   0: 0x0000000040200000..0x0000000041dfffff    0 NONE',
        '   1: 0x0000000078000000..0x000000007bffffff    0 RSV_KERN',
      ],
      managed: PAGES - CODE - DATA,
    });
    expect(managedFact(report)).toBe('equal');
  });

  test('another number differs', () => {
    const report = kept({
      reserved: ['   0: 0x0000000040200000..0x0000000041dfffff    0 NONE'],
      managed: PAGES - CODE - DATA - INIT,
    });
    expect(managedFact(report)).toBe('differs');
  });
});
