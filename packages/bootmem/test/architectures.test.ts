/** Machines of other architectures: nobody gets x86's limits, what follows from the architecture is compared. */
import { parseDescription } from '@bootmem/firmware-map';
import { describe, expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import type { CheckReport } from '../dist/check.js';
import { bootMemory } from '../dist/index.js';

function read(lines: readonly string[]) {
  const result = parseDescription(`${lines.join('\n')}\n`, { name: 'test' });
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return result.description;
}

function check(...lines: string[]): CheckReport {
  return checkMachine({ description: read(lines), source: 'test', notes: [] });
}

function verdicts(report: CheckReport): Record<string, string> {
  expect(report.rejected).toBeUndefined();
  return Object.fromEntries(
    report.facts.map((fact) => [`${fact.fact} of ${fact.subject}`, fact.verdict]),
  );
}

const mem = (start: number, end: number): string =>
  `[mem 0x${start.toString(16).padStart(16, '0')}-0x${(end - 1).toString(16).padStart(16, '0')}]`;

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A zone's name, start and end; without them it is empty. */
type Zone = readonly [string, number?, number?];

/** What all architectures print when they size zones. */
function zoneLines(
  zones: readonly Zone[],
  ranges: readonly (readonly [number, number])[],
): string[] {
  const [first] = ranges[0]!;
  const [, last] = ranges.at(-1)!;
  return [
    'Kernel command line: quiet',
    'Zone ranges:',
    ...zones.map(
      ([zone, start, end]) =>
        `  ${zone.padEnd(8)} ${start === undefined ? 'empty' : mem(start, end!)}`,
    ),
    'Movable zone start for each node',
    'Early memory node ranges',
    ...ranges.map(([start, end]) => `  node   0: ${mem(start, end)}`),
    `Initmem setup node 0 ${mem(first, last)}`,
  ];
}

const ARM = [
  'Booting Linux on physical CPU 0x0',
  'Linux version 5.15.7 (a@b) (arm-linux-gnueabihf-gcc 12.1.0) #1 SMP',
  'CPU: ARMv7 Processor [410fc075] revision 5 (ARMv7), cr=10c5387d',
];
const ARM_ZONES = zoneLines(
  [
    ['Normal', 2 * GIB, 2 * GIB + 760 * MIB],
    ['HighMem', 2 * GIB + 760 * MIB, 3 * GIB - 4 * MIB],
  ],
  [[2 * GIB, 3 * GIB - 4 * MIB]],
);
const ARM_MEMORY =
  'Memory: 990000K/1044480K available (9216K kernel code, 54480K reserved, 266240K highmem)';

describe('32-bit ARM', () => {
  test('the end of lowmem is not derivable, the outer end of HighMem is', () => {
    const report = check(...ARM, ...ARM_ZONES, 'Kernel command line: vmalloc=256M', ARM_MEMORY);
    expect(verdicts(report)).toMatchObject({
      'zone range of Normal': 'not derivable',
      'zone range of HighMem': 'equal',
      'node extent of node 0': 'equal',
      'Memory: total of machine': 'equal',
    });
    expect(report.differs).toBe(0);
  });

  test('mem=SIZE@START names memory and limits nothing: same facts as without', () => {
    const without = check(...ARM, ...ARM_ZONES, 'Kernel command line: vmalloc=256M', ARM_MEMORY);
    const withMem = check(
      ...ARM,
      ...ARM_ZONES,
      'Kernel command line: mem=1020M@2048M vmalloc=256M',
      ARM_MEMORY,
    );
    expect(withMem.facts).toEqual(without.facts);
  });

  test('mem=SIZE@START: a boot has all of the memory too', async () => {
    const description = read([
      ...ARM,
      ...ARM_ZONES,
      'Kernel command line: mem=1020M@2048M',
      ARM_MEMORY,
    ]);
    const machine = await bootMemory(description, { threads: 1 });
    const present = machine.report().zones.reduce((sum, zone) => sum + zone.presentPages, 0);
    await machine.close();
    expect(present * 4096).toBe(1020 * MIB);
  });
});

// x86 printed the node itself up to 3.17, from 0 on; up to 3.18 the end of DMA32 was its limit and not that of memory.
test.each([
  ['3.16.0-4-amd64', 0, 4 * GIB],
  ['3.17.8', 0, 4 * GIB],
  ['3.18.140', 4096, 4 * GIB],
  ['3.19.8', 4096, 3 * GIB],
])('x86 %s: the node begins at %i, DMA32 is printed up to %i', (release, first, end) => {
  const log = (from: number, to: number): CheckReport =>
    check(
      `Linux version ${release} (a@b) #1 SMP`,
      'Command line: quiet',
      'e820: BIOS-provided physical RAM map:',
      `BIOS-e820: ${mem(0, 0x9f000)} usable`,
      `BIOS-e820: ${mem(MIB, 3 * GIB)} usable`,
      'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved',
      'e820: remove [mem 0x000a0000-0x000fffff] usable',
      'e820: last_pfn = 0xc0000 max_arch_pfn = 0x400000000',
      'No NUMA configuration found',
      `Initmem setup node 0 ${mem(from, 3 * GIB)}`,
      'Zone ranges:',
      `  DMA      ${mem(4096, 16 * MIB)}`,
      `  DMA32    ${mem(16 * MIB, to)}`,
      '  Normal   empty',
      'Movable zone start for each node',
      'Early memory node ranges',
      `  node   0: ${mem(4096, 0x9f000)}`,
      `  node   0: ${mem(MIB, 3 * GIB)}`,
    );
  const right = log(first, end);
  expect(verdicts(right)).toMatchObject({ 'zone range of DMA32': 'equal' });
  expect([right.equal > 4, right.differs]).toEqual([true, 0]);
  expect(log(4096 - first, end).differs).toBe(1);
  expect(log(first, 7 * GIB - end).differs).toBe(1);
});

test('x86: mem=SIZE@START limits memory to SIZE, as its kernel reads no further', () => {
  const report = check(
    'Linux version 6.1.0-amd64 (a@b) #1 SMP',
    'Command line: mem=512M@1G',
    'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
    ...zoneLines(
      [['DMA', MIB, 16 * MIB], ['DMA32', 16 * MIB, 512 * MIB], ['Normal']],
      [[MIB, 512 * MIB]],
    ),
  );
  expect(report.facts.filter(({ verdict }) => verdict !== 'equal')).toEqual([]);
});

describe('one zone', () => {
  test.each([
    ['mips', 'CPU0 revision is: 00019300 (MIPS 24Kc)', 0],
    ['sh', 'Booting machvec: RTS7751R2D', 0x0c000000],
    ['ppc32', 'Total memory = 256MB; using 512kB for hash table (at cff80000)', 0],
    ['loongarch64', '64-bit Loongson Processor probed (LA464 Core)', 0],
    ['ppc64', 'ppc64_pft_size    = 0x1b', 0],
  ])('%s: Normal from end to end is equal', (architecture, sign, start) => {
    const lines = [
      'Linux version 5.10.9 (a@b) (gcc version 10.2.0) #1 SMP',
      sign,
      ...zoneLines([['Normal', start, start + 256 * MIB]], [[start, start + 256 * MIB]]),
      'Memory: 250000K/262144K available (2918K kernel code, 12144K reserved)',
    ];
    expect(read(lines).architecture).toBe(architecture);
    const report = check(...lines);
    expect(verdicts(report)).toMatchObject({
      'zone range of Normal': 'equal',
      'node extent of node 0': 'equal',
      'Memory: total of machine': 'equal',
    });
    expect(report.differs).toBe(0);
  });

  test('a machine without any sign of its architecture has its own zones, not x86 ones', () => {
    const lines = [
      'Linux version 5.10.9 (a@b) (gcc version 10.2.0) #1',
      ...zoneLines(
        [
          ['DMA', 0, 2 * GIB],
          ['Normal', 2 * GIB, 3 * GIB],
        ],
        [[0, 3 * GIB]],
      ),
    ];
    expect(read(lines).architecture).toBeUndefined();
    const report = check(...lines);
    expect(verdicts(report)).toMatchObject({
      'zone range of DMA': 'not derivable',
      'zone range of Normal': 'not derivable',
    });
    expect(report.facts.find(({ subject }) => subject === 'DMA')?.reason).toMatch(/architecture/);
    expect(report.differs).toBe(0);
  });
});

describe('boundaries that the architecture sets are compared', () => {
  test.each<[string, string[], readonly Zone[], [number, number]]>([
    [
      'riscv64: DMA32 ends at 4 GiB',
      ['Linux version 6.6.1 (a@b) #1 SMP', 'SBI specification v1.0 detected'],
      [
        ['DMA32', 2 * GIB, 4 * GIB],
        ['Normal', 4 * GIB, 6 * GIB],
      ],
      [2 * GIB, 6 * GIB],
    ],
    [
      's390x: DMA ends at 2 GiB',
      ['Linux version 6.6.1 (a@b) #1 SMP', 'setup: Linux is running natively in 64-bit mode'],
      [
        ['DMA', 0, 2 * GIB],
        ['Normal', 2 * GIB, 8 * GIB],
      ],
      [0, 8 * GIB],
    ],
    [
      'arm64 before 5.5: what is called DMA ends at 4 GiB',
      ['Linux version 4.19.1-arm64 (a@b) #1 SMP'],
      [
        ['DMA', 2 * GIB, 4 * GIB],
        ['Normal', 4 * GIB, 6 * GIB],
      ],
      [2 * GIB, 6 * GIB],
    ],
    [
      'arm64, 5.5 to 5.9: DMA ends 1 GiB above memory, DMA32 at 4 GiB',
      ['Linux version 5.9.1-arm64 (a@b) #1 SMP'],
      [
        ['DMA', 2 * GIB, 3 * GIB],
        ['DMA32', 3 * GIB, 4 * GIB],
        ['Normal', 4 * GIB, 6 * GIB],
      ],
      [2 * GIB, 6 * GIB],
    ],
    [
      'arm64 whose memory begins above 4 GiB has no limit',
      ['Linux version 6.1.1-arm64 (a@b) #1 SMP'],
      [['DMA', 32 * GIB, 40 * GIB], ['DMA32'], ['Normal']],
      [32 * GIB, 40 * GIB],
    ],
    [
      'arm64, a model whose device tree is known: QEMU’s board has no limit below 4 GiB',
      ['Linux version 6.12.0-arm64 (a@b) #1 SMP', 'Machine model: linux,dummy-virt'],
      [['DMA', 1 * GIB, 4 * GIB], ['DMA32'], ['Normal', 4 * GIB, 6 * GIB]],
      [1 * GIB, 6 * GIB],
    ],
    [
      'arm64, 5.10 as its stable series has it: what devices reach',
      ['Linux version 5.10.0-32-arm64 (a@b) #1 SMP', 'Machine model: linux,dummy-virt'],
      [['DMA', 1 * GIB, 4 * GIB], ['DMA32'], ['Normal', 4 * GIB, 6 * GIB]],
      [1 * GIB, 6 * GIB],
    ],
    [
      'arm64, a model whose device tree is known: 30 bits',
      [
        'Linux version 6.3.1-arm64 (a@b) #1 SMP',
        'Machine model: Raspberry Pi Compute Module 4 Rev 1.1',
      ],
      [
        ['DMA', 0, 1 * GIB],
        ['DMA32', 1 * GIB, 4 * GIB],
        ['Normal', 4 * GIB, 6 * GIB],
      ],
      [0, 6 * GIB],
    ],
    [
      'loongarch64: DMA32 ends at 4 GiB',
      ['Linux version 6.6.1 (a@b) #1 SMP', '64-bit Loongson Processor probed (LA464 Core)'],
      [
        ['DMA32', 2 * MIB, 4 * GIB],
        ['Normal', 4 * GIB, 9 * GIB],
      ],
      [2 * MIB, 9 * GIB],
    ],
  ])('%s', (_, head, zones, range) => {
    const report = check(...head, ...zoneLines(zones, [range]));
    const ranges = report.facts.filter(({ fact }) => fact === 'zone range');
    expect(ranges.map(({ verdict }) => verdict)).toEqual(zones.map(() => 'equal'));
    // A boundary at another place would be seen.
    const [low, high] = zones.filter(([, start]) => start !== undefined);
    const border = low![2]! + 64 * MIB;
    const moved = zones.map((zone): Zone =>
      zone === low
        ? [zone[0], zone[1]!, border]
        : zone === high
          ? [zone[0], border, zone[2]!]
          : zone,
    );
    expect(check(...head, ...zoneLines(moved, [range])).differs).toBeGreaterThan(0);
  });

  test('arm64 from 5.11: the end of DMA depends on devices, what lies above it does not', () => {
    const report = check(
      'Linux version 6.12.0-arm64 (a@b) #1 SMP',
      ...zoneLines(
        [
          ['DMA', 2 * GIB, 3 * GIB],
          ['DMA32', 3 * GIB, 4 * GIB],
          ['Normal', 4 * GIB, 6 * GIB],
        ],
        [[2 * GIB, 6 * GIB]],
      ),
    );
    expect(verdicts(report)).toMatchObject({
      'zone range of DMA': 'not derivable',
      'zone range of DMA32': 'equal',
      'zone range of Normal': 'equal',
    });
  });
});

test('arm64 from 6.12, memory above 4 GiB: DMA ends at what devices reach, DMA32 is empty', () => {
  const report = (release: string): CheckReport =>
    check(
      `Linux version ${release}-arm64 (a@b) #1 SMP`,
      ...zoneLines(
        [['DMA', 32 * GIB, 34 * GIB], ['DMA32'], ['Normal', 34 * GIB, 40 * GIB]],
        [[32 * GIB, 40 * GIB]],
      ),
    );
  expect(verdicts(report('6.12.1'))).toMatchObject({
    'zone range of DMA': 'not derivable',
    'zone range of DMA32': 'equal',
    'zone range of Normal': 'equal',
  });
  // Before, 32 bits were no limit there.
  expect(verdicts(report('6.11.1'))['zone range of Normal']).toBe('differs');
});

describe('ends that are not those of memory', () => {
  const totals = 'Memory: 500000K/524288K available (1K kernel code, 24288K reserved)';
  const one = (zone: string, end: number): string[] =>
    zoneLines([[zone, 0, end]], [[0, 512 * MIB]]);

  test('s390x names all of DMA, however little memory there is', () => {
    const head = ['Linux version 6.5.0 (a@b) (s390-linux-gcc 13.1.0) #1 SMP'];
    const sign = 'setup: Linux is running under KVM in 64-bit mode';
    const small = check(...head, sign, ...one('DMA', 2 * GIB), totals);
    expect(verdicts(small)).toMatchObject({ 'zone range of DMA': 'equal' });
    const cut = check(...head, sign, ...one('DMA', 512 * MIB), totals);
    expect(verdicts(cut)).toMatchObject({ 'zone range of DMA': 'differs' });
  });

  test.each([
    ['um', 'Adding 809025536 bytes to physical memory to account for exec-shield gap', 'Normal'],
    ['parisc', 'Determining PDC firmware type: 64 bit PAT.', 'Normal'],
    ['m68k', 'm68k', 'DMA'],
  ])(
    '%s prints a number of its own: not derivable, with the reason',
    (architecture, sign, zone) => {
      const head = `Linux version 6.5.0 (a@b) (${
        architecture === 'm68k' ? 'm68k-linux-gnu-' : ''
      }gcc 13.1.0) #1`;
      const lines = [head, sign, ...one(zone, 2 ** 41)];
      expect(read(lines).architecture).toBe(architecture);
      const report = check(...lines);
      expect(verdicts(report)).toMatchObject({
        [`zone range of ${zone}`]: 'not derivable',
        'node extent of node 0': 'equal',
      });
      expect(report.differs).toBe(0);
    },
  );

  test('ia64: the border at 4 GiB, under both of its names', () => {
    for (const [release, low] of [
      ['4.9.0', 'DMA'],
      ['5.12.0', 'DMA32'],
    ] as const) {
      const report = check(
        `Linux version ${release} (a@b) (ia64-linux-gcc 10.1.0) #1 SMP`,
        ...zoneLines(
          [
            [low, 16 * MIB, 4 * GIB],
            ['Normal', 4 * GIB, 5 * GIB],
          ],
          [
            [16 * MIB, GIB],
            [4 * GIB, 5 * GIB],
          ],
        ),
      );
      expect(report.facts.filter(({ fact }) => fact === 'zone range')).toMatchObject([
        { verdict: 'equal' },
        { verdict: 'equal' },
      ]);
    }
  });

  test('sparc64: pages of 8 KiB in sections of 1 GiB', () => {
    const report = check(
      'Linux version 6.16.0 (a@b) (sparc64-linux-gcc 11.3.0) #1 SMP',
      ...zoneLines(
        [['Normal', 0, 9 * GIB - 2 * MIB]],
        [
          [0, GIB],
          [8 * GIB + 64 * 1024, 9 * GIB - 2 * MIB],
        ],
      ),
      'On node 0, zone Normal: 8 pages in unavailable ranges',
      'On node 0, zone Normal: 256 pages in unavailable ranges',
      'Built 1 zonelists, mobility grouping on.  Total pages: 261880',
    );
    expect(report.facts.filter(({ fact }) => fact === 'unavailable pages')).toMatchObject([
      { verdict: 'equal' },
      { verdict: 'equal' },
    ]);
    expect(verdicts(report)).toMatchObject({ 'Total pages of machine': 'equal' });
  });
});

describe('the end of lowmem, where the kernel says it before it lays out zones', () => {
  const I386 = [
    'Linux version 3.8.2 (a@b) (gcc 4.7.3) #1 SMP',
    'BIOS-e820: [mem 0x0000000000010000-0x000000000009efff] usable',
    'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable',
  ];
  const zones = (border: number): string[] =>
    zoneLines(
      [
        ['DMA', 64 * 1024, 16 * MIB],
        ['Normal', 16 * MIB, border],
        ['HighMem', border, 2 * GIB],
      ],
      [
        [64 * 1024, 0x9f000],
        [MIB, 2 * GIB],
      ],
    );

  test('i386: "low ram" ends Normal', () => {
    const low = '  low ram: 0 - 377fe000';
    expect(verdicts(check(...I386, low, ...zones(0x377fe000)))).toMatchObject({
      'zone range of Normal': 'equal',
      'zone range of HighMem': 'equal',
    });
    expect(verdicts(check(...I386, low, ...zones(0x377ff000)))).toMatchObject({
      'zone range of Normal': 'differs',
    });
    expect(verdicts(check(...I386, ...zones(0x377fe000)))).toMatchObject({
      'zone range of Normal': 'not derivable',
    });
  });

  test('MicroBlaze: all of lowmem is DMA', () => {
    const board = (border: number): CheckReport =>
      check(
        'Linux version 6.1.70 (a@b) (microblazeel-xilinx-linux-gcc 12.2.0) #1',
        'setup_memory: max_low_pfn: 0xb0000',
        ...zoneLines(
          [['DMA', 2 * GIB, border], ['Normal'], ['HighMem', border, 4 * GIB - 4096]],
          [[2 * GIB, 4 * GIB - 4096]],
        ),
      );
    expect(verdicts(board(0xb000_0000))).toMatchObject({
      'zone range of DMA': 'equal',
      'zone range of HighMem': 'equal',
    });
    expect(verdicts(board(0xb100_0000))).toMatchObject({ 'zone range of DMA': 'differs' });
  });
});

test('MIPS: banks are what early ranges are compared with', () => {
  const lines = (size: string): string[] => [
    'Linux version 4.9.7 (a@b) (gcc version 6.3.0) #1',
    'Determined physical RAM map:',
    ` memory: ${size} @ 00000000 (usable)`,
    ...zoneLines([['Normal', 0, 128 * MIB]], [[0, 128 * MIB]]),
  ];
  expect(verdicts(check(...lines('08000000')))).toMatchObject({
    'early node range of #1': 'equal',
    'zone range of Normal': 'equal',
  });
  // More memory than the kernel has, with nothing that takes it away: a line is lost, or we are wrong; never equal.
  const more = check(...lines('0c000000'));
  expect(more.facts.find(({ fact }) => fact === 'early node range')?.verdict).not.toBe('equal');
});

describe('models of memory', () => {
  const HEAD = ['Linux version 6.6.40 (a@b) #1 SMP', 'SBI specification v2.0 detected'];
  const RANGES = [
    [0, GIB],
    [3 * GIB, 5 * GIB],
  ] as const;
  const ZONES = zoneLines(
    [
      ['DMA32', 0, 4 * GIB],
      ['Normal', 4 * GIB, 5 * GIB],
    ],
    RANGES,
  );

  test('FLATMEM: a hole between the ends has descriptors, and that is said', () => {
    const report = check(
      ...HEAD,
      ...ZONES,
      'On node 0, zone DMA32: 524288 pages in unavailable ranges',
    );
    expect(verdicts(report)).toMatchObject({ 'unavailable pages of node 0 DMA32': 'equal' });
    expect(report.notes.join('\n')).toMatch(/FLATMEM/);
  });

  test('SPARSEMEM: only sections with memory have them', () => {
    const sparse = [
      [0, GIB],
      [3 * GIB + 16 * MIB, 5 * GIB],
    ] as const;
    const report = check(
      ...HEAD,
      ...zoneLines(
        [
          ['DMA32', 0, 4 * GIB],
          ['Normal', 4 * GIB, 5 * GIB],
        ],
        sparse,
      ),
      'On node 0, zone DMA32: 4096 pages in unavailable ranges',
    );
    expect(verdicts(report)).toMatchObject({ 'unavailable pages of node 0 DMA32': 'equal' });
    expect(report.notes.join('\n')).not.toMatch(/FLATMEM/);
  });

  test('what fits neither model differs', () => {
    const report = check(
      ...HEAD,
      ...ZONES,
      'On node 0, zone DMA32: 12345 pages in unavailable ranges',
    );
    expect(verdicts(report)).toMatchObject({ 'unavailable pages of node 0 DMA32': 'differs' });
  });

  test('arm64 has SPARSEMEM alone: FLATMEM is not tried', () => {
    const report = check(
      'Linux version 6.6.40-arm64 (a@b) #1 SMP',
      ...ZONES,
      'On node 0, zone DMA32: 524288 pages in unavailable ranges',
    );
    expect(verdicts(report)).toMatchObject({ 'unavailable pages of node 0 DMA32': 'differs' });
  });

  test('a riscv64 kernel with a DMA32 limit of its own: the log shows it, nothing explains it', () => {
    const report = check(
      ...HEAD,
      ...zoneLines(
        [
          ['DMA32', 0, 2 * GIB],
          ['Normal', 2 * GIB, 6 * GIB],
        ],
        [[0, 6 * GIB]],
      ),
    );
    expect(verdicts(report)).toMatchObject({
      'zone range of DMA32': 'not derivable',
      'zone range of Normal': 'equal',
    });
  });
});

test('pages of 64 KiB: sizes are counted in them', () => {
  const report = check(
    'Linux version 6.9.0-ppc64le (a@b) #1 SMP',
    ...zoneLines([['Normal', 0, 4 * GIB]], [[0, 4 * GIB]]),
    'percpu: Embedded 10 pages/cpu s618592 r0 d36768 u1048576',
    'On node 0 totalpages: 65536',
    'Memory: 4000000K/4194304K available (1K kernel code)',
  );
  expect(verdicts(report)).toMatchObject({
    'node total pages of node 0': 'equal',
    'Memory: total of machine': 'equal',
  });
});

test('a kernel that prints no ranges is told as such, with its totals', () => {
  const result = parseDescription(
    [
      'Linux version 2.6.38.8 (a@b) (gcc version 4.4.3) #1 PREEMPT',
      'CPU: ARMv7 Processor [412fc092] revision 2 (ARMv7), cr=10c53c7f',
      'On node 0 totalpages: 131072',
      '  Normal zone: 131072 pages, LIFO batch:31',
      'Built 1 zonelists in Zone order, mobility grouping on.  Total pages: 130048',
      'Memory: 512MB = 512MB total',
      'Memory: 507000k/507000k available, 17288k reserved, 0K highmem',
    ].join('\n'),
  );
  expect(result.ok).toBe(false);
  const text = result.ok ? '' : result.problems.map(({ message }) => message).join('\n');
  expect(text).toMatch(/2\.6\.38\.8/);
  expect(text).toMatch(/prints none/);
  expect(text).toMatch(/512 MiB present/);
  expect(text).not.toMatch(/beginning lost/);
});
