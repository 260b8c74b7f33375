import { describe as group, expect, test } from '@jest/globals';
import { mergeDescriptions, synthesize } from '@bootmem/firmware-map';
import { deriveMemory } from '@bootmem/firmware-map/derive';
import type { DerivedMemory } from '@bootmem/firmware-map/derive';
import { describe, describeLines, fixture } from './helpers.js';

const tuples = ({ memory }: DerivedMemory): (string | number)[][] =>
  memory.map(({ start, end, nid }) => [start.toString(16), end.toString(16), nid]);

group('memory by node', () => {
  test.each([
    'x86-2n.dmesg',
    'x86-2.6.dmesg',
    'x86-7.x.dmesg',
    'x86-user-pmem.dmesg',
    'i386.dmesg',
    'tdx-unaccepted.dmesg',
    'xen.dmesg',
  ])('%s: the map leads to the ranges that the kernel printed', (name) => {
    const description = describe(fixture(name));
    const printed = deriveMemory(description, { from: 'early-ranges' });
    const derived = deriveMemory(description, { from: 'firmware' });
    expect(tuples(derived)).toEqual(tuples(printed));
  });

  test('sources and nodes are named', () => {
    expect(deriveMemory(describe(fixture('x86-2n.dmesg')))).toMatchObject({
      source: 'firmware-map',
      nodeSource: 'srat',
      maxPfn: 0x140000,
      nodes: [
        { nid: 0, hasMemory: true },
        { nid: 1, hasMemory: true },
      ],
    });
    expect(deriveMemory(describe(fixture('x86-user-pmem.dmesg')))).toMatchObject({
      source: 'user-map',
      nodeSource: 'single',
      persistent: [{ start: 0x80000000, end: 0xc0000000, nid: 0, kind: 'persistent' }],
    });
    expect(deriveMemory(describe(fixture('arm64.dmesg')))).toMatchObject({
      source: 'early-ranges',
      pageSize: 65536,
      nodes: [
        { nid: 0, hasMemory: true },
        { nid: 1, hasMemory: false },
      ],
    });
    expect(deriveMemory(describe(fixture('ppc64.dmesg')))).toMatchObject({
      source: 'early-ranges',
      nodes: [{ nid: 0 }, { nid: 3, hasMemory: false }, { nid: 8 }],
    });
  });

  test('hot-plug marks of the SRAT are kept', () => {
    expect(
      deriveMemory(describe(fixture('x86-2n.dmesg'))).memory.map(({ hotplug }) => hotplug),
    ).toEqual([false, false, false, true]);
  });

  test('memory before the trim to pages', () => {
    expect(deriveMemory(describe(fixture('x86-2n.dmesg'))).memblockAdds[0]).toEqual({
      start: 0x1000,
      end: 0x9fc00,
    });
  });

  test('device memory of 7.x: persistent and soft reserved; unaccepted memory from the EFI map', () => {
    expect(deriveMemory(describe(fixture('x86-7.x.dmesg'))).persistent).toEqual([
      { start: 0x240000000, end: 0x280000000, nid: 0, kind: 'persistent' },
      { start: 0x280000000, end: 0x290000000, nid: 0, kind: 'soft-reserved' },
    ]);
    expect(deriveMemory(describe(fixture('tdx-unaccepted.dmesg'))).unaccepted).toEqual([
      { start: 0x100000000, end: 0x180000000 },
    ]);
  });

  test('a map that names unaccepted memory itself is memory all the same', () => {
    const derived = deriveMemory(
      describeLines('BIOS-e820: [mem 0x0000000040000000-0x000000007fffffff] unaccepted'),
    );
    expect(derived.unaccepted).toEqual([{ start: 0x40000000, end: 0x80000000 }]);
    expect(tuples(derived)).toEqual([['100000', '80000000', 0]]);
  });

  test('without the lines about it, the first page and the BIOS window are taken out with a word', () => {
    const derived = deriveMemory(
      describe(
        'Linux version 6.1.0\nBIOS-e820: [mem 0x0000000000000000-0x000000003fffffff] usable',
      ),
    );
    expect(tuples(derived)).toEqual([
      ['1000', 'a0000', 0],
      ['100000', '40000000', 0],
    ]);
    expect(derived.problems).toEqual([expect.objectContaining({ code: 'ASSUMED' })]);
    const old = (release: string): string =>
      String(
        tuples(
          deriveMemory(
            describe(
              `Linux version ${release}\nBIOS-e820: [mem 0x0000000000000000-0x000000003fffffff] usable`,
            ),
          ),
        )[0]![0],
      );
    expect([old('2.6.32'), old('2.6.39'), old('3.2.0')]).toEqual(['0', '10000', '1000']);
  });

  test('edits count up to the last line of last_pfn: then memblock has its memory', () => {
    const update = (start: string): string =>
      `e820: update [mem 0x${start}000000-0x${start}ffffff] usable ==> reserved`;
    const high = 'BIOS-e820: [mem 0x0000000100000000-0x000000013fffffff] usable';
    const all = 'last_pfn = 0x140000 max_arch_pfn = 0x400000000';
    const low = 'last_pfn = 0x40000 max_arch_pfn = 0x400000000';
    const starts = (...lines: string[]): (string | number)[] =>
      tuples(deriveMemory(describeLines(high, ...lines))).map(([start]) => start!);
    const whole = ['100000', '100000000'];
    // An update that nothing else tells from an early one (a table of the firmware, say).
    expect(starts(all, low, update('20'))).toEqual(whole);
    expect(starts(all, low, update('20'), 'RAMDISK: [mem 0x1000-0x1fff]')).toEqual(whole);
    // The cut of what is not cached comes between the first and the second.
    expect(starts(all, update('20'), low)).toEqual(['100000', '21000000', '100000000']);
    expect(starts(update('20'), all, update('30'), low, update('38'))).toEqual([
      '100000',
      '21000000',
      '31000000',
      '100000000',
    ]);
    // A map printed after it says what the kernel made of the map, not what it uses.
    expect(
      starts(all, low, 'modified: [mem 0x0000000000100000-0x00000000001fffff] usable'),
    ).toEqual(whole);
    expect(starts(all, low, 'e820: remove [mem 0x20000000-0x20ffffff] usable')).toEqual(whole);
    expect(starts(all, 'e820: remove [mem 0x20000000-0x20ffffff]', low)).toEqual([
      '100000',
      '21000000',
      '100000000',
    ]);
  });

  test('changes of usable memory pass by the data of the boot loader, up to 6.14', () => {
    const lines = [
      'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
      'e820: update [mem 0x20000000-0x2000ffff] usable ==> usable',
      'e820: update [mem 0x20000000-0x20ffffff] usable ==> reserved',
    ];
    const endOfFirst = (release: string): string | number | undefined =>
      tuples(deriveMemory(describe([`Linux version ${release}`, ...lines].join('\n'))))[0]?.[1];
    expect([endOfFirst('6.14.0'), endOfFirst('6.15.0')]).toEqual(['20010000', '20000000']);
  });

  test('of overlapping entries the stronger kind wins', () => {
    const derived = deriveMemory(
      describeLines('BIOS-e820: [mem 0x0000000010000000-0x000000001fffffff] reserved'),
    );
    expect(tuples(derived)).toEqual([
      ['100000', '10000000', 0],
      ['20000000', '40000000', 0],
    ]);
  });

  test('a rejected SRAT counts for nothing', () => {
    const derived = deriveMemory(
      describeLines(
        'SRAT: PXM 3 -> APIC 0x00 -> Node 3',
        'ACPI: SRAT: Node 3 PXM 3 [mem 0x00100000-0x1fffffff]',
        'NUMA: nodes only cover 511MB of your 1023MB e820 RAM. Not used.',
      ),
    );
    expect(derived).toMatchObject({ nodeSource: 'single', nodes: [{ nid: 0, hasMemory: true }] });
  });

  test('memory that no node claims goes to the first one, with a word', () => {
    const derived = deriveMemory(
      describeLines('ACPI: SRAT: Node 1 PXM 1 [mem 0x20000000-0x3fffffff]'),
    );
    expect(tuples(derived)).toEqual([
      ['100000', '20000000', 0],
      ['20000000', '40000000', 1],
    ]);
    expect(derived.problems).toEqual([
      expect.objectContaining({ code: 'ASSUMED', message: expect.stringContaining('node 0') }),
    ]);
  });

  test('a node border inside a page leaves that page to nobody', () => {
    const derived = deriveMemory(
      describeLines(
        'ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x1fffffff]',
        'ACPI: SRAT: Node 0 PXM 0 [mem 0x20000000-0x200007ff]',
        'ACPI: SRAT: Node 1 PXM 1 [mem 0x20000800-0x3fffffff]',
      ),
    );
    expect(tuples(derived)).toEqual([
      ['100000', '20000000', 0],
      ['20001000', '40000000', 1],
    ]);
  });

  test('other sources in turn: dump, iomem with zoneinfo, EFI map, nothing', () => {
    const dump = describe(
      'MEMBLOCK configuration:\n memory[0x0]\t[0x1000-0x3fffffff], 0x3ffff000 bytes on node 2 flags: 0x1',
    );
    expect(deriveMemory(dump)).toMatchObject({
      source: 'memblock-dump',
      memory: [{ start: 0x1000, nid: 2, hotplug: true }],
    });
    const iomem = mergeDescriptions(
      describe(fixture('iomem.txt')),
      describe(fixture('zoneinfo.txt')),
    );
    const derived = deriveMemory(iomem);
    expect(derived).toMatchObject({
      source: 'iomem',
      nodeSource: 'zoneinfo',
      persistent: [{ nid: 0 }, { kind: 'soft-reserved' }],
    });
    expect(tuples(derived)).toEqual([
      ['1000', '9f000', 0],
      ['100000', '40000000', 0],
      ['100000000', '140000000', 1],
    ]);
    const efi = describe(
      'Linux version 6.1.0\nBIOS-\nefi: mem00: type=7, attr=0xf, range=[0x80000000-0x90000000) (256MB)\nefi: mem01: type=14, attr=0xf, range=[0x90000000-0xa0000000) (256MB)',
    );
    expect(deriveMemory(efi)).toMatchObject({
      source: 'efi-map',
      memory: [{ start: 0x80000000 }],
      persistent: [{ start: 0x90000000 }],
      problems: [{ code: 'ASSUMED' }],
    });
    expect(deriveMemory(describe(fixture('meminfo.txt')))).toMatchObject({
      memory: [],
      maxPfn: 0,
      problems: [{ severity: 'error', code: 'NO_MEMORY_MAP' }],
    });
  });

  test('arm64 from the EFI map: what can be cached is memory, rounded outward; firmware keeps what is not mapped', () => {
    const lines = [
      'efi:   0x000080000000-0x000080004fff [Conventional|   |WB]',
      'efi:   0x000080005000-0x000080005fff [Runtime Data|RUN|WB]',
      'efi:   0x000080006000-0x00008000ffff [Boot Data|   |WB]',
      'efi:   0x000090000000-0x000090000fff [MMIO|   |UC]',
      'psci: x',
      'Dentry cache hash table entries: 2097152 (order: 10, 16777216 bytes, linear)',
    ];
    const derived = deriveMemory(describe(lines.join('\n')));
    expect(derived.memory).toEqual([
      { start: 0x80000000, end: 0x80004000, nid: 0, hotplug: false },
      { start: 0x80004000, end: 0x80008000, nid: 0, hotplug: false, noMap: true },
      { start: 0x80008000, end: 0x80010000, nid: 0, hotplug: false },
    ]);
    expect(
      deriveMemory(describe('psci: x\nefi:   0x000090000000-0x000090000fff [MMIO|   |UC]')).memory,
    ).toEqual([]);
  });

  test('the firmware memmap of sysfs is a firmware map', () => {
    expect(deriveMemory(describe(fixture('firmware_memmap.txt')))).toMatchObject({
      source: 'firmware-map',
      persistent: [{ start: 0x140000000 }, { start: 0x180000000 }],
    });
  });

  test.each([
    ['2.6.32.12-170778xen', 'Xen', '2f000000'],
    ['2.6.32.12-170778', 'Xen', '2f800000'],
    ['2.6.32.12-170778xen', 'BIOS-e820', '2f800000'],
  ])(
    "the room at the end of a Xen kernel's own map is no memory: %s, %s",
    (release, provider, end) => {
      const map = ` ${provider}: 0000000000000000 - 000000002f800000 (usable)`;
      const derived = deriveMemory(describe(`Linux version ${release}\n${map}`));
      expect(tuples(derived).at(-1)![1]).toBe(end);
      expect(derived.maxPfn).toBe(0x2f800);
      expect(derived.problems.some(({ message }) => message.includes('8 MiB'))).toBe(
        end === '2f000000',
      );
    },
  );

  test('two entries of one place and different kinds are one map', () => {
    const map = (...kinds: string[]): number =>
      deriveMemory(
        describe(
          [
            'Linux version 6.12.0',
            ...kinds.map(
              (kind) => `BIOS-e820: [mem 0x0000000000200000-0x00000000003fffff] ${kind}`,
            ),
          ].join('\n'),
        ),
      ).memory.length;
    expect(map('usable', 'usable')).toBe(1);
    expect(map('persistent (type 7)', 'usable')).toBe(0);
    expect(map('usable', 'persistent (type 7)')).toBe(0);
  });

  test('a map that is printed twice counts once', () => {
    const twice = describeLines(
      'BIOS-e820: [mem 0x0000000100000000-0x000000013fffffff] usable',
      'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
      'BIOS-e820: [mem 0x0000000100000000-0x000000013fffffff] usable',
    );
    expect(tuples(deriveMemory(twice))).toEqual([
      ['100000', '40000000', 0],
      ['100000000', '140000000', 0],
    ]);
  });
});

group('options of the command line on a map without a printed result', () => {
  const run = (commandLine: string): DerivedMemory =>
    deriveMemory(synthesize({ memory: '6G', commandLine }), {});

  test.each([
    [
      'mem=2G',
      [
        ['1000', '9f000', 0],
        ['100000', '80000000', 0],
      ],
    ],
    [
      'memmap=1G',
      [
        ['1000', '9f000', 0],
        ['100000', '40000000', 0],
      ],
    ],
    [
      'memmap=1G4G',
      [
        ['1000', '9f000', 0],
        ['100000', '40000000', 0],
      ],
    ],
    [
      'memmap=exactmap memmap=640K@0 memmap=1G@1M',
      [
        ['1000', 'a0000', 0],
        ['100000', '40100000', 0],
      ],
    ],
    [
      'memmap=1G$1G mem=3G',
      [
        ['1000', '9f000', 0],
        ['100000', '40000000', 0],
        ['80000000', 'bffe0000', 0],
      ],
    ],
    [
      'memmap=1G#1G mem=3G',
      [
        ['1000', '9f000', 0],
        ['100000', '40000000', 0],
        ['80000000', 'bffe0000', 0],
      ],
    ],
    [
      'memmap=1G%1G-1+2 mem=3G',
      [
        ['1000', '9f000', 0],
        ['100000', '40000000', 0],
        ['80000000', 'bffe0000', 0],
      ],
    ],
    [
      'memmap=1G%1G-1 mem=3G',
      [
        ['1000', '9f000', 0],
        ['100000', '40000000', 0],
        ['80000000', 'bffe0000', 0],
      ],
    ],
    [
      'memmap=1G%1G mem=3G',
      [
        ['1000', '9f000', 0],
        ['100000', '40000000', 0],
        ['80000000', 'bffe0000', 0],
      ],
    ],
    [
      'memmap=1G%1G+5 mem=3G',
      [
        ['1000', '9f000', 0],
        ['100000', '40000000', 0],
        ['80000000', 'bffe0000', 0],
      ],
    ],
  ])('%s', (commandLine, expected) => {
    const derived = run(commandLine);
    expect(tuples(derived)).toEqual(expected);
    expect(derived.problems).toContainEqual(expect.objectContaining({ code: 'ASSUMED' }));
  });

  test('memmap=1G!4G makes device memory', () => {
    const derived = run('memmap=1G!4G');
    expect(derived.persistent).toEqual([
      { start: 2 ** 32, end: 2 ** 32 + 2 ** 30, nid: 0, kind: 'persistent' },
    ]);
    expect(tuples(derived).at(-1)).toEqual(['140000000', '1c0000000', 0]);
  });

  test('usable memory does not overrule what the firmware reserves', () => {
    expect(tuples(run('memmap=8G@0'))[0]).toEqual(['1000', '9f000', 0]);
    // Without an old type the range is added, too.
    expect(tuples(run('memmap=1M%0+1'))[0]).toEqual(['1000', '9f000', 0]);
  });

  test('numa=fake=4 deals memory out, numa=off makes one node', () => {
    const four = deriveMemory(synthesize({ memory: '8G', nodes: 2, commandLine: 'numa=fake=4' }));
    expect(four.nodeSource).toBe('numa-fake');
    expect(four.nodes).toHaveLength(4);
    const bySize = deriveMemory(synthesize({ memory: '8G', commandLine: 'numa=fake=2G' }));
    expect(bySize.nodes.length).toBeGreaterThanOrEqual(3);
    const off = deriveMemory(synthesize({ memory: '8G', nodes: 2, commandLine: 'numa=off' }));
    expect(off).toMatchObject({ nodeSource: 'single', nodes: [{ nid: 0 }] });
  });

  // Recorded borders: 6.1 and 7.3, 4 GiB with a hole below 4 GiB. Three nodes get a granule of 32 MiB more than a quarter
  // of memory; the third ends at the hole, and what is left below 4 GiB goes with it.
  test.each([
    ['6.1', ['0', '40000000'], ['80000000', 'bffe0000']],
    ['7.3', ['1000', '40001000'], ['80001000', 'bffe0000']],
  ])('numa=fake=4 cuts memory as kernel %s does', (release, second, third) => {
    const log = [
      `Linux version ${release}.0 (a@b) #1`,
      'Command line: numa=fake=4',
      'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
      'BIOS-e820: [mem 0x0000000000100000-0x00000000bffdffff] usable',
      'BIOS-e820: [mem 0x0000000100000000-0x000000013fffffff] usable',
    ];
    const { memory, nodeSource, nodes } = deriveMemory(
      describe(log.map((line) => `[    0.000000] ${line}`).join('\n')),
    );
    expect([nodeSource, nodes.length]).toEqual(['numa-fake', 4]);
    const hex = (nid: number): string[] => {
      const own = memory.filter((one) => one.nid === nid);
      return [own[0]!.start, own.at(-1)!.end].map((address) => address.toString(16));
    };
    expect(hex(0)[1]).toBe(second[1]);
    expect(hex(1)).toEqual([second[1], third[0]]);
    expect(hex(2)).toEqual(third);
    expect(hex(3)).toEqual(['100000000', '140000000']);
  });

  test('numa=fake= by size, over real nodes, and with too little memory', () => {
    const ends = (memory: string, commandLine: string): number[] => {
      const derived = deriveMemory(synthesize({ memory, commandLine }));
      return derived.memory.map(({ end }) => end / 2 ** 20);
    };
    // Whole sizes of memory from below, in granules: the hole below 1 MiB costs the first one a granule. What would be too
    // little for one more is the last one's.
    expect(ends('4G', 'numa=fake=1G').map(Math.floor)).toEqual([0, 1056, 2080, 3071, 5120]);
    // Real nodes are cut in turn: 0 and 2 lie in the first, 1 and 3 in the second.
    const two = deriveMemory(synthesize({ memory: '8G', nodes: 2, commandLine: 'numa=fake=4' }));
    const real = deriveMemory(synthesize({ memory: '8G', nodes: 2 }));
    const border = real.memory.find(({ nid }) => nid === 1)!.start;
    for (const { start, nid } of two.memory) expect(start >= border).toBe(nid % 2 === 1);
    const none = deriveMemory(synthesize({ memory: '64M', commandLine: 'numa=fake=64' }));
    expect(none.nodeSource).toBe('single');
    expect(none.problems.map(({ message }) => message).join()).toMatch(/too little memory/);
  });

  test('the kernel’s copy of the map has options and edits in it', () => {
    const { map } = run('memmap=64M$512M');
    expect(map.find(({ start }) => start === 512 * 2 ** 20)).toEqual({
      start: 512 * 2 ** 20,
      end: 576 * 2 ** 20,
      kind: 'reserved',
    });
    for (const [index, { start }] of map.entries()) {
      if (index > 0) expect(start).toBeGreaterThanOrEqual(map[index - 1]!.end);
    }
  });

  test('a printed user map is not changed again', () => {
    expect(deriveMemory(describe(fixture('x86-user-pmem.dmesg'))).problems).toEqual([]);
  });
});

group('memory that firmware keeps twice', () => {
  const log = (release: string, options: string): string =>
    [
      `Linux version ${release} (user@host) #1 SMP`,
      `Command line: efi=debug ${options}`,
      'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
      'efi: mem00: [Conventional Memory|   |  |MR|  |  |  |  |   |WB|  |  |  ] range=[0x0000000010000000-0x000000001fffffff] (256MB)',
      'efi: mem01: [Conventional Memory|   |  |  |  |  |  |  |   |WB|  |  |  ] range=[0x0000000020000000-0x000000003fffffff] (512MB)',
    ].join('\n');
  const parts = (release: string, options: string): (string | boolean)[][] =>
    deriveMemory(describe(log(release, options))).memory.map(({ start, end, mirror = false }) => [
      start.toString(16),
      end.toString(16),
      mirror,
    ]);
  const whole = [['100000', '40000000', false]];
  const marked = [
    ['100000', '10000000', false],
    ['10000000', '20000000', true],
    ['20000000', '40000000', false],
  ];

  test.each([
    ['4.2.0', 'kernelcore=mirror', whole],
    ['5.10.0', '', marked],
    ['6.12.0', '', whole],
    ['6.12.0', 'kernelcore=mirror', marked],
  ])('%s "%s"', (release, options, expected) => {
    expect(parts(release, options)).toEqual(expected);
  });

  test('without the EFI map marks of memblock’s lists tell it', () => {
    const dump = [
      'Linux version 6.12.0 (user@host) #1 SMP',
      'Command line: kernelcore=mirror',
      'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
      'MEMBLOCK configuration:',
      ' memory size = 0x000000003ff00000 reserved size = 0x0000000000001000',
      ' memory.cnt  = 0x2',
      ' memory[0x0]\t[0x0000000000100000-0x000000001fffffff], 0x000000001ff00000 bytes flags: 0x2',
      ' memory[0x1]\t[0x0000000020000000-0x000000003fffffff], 0x0000000020000000 bytes flags: 0x0',
      ' reserved.cnt  = 0x1',
      ' reserved[0x0]\t[0x0000000000100000-0x0000000000100fff], 0x0000000000001000 bytes flags: 0x0',
    ];
    const { memory } = deriveMemory(describe(dump.join('\n')));
    expect(memory.map(({ start, mirror = false }) => [start, mirror])).toEqual([
      [0x100000, true],
      [0x20000000, false],
    ]);
  });
});

group('reserved places of riscv64 outside memory', () => {
  const log = (options: string): string =>
    [
      'Linux version 7.2.0-riscv64 (user@host) #1 SMP',
      'Booting Linux on hartid 0',
      `Command line: ${options}`,
      'Early memory node ranges',
      '  node   0: [mem 0x0000000080000000-0x00000000b83fffff]',
    ].join('\n');
  const iomem = [
    '80000000-b83fffff : System RAM',
    '  80000000-8007ffff : Reserved',
    'bfe00000-bfe01fff : Reserved',
  ].join('\n');
  const kept = [
    '--- /sys/kernel/debug/memblock/memory',
    '   0: 0x0000000080000000..0x00000000b83fffff    0 NONE',
  ].join('\n');
  const ranges = (first: string, ...rest: string[]): number[][] => {
    const one = mergeDescriptions(describe(first), ...rest.map((text) => describe(text)));
    return deriveMemory(one, { from: 'firmware' }).memory.map(({ start, end }) => [start, end]);
  };
  const memory = [0x8000_0000, 0xb840_0000];
  const place = [0xbfe0_0000, 0xbfe0_2000];

  test.each([
    ['behind the limit of mem=', [log('mem=900M'), iomem], [memory]],
    ['that no list of memory has', [log('quiet'), iomem, kept], [memory]],
    ['are memory that is never mapped elsewhere', [log('quiet'), iomem], [memory, place]],
  ])('%s', (_name, [first, ...rest], expected) => {
    expect(ranges(first!, ...rest)).toEqual(expected);
  });
});
