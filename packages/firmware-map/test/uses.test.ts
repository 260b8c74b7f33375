/** Lines that say what memory is used for, complaints, and the texts of lines. */
import { describe as group, expect, test } from '@jest/globals';
import { fromJson, parseDescription, toJson } from '@bootmem/firmware-map';
import { describe, describeLines } from './helpers.js';

/** What a description keeps of one line. */
function use(text: string): unknown {
  const kept = describeLines(text).printed.uses?.[0];
  return kept === undefined ? undefined : { ...kept, line: undefined };
}

group('memory in use', () => {
  test.each([
    [
      'Dentry cache hash table entries: 1048576 (order: 11, 8388608 bytes, linear)',
      { what: 'hash-table', name: 'Dentry cache', bytes: 8388608 },
    ],
    [
      '[    3.392337] Inode-cache hash table entries: 4194304 (order: 13, 33554432 bytes, vmalloc hugepage)',
      { what: 'hash-table', name: 'Inode-cache', bytes: 33554432, isVirtual: true },
    ],
    [
      'VFS: Dquot-cache hash table entries: 512 (order 0, 4096 bytes)',
      { what: 'hash-table', name: 'Dquot-cache', bytes: 4096 },
    ],
    [
      'percpu: Embedded 53 pages/cpu s179864 r8192 d29032 u262144',
      { what: 'per-cpu', bytes: 217088 },
    ],
    [
      'PERCPU: Embedded 28 pages/cpu @ffff88007f400000 s82944 r8192 d23552 u524288',
      { what: 'per-cpu', bytes: 114688 },
    ],
    ['printk: log_buf_len: 16777216 bytes', { what: 'log-buffer', bytes: 16777216 }],
    ['log_buf_len: 524288', { what: 'log-buffer', bytes: 524288 }],
    [
      'printk: log buffer data + meta data: 131072 + 458752 = 589824 bytes',
      { what: 'log-buffer', bytes: 131072, metaBytes: 458752 },
    ],
    [
      'software IO TLB: mapped [mem 0x0000000066000000-0x000000006a000000] (64MB)',
      { what: 'bounce-buffer', start: 0x66000000, bytes: 0x4000000 },
    ],
    [
      'software IO TLB [mem 0xdb000000-0xdeffffff] (64MB) mapped at [ffff8800db000000-ffff8800deffffff]',
      { what: 'bounce-buffer', start: 0xdb000000, bytes: 0x4000000 },
    ],
    [
      'Placing 64MB software IO TLB between ffff880020000000 - ffff880024000000',
      { what: 'bounce-buffer', bytes: 0x4000000 },
    ],
    ['software IO TLB: tearing down default memory pool', { what: 'bounce-buffer-freed' }],
    [
      'software IO TLB: SWIOTLB bounce buffer size adjusted to 983MB',
      { what: 'bounce-buffer-size', bytes: 983 * 2 ** 20 },
    ],
    [
      'Reserving Intel graphics memory at [mem 0x7c000000-0x7fffffff]',
      { what: 'graphics', start: 0x7c000000, bytes: 0x4000000 },
    ],
    [
      'Reserving Intel graphics stolen memory at 0xbda00000-0xbf9fffff',
      { what: 'graphics', start: 0xbda00000, bytes: 0x2000000 },
    ],
    [
      'Mapping aperture over 65536 KB of RAM @ a0000000',
      { what: 'aperture', start: 0xa0000000, bytes: 0x4000000 },
    ],
    [
      'AGP: Mapping aperture over RAM [mem 0xc4000000-0xc7ffffff] (65536KB)',
      { what: 'aperture', start: 0xc4000000, bytes: 0x4000000 },
    ],
    [
      'kfence: initialized - using 2097152 bytes for 255 objects at 0x(____ptrval____)-0x(____ptrval____)',
      { what: 'kfence', bytes: 2097152 },
    ],
    [
      'GICv3: using LPI property table @0x0000000040220000',
      { what: 'interrupt-table', start: 0x40220000, bytes: 65536 },
    ],
    [
      'GICv3: CPU1: using allocated LPI pending table @0x0000000040240000',
      { what: 'interrupt-table', start: 0x40240000, bytes: 65536 },
    ],
    ['allocated 8388608 bytes of page_ext', { what: 'page-extension', bytes: 8388608 }],
    ['kasan: KernelAddressSanitizer initialized', { what: 'kasan' }],
    ['mmu_features      = 0x3c007641', { what: 'radix-mmu' }],
    ['hash-mmu: ppc64_pft_size    = 0x1a', { what: 'hypervisor-page-table', bytes: 2 ** 26 }],
    ['hash-mmu: htab_hash_mask    = 0x7fffff', { what: 'hash-page-table', bytes: 2 ** 30 }],
    ['crashkernel CMA reserved: 256 MB in 2 ranges', { what: 'crashkernel-cma', bytes: 2 ** 28 }],
  ])('%s', (text, kept) => {
    expect(use(text)).toEqual(kept);
  });

  test.each([
    'printk: log_buf_len individual max cpu contribution: 4096 bytes',
    'printk: log_buf_len min size: 131072 bytes',
    'kasan: KernelAddressSanitizer initialized (sw-tags, stacktrace=on)',
    'SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=4, Nodes=1',
    'mmu_features      = 0x7c006e01',
    'cpu_features      = 0x000c00eb8f5f9187',
    'hash-mmu: ppc64_pft_size    = 0x0',
  ])('no use: %s', (text) => {
    expect(describeLines(text).printed).not.toHaveProperty('uses');
  });

  test('page sizes still follow from tables and per-CPU areas', () => {
    const large = 'Dentry cache hash table entries: 524288 (order: 6, 4194304 bytes, linear)';
    expect(describeLines(large).pageSize).toBe(65536);
    const cpu = 'percpu: Embedded 3 pages/cpu s126744 r0 d69864 u262144';
    expect(describeLines(cpu).pageSize).toBe(65536);
  });

  test('uses survive the JSON form', () => {
    const description = describeLines(
      'percpu: Embedded 53 pages/cpu s179864 r8192 d29032 u262144',
      'kasan: KernelAddressSanitizer initialized',
    );
    const again = fromJson(toJson(description));
    expect(again.ok && again.description.printed.uses).toEqual(description.printed.uses);
  });
});

test.each([
  'HugeTLB: unsupported hugepagesz=1G',
  'cannot allocate crashkernel low memory (size:10000000).',
  'crashkernel: memory value expected',
  'cma: dma_numa_cma_reserve: reservation failed: err -12, node 0',
  "hugetlb_cma: the option isn't supported by current arch",
  'Warning only 896MB will be used.',
  'software IO TLB: swiotlb_memblock_alloc: Failed to allocate 67108864 bytes tlb structure',
  'OF: reserved mem: Reserved memory: unsupported node format, ignoring',
  "Malformed early option 'mem'",
])('a complaint is kept in its words: %s', (text) => {
  expect(describeLines(`[    0.000000] ${text}`).printed.failures).toEqual([{ text, line: 3 }]);
});

group('texts of lines', () => {
  const lines = [
    'Linux version 6.12.0 (user@host) #1 SMP',
    'something else',
    '[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
  ];

  test('are handed out for what was understood, without what is around them', () => {
    const seen: [number, string][] = [];
    const log = `${lines[0]!}\n${lines[1]!}\n\u001b[33m${lines[2]!}\u001b[0m\r\n`;
    const onRecord = (line: number, text: string): void => void seen.push([line, text]);
    parseDescription(log, { onRecord });
    expect(seen).toEqual([
      [1, lines[0]],
      [3, lines[2]],
    ]);
  });

  test('of a record that mail has wrapped are joined', () => {
    const seen = new Map<number, string>();
    describe(
      [
        '[    0.000000] Linux version 6.12.0 (user@host) #1 SMP',
        '[    0.000000] BIOS-e820: [mem',
        '0x0000000000100000-0x000000003fffffff] usable',
        '[    0.000000] Command line: quiet',
      ].join('\n'),
      { onRecord: (line, text) => void seen.set(line, text) },
    );
    expect(seen.get(2)).toBe(lines[2]);
  });
});

test.each([
  ['0x8fed0000 (1134576 bytes)', 0x0fed0000],
  ['0xffffffff8fed0000 (1134576 bytes)', 0x0fed0000],
  ['0x980000000fed0000 (1134576 bytes)', 0x0fed0000],
  ['0x90000000fed00000 (1134576 bytes)', 0xfed00000],
])('the initrd at an address of a direct segment: %s', (text, start) => {
  const { ramdisk } = describeLines(`Initial ramdisk at: ${text}`).printed;
  expect(ramdisk).toMatchObject({ start, end: start + 1134576 });
});
