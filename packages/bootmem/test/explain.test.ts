/** Where memory went: two machines worked out by hand, and recorded boots. */
import { parseDescription } from '@bootmem/firmware-map';
import { describe, expect, test } from '@jest/globals';
import { explainMachine } from '../dist/explain/explain-machine.js';
import type { ExplainOptions } from '../dist/explain/explain-machine.js';
import type { ExplainReport } from '../dist/explain-result.js';
import { freeAtHandover } from '../dist/check.js';
import { handover } from '../dist/accounts/handover.js';
import { bootMemory, loadMachine } from '../dist/index.js';
import { planLayout } from '../dist/plan/layout-plan.js';
import { firstFault, kibOf } from './helpers/accounts.js';
import { FIXTURES, run } from './helpers/run.js';

const GIB = 2 ** 30;

function explain(lines: readonly string[], options: ExplainOptions = {}): ExplainReport {
  const texts = new Map<number, string>();
  const read = parseDescription(lines.join('\n'), {
    name: 'test',
    onRecord: (line, text) => void texts.set(line, text),
  });
  if (!read.ok) throw new Error(read.problems[0]?.message);
  const { description } = read;
  const report = explainMachine({ description, source: 'test', notes: [], lines: texts }, options);
  expect(firstFault(report)).toBeUndefined();
  return report;
}

/**
 * A desktop with 4 GiB. Its firmware hides 40.4 MiB below 0xe0000000, 32 of them for graphics; memory above 4 GiB ends
 * 64 MiB early, and no entry says who has those.
 *
 * present   632 (0x1000-0x9efff) + 3627624 (0x100000-0xdd799fff) + 458752 (448 MiB above 4 GiB) = 4087008 KiB
 * sections  28 below 0xe0000000, 4 above 4 GiB: 32 × 2 MiB of descriptors
 */
const DESKTOP = [
  'Linux version 6.1.0 (user@host) #1 SMP',
  'Command line: quiet',
  'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
  'BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved',
  'BIOS-e820: [mem 0x00000000000f0000-0x00000000000fffff] reserved',
  'BIOS-e820: [mem 0x0000000000100000-0x00000000dd799fff] usable',
  'BIOS-e820: [mem 0x00000000dd79a000-0x00000000dfffffff] reserved',
  'BIOS-e820: [mem 0x00000000fed00000-0x00000000fed003ff] reserved',
  'BIOS-e820: [mem 0x0000000100000000-0x000000011bffffff] usable',
  'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved',
  'e820: remove [mem 0x000a0000-0x000fffff] usable',
  'last_pfn = 0x11c000 max_arch_pfn = 0x400000000',
  'last_pfn = 0xdd79a max_arch_pfn = 0x400000000',
  'RAMDISK: [mem 0x36000000-0x36c1bfff]',
  'Reserving Intel graphics memory at [mem 0xde000000-0xdfffffff]',
  'setup_percpu: NR_CPUS:64 nr_cpumask_bits:64 nr_cpu_ids:8 nr_node_ids:1',
  'percpu: Embedded 64 pages/cpu s225280 r8192 d28672 u262144',
  'Dentry cache hash table entries: 524288 (order: 10, 4194304 bytes, linear)',
  'Inode-cache hash table entries: 262144 (order: 9, 2097152 bytes, linear)',
  'Memory: 3912636K/4087008K available (10240K kernel code, 1300K rwdata, 2500K rodata, 1088K init, 784K bss, 174372K reserved, 0K cma-reserved)',
  'Freeing SMP alternatives memory: 32K',
  'Mount-cache hash table entries: 8192 (order: 4, 65536 bytes, linear)',
  'software IO TLB: mapped [mem 0x00000000d5000000-0x00000000d9000000] (64MB)',
  'Freeing initrd memory: 12400K',
  'Freeing unused kernel image (initmem) memory: 1088K',
  'Freeing unused kernel image (text/rodata gap) memory: 2032K',
  'Freeing unused kernel image (rodata/data gap) memory: 1596K',
];

/**
 * A board with 8 GiB: 2 GiB at 0x80000000, a hole of 2 GiB, 6 GiB from 0x180000000 on. The hole has descriptors, as
 * the line about unavailable pages tells: 64 bytes × 2621440 pages of a span of 10 GiB.
 */
const BOARD = [
  'Linux version 6.6.0 (user@host) (riscv64-linux-gnu-gcc 13.2.0) #1 SMP',
  'OF: reserved mem: 0x00000000fc000000..0x00000000fcffffff (16384 KiB) map non-reusable framebuffer@fc000000',
  'OF: reserved mem: 0x0000000080000000..0x00000000804bffff (4864 KiB) nomap non-reusable mmode_resv0@80000000',
  'Reserved memory: created CMA memory pool at 0x00000000e0000000, size 384 MiB',
  'Zone ranges:',
  '  DMA32    [mem 0x0000000080000000-0x00000000ffffffff]',
  '  Normal   [mem 0x0000000100000000-0x00000002ffffffff]',
  'Movable zone start for each node',
  'Early memory node ranges',
  '  node   0: [mem 0x0000000080000000-0x00000000ffffffff]',
  '  node   0: [mem 0x0000000180000000-0x00000002ffffffff]',
  'Initmem setup node 0 [mem 0x0000000080000000-0x00000002ffffffff]',
  'On node 0, zone Normal: 524288 pages in unavailable ranges',
  'SBI HSM extension detected',
  'percpu: Embedded 29 pages/cpu s79872 r8192 d30720 u118784',
  'SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=8, Nodes=1',
  'Dentry cache hash table entries: 1048576 (order: 11, 8388608 bytes, linear)',
  'Inode-cache hash table entries: 524288 (order: 10, 4194304 bytes, linear)',
  'software IO TLB: mapped [mem 0x00000000d0000000-0x00000000d8000000] (128MB)',
  'Memory: 7608956K/8388608K available (17000K kernel code, 6000K rwdata, 8000K rodata, 2085K init, 500K bss, 386436K reserved, 393216K cma-reserved)',
  'Freeing initrd memory: 20008K',
  'Freeing unused kernel image (initmem) memory: 2080K',
];

describe('a desktop with 4 GiB, by hand', () => {
  const report = explain(DESKTOP, { installed: 4 * GIB });

  test('the firmware keeps 104.7 MiB, 64 of which no entry names', () => {
    expect(kibOf(report, 'firmware')).toEqual({
      whole: 4194304,
      'firmware-graphics': 32768,
      'firmware-chipset': 8600,
      'firmware-legacy': 384,
      'firmware-small': 1,
      rest: 65536,
      left: 4087015,
    });
  });

  test('the kernel leaves the first page, and pages that are not whole', () => {
    expect(kibOf(report, 'trimmed')).toEqual({
      whole: 4087015,
      'trim-low': 4,
      'trim-page': 3,
      rest: 0,
      left: 4087008,
    });
  });

  test('of 174372K reserved, 171836K are named and 32K are code that one processor does not need', () => {
    expect(kibOf(report, 'reserved')).toEqual({
      whole: 4087008,
      image: 15912,
      'image-gaps': 3628,
      'image-alternatives': 32,
      descriptors: 65536,
      'bounce-buffer': 65536,
      initrd: 12400,
      'per-cpu': 2048,
      'hash-tables': 6144,
      'low-memory': 632,
      rest: 2504,
      left: 3912636,
    });
  });

  test('given back later: the initrd, unused parts of the image', () => {
    expect(kibOf(report, 'total')).toEqual({
      whole: 3912636 + 12400 + 1088 + 2032 + 1596 + 32,
      'handed-over': 3912636,
      'back-initrd': 12400,
      'back-image': 1088 + 2032 + 1596 + 32,
      rest: 0,
    });
  });

  test('rows quote their lines, and rules show their inputs', () => {
    const rows = report.levels.flatMap((level) => level.rows);
    const evidence = (id: string): unknown => rows.find((row) => row.id === id)?.evidence;
    expect(evidence('bounce-buffer')).toEqual([{ line: 23, text: DESKTOP[22] }]);
    expect(evidence('descriptors')).toEqual([
      {
        text: 'SPARSEMEM: 64 bytes × 1048576 pages in 32 sections of 128 MiB with memory',
      },
    ]);
    expect(evidence('firmware-graphics')).toEqual([{ line: 15, text: DESKTOP[14] }]);
  });

  test('without --installed no amount of modules fits, so installed memory is not guessed', () => {
    const level = explain(DESKTOP).levels[0]!;
    expect(level.whole.label).not.toContain('installed');
    expect(level.rest.bytes).toBe(0);
  });
});

test('a board with 8 GiB, by hand: FLATMEM shows in the sum', () => {
  const report = explain(BOARD);
  expect(report.levels.map(({ id }) => id)).toEqual(['reserved', 'total']);
  expect(kibOf(report, 'reserved')).toEqual({
    whole: 8388608,
    image: 33585,
    descriptors: 163840,
    'bounce-buffer': 131072,
    initrd: 20008,
    'hash-tables': 12288,
    'per-cpu': 928,
    'device-tree': 16384,
    'no-map': 4864,
    cma: 393216,
    rest: 3467,
    left: 7608956,
  });
  expect(kibOf(report, 'total')).toEqual({
    whole: 7608956 + 393216 + 20008 + 2080,
    'handed-over': 7608956,
    'back-cma': 393216,
    'back-initrd': 20008,
    'back-image': 2080,
    rest: 0,
  });
});

test('a recorded boot with memblock=debug: every byte has the line that reserved it', async () => {
  const report = explainMachine(await loadMachine(`${FIXTURES}k61-1n-128m`));
  expect(firstFault(report)).toBeUndefined();
  const level = report.levels.find(({ id }) => id === 'reserved')!;
  expect(level.rest.bytes).toBe(0);
  expect(level.rows.filter((row) => row.cut !== undefined)).toEqual([]);
  const log = level.rows.find(({ id }) => id === 'log-buffer')!;
  expect(log.evidence[0]?.text).toContain('setup_log_buf');
});

test('installed memory follows from the map where only one amount fits', () => {
  const lines = DESKTOP.map((line) =>
    line.replace('0x000000011bffffff] usable', '0x000000011fffffff] usable'),
  );
  const level = explain(lines).levels[0]!;
  expect(level.whole).toMatchObject({ label: 'installed memory', bytes: 4 * GIB });
  expect(level.whole.evidence[0]?.text).toContain('the only multiple of 4096 MiB');
});

test('explain A B pairs rows, whichever boot has them', async () => {
  const { code, out } = await run(['explain', `${FIXTURES}k61-1n-128m`, `${FIXTURES}k61-4n-odd`]);
  expect(code).toBe(0);
  expect(out).toMatch(/^ {2}page descriptors +2\.\d+ MiB +[\d.]+ MiB +\+[\d.]+ MiB$/m);
  const three = await run(['explain', 'a', 'b', 'c']);
  expect(three.code).toBe(2);
});

test('--markdown is a table that a bug report can hold', async () => {
  const { out } = await run(['explain', '--markdown', `${FIXTURES}k61-1n-128m`]);
  expect(out).toContain('| | size | share | evidence |');
  for (const line of out.split('\n').filter((text) => text.startsWith('|'))) {
    expect(line.replaceAll('\\|', '').split('|')).toHaveLength(6);
  }
});

describe('a boot makes free what the kernel called available', () => {
  test('without memblock=debug: lines place what they can, the rest goes to the top', async () => {
    const read = parseDescription(DESKTOP.join('\n'));
    if (!read.ok) throw new Error('not read');
    const input = { description: read.description, source: 'test', notes: [] };
    // 3912636K, less what the borders of reservations cut off their pages.
    expect(freeAtHandover(input) / 1024).toBe(3912636);
    await using machine = await bootMemory(read.description, { threads: 1 });
    const pages = machine.report().zones.reduce((sum, zone) => sum + zone.freePages, 0);
    expect(pages * 4).toBe(3912636);
    expect(machine.report().notes.join()).toMatch(/is assumed/);
  });

  test('the initrd, the crash kernel and the image stay where their lines put them', () => {
    const read = parseDescription(DESKTOP.join('\n'));
    if (!read.ok) throw new Error('not read');
    const { memblock } = handover(planLayout(read.description));
    for (const address of [0x36000000, 0x36c1bfff, 0x1000000, 0xd5000000]) {
      expect(memblock.isReserved(address)).toBe(true);
    }
    expect(memblock.isReserved(0x37000000)).toBe(false);
  });

  test('a log that lost operations of memblock is completed by the kernel’s figure', async () => {
    const input = await loadMachine(`${FIXTURES}k61-4n-odd`);
    const { memblock } = input.description;
    const half = memblock.operations.filter(({ line }) => line % 2 === 0);
    const cut = {
      ...input,
      description: { ...input.description, memblock: { ...memblock, operations: half } },
    };
    const whole = freeAtHandover(input);
    expect(Math.abs(freeAtHandover(cut) / whole - 1)).toBeLessThan(0.01);
  });

  test('without a Memory: line lines and rules are all there is', () => {
    const lines = DESKTOP.filter((line) => !line.startsWith('Memory:'));
    const read = parseDescription(lines.join('\n'));
    if (!read.ok) throw new Error('not read');
    const input = { description: read.description, source: 'test', notes: [] };
    const free = freeAtHandover(input) / 1024;
    // The image is taken for 32 MiB, gaps and small things are not known.
    expect(free).toBeGreaterThan(3912636 - 16384);
    expect(free).toBeLessThan(3912636 + 16384);
  });
});
