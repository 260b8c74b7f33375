/** Lines whose meaning depends on the kernel that printed them, and lines that other lines must be there for. */
import { parseDescription } from '@bootmem/firmware-map';
import { describe, expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import type { CheckReport } from '../dist/check.js';

function check(...lines: string[]): CheckReport {
  const result = parseDescription(`${lines.join('\n')}\n`, { name: 'test' });
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return checkMachine({ description: result.description, source: 'test', notes: [] });
}

function verdicts({ facts }: CheckReport, name: string): Record<string, string> {
  const ofKind = facts.filter(({ fact }) => fact === name);
  return Object.fromEntries(ofKind.map(({ subject, verdict }) => [subject, verdict]));
}

const mem = (start: number, end: number): string =>
  `[mem 0x${start.toString(16).padStart(16, '0')}-0x${(end - 1).toString(16).padStart(16, '0')}]`;

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe('the second number of the Memory: line', () => {
  // 1 GiB less what lies between 0x9f000 and 1 MiB, and the first page.
  const x86 = (release: string, memory: string): CheckReport =>
    check(
      `Linux version ${release} (a@b) (gcc version 4.7.2) #1 SMP`,
      'Command line: quiet',
      'e820: BIOS-provided physical RAM map:',
      `BIOS-e820: ${mem(0, 0x9_f000)} usable`,
      `BIOS-e820: ${mem(MIB, GIB)} usable`,
      'e820: last_pfn = 0x40000 max_arch_pfn = 0x400000000',
      'Zone ranges:',
      `  DMA      ${mem(0x1000, 16 * MIB)}`,
      `  DMA32    ${mem(16 * MIB, 4 * GIB)}`,
      '  Normal   empty',
      'Movable zone start for each node',
      'Early memory node ranges',
      `  node   0: ${mem(0x1000, 0x9_f000)}`,
      `  node   0: ${mem(MIB, GIB)}`,
      'On node 0 totalpages: 262046',
      'Kernel command line: quiet',
      memory,
    );
  const PARTS = '8192k kernel code, 40000k reserved, 4096k data, 1024k init)';
  const NEW_PARTS =
    '8192K kernel code, 1000K rwdata, 2000K rodata, 1024K init, 900K bss, 40000K reserved)';

  test.each([
    [
      '3.8.0',
      `Memory: 1000000k/1048576k available (392k absent, ${PARTS}`,
      'Memory: absent',
      'equal',
    ],
    [
      '3.8.0',
      `Memory: 1000000k/1048576k available (396k absent, ${PARTS}`,
      'Memory: absent',
      'differs',
    ],
    ['3.10.0', `Memory: 1000000k/1048576k available (${PARTS}`, 'Memory: total', 'equal'],
    ['3.10.0', `Memory: 1000000k/1048184k available (${PARTS}`, 'Memory: total', 'differs'],
    // Trees in development have the new line before their number says so.
    ['3.9.0-mm1', `Memory: 1000000K/1048184K available (${NEW_PARTS}`, 'Memory: total', 'equal'],
    ['3.9.0-mm1', `Memory: 1000000K/1048576K available (${NEW_PARTS}`, 'Memory: total', 'differs'],
    ['6.12.0', `Memory: 1000000K/1048184K available (${NEW_PARTS}`, 'Memory: total', 'equal'],
  ])('%s: %s', (release, line, fact, verdict) => {
    expect(verdicts(x86(release, line), fact)).toEqual({ machine: verdict });
  });

  test('other architectures count what is present, in old kernels too', () => {
    const mips = (total: number): CheckReport =>
      check(
        'Linux version 3.3.8 (a@b) (gcc version 4.6.4 (Linaro GCC 4.6-2012.12) ) #1',
        'CPU revision is: 00019650 (MIPS 24KEc)',
        'Zone PFN ranges:',
        '  Normal   0x00000000 -> 0x00020000',
        'Movable zone start PFN for each node',
        'Early memory PFN ranges',
        '    0: 0x00000000 -> 0x00010000',
        '    0: 0x00018000 -> 0x00020000',
        'Kernel command line: console=ttyS0',
        `Memory: 380000k/${total}k available (2558k kernel code, 4844k reserved, 576k data, 308k init)`,
      );
    expect(verdicts(mips(393_216), 'Memory: total')).toEqual({ machine: 'equal' });
    expect(verdicts(mips(524_288), 'Memory: total')).not.toEqual({ machine: 'equal' });
  });
});

describe('nodes that the log leaves out', () => {
  /** A sparc64 machine: ranges by node, then lines. */
  const nodes = (ranges: readonly (readonly [number, number])[], ...lines: string[]): CheckReport =>
    check(
      'Linux version 6.12.0 (a@b) (gcc 13.2.0) #1 SMP',
      'ARCH: SUN4V',
      'Kernel command line: quiet',
      'Zone ranges:',
      `  Normal   ${mem(0, ranges.length * GIB)}`,
      'Movable zone start for each node',
      'Early memory node ranges',
      ...ranges.map(([nid, at]) => `  node   ${nid}: ${mem(at * GIB, (at + 1) * GIB)}`),
      ...lines,
    );
  const setup = (nid: number, at?: number): string =>
    `Initmem setup node ${nid} ${at === undefined ? 'as memoryless' : mem(at * GIB, (at + 1) * GIB)}`;
  const order = (nid: number, ...nids: number[]): string =>
    `Fallback order for Node ${nid}: ${nids.join(' ')} `;

  test('where one node has memory, all nodes have one order', () => {
    const report = nodes(
      [[2, 0]],
      setup(0),
      setup(1),
      setup(2, 0),
      order(0, 2),
      order(1, 2),
      order(2, 2),
    );
    expect(verdicts(report, 'fallback order')).toEqual({
      'node 0': 'equal',
      'node 1': 'equal',
      'node 2': 'equal',
    });
  });

  test('where two of three have memory, distances decide', () => {
    const report = nodes(
      [
        [0, 0],
        [1, 1],
      ],
      setup(0, 0),
      setup(1, 1),
      setup(2),
      order(2, 1, 0),
    );
    expect(verdicts(report, 'fallback order')).toEqual({ 'node 2': 'not derivable' });
  });

  test('a node that no other line names has no order of ours', () => {
    const report = nodes([[0, 0]], setup(0, 0), order(0, 0), order(1, 0));
    expect(verdicts(report, 'fallback order')).toEqual({
      'node 0': 'equal',
      'node 1': 'not derivable',
    });
  });

  test('zonelists of nodes with numbers left out are not counted', () => {
    const list = (...ranges: [number, number][]): Record<string, string> =>
      verdicts(nodes(ranges, 'Built 2 zonelists, mobility grouping on.'), 'zonelists');
    expect(list([0, 0], [1, 1])).toEqual({ machine: 'equal' });
    expect(list([0, 0], [2, 1])).toEqual({ machine: 'not derivable' });
    expect(list([1, 0], [2, 1])).toEqual({ machine: 'not derivable' });
    expect(list([0, 0])).toEqual({ machine: 'differs' });
    const built = 'Built 2 zonelists, mobility grouping on.';
    const told = nodes(
      [
        [1, 0],
        [3, 1],
      ],
      setup(1, 0),
      setup(3, 1),
      built,
    );
    expect(verdicts(told, 'zonelists')).toEqual({ machine: 'equal' });
  });
});

describe('zones that the log does not size', () => {
  test('kernels before 2.6.21 count pages by zones that they do not print', () => {
    const report = check(
      'Linux version 2.6.12 (a@b) (gcc version 3.4.4) #2 SMP',
      'BIOS-provided physical RAM map:',
      ' BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)',
      ' BIOS-e820: 0000000000100000 - 0000000010000000 (usable)',
      '0MB HIGHMEM available.',
      '256MB LOWMEM available.',
      'On node 0 totalpages: 65536',
      '  DMA zone: 4096 pages, LIFO batch:1',
      '  Normal zone: 61440 pages, LIFO batch:31',
      'Kernel command line: quiet',
    );
    expect(verdicts(report, 'node total pages')).toEqual({ 'node 0': 'not derivable' });
    expect(verdicts(report, 'zone pages')).toEqual({
      'node 0 DMA': 'not derivable',
      'node 0 Normal': 'not derivable',
    });
  });

  const beyond = (total: number, zonesEnd = 256 * MIB): CheckReport =>
    check(
      'Linux version 5.10.0 (a@b) (mips-linux-gnu-gcc 10.2.1) #28',
      'MIPS: machine is a board',
      'Kernel command line: quiet',
      'Zone ranges:',
      `  Normal   ${mem(0, zonesEnd)}`,
      'Movable zone start for each node',
      'Early memory node ranges',
      `  node   0: ${mem(0, 64 * MIB)}`,
      `  node   0: ${mem(2 * GIB, 2 * GIB + 64 * MIB)}`,
      `On node 0 totalpages: ${total}`,
    );
  const reasonOf = ({ facts }: CheckReport): string | undefined =>
    facts.find(({ fact }) => fact === 'node total pages')?.reason;

  test('memory above the last zone is in none', () => {
    expect(reasonOf(beyond(16_384))).toMatch(/memory above the end of the last zone/);
    expect(reasonOf(beyond(16_383))).toMatch(/add up to 131072 KiB, its totals to 65532 KiB/);
  });

  test('where the direct segments of MIPS end, it is known to be in none', () => {
    const total = (pages: number): unknown =>
      verdicts(beyond(pages, 512 * MIB), 'node total pages');
    expect(total(16_384)).toEqual({ 'node 0': 'equal' });
    expect(total(16_383)).toEqual({ 'node 0': 'not derivable' });
    expect(total(32_768)).toEqual({ 'node 0': 'differs' });
  });
});

test('total pages of an architecture that does not show have descriptors of either size', () => {
  const report = (total: number): CheckReport =>
    check(
      'Linux version 3.3.8 (a@b) (gcc version 4.6.4) #1',
      'Zone PFN ranges:',
      '  Normal   0x00000000 -> 0x00008000',
      'Early memory PFN ranges',
      '    0: 0x00000000 -> 0x00008000',
      'Kernel command line: quiet',
      `Built 1 zonelists in Zone order, mobility grouping on.  Total pages: ${total}`,
    );
  expect(verdicts(report(32_512), 'Total pages')).toEqual({ machine: 'equal' });
  expect(verdicts(report(32_768 - 448), 'Total pages')).toEqual({ machine: 'equal' });
  expect(verdicts(report(32_510), 'Total pages')).toEqual({ machine: 'differs' });
});

describe('why a log cannot be used', () => {
  const reason = (...lines: string[]): string => {
    const result = parseDescription(lines.join('\n'));
    return result.ok ? 'usable' : result.problems.map(({ message }) => message).join('\n');
  };
  const TOTALS = ['Memory: 500000K/524288K available (8192K kernel code)'];

  test('zones are named and ranges are not: lines are lost', () => {
    const text = reason(
      'Linux version 4.4.0 (a@b) (arm-linux-gnueabi-gcc 5.0) #1',
      'Zone ranges:',
      `  Normal   ${mem(0, GIB)}`,
      ...TOTALS,
    );
    expect(text).toMatch(/names its zones, but the lines that say where memory is are not in it/);
  });

  test('kernels of before 5.8 print none on some architectures, later ones all do', () => {
    const banner = (release: string): string =>
      `Linux version ${release} (a@b) (arm-linux-gnueabi-gcc 5.0) #1`;
    expect(reason(banner('4.4.0'), ...TOTALS)).toMatch(/prints none on its architecture/);
    expect(reason(banner('5.7.0'), ...TOTALS)).toMatch(/prints none on its architecture/);
    expect(reason(banner('5.8.0'), ...TOTALS)).not.toMatch(/prints none/);
    expect(reason(banner('6.1.0'), ...TOTALS)).not.toMatch(/prints none/);
  });
});
