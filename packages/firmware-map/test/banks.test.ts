/** Banks: memory as firmware tells it where there is no map; where lowmem ends; kernels that name ranges by page. */
import { describe, expect, test } from '@jest/globals';
import { deriveMemory } from '../dist/derive.js';
import { fromJson, parseDescription, toJson } from '../dist/index.js';
import type { MachineDescription } from '../dist/index.js';

const MIB = 2 ** 20;

function read(...lines: string[]): MachineDescription {
  const result = parseDescription(`${lines.join('\n')}\n`, { name: 'test' });
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return result.description;
}

const ranges = (description: MachineDescription): string[] =>
  deriveMemory(description, { from: 'firmware' }).memory.map(
    ({ start, end }) => `${start.toString(16)}-${end.toString(16)}`,
  );

const MIPS = 'Linux version 4.9.7 (a@b) (gcc version 6.3.0) #1';
const NORMAL = ['Zone ranges:', '  Normal   [mem 0x0000000000000000-0x000000005fffffff]'];

describe('MIPS', () => {
  test('banks that touch become one range, what is reserved is none', () => {
    const description = read(
      MIPS,
      'Determined physical RAM map:',
      ' memory: 04000000 @ 00000000 (usable)',
      ' memory: 00800000 @ 04000000 (usable after init)',
      ' memory: 00100000 @ 04800000 (reserved)',
      ' memory: 01000000 @ 10000000 (usable)',
    );
    expect(description.architecture).toBe('mips');
    expect(ranges(description)).toEqual(['0-4800000', '10000000-11000000']);
    expect(deriveMemory(description, { from: 'firmware' }).source).toBe('banks');
  });

  test('pages that a bank holds a part of are left out', () => {
    const description = read(MIPS, ' memory: 0fe99e00 @ 00000e00 (usable)');
    expect(ranges(description)).toEqual(['1000-fe9a000']);
  });

  test('what mem= made replaces what firmware said', () => {
    const description = read(
      MIPS,
      'Determined physical RAM map:',
      ' memory: 08000000 @ 00000000 (usable)',
      'User-defined physical RAM map:',
      ' memory: 03000000 @ 00000000 (usable)',
    );
    expect(ranges(description)).toEqual(['0-3000000']);
  });

  test('a 32-bit kernel without HighMem stops at 512 MiB, one with HighMem or of 64 bits does not', () => {
    const banks = [
      ' memory: 10000000 @ 00000000 (usable)',
      ' memory: 10000000 @ 50000000 (usable)',
    ];
    expect(ranges(read(MIPS, ...banks, ...NORMAL))).toEqual(['0-10000000']);
    expect(ranges(read(MIPS, ...banks, ...NORMAL, '  HighMem  empty'))).toHaveLength(2);
    const wide = banks.map((bank) => bank.replaceAll(/([0-9a-f]{8})(?= [@(])/g, '00000000$1'));
    expect(ranges(read(MIPS, ...wide, ...NORMAL))).toHaveLength(2);
  });

  test('a size that runs over the end of addresses is told, and no bank', () => {
    const description = read(
      MIPS,
      ' memory: ffffffffffffffff @ 0000000000001000 (usable)',
      ' memory: 0000000001000000 @ 0000000000000000 (usable)',
    );
    expect(description.firmware.banks).toHaveLength(1);
    expect(description.problems.map(({ code }) => code)).toContain('BAD_RANGE');
  });

  test('a bank whose line is wrapped in mail', () => {
    const description = read(
      MIPS,
      ' memory: 000000001ffffe00 @',
      '0000000080000000 (usable)',
      ' memory: 0000000010000000 @ 0000000000000000 (usable)',
    );
    expect(ranges(description)).toEqual(['0-10000000', '80000000-9ffff000']);
  });

  test('printed early ranges come before banks where nothing is compared', () => {
    const description = read(
      MIPS,
      ' memory: 08000000 @ 00000000 (usable)',
      'Early memory node ranges',
      '  node   0: [mem 0x0000000000000000-0x00000000007fffff]',
    );
    expect(deriveMemory(description).source).toBe('early-ranges');
    expect(deriveMemory(description).memory[0]!.end).toBe(8 * MIB);
  });
});

test('ARC and PA-RISC name their banks', () => {
  const arc = read(
    'Linux version 5.19.1 (a@b) (gcc version 10.2.0) #3 PREEMPT',
    'Memory @ 80000000 [512M]',
    'Memory @ 100000000 [256M] ',
    'Memory @ 200000000 [256M] Not used',
  );
  expect(arc.architecture).toBe('arc');
  expect(ranges(arc)).toEqual(['80000000-a0000000', '100000000-110000000']);
  const parisc = read(
    'Linux version 6.1.8 (a@b) (gcc version 12.2.0) #1 SMP',
    'Memory Ranges:',
    ' 0) Start 0x0000000000000000 End 0x000000003fffffff Size   1024 MB',
    ' 1) Start 0x0000004040000000 End 0x00000040ffdfffff Size   3070 MB',
  );
  expect(parisc.architecture).toBe('parisc');
  expect(ranges(parisc)).toEqual(['0-40000000', '4040000000-40ffe00000']);
});

test('banks and lowmem survive the way through JSON', () => {
  const description = read(
    MIPS,
    ' memory: 08000000 @ 00000000 (usable)',
    '  low ram: 0 - 377fe000',
  );
  const back = fromJson(toJson(description));
  expect(back.ok && back.description.firmware.banks).toEqual(description.firmware.banks);
  expect(back.ok && back.description.printed.lowmem?.end).toBe(0x377fe000);
});

test('lowmem ends where the kernel says, not where its first mapping does', () => {
  const i386 = read(
    'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable',
    '  mapped low ram: 0 - 00c00000',
    '  low ram: 0 - 377fe000',
    'Early memory PFN ranges',
  );
  expect(i386.printed.lowmem).toEqual({ end: 0x377fe000, line: 3 });
  const microblaze = read(
    'Linux version 6.1.0 (a@b) (microblazeel-xilinx-linux-gcc 12.2.0) #1',
    'setup_memory: max_low_pfn: 0xb0000',
    'Early memory node ranges',
    '  node   0: [mem 0x0000000080000000-0x00000000ffffefff]',
  );
  expect(microblaze.architecture).toBe('microblaze');
  expect(microblaze.printed.lowmem?.end).toBe(0xb000_0000);
});

test('"Early memory PFN ranges" of 3.3 and 3.4: ranges by page numbers', () => {
  const description = read(
    'Linux version 3.3.8 (a@b) (gcc version 4.6.3) #1',
    'CPU revision is: 00019650 (MIPS 24KEc)',
    'Zone PFN ranges:',
    '  Normal   0x00000000 -> 0x00008000',
    'Movable zone start PFN for each node',
    'Early memory PFN ranges',
    '    0: 0x00000000 -> 0x00004000',
    '    1: 0x00004000 -> 0x00008000',
    'Could not find start_pfn for node 2',
  );
  expect(description.printed.earlyRanges.map(({ nid, start, end }) => [nid, start, end])).toEqual([
    [0, 0, 64 * MIB],
    [1, 64 * MIB, 128 * MIB],
  ]);
  expect(description.printed.nodeSetups).toEqual([{ nid: 2, line: 9 }]);
});

describe('whose log it is', () => {
  test.each([
    ['sparc64', 'sparc64-suse-linux-gcc (SUSE Linux) 11.3.0', 'user@node'],
    ['sparc', 'sparc-linux-gcc 11.1.0', 'user@node'],
    ['parisc', 'hppa64-linux-gnu-gcc (GCC) 12.3.0', 'user@node'],
    ['m68k', 'm68k-linux-gnu-gcc (Debian 12.2.0-13) 12.2.0', 'user@node'],
    ['alpha', 'alpha-linux-gnu-gcc (GCC) 12.0.1', 'user@node'],
    ['ia64', 'ia64-linux-gcc (GCC) 10.1.0', 'user@node'],
    ['xtensa', 'xtensa-linux-gcc (GCC) 11.1.0', 'user@node'],
    ['openrisc', 'or1k-linux-gcc (GCC) 14.2.0', 'user@node'],
    ['riscv32', 'riscv32-buildroot-linux-gnu-gcc 13.2.0', 'user@node'],
    ['arc', 'arc-elf32-gcc (ARCompact) 10.2.0', 'user@node'],
    ['arm', 'arm-linux-gnueabihf-gcc (Ubuntu 11.4.0) 11.4.0', 'buildd@lcy02-amd64-080'],
    ['riscv64', 'riscv64-linux-gnu-gcc 13.2.0', 'buildd@x86_64-builder'],
    ['arm64', 'gcc (Ubuntu 11.4.0) 11.4.0', 'buildd@bos02-arm64-016'],
  ])('%s: the compiler tells, the host that compiled only without one', (name, compiler, host) => {
    const description = read(
      `Linux version 6.1.0 (${host}) (${compiler}, GNU ld 2.40) #1 SMP`,
      'Early memory node ranges',
      '  node   0: [mem 0x0000000000000000-0x0000000007ffffff]',
    );
    expect(description.architecture).toBe(name);
  });

  test.each([
    ['i386', '[    0.000000]   mapped low ram: 0 - 37bfe000'],
    ['i386', '[    0.000000] Using APIC driver default'],
    ['mips', '[    0.000000] CPU revision is: 00019650 (MIPS 24KEc)'],
    ['mips', '[    0.000000] User-defined physical RAM map:'],
    ['ppc64', '[    0.000000] OPAL nvram setup, 1048576 bytes'],
    ['ppc64', '[    0.000000] rfi-flush: fallback displacement flush available'],
    ['sparc64', '[    0.000000] CPU CAPS: [flush,stbar,swap,muldiv,v9,mul32,div32,v8plus]'],
  ])('%s without a banner: %s', (name, line) => {
    const description = read(
      line,
      '[    0.000000] Early memory node ranges',
      '[    0.000000]   node   0: [mem 0x0000000000000000-0x0000000007ffffff]',
    );
    expect(description.architecture).toBe(name);
  });

  test('pages of sparc64 and alpha have 8 KiB, without a line that says so', () => {
    const description = read(
      'Linux version 6.1.0 (a@b) (sparc64-linux-gcc 11.1.0) #1 SMP',
      'Early memory node ranges',
      '  node   0: [mem 0x0000000000000000-0x0000000007ffffff]',
    );
    expect(description.pageSize).toBe(8192);
    const told = read(
      'Linux version 6.1.0 (a@b) (gcc 11.1.0) #1 SMP',
      'Early memory node ranges',
      '  node   0: [mem 0x0000000000000000-0x0000000007ffffff]',
      'Dentry cache hash table entries: 262144 (order: 8, 2097152 bytes, linear)',
    );
    expect(told.pageSize).toBe(8192);
  });
});

describe('memory that a device tree keeps', () => {
  const RISCV = [
    'Linux version 6.6.0 (a@b) (riscv64-linux-gnu-gcc 13.2.0) #1 SMP',
    'Early memory node ranges',
    '  node   0: [mem 0x0000000080000000-0x00000000ffffffff]',
  ];
  const kept = (...lines: string[]): unknown =>
    (read(...RISCV, ...lines).firmware.deviceTree ?? []).map(
      ({ start, end, name, noMap, reusable }) => [
        `${start.toString(16)}-${end.toString(16)}`,
        name,
        noMap,
        reusable,
      ],
    );

  test.each([
    [
      'OF: reserved mem: 0x0000000080000000..0x00000000804bffff (4864 KiB) nomap non-reusable mmode_resv0@80000000',
      ['80000000-804c0000', 'mmode_resv0@80000000', true, false],
    ],
    [
      '[    0.000000] OF: reserved mem: 0x00000000fc000000..0x00000000fcffffff (16384 KiB) map non-reusable framebuffer@fc000000',
      ['fc000000-fd000000', 'framebuffer@fc000000', false, false],
    ],
    [
      'OF: reserved mem: 0x00000000c4000000..0x00000000c7ffffff (65536 KiB) map reusable linux,cma',
      ['c4000000-c8000000', 'linux,cma', false, true],
    ],
  ])('%s', (line, expected) => {
    expect(kept(line)).toEqual([expected]);
  });

  test('lines of pools, of nodes and of none at all are no ranges', () => {
    expect(
      kept(
        'OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool',
        'OF: reserved mem: OVERLAP DETECTED!',
        'OF: reserved mem: 0x00000000c4000000..0x00000000c3ffffff (0 KiB) map reusable empty',
        'Reserved memory: created CMA memory pool at 0x0000000048000000, size 64 MiB',
      ),
    ).toEqual([]);
  });

  test('wrapped in mail, and in the JSON form', () => {
    const head = 'OF: reserved mem: 0x0000000080000000..0x00000000804bffff (4864 KiB) nomap';
    expect(kept(head, 'non-reusable mmode_resv0@80000000')).toEqual(
      kept(`${head} non-reusable mmode_resv0@80000000`),
    );
    const description = read(...RISCV, `${head} non-reusable mmode_resv0@80000000`);
    const again = fromJson(toJson(description));
    expect(again.ok && again.description.firmware.deviceTree).toEqual(
      description.firmware.deviceTree,
    );
  });
});
