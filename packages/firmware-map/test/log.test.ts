import { describe as group, expect, test } from '@jest/globals';
import { codes, describe, describeLines, fixture } from './helpers.js';

group('maps', () => {
  test('entries of kernels before 3.5 have an exclusive end', () => {
    const { firmware } = describe(fixture('x86-2.6.dmesg'));
    expect(firmware.map[0]).toMatchObject({
      start: 0,
      end: 0x9c400,
      kind: 'usable',
      provider: 'BIOS-e820',
    });
    expect(firmware.map.map(({ kind }) => kind)).toEqual([
      'usable',
      'reserved',
      'reserved',
      'usable',
      'acpi-data',
      'acpi-nvs',
      'usable',
    ]);
    expect(firmware.edits[0]).toMatchObject({
      action: 'update',
      start: 0,
      end: 0x10000,
      from: 'usable',
      to: 'reserved',
    });
  });

  test('the wording of 7.x: System RAM, device reserved, gaps, types by number', () => {
    const { firmware } = describe(fixture('x86-7.x.dmesg'));
    expect(firmware.map.map(({ kind, typeNumber }) => [kind, typeNumber])).toEqual([
      ['usable', undefined],
      ['reserved', undefined],
      ['usable', undefined],
      ['gap', undefined],
      ['usable', undefined],
      ['persistent', 7],
      ['soft-reserved', undefined],
      ['other', 20],
    ]);
    expect(firmware.edits.map(({ action, by, from, to }) => [action, by, from, to])).toEqual([
      ['update', 'e820', 'usable', 'reserved'],
      ['remove', 'e820', 'usable', undefined],
      ['remove', 'efi', 'reserved', undefined],
    ]);
  });

  test('overriding maps are kept apart, and what comes after the hand-over is marked late', () => {
    const { firmware } = describe(fixture('x86-user-pmem.dmesg'));
    expect(firmware.user).toHaveLength(5);
    expect(firmware.user[4]).toMatchObject({ kind: 'persistent', typeNumber: 12 });
    expect(firmware.setupData).toHaveLength(3);
    expect(firmware.modified).toEqual([expect.objectContaining({ late: true })]);
    expect(firmware.edits.map(({ late }) => late === true)).toEqual([false, false, true]);
  });

  test('a kind that nobody knows is kept as other, with a warning on its line', () => {
    const description = describeLines(
      'BIOS-e820: [mem 0x0000000040000000-0x000000004fffffff] fancy stuff',
    );
    expect(description.firmware.map[1]).toMatchObject({ kind: 'other', text: 'fancy stuff' });
    expect(description.problems).toContainEqual(
      expect.objectContaining({ code: 'UNKNOWN_KIND', line: 3, severity: 'warning' }),
    );
  });

  test('words that JavaScript objects inherit are no kinds, zones or counters', () => {
    const description = describe(
      'BIOS-e820: [mem 0x0-0xfff] constructor\n0 0x0 0xfff toString\nNode 0, zone DMA\n  pages free 1\n      constructor 5\n      __proto__ 6\n',
    );
    expect(description.firmware.map[0]).toMatchObject({ kind: 'other', text: 'constructor' });
    expect(description.proc.firmwareMemmap?.[0]).toMatchObject({ kind: 'other', text: 'toString' });
    expect(Object.entries(description.proc.zoneinfo![0]!.counters)).toEqual([['constructor', 5]]);
  });

  test('a range that ends before it starts is an error on its line and left out', () => {
    const description = describeLines(
      'BIOS-e820: [mem 0x0000000050000000-0x000000004fffffff] usable',
      'BIOS-e820: [mem 0x60000000-0x5fff] usable',
    );
    expect(description.firmware.map).toHaveLength(1);
    expect(description.problems.map(({ code, line }) => [code, line])).toEqual([
      ['BAD_RANGE', 3],
      ['BAD_RANGE', 4],
    ]);
  });

  test('addresses above 2^53 are cut or left out with a warning; the end of the address space is no problem', () => {
    const description = describeLines(
      'BIOS-e820: [mem 0x0000000100000000-0x0fffffffffffffff] usable',
      'BIOS-e820: [mem 0x1000000000000000-0x1fffffffffffffff] reserved',
      'e820: remove [mem 0x100000000-0xfffffffffffffffe] usable',
    );
    expect(description.firmware.map[1]!.end).toBe(Number.MAX_SAFE_INTEGER);
    expect(description.firmware.map).toHaveLength(2);
    expect(description.firmware.edits[0]!.end).toBe(Number.MAX_SAFE_INTEGER);
    expect(codes(description).filter((code) => code === 'ADDRESS_TOO_LARGE')).toHaveLength(2);
  });

  test('entries that overlap or repeat are reported', () => {
    const overlap = describeLines(
      'BIOS-e820: [mem 0x0000000000200000-0x000000004fffffff] reserved',
    );
    expect(codes(overlap)).toContain('OVERLAP');
    const repeat = describeLines('BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable');
    expect(codes(repeat)).toContain('DUPLICATE_LINE');
  });

  test('the EFI map in its three spellings; unaccepted memory is known by its type', () => {
    const { firmware } = describe(fixture('tdx-unaccepted.dmesg'));
    expect(firmware.efi.map(({ type, start, end }) => [type, start, end])).toEqual([
      [3, 0, 0x1000],
      [7, 0x1000, 0x80000000],
      [15, 0x100000000, 0x180000000],
      [14, 0x200000000, 0x240000000],
    ]);
    expect(firmware.efi[3]).toMatchObject({
      name: 'Persistent Memory',
      attributes: ['NV', 'WB', 'WT', 'WC', 'UC'],
    });
    expect(firmware.unaccepted).toEqual([{ start: 0x100000000, end: 0x180000000, line: 9 }]);
    const arm = describe(fixture('arm64.dmesg')).firmware.efi;
    expect(arm.map(({ type, attributes }) => [type, attributes])).toEqual([
      [7, ['WB', 'WT', 'WC', 'UC']],
      [6, ['RUN', 'WB']],
    ]);
  });

  test('an EFI type number that is not known keeps its number in the name', () => {
    const { firmware } = describeLines(
      'efi: mem00: type=99, attr=0xf, range=[0x0000000000001000-0x0000000000002000) (0MB)',
      'efi: mem01: [Strange Stuff |   |WB] range=[0x3000-0x3fff] (0MB)',
    );
    expect(firmware.efi).toEqual([
      expect.objectContaining({ name: 'type 99', end: 0x2000 }),
      expect.objectContaining({ name: 'Strange Stuff', end: 0x4000 }),
    ]);
    expect(firmware.efi[0]).not.toHaveProperty('type');
  });
});

group('nodes', () => {
  test('SRAT entries with exclusive and inclusive ends, hot-plug and non-volatile', () => {
    expect(
      describe(fixture('x86-2.6.dmesg')).numa.srat.map(({ nid, start, end }) => [nid, start, end]),
    ).toEqual([
      [0, 0, 0xa0000],
      [0, 0x100000, 0x80000000],
      [1, 0x80000000, 0x130000000],
    ]);
    expect(describe(fixture('x86-2n.dmesg')).numa.srat.at(-1)).toMatchObject({
      nid: 1,
      pxm: 1,
      hotplug: true,
      nonVolatile: false,
    });
    expect(describe(fixture('arm64.dmesg')).numa.srat.at(-1)).toMatchObject({
      hotplug: false,
      nonVolatile: true,
    });
  });

  test('processors, merged blocks and node data', () => {
    const { numa } = describe(fixture('x86-2.6.dmesg'));
    expect(numa.cpus).toEqual([
      expect.objectContaining({ nid: 0, pxm: 0, id: 0 }),
      expect.objectContaining({ nid: 1, pxm: 1, id: 2 }),
    ]);
    expect(numa.merges[0]).toMatchObject({
      nid: 0,
      parts: [
        { start: 0, end: 0xa0000 },
        { start: 0x100000, end: 0x80000000 },
      ],
      result: { start: 0, end: 0x80000000 },
    });
    expect(numa.nodeData).toEqual([{ nid: 0, start: 0x11000, end: 0x25000, line: 22 }]);
  });

  test('arm64: node data without a number goes by the order of nodes; a memoryless one lies on another', () => {
    const { numa, printed } = describe(fixture('arm64.dmesg'));
    expect(numa.nodeData).toEqual([
      { nid: 0, start: 0xffe00000, end: 0x100000000, line: 11 },
      { nid: 1, start: 0xffc00000, end: 0xffe00000, onNode: 0, line: 13 },
    ]);
    expect(printed.nodeSetups.map(({ nid, range }) => [nid, range?.end])).toEqual([
      [1, undefined],
      [0, 0x100000000],
      [1, undefined],
    ]);
  });

  test('nodes that the kernel faked, and the single node', () => {
    const { numa } = describeLines(
      'NUMA turned off',
      'Faking a node at [mem 0x0000000000000000-0x000000003fffffff]',
      'Faking node 0 at [mem 0x0000000000001000-0x000000001fffffff] (511MB)',
      'Faking node 1 at 0000000020000000-0000000040000000 (512MB)',
    );
    expect(numa.single).toMatchObject({ start: 0, end: 0x40000000 });
    expect(numa.faked).toEqual([
      { nid: 0, start: 0x1000, end: 0x20000000, line: 5 },
      { nid: 1, start: 0x20000000, end: 0x40000000, line: 6 },
    ]);
    expect(numa.rejected).toEqual({ reason: 'NUMA turned off', line: 3 });
  });

  test('a node id that no kernel has is an error', () => {
    const description = describeLines('ACPI: SRAT: Node 1024 PXM 0 [mem 0x00100000-0x3fffffff]');
    expect(description.numa.srat).toEqual([]);
    expect(description.problems).toContainEqual(
      expect.objectContaining({ code: 'BAD_NUMBER', severity: 'error', line: 3 }),
    );
  });

  test('a node that ends where it starts, or at the end of the world, has no memory', () => {
    const { printed } = describeLines(
      'Initmem setup node 3 [mem 0x0000000000000000-0x0000000000000000]',
      'Initmem setup node 4 [mem 0x0-0xffffffffffffffff]',
    );
    expect(printed.nodeSetups).toEqual([
      { nid: 3, line: 3 },
      { nid: 4, line: 4 },
    ]);
  });
});

group('zones', () => {
  test('ranges in bytes and in pages, movable starts, early ranges in three spellings', () => {
    const old = describe(fixture('x86-2.6.dmesg')).printed;
    expect(old.zoneRanges.map(({ zone, range }) => [zone, range?.start, range?.end])).toEqual([
      ['DMA', 0x10000, 0x1000000],
      ['DMA32', 0x1000000, 0x100000000],
      ['Normal', 0x100000000, 0x130000000],
    ]);
    expect(old.movableStarts).toEqual([{ nid: 1, start: 0x120000000, line: 28 }]);
    expect(old.earlyRanges.map(({ nid, start, end }) => [nid, start, end])).toEqual([
      [0, 0x10000, 0x9c000],
      [0, 0x100000, 0x80000000],
      [1, 0x80000000, 0xcff50000],
      [1, 0x100000000, 0x130000000],
    ]);
    const now = describe(fixture('x86-2n.dmesg')).printed;
    expect(now.zoneRanges.at(-1)).toEqual({ zone: 'Device', line: 47 });
    expect(now.movableStarts).toEqual([{ nid: 1, start: 0x110000000, line: 49 }]);
    expect(now.earlyRanges).toHaveLength(4);
  });

  test('a header glued to the end of another line still opens its block', () => {
    expect(describe(fixture('x86-7.x.dmesg')).printed.zoneRanges).toHaveLength(3);
  });

  test('dumps of PCI devices are no early ranges, in or out of the block', () => {
    const description = describeLines(
      'Early memory node ranges',
      '  node   0: [mem 0x100000-0x3fffffff]',
      ' 10: 00 00 00 00 00 00',
      ' 20: 01 -> nothing',
    );
    expect(description.printed.earlyRanges).toHaveLength(1);
  });

  test('a block ends after many lines that are not its own', () => {
    const filler = Array.from({ length: 70 }, (_, index) => `line ${index}`);
    const { printed } = describeLines(
      'early_node_map[1] active PFN ranges',
      ...filler,
      '    0: 0x00000010 -> 0x0000009c',
    );
    expect(printed.earlyRanges).toEqual([]);
  });

  test('an empty range of pages is no range and no error; a turned one is an error', () => {
    const xen = describe(fixture('xen.dmesg'));
    expect(xen.printed.earlyRanges).toHaveLength(1);
    expect(xen.printed.zoneRanges.at(-1)).toEqual({ zone: 'HighMem', line: 7 });
    expect(xen.problems).toEqual([]);
    const turned = describeLines(
      'early_node_map[1] active PFN ranges',
      '    0: 0x00000020 -> 0x00000010',
    );
    expect(codes(turned)).toEqual(['BAD_RANGE']);
  });

  test('page counts: unavailable ranges of all ages, totals by node and zone', () => {
    expect(
      describe(fixture('x86-2n.dmesg')).printed.unavailable.map(({ nid, zone, pages }) => [
        nid,
        zone,
        pages,
      ]),
    ).toEqual([
      [0, 'DMA', 1],
      [0, 'DMA', 97],
      [1, 'Normal', 32],
    ]);
    expect(describe(fixture('arm64.dmesg')).printed.unavailable).toEqual([
      { pages: 200, line: 28 },
    ]);
    expect(describe(fixture('x86-2.6.dmesg')).printed.nodePages).toEqual([
      {
        nid: 0,
        totalPages: 524172,
        line: 34,
        zones: [
          { zone: 'DMA', memmapPages: 56, reservedPages: 102, pages: 3830, lifoBatch: 0 },
          { zone: 'DMA32', pages: 520184, lifoBatch: 31 },
        ],
      },
      {
        nid: 1,
        totalPages: 523984,
        line: 39,
        zones: [
          { zone: 'DMA32', pages: 327504, lifoBatch: 31 },
          { zone: 'Normal', pages: 196480, lifoBatch: 31 },
        ],
      },
    ]);
    const old = describeLines(
      'On node 0 totalpages: 100',
      '  DMA zone: 12 pages in unavailable ranges',
      'Reserved but unavailable: 7 pages',
    );
    expect(old.printed.unavailable).toEqual([
      { pages: 12, nid: 0, zone: 'DMA', counts: 'zone', line: 4 },
      { pages: 7, counts: 'reserved', line: 5 },
    ]);
  });

  test('zonelists: fallback orders, policy zone, built line of any age, printed lists', () => {
    const { printed } = describe(fixture('x86-2n.dmesg'));
    expect(printed.fallbackOrders.map(({ nid, order }) => [nid, order])).toEqual([
      [0, [0, 1]],
      [1, [1, 0]],
    ]);
    expect(printed.policyZone?.zone).toBe('Normal');
    expect(printed.zonelists).toMatchObject({ count: 2, mobility: true, totalPages: 655230 });
    expect(printed.zonelistOrders[1]).toMatchObject({
      list: 'general',
      nid: 1,
      zone: 'Normal',
      entries: [
        { nid: 1, zone: 'Normal' },
        { nid: 1, zone: 'DMA32' },
        { nid: 0, zone: 'DMA32' },
        { nid: 0, zone: 'DMA' },
      ],
    });
    expect(printed.memmapInit[0]).toMatchObject({
      nid: 0,
      zoneIndex: 0,
      startPfn: 1,
      endPfn: 4096,
    });
    expect(describe(fixture('x86-2.6.dmesg')).printed.zonelists).toMatchObject({
      order: 'zone',
      totalPages: 1033000,
    });
  });

  test('lines that a hot-added node repeats do not replace those of the boot', () => {
    const { printed } = describeLines(
      'Built 1 zonelists, mobility grouping on.  Total pages: 100',
      'Policy zone: DMA32',
      'Built 2 zonelists, mobility grouping on.  Total pages: 200',
      'Policy zone: Normal',
    );
    expect([printed.zonelists?.totalPages, printed.policyZone?.zone]).toEqual([100, 'DMA32']);
  });
});

group('totals', () => {
  test('the Memory: line of old and new kernels with its parts', () => {
    expect(describe(fixture('x86-2.6.dmesg')).printed.memory).toMatchObject({
      availableKb: 4118120,
      totalKb: 4980736,
      partsKb: { 'kernel code': 3311, absent: 788160, reserved: 74456, data: 2007, init: 1264 },
    });
    expect(describe(fixture('i386.dmesg')).printed.memory?.partsKb).toMatchObject({
      'cma-reserved': 0,
      highmem: 2236424,
    });
    expect(describe(fixture('ppc64.dmesg')).printed.memory).toMatchObject({
      availableKb: 0,
      totalKb: 1073741824,
    });
  });

  test('whether the Memory: line came before the deferred lines', () => {
    expect(describe(fixture('x86-2n.dmesg')).printed.memory?.beforeDeferred).toBe(true);
    const after = describeLines(
      'node 0 deferred pages initialised in 4ms',
      'Memory: 1000K/2000K available (1K kernel code)',
    );
    expect(after.printed.memory?.beforeDeferred).toBe(false);
    expect(describe(fixture('arm64.dmesg')).printed.memory).not.toHaveProperty('beforeDeferred');
  });

  test('a Memory: line without its end is taken with a warning', () => {
    const description = describeLines(
      'Memory: 1000K/2000K available (16384K kernel co',
      '[    1.000000] next',
    );
    expect(description.printed.memory).toMatchObject({ availableKb: 1000, line: 3 });
    expect(description.problems).toEqual([expect.objectContaining({ code: 'TRUNCATED', line: 3 })]);
  });

  test('deferred lines of all ages, device lines, late frees, huge pages, block size', () => {
    const { printed } = describe(fixture('x86-2n.dmesg'));
    expect(printed.deferred.map(({ nid, ms }) => [nid, ms])).toEqual([
      [1, 12],
      [0, 16],
    ]);
    expect(printed.deviceInit).toEqual([{ pages: 262144, ms: 4, line: 77 }]);
    expect(printed.freeing.map(({ what, kb }) => [what, kb])).toEqual([
      ['initrd', 16256],
      ['unused kernel image (initmem)', 2820],
    ]);
    expect(printed.hugetlb).toEqual([{ pageBytes: 2097152, preallocated: 3, line: 78 }]);
    expect(printed.blockSize?.bytes).toBe(2 ** 27);
    expect(describeLines('node 0 initialised, 87656841 pages in 1856ms').printed.deferred).toEqual([
      { nid: 0, pages: 87656841, ms: 1856, line: 3 },
    ]);
    expect(describe(fixture('x86-2.6.dmesg')).printed.freeing).toEqual([
      { what: 'unused kernel', kb: 1264, line: 48 },
    ]);
  });

  test('initial ramdisk, crash kernel, last pages, ACPI tables', () => {
    const now = describe(fixture('x86-2n.dmesg')).printed;
    expect(now.ramdisk).toMatchObject({ start: 0x5f000000, end: 0x5ffe0000 });
    expect(now.lastPfns.map(({ pfn }) => pfn)).toEqual([0x140000, 0x5ffe0]);
    expect(now.acpiTables).toEqual([
      expect.objectContaining({ table: 'FACP', start: 0x5ffe19da, end: 0x5ffe1a4e }),
    ]);
    expect(describe(fixture('x86-2.6.dmesg')).printed.ramdisk).toMatchObject({
      start: 0x37c00000,
      end: 0x37fef000,
    });
    expect(describe(fixture('arm64.dmesg')).printed.crashkernel).toEqual([
      expect.objectContaining({ start: 0xc0000000, end: 0xd0000000 }),
    ]);
    expect(describe(fixture('x86-user-pmem.dmesg')).printed.crashkernel).toEqual([
      expect.objectContaining({ start: 0x10000000, end: 0x14000000 }),
    ]);
    expect(codes(describeLines('Reserving 0MB of memory at 256MB for crashkernel'))).toEqual([
      'BAD_NUMBER',
    ]);
  });

  test('processors of all wordings', () => {
    expect(describe(fixture('x86-2n.dmesg')).cpus).toEqual({
      possible: 4,
      hotplug: 2,
      present: 2,
      cpuIds: 4,
      nodeIds: 2,
      nodesOnline: 2,
      online: 2,
    });
    expect(describe(fixture('x86-7.x.dmesg')).cpus).toEqual({
      present: 6,
      hotplug: 2,
      possible: 8,
    });
    expect(describe(fixture('x86-2.6.dmesg')).cpus).toMatchObject({
      possible: 8,
      present: 4,
      online: 4,
    });
  });
});

group('memblock', () => {
  test('operations, requests and growth in order, with callers', () => {
    const { operations } = describe(fixture('x86-2n.dmesg')).memblock;
    expect(operations.map(({ op }) => op)).toEqual([
      'add',
      'add',
      'add',
      'alloc',
      'reserve',
      'grow',
      'free',
    ]);
    expect(operations[3]).toMatchObject({
      kernelName: 'memblock_alloc_try_nid',
      size: 4096,
      align: 64,
      from: 0,
      maxAddr: 0,
      caller: 'setup_log_buf+0x10/0x20',
    });
    expect(operations[3]).not.toHaveProperty('nid');
    expect(operations[5]).toMatchObject({
      list: 'reserved',
      regions: 256,
      start: 0x13fffd000,
      end: 0x13fffe800,
    });
  });

  test('node and flags of an operation, where printed', () => {
    const { operations } = describeLines(
      'memblock_add_node: [0x0-0xfff] nid=2 flags=1 f+0x0/0x1',
      'memblock_reserve: [0x1000-0x1fff] flags 0x10 g+0x0/0x1',
      'memblock_remove: [0x0-0xffffffffffffffff] h',
      'memblock_alloc_try_nid_raw: 64 bytes align=0x40 nid=1 from=0x1000 max_addr=0xffffffffffffffff i',
    ).memblock;
    expect(operations).toEqual([
      { op: 'add', start: 0, end: 4096, nid: 2, flags: 1, caller: 'f+0x0/0x1', line: 3 },
      { op: 'reserve', start: 4096, end: 8192, flags: 16, caller: 'g+0x0/0x1', line: 4 },
      {
        op: 'alloc',
        kernelName: 'memblock_alloc_try_nid_raw',
        size: 64,
        align: 64,
        nid: 1,
        from: 4096,
        maxAddr: 0,
        caller: 'i',
        line: 6,
      },
    ]);
  });

  test('late frees, huge pages, and a bound that nothing lies above', () => {
    const { operations } = describeLines(
      'memblock_free_late: [0x0000000000001000-0x0000000000001fff] efi_free_boot_services+0x1/0x2',
      'memblock_alloc_hugetlb: 1073741824 bytes, nid=0, exact_nid=0 alloc_bootmem_huge_page+0x1/0x2',
      'memblock_alloc_hugetlb: 1073741824 bytes, nid=-1, exact_nid=0 alloc_bootmem_huge_page+0x1/0x2',
      'memblock_alloc_try_nid_raw: 4096 bytes align=0x1000 nid=0 from=0xfff1000040000000 max_addr=0x0000000000000001 x+0x1/0x2',
    ).memblock;
    expect(operations.map(({ op }) => op)).toEqual(['free-late', 'alloc', 'alloc', 'alloc']);
    expect(operations[1]).toMatchObject({ size: 2 ** 30, align: 2 ** 30, nid: 0, from: 0 });
    expect(operations[2]).not.toHaveProperty('nid');
    expect(operations[3]).toMatchObject({ from: Number.MAX_SAFE_INTEGER, maxAddr: 1 });
  });

  test('what the kernel asked for and did not get, in its words', () => {
    const lines = [
      "WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 256MB of RAM.",
      'cannot allocate crashkernel (size:0x100000000)',
      'crashkernel reservation failed - memory is in use.',
      'cma: Failed to reserve 1024 MiB',
      'HugeTLB: allocating 64 of page size 1.00 GiB failed.  Only allocated 14 hugepages.',
    ];
    const fine = [
      'cma: Reserved 64 MiB at 0x0000000076a00000',
      'HugeTLB: registered 1.00 GiB page size, pre-allocated 3 pages',
      'crashkernel reserved: 0x00000000af000000 - 0x00000000bf000000 (256 MB)',
    ];
    const { failures } = describeLines(...fine, ...lines).printed;
    expect(failures?.map(({ text }) => text)).toEqual([
      lines[0]!.slice('WARNING: BIOS bug: '.length),
      ...lines.slice(1),
    ]);
    expect(describeLines(...fine).printed).not.toHaveProperty('failures');
  });

  test('areas of contiguous memory, with their places where those are printed', () => {
    const { cma } = describeLines(
      'cma: Reserved 64 MiB at 0x0000000076a00000',
      'cma: Reserved 32 MiB at 0x00000000fe000000 on node -1',
      'cma: Reserved 2048 MiB in 1 range',
      'Reserved memory: created CMA memory pool at 0x0000000037400000, size 16 MiB',
    ).printed;
    expect(cma?.map(({ start, bytes }) => [start, bytes / 2 ** 20])).toEqual([
      [0x76a00000, 64],
      [0xfe000000, 32],
      [undefined, 2048],
      [0x37400000, 16],
    ]);
    expect(describeLines().printed).not.toHaveProperty('cma');
  });

  test('dumps are complete when every announced region is there', () => {
    const [dump] = describe(fixture('x86-2n.dmesg')).memblock.dumps;
    expect(dump).toMatchObject({
      memorySize: 0x9ff7ec00,
      reservedSize: 0x110000,
      counts: { memory: 3, reserved: 1 },
      complete: true,
    });
    expect(dump!.memory[1]).toMatchObject({ start: 0x100000, end: 0x5ffe0000, flags: 0 });
  });

  test('what is wrong with a dump is told: missing regions, wrong sizes, a lost header', () => {
    const lost = describeLines(' memory[0x0]\t[0x1000-0x1fff], 0x1000 bytes flags: 0x0');
    expect(codes(lost)).toEqual(['INCOMPLETE_DUMP']);
    const short = describeLines(
      'MEMBLOCK configuration:',
      ' memory.cnt  = 0x2',
      ' memory[0x1]\t[0x1000-0x1fff], 0x2000 bytes on node 1 flags: 0x1',
    );
    expect(codes(short)).toEqual(['INCOMPLETE_DUMP', 'CONTRADICTION', 'INCOMPLETE_DUMP']);
    expect(short.memblock.dumps[0]).toMatchObject({
      complete: false,
      memory: [{ nid: 1, flags: 1 }],
    });
  });

  test('the largest node number of a kernel means no node', () => {
    const { dumps } = describeLines(
      'MEMBLOCK configuration:',
      ' reserved[0x0]\t[0x1000-0x1fff], 0x1000 bytes on node 1024 flags: 0x0',
    ).memblock;
    expect(dumps[0]!.reserved[0]).not.toHaveProperty('nid');
  });
});

group('identity', () => {
  test.each([
    ['x86-2n.dmesg', 'x86_64', 4096],
    ['x86-2.6.dmesg', 'x86_64', 4096],
    ['arm64.dmesg', 'arm64', 65536],
    ['ppc64.dmesg', 'ppc64', 65536],
    ['riscv.dmesg', 'riscv64', undefined],
    ['i386.dmesg', 'i386', undefined],
  ])('%s is %s with pages of %s bytes', (name, architecture, pageSize) => {
    const description = describe(fixture(name));
    expect([description.architecture, description.pageSize]).toEqual([architecture, pageSize]);
  });

  test('release, its numbers, machine', () => {
    expect(describe(fixture('x86-2n.dmesg'))).toMatchObject({
      kernel: { release: '6.12.3-made-up', numbers: [6, 12, 3], line: 1 },
      machine: 'Made Up Computer M1/Board, BIOS 1.0 01/01/2025',
    });
    expect(describe(fixture('ppc64.dmesg')).machine).toMatch(/pSeries$/);
  });

  test('a command line wrapped over lines without prefix is joined, an empty one stays empty', () => {
    const options = [
      'BOOT_IMAGE=/boot/vmlinuz-6.1.0-generic-with-a-long-name-to-fill-a-line mem=1G',
      'root=UUID=00000000-0000-0000-0000-000000000000 ro console=ttyS0,115200 quiet',
      'memmap=16M$512M',
    ];
    const wrapped = describe(
      ['Linux version 6.1.0', 'Command line:', 'BIOS-e820: [mem 0x0-0x3fffffff] usable']
        .map((line) => `[    0.000000] ${line}`)
        .join('\n')
        .replace('Command line:', `Command line:\n${options.join('\n')}`),
    );
    expect(wrapped.commandLine?.text).toBe(options.join(' '));
    expect(wrapped.options).toMatchObject({ mem: 2 ** 30, memmap: [{ form: 'reserved' }] });
    expect(describe(fixture('riscv.dmesg')).commandLine?.text).toBe('');
  });
});

group('wrapped and broken records', () => {
  test('a record wrapped three times keeps the line it began on', () => {
    const description = describeLines(
      'BIOS-e820: [mem',
      '0x0000000040000000-0x000000004fffffff]',
      'ACPI',
      'next line',
    );
    expect(description.firmware.map).toHaveLength(1);
    const twice = describeLines(
      'BIOS-e820: [mem',
      '0x0000000040000000-0x000000004fffffff]',
      'ACPI data',
    );
    expect(twice.firmware.map[1]).toMatchObject({ kind: 'acpi-data', line: 3 });
  });

  test('a record whose tail never comes is reported', () => {
    const description = describeLines(
      'BIOS-e820: [mem 0x0000000040000000-',
      '[    0.000000] something else',
    );
    expect(description.problems).toEqual([
      expect.objectContaining({ code: 'MALFORMED_LINE', line: 3 }),
    ]);
    expect(codes(describeLines('ACPI: SRAT: Node 0 PXM 0 [mem 0x0-'))).toEqual(['MALFORMED_LINE']);
  });

  test.each([
    ['e820: update [mem 0x00000000-0x00000fff] usable ==>', 'reserved'],
    ['efi: Remove mem55:', 'MMIO range=[0x80000000-0x8fffffff] (256MB) from e820 map'],
    ['NODE_DATA(0) allocated', '[mem 0x3ffd5000-0x3fffffff]'],
    ['Faking a node at', '[mem 0x0000000000000000-0x000000003fffffff]'],
    ['Initmem setup node 0 [mem', '0x0000000000001000-0x000000003fffffff]'],
    ['On node 0, zone DMA: 1 pages in', 'unavailable ranges'],
    ['memblock_reserve:', '[0x0000000000001000-0x0000000000001fff] f+0x1/0x2'],
    ['CPU topo: Allowing 6 present CPUs', 'plus 2 hotplug CPUs'],
    ['ACPI: SRAT: Node 0 PXM 0', '[mem 0x00100000-0x3fffffff] hotplug'],
    ['  node   0: [mem', '0x0000000000100000-0x000000003fffffff]'],
  ])('"%s" and its tail are one record', (head, tail) => {
    const [whole, wrapped] = [describeLines(`${head} ${tail}`), describeLines(head, tail)];
    expect({ ...wrapped, source: 0, problems: [] }).toEqual({ ...whole, source: 0, problems: [] });
    expect(codes(wrapped)).toEqual(['WRAPPED_LINE']);
  });

  test.each([
    ['e820: update [mem 0x1000-0x1fff] usable ==> persistent (type 12)', 'usable', 'persistent'],
    ['x e820: update [mem 0x1000-0x1fff] persistent (type 7) ==> usable', 'persistent', 'usable'],
    [
      'e820 update range: 0000000000001000 - 0000000000002000 (persistent (type 7)) ==> (reserved)',
      'persistent',
      'reserved',
    ],
    ['e820 remove range: 0000000000001000 - 0000000000002000 (type 20)', 'other', undefined],
  ])('a kind with a number in an edit: %s', (line, from, to) => {
    const [edit] = describeLines(line).firmware.edits;
    expect([edit?.from, edit?.to]).toEqual([from, to]);
  });

  test('a line beyond the limit is cut and reported, and the next lines are read', () => {
    const description = describeLines('x'.repeat(10_000), 'Policy zone: Normal');
    expect(description.problems).toEqual([
      expect.objectContaining({ code: 'LINE_TOO_LONG', line: 3 }),
    ]);
    expect(description.printed.policyZone).toBeDefined();
  });

  test('of many problems of a kind the first are listed and the rest is summed up', () => {
    const bad = Array.from({ length: 50 }, () => 'BIOS-e820: [mem 0x2000-0x1000] usable');
    const { problems } = describeLines(...bad);
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toMatchObject({
      code: 'BAD_RANGE',
      line: 52,
      message: '30 more of this kind, the last on line 52',
    });
  });
});
