/** A line that got lost: what followed from it is not derivable, nothing gets another value. */
import { readFileSync } from 'node:fs';
import { parseDescription } from '@bootmem/firmware-map';
import { describe, expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import type { CheckReport } from '../dist/check.js';
import { SAMPLE_LOG } from '../dist/package-info.js';

const LINES = readFileSync(SAMPLE_LOG, 'utf8').split('\n');

function check(lines: readonly string[]): CheckReport | undefined {
  const read = parseDescription(`${lines.join('\n')}\n`, { name: 'test' });
  return read.ok
    ? checkMachine({ description: read.description, source: 'test', notes: [] })
    : undefined;
}

const differing = (lines: readonly string[]): string[] =>
  (check(lines)?.facts ?? [])
    .filter(({ verdict }) => verdict === 'differs')
    .map(({ fact, subject, kernel, ours }) => `${fact} of ${subject}: ${kernel}, ours ${ours}`);

const without = (pattern: RegExp): string[] => {
  const at = LINES.findIndex((line) => pattern.test(line));
  if (at < 0) throw new Error(`no line like ${String(pattern)}`);
  return LINES.toSpliced(at, 1);
};

test('any line of the sample may be lost', () => {
  expect(differing(LINES)).toEqual([]);
  // Lines are many and alike: some of them do for all.
  const places = LINES.flatMap((line, index) =>
    line !== '' && index % (line.includes('memblock') ? 31 : 3) === 0 ? [index] : [],
  );
  for (const index of places) {
    expect({ lost: LINES[index], differing: differing(LINES.toSpliced(index, 1)) }).toEqual({
      lost: LINES[index],
      differing: [],
    });
  }
});

describe('what is lost is named', () => {
  const reasons = (pattern: RegExp): string =>
    [...new Set(check(without(pattern))!.facts.flatMap(({ reason }) => reason ?? []))].join('\n');

  test.each([
    [/BIOS-e820: .*0x0000000100000000.* usable/, /in none of them/],
    [/SRAT: Node 1 PXM 1 \[mem 0x1/, /in no node's block/],
    [/node +0: \[mem 0x0000000000001000/, /no line takes it away/],
  ])('%p', (pattern, reason) => {
    expect(reasons(pattern)).toMatch(reason);
  });
});

test('a rule that is wrong is no lost line: what the log says twice is compared', () => {
  const changed = LINES.map((line) =>
    line.replace(
      /(Memory: \d+K\/)(\d+)K/,
      (_, head: string, total: string) => `${head}${Number(total) + 4}K`,
    ),
  );
  expect(differing(changed)).toEqual([expect.stringMatching(/^Memory: total/)]);
});

describe('a lost line hides no fact that it cannot decide', () => {
  const changed = (lines: readonly string[], pattern: RegExp, text: string): string[] => {
    expect(lines.some((line) => pattern.test(line))).toBe(true);
    return lines.map((line) => line.replace(pattern, text));
  };
  const total = /(Memory: \d+K\/)\d+K/;

  test('a line about nodes: totals and limits of the machine', () => {
    const lost = without(/SRAT: Node 1 PXM 1 \[mem 0x1/);
    expect(differing(changed(lost, total, '$14K'))).toEqual([
      expect.stringMatching(/^Memory: total/),
    ]);
    const lower = changed(lost, /(DMA32 +\[mem 0x0000000001000000)-0x\w+/, '$1-0x00000000efffffff');
    const both = changed(lower, /(Normal +\[mem) 0x\w+/, '$1 0x00000000f0000000');
    expect(differing(both)).toContainEqual(expect.stringMatching(/^zone range of DMA32/));
  });

  test('a line about ranges of zones: memory, nodes and their order', () => {
    const lost = without(/^\S* *\[[ .\d]+\] +DMA32 +\[mem /);
    expect(differing(changed(lost, total, '$14K'))).toEqual([
      expect.stringMatching(/^Memory: total/),
    ]);
    const order = changed(lost, /(Fallback order for Node 0: 0) 1/, '$1 9');
    expect(differing(order)).toEqual([expect.stringMatching(/^fallback order of node 0/)]);
  });

  test('a line of the map: dumps of memblock', () => {
    const lost = without(/BIOS-e820: .*0x0000000100000000.* usable/);
    const at = lost.findLastIndex((line) => line.includes('reserved[0x0]'));
    const dump = lost.with(at, lost[at]!.replace(/on node \d+/, 'on node 3'));
    expect(dump[at]).not.toBe(lost[at]);
    expect(differing(dump)).toEqual([expect.stringMatching(/^memblock dump/)]);
  });
});

describe('page numbers that end above all lines of the map', () => {
  const ACPI = '[    0.000000] BIOS-e820: [mem 0x0000000010000000-0x0000000010000fff] ACPI data';
  const log = (lastPfn: string, ...map: readonly string[]): string[] => [
    '[    0.000000] Linux version 6.13.0 (user@host) (gcc (GCC) 13.2.0) #1 SMP x86_64',
    '[    0.000000] Command line: ro',
    '[    0.000000] BIOS-e820: [mem 0x0000000000001000-0x000000000009ffff] usable',
    '[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x0000000007ffffff] usable',
    ...map,
    `[    0.000000] last_pfn = ${lastPfn} max_arch_pfn = 0x400000000`,
    '[    0.010000] Zone ranges:',
    '[    0.010000]   DMA      [mem 0x0000000000001000-0x0000000000ffffff]',
    '[    0.010000]   DMA32    [mem 0x0000000001000000-0x0000000010000fff]',
    '[    0.010000]   Normal   empty',
    '[    0.010000] Early memory node ranges',
    '[    0.010000]   node   0: [mem 0x0000000000001000-0x000000000009ffff]',
    '[    0.010000]   node   0: [mem 0x0000000000100000-0x0000000007ffffff]',
  ];
  const zone = (lines: readonly string[]): string[] =>
    (check(lines)?.facts ?? []).flatMap(({ fact, subject, verdict }) =>
      fact === 'zone range' && subject === 'DMA32' ? [verdict] : [],
    );

  test('a line of ACPI data is lost, and the zone that reaches to its end does not follow', () => {
    expect(zone(log('0x10001', ACPI))).toEqual(['equal']);
    expect(zone(log('0x10001'))).toEqual(['not derivable']);
  });

  test('a zone that is wrong where page numbers end as the map does still differs', () => {
    expect(zone(log('0x8000'))).toEqual(['differs']);
  });
});

describe('a kernel of 32 bits without high memory: what lies above its last zone is in no sum', () => {
  const ZONES = [
    'Zone ranges:',
    '  DMA      [mem 0x0000000000001000-0x0000000000ffffff]',
    '  Normal   [mem 0x0000000001000000-0x00000000373fdfff]',
  ];
  /** 2 GiB, of which pages up to 0x373fe000 are counted. */
  const log = (zones: readonly string[], totalKb = 904_816): string[] => [
    'Linux version 6.15.0 (user@host) (gcc (GCC) 13.2.0) #1 SMP',
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
    'BIOS-e820: [mem 0x0000000000100000-0x000000007ffdffff] usable',
    'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved',
    'last_pfn = 0x7ffe0 max_arch_pfn = 0x100000',
    '883MB LOWMEM available.',
    ...zones,
    'Early memory node ranges',
    '  node   0: [mem 0x0000000000001000-0x000000000009efff]',
    '  node   0: [mem 0x0000000000100000-0x000000007ffdffff]',
    'Kernel command line: quiet',
    `Memory: 725140K/${totalKb}K available (9912K kernel code, 173736K reserved)`,
  ];
  const total = (lines: readonly string[]): string[] =>
    check(lines)!
      .facts.filter(({ fact }) => fact === 'Memory: total')
      .map(({ verdict, reason = '' }) => `${verdict}: ${reason}`);

  test('where the last zone ends is lost: how much is counted does not follow', () => {
    expect(total(log(ZONES))).toEqual([expect.stringMatching(/without high memory/)]);
    for (const left of [ZONES.slice(0, 2), []]) {
      expect(total(log(left))).toEqual([expect.stringMatching(/^not derivable: .*of its zones/)]);
    }
  });

  test('more than there is, or a line of high memory: no lost line of the zones explains it', () => {
    expect(total(log(ZONES.slice(0, 2), 2 ** 22))).toEqual([expect.stringMatching(/^differs/)]);
    const high = [...ZONES.slice(0, 2), '  HighMem  [mem 0x00000000373fe000-0x000000007ffdffff]'];
    expect(total(log(high))).toEqual([expect.stringMatching(/^differs/)]);
  });
});

test('a line about descriptors of a zone: how many pages zonelists were built with does not follow', () => {
  const total = (...zones: string[]): (string | undefined)[] =>
    check([
      'Linux version 3.3.8 (a@b) (gcc version 4.6.4) #1',
      'Zone PFN ranges:',
      '  DMA      0x00000000 -> 0x00001000',
      '  Normal   0x00001000 -> 0x0002f000',
      'Early memory PFN ranges',
      '    0: 0x00000000 -> 0x0002f000',
      'On node 0 totalpages: 192512',
      ...zones,
      'Kernel command line: quiet',
      'Built 1 zonelists in Zone order, mobility grouping on.  Total pages: 190000',
      'Booting Linux on physical CPU 0',
    ])!
      .facts.filter(({ fact }) => fact === 'Total pages')
      .map(({ verdict, reason }) => reason ?? verdict);
  const dma = ['  DMA zone: 32 pages used for memmap', '  DMA zone: 0 pages reserved'];
  const pages = ['  DMA zone: 4064 pages, LIFO batch:0'];
  const normal = ['  Normal zone: 186944 pages, LIFO batch:31'];
  expect(total(...dma, ...pages, '  Normal zone: 1472 pages used for memmap', ...normal)).toEqual([
    'differs',
  ]);
  expect(total(...dma, ...pages, ...normal)).toEqual([expect.stringMatching(/do not add up/)]);
});
