/** Fallback orders that are printed again when memory is added to a node that had none. */
import { parseDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import type { MemoryBlocks } from '../dist/input/memory-blocks.js';

const range = (start: number, end: number): string =>
  `[mem 0x${start.toString(16).padStart(16, '0')}-0x${(end - 1).toString(16).padStart(16, '0')}]`;

/** Two nodes of 1 GiB with a processor each, a third without anything. */
const boot = (release: string): string[] => [
  `Linux version ${release} (x) #1 SMP`,
  'Command line: quiet',
  `BIOS-e820: ${range(0x1000, 0x9f000)} usable`,
  `BIOS-e820: ${range(0x100000, 2 ** 31)} usable`,
  'ACPI: Reserving SRAT table memory at [mem 0x7ffe1bbc-0x7ffe1bef]',
  'SRAT: PXM 0 -> APIC 0x00 -> Node 0',
  'SRAT: PXM 1 -> APIC 0x01 -> Node 1',
  `ACPI: SRAT: Node 0 PXM 0 ${range(0, 2 ** 30)}`,
  `ACPI: SRAT: Node 1 PXM 1 ${range(2 ** 30, 2 ** 31)}`,
  'Zone ranges:',
  `  DMA      ${range(0x1000, 2 ** 24)}`,
  `  DMA32    ${range(2 ** 24, 2 ** 31)}`,
  '  Normal   empty',
  'Initmem setup node 2 as memoryless',
  'Memory: 2000000K/2096632K available (1K kernel code)',
];

/** One block of 128 MiB at 4 GiB, on node 2. */
const BLOCKS: MemoryBlocks = {
  blockBytes: 2 ** 27,
  blocks: [{ index: 32, online: true, zone: 'Normal', nid: 2 }],
};

function orders(
  release: string,
  lines: readonly string[],
  blocks: MemoryBlocks = BLOCKS,
): string[] {
  const text = [...boot(release), ...lines.map((line) => `Fallback order for Node ${line}`)];
  const read = parseDescription(`${text.join('\n')}\n`, { name: 'test' });
  if (!read.ok) throw new Error(read.problems[0]?.message);
  const { description } = read;
  const { facts } = checkMachine({ description, source: 'test', notes: [], blocks });
  return facts.filter(({ fact }) => fact === 'fallback order').map(({ verdict }) => verdict);
}

// A node without processors comes before one with them at the same distance.
const BUILT = ['0: 0 2 1', '1: 1 2 0', '2: 2 0 1'];

test('all lists anew when memory is online: the node without processors comes first', () => {
  expect(orders('6.1.0', BUILT)).toEqual(['equal', 'equal', 'equal']);
  expect(orders('6.1.0', ['0: 0 1 2', '1: 1 2 0', '2: 2 0 1'])).toEqual([
    ...['differs', 'equal', 'equal'],
  ]);
});

test('a new node without memory: first in its own list to 6.6, not there from 6.7 on', () => {
  expect(orders('6.1.0', ['2: 2 0 1', ...BUILT])).toEqual(Array(4).fill('equal'));
  expect(orders('6.7.0', ['2: 0 1', ...BUILT])).toEqual(Array(4).fill('equal'));
  const offline = { ...BLOCKS, blocks: [{ ...BLOCKS.blocks[0]!, online: false }] };
  expect(orders('6.1.0', ['2: 2 0 1'], offline)).toEqual(['equal']);
  expect(orders('6.7.0', ['2: 2 0 1'], offline)).toEqual(['differs']);
});

test('without the blocks nothing follows', () => {
  const none = { blockBytes: 2 ** 27, blocks: [] };
  expect(orders('6.1.0', ['0: 0 3 1', '1: 1 3 0', '3: 3 0 1'], none)).toEqual(
    Array(3).fill('not derivable'),
  );
});

test('a line lost of all lists: what is left is not the list of a new node', () => {
  expect(orders('6.7.0', ['2: 0 1', '2: 2 0 1'])).toEqual(['equal', 'equal']);
  expect(orders('6.7.0', ['0: 0 2 1', '1: 1 2 0', '2: 0 1'])).toEqual(Array(3).fill('equal'));
  expect(orders('6.7.0', ['2: 1 0'])).toEqual(['differs']);
});

test('the list of a new node behind lists that lost their last: other nodes have memory then', () => {
  const two = BLOCKS.blocks[0]!;
  const blocks = { ...BLOCKS, blocks: [two, { ...two, index: 33, nid: 3 }] };
  const old = ['0: 0 2 1', '1: 1 2 0', '3: 3 2 0 1'];
  // It may be the last of theirs, for which ties fall another way.
  expect(orders('6.1.0', old, blocks)).toEqual(['equal', 'equal', 'not derivable']);
  expect(orders('6.1.0', old.with(2, '3: 3 1 0 2'), blocks)[2]).toBe('differs');
  const lines = ['0: 0 2 1', '1: 1 2 0', '3: 2 0 1', '0: 0 2 3 1'];
  expect(orders('6.7.0', lines, blocks)).toEqual(['equal', 'equal', 'not derivable', 'equal']);
  expect(orders('6.7.0', lines.with(3, '0: 0 2 1 3'), blocks)[3]).toBe('differs');
});
