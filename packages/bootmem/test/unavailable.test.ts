/** Pages of holes that have descriptors: the form of a line says what it counts, the release does not. */
import { parseDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';

/** `subject: kernel → ours verdict` of each such fact. */
function facts(...lines: string[]): Record<string, string> {
  const result = parseDescription(`${lines.join('\n')}\n`, { name: 'test' });
  if (!result.ok) throw new Error(result.problems[0]?.message);
  const report = checkMachine({ description: result.description, source: 'test', notes: [] });
  expect(report.rejected).toBeUndefined();
  const own = report.facts.filter(({ fact }) => fact === 'unavailable pages');
  return Object.fromEntries(own.map(({ subject, verdict }, at) => [`${at} ${subject}`, verdict]));
}

const line = (start: number, end: number): string =>
  `[mem 0x${start.toString(16).padStart(16, '0')}-0x${(end - 1).toString(16).padStart(16, '0')}]`;

/** Holes of 1 and 97 pages below 1 MiB, and half a section behind the last page: 16384. */
const END = 2 ** 30 + 2 ** 26;
const x86 = (version: string, ...printed: string[]): string[] => [
  `Linux version ${version} (x) #1 SMP`,
  'Command line: quiet',
  `BIOS-e820: ${line(0, 0x9f000)} usable`,
  `BIOS-e820: ${line(0x100000, END)} usable`,
  'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved',
  'e820: remove [mem 0x000a0000-0x000fffff] usable',
  'Zone ranges:',
  `  DMA      ${line(0x1000, 2 ** 24)}`,
  `  DMA32    ${line(2 ** 24, END)}`,
  '  Normal   empty',
  ...printed,
];

test('one line for the machine: all holes, and from 5.6 on the tail behind the last page', () => {
  const zeroed = (pages: number): string =>
    `Zeroed struct page in unavailable ranges: ${pages} pages`;
  const verdict = (version: string, pages: number): string =>
    facts(...x86(version, zeroed(pages)))['0 machine']!;
  expect(verdict('5.8.12', 98 + 16384)).toBe('equal');
  expect(verdict('5.8.12', 98)).toBe('differs');
  // Stable series carry the change under older numbers.
  expect(verdict('4.19.0-16-amd64', 98 + 16384)).toBe('equal');
  expect(verdict('4.19.0', 98)).toBe('equal');
  for (const pages of [97, 99, 16384, 98 + 16383]) {
    expect(verdict('4.19.0', pages)).toBe('differs');
  }
  expect(facts(...x86('4.18.0', 'Reserved but unavailable: 98 pages'))).toEqual({
    '0 machine': 'not derivable',
  });
});

test('a line for each zone: its holes, and what its last section holds behind it', () => {
  const zones = (dma: number, dma32: number): string[] => [
    `  DMA zone: ${dma} pages in unavailable ranges`,
    `  DMA32 zone: ${dma32} pages in unavailable ranges`,
  ];
  // A section is 32768 pages: the DMA zone, of 4096, counts the other 28672 as well.
  for (const version of ['5.10.24', '5.12.0-rc5', '5.13.0']) {
    expect(facts(...x86(version, ...zones(98 + 28672, 16384)))).toEqual({
      '0 node 0 DMA': 'equal',
      '1 node 0 DMA32': 'equal',
    });
  }
  expect(facts(...x86('5.12.0', ...zones(98, 16383)))).toEqual({
    '0 node 0 DMA': 'differs',
    '1 node 0 DMA32': 'differs',
  });
});

test('a line for each hole is compared in stable series older than the form', () => {
  const holes = (...pages: readonly [zone: string, pages: number][]): string[] =>
    pages.map(([zone, count]) => `On node 0, zone ${zone}: ${count} pages in unavailable ranges`);
  const own = holes(['DMA', 1], ['DMA', 97], ['DMA32', 16384]);
  expect(Object.values(facts(...x86('5.10.0-11-amd64', ...own)))).toEqual(Array(3).fill('equal'));
  const wrong = holes(['DMA', 1], ['DMA', 96], ['DMA32', 16384]);
  expect(facts(...x86('5.10.0-11-amd64', ...wrong))['2 node 0 DMA']).toBe('differs');
});

test('zones of several nodes: lines without a node follow one another as nodes do', () => {
  const nodes = [
    `ACPI: SRAT: Node 0 PXM 0 ${line(0, 2 ** 29)}`,
    `ACPI: SRAT: Node 1 PXM 1 ${line(2 ** 29, END)}`,
  ];
  const printed = [
    ...nodes,
    '  DMA zone: 28770 pages in unavailable ranges',
    '  DMA32 zone: 16384 pages in unavailable ranges',
  ];
  expect(facts(...x86('5.12.0', ...printed))).toEqual({
    '0 node 0 DMA': 'equal',
    '1 node 1 DMA32': 'equal',
  });
});

/** 32-bit x86: low memory of 512 MiB and 16 MiB more; sections of 64 MiB (16384 pages) or 512 MiB. */
const i386 = (...printed: string[]): string[] => [
  'Linux version 5.12.0 (x) #1 SMP',
  'Command line: quiet',
  `BIOS-e820: ${line(0x1000, 0x9f000)} usable`,
  `BIOS-e820: ${line(0x100000, 0x21000000)} usable`,
  '528MB LOWMEM available.',
  'Zone ranges:',
  `  DMA      ${line(0x1000, 2 ** 24)}`,
  `  Normal   ${line(2 ** 24, 0x21000000)}`,
  ...printed,
];

test.each([
  ['sections of 64 MiB', 98 + 16384 - 4096, 16384 - 4096],
  ['sections of 512 MiB', 98 + 131072 - 4096, 131072 - 4096],
  ['one array', 98, undefined],
])('i386 with %s', (_name, dma, normal) => {
  const printed = [`  DMA zone: ${dma} pages in unavailable ranges`];
  if (normal !== undefined) printed.push(`  Normal zone: ${normal} pages in unavailable ranges`);
  expect(Object.values(facts(...i386(...printed)))).toEqual(printed.map(() => 'equal'));
  const off = printed.map((text) => text.replace(/\d+/, (count) => String(Number(count) + 1)));
  expect(Object.values(facts(...i386(...off)))).toContain('differs');
});

const ARM = (version: string, ...printed: string[]): string[] => [
  'Booting Linux on physical CPU 0x0',
  `Linux version ${version} (a@b) (arm-linux-gnueabihf-gcc 12.1.0) #1 SMP`,
  'CPU: ARMv7 Processor [410fc075] revision 5 (ARMv7), cr=10c5387d',
  'Kernel command line: quiet',
  'Zone ranges:',
  `  Normal   ${line(0x80000000, 0x90000000)}`,
  'Early memory node ranges',
  `  node   0: ${line(0x80000000, 0x81ff0000)}`,
  `  node   0: ${line(0x84010000, 0x90000000)}`,
  ...printed,
];

test('32-bit ARM from 5.14 has descriptors in pageblocks with memory only', () => {
  // Blocks of 1024 pages: 16 pages are missing at the end of one, 16 at the beginning of another.
  const hole = (pages: number): string =>
    `On node 0, zone Normal: ${pages} pages in unavailable ranges`;
  expect(facts(...ARM('5.17.0', hole(32)))).toEqual({ '0 node 0 Normal': 'equal' });
  // All of one section, or of one array.
  expect(facts(...ARM('5.17.0', hole(0x2020)))).toEqual({ '0 node 0 Normal': 'equal' });
  expect(facts(...ARM('5.17.0', hole(33)))).toEqual({ '0 node 0 Normal': 'differs' });
  expect(facts(...ARM('5.10.0', hole(33)))).toEqual({ '0 node 0 Normal': 'not derivable' });
});
