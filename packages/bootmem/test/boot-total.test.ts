/** `Total pages`: what zonelists were built with, by architecture, release and size of a descriptor. */
import { parseDescription } from '@bootmem/firmware-map';
import { describe, expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import type { CheckReport } from '../dist/check.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const mem = (start: number, end: number): string =>
  `[mem 0x${start.toString(16).padStart(16, '0')}-0x${(end - 1).toString(16).padStart(16, '0')}]`;

interface Kernel {
  readonly banner: string;
  readonly signs?: readonly string[];
  readonly zones: readonly (readonly [string, number, number])[];
  readonly ranges: readonly (readonly [number, number])[];
  readonly lines?: readonly string[];
}

function check({ banner, signs = [], zones, ranges, lines = [] }: Kernel, total: number) {
  const text = [
    banner,
    'Kernel command line: quiet',
    ...signs,
    'Zone ranges:',
    ...zones.map(([zone, start, end]) => `  ${zone.padEnd(8)} ${mem(start, end)}`),
    'Movable zone start for each node',
    'Early memory node ranges',
    ...ranges.map(([start, end]) => `  node   0: ${mem(start, end)}`),
    `Initmem setup node 0 ${mem(ranges[0]![0], ranges.at(-1)![1])}`,
    ...lines,
    `Built 1 zonelists, mobility grouping on.  Total pages: ${total}`,
  ];
  const result = parseDescription(`${text.join('\n')}\n`, { name: 'test' });
  if (!result.ok) throw new Error(result.problems[0]?.message);
  const report: CheckReport = checkMachine({
    description: result.description,
    source: 'test',
    notes: [],
  });
  return report.facts.find(({ fact }) => fact === 'Total pages');
}

const arm64 = (release: string): Kernel => ({
  banner: `Linux version ${release} (a@b) (aarch64-linux-gnu-gcc 12.2.0) #1 SMP`,
  zones: [
    ['DMA', 0, GIB],
    ['DMA32', GIB, 4 * GIB],
    ['Normal', 4 * GIB, 8 * GIB],
  ],
  // A hole that ends DMA early (less than a sixteenth), one in DMA32.
  ranges: [
    [0, GIB - 48 * MIB],
    [GIB, 4 * GIB - 64 * MIB],
    [4 * GIB, 8 * GIB],
  ],
});
const PRESENT = (8 * GIB - 112 * MIB) / 4096;
// A node that goes on behind a border spans up to it, hole or not.
const MEMMAP = (8 * GIB) / 4096 / 64;

describe('without a DMA reserve', () => {
  test('arm64 to 6.9: pages present less descriptors of the span', () => {
    expect(check(arm64('5.10.1'), PRESENT - MEMMAP)).toMatchObject({ verdict: 'equal' });
    expect(check(arm64('5.10.1'), PRESENT - MEMMAP + 1)).toMatchObject({ verdict: 'differs' });
  });

  test('from 6.10 on: pages present', () => {
    expect(check(arm64('6.10.1'), PRESENT)).toMatchObject({ verdict: 'equal' });
    expect(check(arm64('6.10.1'), PRESENT - MEMMAP)).toMatchObject({ verdict: 'differs' });
  });

  test('a zone that is mostly a hole counts what is present, from 3.8 on', () => {
    const sparse = (release: string): Kernel => ({
      ...arm64(release),
      zones: [
        ['DMA', 0, 4 * GIB],
        ['Normal', 4 * GIB, 8 * GIB],
      ],
      ranges: [
        [0, 2 * GIB],
        [4 * GIB, 8 * GIB],
      ],
      lines: [
        'On node 0 totalpages: 1572864',
        '  DMA zone: 8192 pages used for memmap',
        '  DMA zone: 524288 pages, LIFO batch:31',
        '  Normal zone: 16384 pages used for memmap',
        '  Normal zone: 1048576 pages, LIFO batch:31',
      ],
    });
    const total = 1572864 - 8192 - 16384;
    expect(check(sparse('4.9.0'), total)).toMatchObject({ verdict: 'equal' });
    // 3.7 would have counted the span: its lines would say so, and these do not.
    expect(check(sparse('3.7.0'), total)).toMatchObject({ verdict: 'not derivable' });
  });
});

describe('sizes of a descriptor', () => {
  const mips = (lines: readonly string[]): Kernel => ({
    banner: 'Linux version 4.14.1 (a@b) (mipsel-linux-gcc 7.3.0) #1',
    zones: [['Normal', 0, 128 * MIB]],
    ranges: [[0, 128 * MIB]],
    lines,
  });
  const pages = 32768;

  test.each([32, 36, 40])('%i bytes fit a 32-bit kernel whose log does not tell', (bytes) => {
    const memmap = Math.ceil((pages * bytes) / 4096);
    expect(check(mips([]), pages - memmap)).toMatchObject({ verdict: 'equal' });
  });

  test('a sum that no size gives differs', () => {
    expect(check(mips([]), pages - 260)).toMatchObject({ verdict: 'differs' });
  });

  test('where the log tells the size, no other is tried', () => {
    const told = [
      'On node 0 totalpages: 32768',
      '  Normal zone: 256 pages used for memmap',
      '  Normal zone: 32768 pages, LIFO batch:7',
    ];
    expect(check(mips(told), pages - 256)).toMatchObject({ verdict: 'equal' });
    expect(check(mips(told), pages - 288)).toMatchObject({ verdict: 'differs' });
  });

  test('riscv64 compilers make 32-bit kernels too: no DMA32, small descriptors', () => {
    const riscv = (zone: string): Kernel => ({
      banner: 'Linux version 6.3.0 (a@b) (riscv64-linux-gnu-gcc 13.2.0) #1',
      zones: [[zone, 2 * GIB, 2 * GIB + 128 * MIB]],
      ranges: [[2 * GIB, 2 * GIB + 128 * MIB]],
    });
    expect(check(riscv('Normal'), pages - 256)).toMatchObject({ verdict: 'equal' });
    expect(check(riscv('DMA32'), pages - 256)).toMatchObject({ verdict: 'differs' });
    expect(check(riscv('DMA32'), pages - 448)).toMatchObject({ verdict: 'equal' });
  });

  test('HighMem counts whole from 3.9 on, less its descriptors before', () => {
    const arm = (release: string): Kernel => ({
      banner: `Linux version ${release} (a@b) (arm-linux-gnueabihf-gcc 12.2.0) #1`,
      zones: [
        ['Normal', 0, 768 * MIB],
        ['HighMem', 768 * MIB, GIB],
      ],
      ranges: [[0, GIB]],
    });
    const [low, high] = [196608, 65536];
    expect(check(arm('4.9.0'), low - 1536 + high)).toMatchObject({ verdict: 'equal' });
    expect(check(arm('3.4.0'), low - 1536 + high - 512)).toMatchObject({ verdict: 'equal' });
    expect(check(arm('3.4.0'), low - 1536 + high)).toMatchObject({ verdict: 'differs' });
  });
});

describe('x86', () => {
  const x86 = (lines: readonly string[]): Kernel => ({
    banner: 'Linux version 5.4.0-amd64 (a@b) (gcc 9.3.0) #1 SMP',
    signs: [
      'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable',
      'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
    ],
    zones: [
      ['DMA', 4096, 16 * MIB],
      ['DMA32', 16 * MIB, GIB],
    ],
    ranges: [
      [4096, 0xa0000],
      [MIB, GIB],
    ],
    lines,
  });
  const present = 3999 + 258048;

  test('the DMA reserve is what the zone line says', () => {
    const lines = [
      `On node 0 totalpages: ${present}`,
      '  DMA zone: 64 pages used for memmap',
      '  DMA zone: 21 pages reserved',
      '  DMA zone: 3999 pages, LIFO batch:0',
      '  DMA32 zone: 4032 pages used for memmap',
      '  DMA32 zone: 258048 pages, LIFO batch:63',
    ];
    expect(check(x86(lines), present - 64 - 4032 - 21)).toMatchObject({ verdict: 'equal' });
    expect(check(x86(lines), present - 64 - 4032)).toMatchObject({ verdict: 'differs' });
  });

  test('without it the sum does not follow', () => {
    expect(check(x86([]), present - 64 - 4032 - 21)).toMatchObject({ verdict: 'not derivable' });
  });
});

describe('an empty range at the end of page numbers, as Xen leaves it', () => {
  const xen = (...lines: string[]): ReturnType<typeof check> =>
    check(
      {
        banner: 'Linux version 2.6.32.43-xen (a@b) (gcc version 4.1.2) #1 SMP',
        signs: [
          'Xen-provided physical RAM map:',
          ' Xen: 0000000000000000 - 000000002f800000 (usable)',
          'last_pfn = 0x2f800 max_arch_pfn = 0x10000000',
          '0MB HIGHMEM available.',
          '760MB LOWMEM available.',
          '  mapped low ram: 0 - 2f800000',
        ],
        zones: [
          ['DMA', 0, 16 * MIB],
          ['Normal', 16 * MIB, 760 * MIB],
        ],
        ranges: [[0, 752 * MIB]],
        lines,
      },
      192_512 - 1520,
    );

  test('the last zone goes on to it', () => {
    const pages = ['  DMA zone: 32 pages used for memmap', '  DMA zone: 4064 pages, LIFO batch:0'];
    const normal = (memmap: number): string[] => [
      `  Normal zone: ${memmap} pages used for memmap`,
      '  Normal zone: 186928 pages, LIFO batch:31',
    ];
    expect(xen()).toMatchObject({ verdict: 'equal' });
    const node = 'On node 0 totalpages: 192512';
    expect(xen(node, ...pages, ...normal(1488))).toMatchObject({ verdict: 'equal' });
    expect(xen(node, ...pages, ...normal(1489))).toMatchObject({ verdict: 'not derivable' });
  });
});
