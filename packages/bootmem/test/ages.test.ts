/** Logs of other ages and architectures, cut to what matters; each line as such kernels print it. */
import { parseDescription } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import type { CheckReport } from '../dist/check.js';
import { bootMemory } from '../dist/index.js';

function read(...lines: string[]): MachineDescription {
  const result = parseDescription(lines.join('\n') + '\n', { name: 'test' });
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return result.description;
}

function check(...lines: string[]): CheckReport {
  return checkMachine({ description: read(...lines), source: 'test', notes: [] });
}

/** `fact of subject` → verdict. */
function verdicts(report: CheckReport): Record<string, string> {
  return Object.fromEntries(
    report.facts.map((fact) => [`${fact.fact} of ${fact.subject}`, fact.verdict]),
  );
}

const E820 = [
  'BIOS-provided physical RAM map:',
  ' BIOS-e820: 0000000000000000 - 000000000009f000 (usable)',
  ' BIOS-e820: 0000000000100000 - 0000000040000000 (usable)',
];

test('3.2: the node begins at 0, DMA32 ends at 4 GiB, Memory: counts up to the last page', () => {
  const report = check(
    'Linux version 3.2.0-4-amd64 (x) #1 SMP',
    ...E820,
    'e820 update range: 0000000000000000 - 0000000000010000 (usable) ==> (reserved)',
    'e820 remove range: 00000000000a0000 - 0000000000100000 (usable)',
    'Zone PFN ranges:',
    '  DMA      0x00000010 -> 0x00001000',
    '  DMA32    0x00001000 -> 0x00100000',
    '  Normal   empty',
    'Movable zone start PFN for each node',
    'early_node_map[2] active PFN ranges',
    '    0: 0x00000010 -> 0x0000009f',
    '    0: 0x00000100 -> 0x00040000',
    'Initmem setup node 0 0000000000000000-0000000040000000',
    'On node 0 totalpages: 262031',
    '  DMA zone: 56 pages used for memmap',
    '  DMA zone: 5 pages reserved',
    '  DMA zone: 3922 pages, LIFO batch:0',
    '  DMA32 zone: 3528 pages used for memmap',
    '  DMA32 zone: 254520 pages, LIFO batch:31',
    'Memory: 1020000k/1048576k available (3418k kernel code, 452k absent, 28124k reserved, 3121k data, 576k init)',
  );
  expect(report.facts.filter((fact) => fact.verdict === 'differs')).toEqual([]);
  expect(verdicts(report)).toMatchObject({
    'zone range of DMA32': 'equal',
    'node extent of node 0': 'equal',
    'Memory: total of machine': 'equal',
    'Memory: absent of machine': 'equal',
    'node total pages of node 0': 'equal',
    'zone pages of node 0 DMA': 'equal',
  });
});

const ARM64 = [
  'Booting Linux on physical CPU 0x0000000000 [0x410fd034]',
  'Linux version 6.12.0-arm64 (x) #1 SMP',
  'Kernel command line: quiet',
  'Zone ranges:',
  '  DMA      [mem 0x0000000080000000-0x00000000bfffffff]',
  '  DMA32    [mem 0x00000000c0000000-0x00000000ffffffff]',
  '  Normal   [mem 0x0000000100000000-0x000000017fffffff]',
  'Movable zone start for each node',
  'Early memory node ranges',
  '  node   0: [mem 0x0000000080000000-0x000000017fffffff]',
  'Initmem setup node 0 [mem 0x0000000080000000-0x000000017fffffff]',
  'Memory: 3900000K/4194304K available (1K kernel code)',
];

test('arm64 without a map: memory comes from the early ranges, which are then no fact; boundaries neither', async () => {
  const report = check(...ARM64);
  expect(verdicts(report)).toMatchObject({
    'early node range of node 0': 'not derivable',
    'zone range of DMA': 'not derivable',
    'zone range of DMA32': 'equal',
    'zone range of Normal': 'equal',
    'node extent of node 0': 'equal',
    'Memory: total of machine': 'equal',
    'deferred nodes of machine': 'not derivable',
  });
  const machine = await bootMemory(read(...ARM64), { threads: 1 });
  const zones = machine.report().zones.map((zone) => [zone.name, zone.presentPages]);
  await machine.close();
  expect(zones).toEqual([
    ['DMA', 262144],
    ['DMA32', 262144],
    ['Normal', 524288],
  ]);
});

test('arm64 that prints no zones has one zone, and says that boundaries are unknown', async () => {
  const description = read(...ARM64.filter((line) => !/Zone ranges|DMA|Normal /.test(line)));
  const machine = await bootMemory(description, { threads: 1 });
  expect(machine.plan.limits.guessed).toMatch(/not printed/);
  expect(machine.report().zones.map((zone) => zone.name)).toEqual(['Normal']);
  await machine.close();
});

test('a deferred line must be there for exactly the nodes that are deferred', () => {
  const equal = check(...ARM64, 'node 0 deferred pages initialised in 12ms');
  expect(verdicts(equal)['deferred nodes of machine']).toBe('equal');
  const wrong = check(...ARM64, 'node 1 deferred pages initialised in 12ms');
  expect(verdicts(wrong)['deferred nodes of machine']).toBe('differs');
});

test('i386 without high memory: what lies above lowmem is not derivable', () => {
  const report = check(
    'Linux version 6.15.0 (x) #1',
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable',
    'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable',
    '896MB LOWMEM available.',
    'Zone ranges:',
    '  DMA      [mem 0x0000000000001000-0x0000000000ffffff]',
    '  Normal   [mem 0x0000000001000000-0x00000000373fdfff]',
    'Early memory node ranges',
    '  node   0: [mem 0x0000000000001000-0x000000000009efff]',
    'On node 0, zone DMA: 1 pages in unavailable ranges',
    'Memory: 890000K/904816K available (1K kernel code)',
  );
  if (report.rejected !== undefined) throw new Error(report.rejected);
  const found = verdicts(report);
  expect(found['unavailable pages of node 0 DMA']).toBe('not derivable');
  expect(found['zone range of DMA']).toBe('equal');
  expect(found['zone range of Normal']).toBe('not derivable');
});

test('a hole whose line is lost is not derivable', () => {
  const lines = [
    'Linux version 5.14.0 (x) #1 SMP',
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009efff] usable',
    'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
    'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved',
    'e820: remove [mem 0x000a0000-0x000fffff] usable',
    'On node 0, zone DMA: 1 pages in unavailable ranges',
  ];
  const dma = 'unavailable pages of node 0 DMA';
  expect(verdicts(check(...lines))).toEqual({ [dma]: 'not derivable' });
  const more = 'On node 0, zone DMA: 97 pages in unavailable ranges';
  expect(verdicts(check(...lines, more))).toEqual({ [dma]: 'equal' });
});

test('which kernels defer nothing: those before 4.2, and those of 32 bits', () => {
  const verdict = (version: string, end: string, ...more: string[]): string =>
    verdicts(
      check(
        `Linux version ${version} (x) #1 SMP`,
        'Command line: quiet',
        ...more,
        'BIOS-e820: [mem 0x0000000000001000-0x000000000009efff] usable',
        `BIOS-e820: [mem 0x0000000000100000-${end}] usable`,
        'Built 1 zonelists, mobility grouping on.  Total pages: 1',
      ),
    )['deferred nodes of machine']!;
  expect(verdict('3.13.0', '0x00000000bfffffff')).toBe('equal');
  expect(verdict('4.18.0', '0x00000000bfffffff')).toBe('not derivable');
  // Up to 4.16 the last zone gets 2 GiB first.
  expect(verdict('4.15.0', '0x000000007fffffff')).toBe('equal');
  expect(verdict('4.15.0', '0x00000000bfffffff')).toBe('not derivable');
  expect(verdict('3.10.0-957.el7.x86_64', '0x00000000bfffffff')).toBe('not derivable');
  expect(verdict('6.7.0', '0x0000000037ffffff', '896MB LOWMEM available.')).toBe('equal');
});

const FOUR_NODES = [
  'Linux version 6.4.0 (x) #1 SMP',
  'BIOS-e820: [mem 0x0000000000001000-0x000000000009efff] usable',
  'BIOS-e820: [mem 0x0000000000100000-0x00000000ffffffff] usable',
  ...[0, 1, 2, 3].map((nid) => {
    const start = nid * 2 ** 30;
    return `ACPI: SRAT: Node ${nid} PXM ${nid} [mem 0x${start.toString(16).padStart(8, '0')}-0x${(start + 2 ** 30 - 1).toString(16).padStart(8, '0')}]`;
  }),
];

test('the order of more than two nodes needs distances: with a SLIT it is not derivable, without one it is', () => {
  const line = 'Fallback order for Node 0: 0 1 2 3';
  const slit = check(
    ...FOUR_NODES,
    'ACPI: Reserving SLIT table memory at [mem 0xbffe1bbc-0xbffe1bef]',
    line,
  );
  expect(verdicts(slit)['fallback order of node 0']).toBe('not derivable');
  const plain = check(
    ...FOUR_NODES,
    'ACPI: Reserving SRAT table memory at [mem 0xbffe1bbc-0xbffe1bef]',
    line,
  );
  expect(verdicts(plain)['fallback order of node 0']).toBe('equal');
});

test('memoryless nodes: a list for each that has processors; unknown without their lines', () => {
  const lines = [
    ...FOUR_NODES,
    'Command line: quiet',
    'Zone ranges:',
    '  DMA      [mem 0x0000000000001000-0x0000000000ffffff]',
    '  DMA32    [mem 0x0000000001000000-0x00000000ffffffff]',
    'Initmem setup node 4 as memoryless',
  ];
  const built = (count: number): string =>
    `Built ${count} zonelists, mobility grouping on.  Total pages: 1000000`;
  expect(verdicts(check(...lines, built(5)))['zonelists of machine']).toBe('not derivable');
  const cpus = [0, 1, 2, 3, 4].map((nid) => `SRAT: PXM ${nid} -> APIC 0x0${nid} -> Node ${nid}`);
  expect(verdicts(check(...lines, ...cpus, built(5)))['zonelists of machine']).toBe('equal');
  expect(verdicts(check(...lines, ...cpus.slice(0, 4), built(4)))['zonelists of machine']).toBe(
    'equal',
  );
  expect(verdicts(check(...lines, ...cpus, built(4)))['zonelists of machine']).toBe('differs');
});

test('before 6.6 a memoryless node came first in its own list', () => {
  const lines = [
    ...FOUR_NODES,
    'ACPI: Reserving SRAT table memory at [mem 0xbffe1bbc-0xbffe1bef]',
    'Initmem setup node 4 as memoryless',
  ];
  const old = check(...lines, 'Fallback order for Node 4: 4 0 1 2 3');
  expect(verdicts(old)['fallback order of node 4']).toBe('equal');
  const now = check(
    ...lines.map((line) => line.replace('6.4.0', '6.8.0')),
    'Fallback order for Node 4: 0 1 2 3',
  );
  expect(verdicts(now)['fallback order of node 4']).toBe('equal');
});

test('kernelcore= and movablecore= make Movable zones; without the command line they are not derivable', async () => {
  const zones = async (option: string): Promise<string[]> => {
    const machine = await bootMemory(read(...FOUR_NODES, `Command line: ${option}`), {
      threads: 1,
    });
    const names = machine.report().zones.map((zone) => `${zone.nid} ${zone.name}`);
    await machine.close();
    return names;
  };
  expect(await zones('quiet')).toEqual(['0 DMA', '0 DMA32', '1 DMA32', '2 DMA32', '3 DMA32']);
  expect(await zones('movablecore=25%')).toContain('3 Movable');
  expect(await zones('kernelcore=2G')).toContain('3 Movable');
  expect(await zones('kernelcore=mirror')).not.toContain('3 Movable');
  const printed = [
    'Zone ranges:',
    '  DMA32    [mem 0x0000000001000000-0x00000000ffffffff]',
    'Movable zone start for each node',
    '  Node 1: 0x0000000060000000',
  ];
  const report = check(...FOUR_NODES, ...printed);
  expect(verdicts(report)['movable start of node 1']).toBe('not derivable');
  const whole = printed.map((line) =>
    line.replace(
      'DMA32    [mem 0x0000000001000000',
      'DMA      [mem 0x0000000000001000-0x0000000000ffffff]\n  DMA32    [mem 0x0000000001000000',
    ),
  );
  const known = check(...FOUR_NODES, 'Command line: quiet', ...whole);
  expect(verdicts(known)['movable start of node 1']).toBe('differs');
});

test('movable_node: a node that can be unplugged becomes Movable, unless the initrd lies in it', async () => {
  const hot = FOUR_NODES.map((line) => (line.includes('Node 3 PXM') ? `${line} hotplug` : line));
  const names = async (...more: string[]): Promise<string[]> => {
    const machine = await bootMemory(read(...hot, 'Command line: movable_node', ...more), {
      threads: 1,
    });
    const found = machine.report().zones.map((zone) => `${zone.nid} ${zone.name}`);
    await machine.close();
    return found;
  };
  expect(await names()).toContain('3 Movable');
  expect(await names('RAMDISK: [mem 0xf0000000-0xf0ffffff]')).not.toContain('3 Movable');
});

test('what the log names is reserved: initrd, crash kernel, ACPI tables, node data', async () => {
  const machine = await bootMemory(
    read(
      ...FOUR_NODES,
      'RAMDISK: [mem 0x30000000-0x30ffffff]',
      'crashkernel reserved: 0x0000000050000000 - 0x0000000058000000 (128 MB)',
      'ACPI: Reserving SRAT table memory at [mem 0x3ffe1bbc-0x3ffe1bef]',
      'NODE_DATA(2) allocated [mem 0xbffd5000-0xbfffffff]',
      'Memory: 4000000K/4193912K available (14336K kernel code, 2000K rwdata, 9000K rodata, 2700K init, 5000K bss)',
    ),
    { threads: 1 },
  );
  const { memblock } = machine;
  for (const address of [0, 0x30000000, 0x57ffffff, 0x3ffe1bc0, 0xbffd5000, 0x1000000]) {
    expect({ address, reserved: memblock.isReserved(address) }).toEqual({
      address,
      reserved: true,
    });
  }
  expect(memblock.isReserved(0x58000000)).toBe(false);
  expect(machine.report().notes.join()).toMatch(/assumed/);
  await machine.close();
});

test('a log that says nothing but its total is compared by its total', () => {
  const report = check(
    'BIOS-e820: [mem 0x0000000000001000-0x000000000009efff] usable',
    'BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable',
    'Memory: 1000000K/1048184K available (1K kernel code)',
  );
  expect(verdicts(report)['Memory: total of machine']).toBe('equal');
});
