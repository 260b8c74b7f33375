/** Rules by which amounts follow that no line names: of architectures, of ages. */
import { parseDescription } from '@bootmem/firmware-map';
import { describe, expect, test } from '@jest/globals';
import { explainMachine } from '../dist/explain/explain-machine.js';
import { firstFault, kibOf } from './helpers/accounts.js';

function reserved(...lines: string[]): Record<string, number> {
  const read = parseDescription(lines.join('\n'));
  if (!read.ok) throw new Error(read.problems[0]?.message);
  const report = explainMachine({ description: read.description, source: 'test', notes: [] });
  expect(firstFault(report)).toBeUndefined();
  return kibOf(report, 'reserved');
}

const memory = (available: number, total: number, held: number): string =>
  `Memory: ${available}K/${total}K available (1000K kernel code, 0K rwdata, 0K rodata, 0K init, 0K bss, ${held}K reserved, 0K cma-reserved)`;

describe('arm64', () => {
  // 1 GiB in one run of ranges that touch: the second, 2 MiB, is kept by the firmware.
  const ranges = [
    [0x40000000, 0x4fffffff],
    [0x50000000, 0x501fffff],
    [0x50200000, 0x7fffffff],
  ].map(([first, last]) => `  node   0: [mem 0x${first!.toString(16)}-0x${last!.toString(16)}]`);
  const board = (release: string, ...more: string[]): Record<string, number> =>
    reserved(
      'Booting Linux on physical CPU 0x0000000000 [0x411fd070]',
      `Linux version ${release} (u@h) (aarch64-linux-gnu-gcc 12) #1 SMP`,
      ...more,
      'Early memory node ranges',
      ...ranges,
      memory(900000, 1048576, 148576),
    );

  test('ranges that touch and are printed apart: the smaller part is never mapped', () => {
    expect(board('6.6.0')['no-map']).toBe(2048);
  });

  test('memory is mapped page by page since 5.0, unless rodata= says otherwise', () => {
    // 262144 pages in 512 tables, and one table of those.
    expect(board('6.6.0')['page-tables']).toBe(513 * 4);
    expect(board('4.19.0')).not.toHaveProperty('page-tables');
    expect(board('6.6.0', 'Kernel command line: rodata=off')).not.toHaveProperty('page-tables');
  });
});

describe('ppc64', () => {
  const power = (...more: string[]): Record<string, number> =>
    reserved(
      'Linux version 6.2.0 (u@h) (gcc 12) #1 SMP',
      'Hardware name: IBM,9080-HEX POWER10 (raw) 0x800200 0xf000006 pSeries',
      ...more,
      'Early memory node ranges',
      '  node   0: [mem 0x0000000000000000-0x000000007fffffff]',
      memory(1000000, 2097152, 1097152),
    );

  test('one with trees has a table of processes', () => {
    const rows = power('mmu_features      = 0x3c007641');
    expect(rows['process-table']).toBe(16 * 1024);
    expect(rows).not.toHaveProperty('hash-page-table');
  });

  test('one with a hash table has it in its own memory, unless a hypervisor keeps it', () => {
    const own = [
      'mmu_features      = 0x7c006e01',
      'hash-mmu: ppc64_pft_size    = 0x0',
      'hash-mmu: htab_hash_mask    = 0x3ffff',
    ];
    const rows = power(...own);
    expect(rows['hash-page-table']).toBe(2 ** 18 / 8);
    expect(rows).not.toHaveProperty('process-table');
    const guest = own.map((line) => line.replace('pft_size    = 0x0', 'pft_size    = 0x19'));
    expect(power(...guest)).not.toHaveProperty('hash-page-table');
  });
});

describe('descriptors', () => {
  const map = (end: number): string =>
    `BIOS-e820: [mem 0x0000000000100000-0x${(end - 1).toString(16).padStart(16, '0')}] usable`;

  test('old kernels print what their descriptors take: 56 bytes each', () => {
    // DMA32 from 16 MiB to 2 GiB: 520192 pages × 56 bytes = 7112 pages.
    const rows = reserved(
      'Linux version 3.2.0 (u@h) #1 SMP',
      map(2 ** 31),
      'On node 0 totalpages: 524032',
      '  DMA32 zone: 7112 pages used for memmap',
      memory(2000000, 2096128, 96128),
    );
    expect(rows['descriptors']).toBe((524288 * 56) / 1024);
  });

  test('of 32 bits have 32 bytes, and only for what the kernel reaches', () => {
    const rows = reserved(
      'Linux version 6.1.0 (u@h) (i686-linux-gnu-gcc) #1 SMP',
      map(2 ** 31),
      'last_pfn = 0x80000 max_arch_pfn = 0x100000',
      'Zone ranges:',
      '  DMA      [mem 0x0000000000001000-0x0000000000ffffff]',
      '  Normal   [mem 0x0000000001000000-0x0000000037ffffff]',
      '  HighMem  empty',
      memory(880000, 916480, 36480),
    );
    expect(rows['descriptors']).toBe((7 * 32768 * 32) / 1024);
  });
});

test('memory above the zones of a 32-bit kernel is beyond its reach, whether or not the line counts it', () => {
  const lines = [
    'Linux version 6.15.0 (u@h) (i686-linux-gnu-gcc) #1 SMP',
    'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable',
    'last_pfn = 0x80000 max_arch_pfn = 0x100000',
    'Warning only 896MB will be used.',
    'Zone ranges:',
    '  DMA      [mem 0x0000000000001000-0x0000000000ffffff]',
    '  Normal   [mem 0x0000000001000000-0x0000000037ffffff]',
    'Early memory node ranges',
    '  node   0: [mem 0x0000000000100000-0x000000007fffffff]',
  ];
  for (const more of [[], [memory(880000, 916480, 36480)]]) {
    const read = parseDescription([...lines, ...more].join('\n'));
    if (!read.ok) throw new Error(read.problems[0]?.message);
    const report = explainMachine({ description: read.description, source: 'test', notes: [] });
    expect(firstFault(report)).toBeUndefined();
    const { 'trim-reach': beyond, rest, left } = kibOf(report, 'trimmed');
    expect([beyond, rest, left]).toEqual([2 ** 21 - 0x38000 * 4, 0, 0x38000 * 4 - 1024]);
  }
});

describe('what was given back before the Memory: line', () => {
  const machine = (...more: string[]): Record<string, number> =>
    reserved(
      'Linux version 7.3.0 (u@h) #1 SMP',
      'BIOS-e820: [mem 0x0000000000100000-0x00000001ffffffff] usable',
      ...more,
    );

  test('alternatives, and gigantic pages that are counted already', () => {
    // 8387584K present; 3 GiB are in neither amount, as the sum of the line shows.
    const rows = machine(
      'Freeing SMP alternatives memory: 40K',
      'node 0 deferred pages initialised in 40ms',
      memory(4941856, 8387584, 300000),
      'HugeTLB: registered 1.00 GiB page size, pre-allocated 3 pages',
    );
    expect(rows['huge-pages of 1024 MiB']).toBe(3 * 2 ** 20);
    expect(rows['left']).toBe(8387584 - 300000 - 40 - 3 * 2 ** 20);
  });

  test('gigantic pages that are not counted yet are part of what is reserved', () => {
    const rows = machine(
      'node 0 deferred pages initialised in 40ms',
      memory(4941856, 8387584, 300000 + 3 * 2 ** 20),
      'HugeTLB: registered 1.00 GiB page size, pre-allocated 3 pages',
    );
    expect(rows['left']).toBe(8387584 - 300000 - 3 * 2 ** 20);
  });
});

test('the bounce buffer is set aside where memory may be plugged in above 4 GiB', () => {
  const map = 'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable';
  const lines = ['Linux version 6.1.0 (u@h) #1 SMP', map];
  const line = memory(900000, 1047552, 147552);
  expect(reserved(...lines, line)).not.toHaveProperty('bounce-buffer');
  const plug = 'ACPI: SRAT: Node 0 PXM 0 [mem 0x100000000-0x1ffffffff] hotplug';
  expect(reserved(...lines, plug, line)['bounce-buffer']).toBe(65536);
});
