/** `what-if` on small logs that claim much, or that show what no kernel leaves behind. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { planLayout } from '../dist/plan/layout-plan.js';
import { besideImage, imageOf } from '../dist/what-if/image.js';
import { whatIf } from '../dist/what-if/what-if.js';

const MIB = 2 ** 20;
const hex = (address: number): string => `0x${address.toString(16).padStart(16, '0')}`;
const region = (list: string, index: number, start: number, end: number): string =>
  ` ${list}[0x${index.toString(16)}]\t[${hex(start)}-${hex(end - 1)}], ${hex(end - start)} bytes flags: 0x0`;

/** A log with memory up to an address, and one dump with these ranges in use. */
function log(
  memoryEnd: number,
  reserved: readonly (readonly [number, number])[],
  ...more: string[]
): string {
  return [
    'Linux version 6.12.0 (a@b) #1 SMP',
    'Command line: ro memblock=debug',
    'BIOS-e820: [mem 0x0000000000001000-0x000000000009efff] usable',
    `BIOS-e820: [mem 0x0000000000100000-${hex(memoryEnd - 1)}] usable`,
    'MEMBLOCK configuration:',
    ` memory size = ${hex(memoryEnd - MIB)} reserved size = 0x1000`,
    ' memory.cnt  = 0x1',
    region('memory', 0, MIB, memoryEnd),
    ` reserved.cnt  = 0x${reserved.length.toString(16)}`,
    ...reserved.map(([start, end], index) => region('reserved', index, start, end)),
    ...more,
    '',
  ].join('\n');
}

/** How a kernel asks for tables and descriptors, with one section. */
function descriptors(end: number): string[] {
  const asked = [
    ['memblock_alloc_try_nid', 4096, 0x40, 'sparse_init'],
    ['memblock_alloc_try_nid', 4096, 0x40, 'sparse_init_nid'],
    ['memblock_alloc_try_nid_raw', 4096, 4096, 'vmemmap_alloc_block'],
    ['memblock_alloc_try_nid_raw', 2 * MIB, 2 * MIB, 'vmemmap_alloc_block'],
  ] as const;
  return asked.flatMap(([name, size, align, caller], index) => {
    const start = end - (index + 1) * 4 * MIB;
    return [
      `${name}: ${size} bytes align=${hex(align)} nid=0 from=${hex(0)} max_addr=${hex(0)} ${caller}+0x1/0x2`,
      `memblock_reserve: [${hex(start)}-${hex(start + size - 1)}] memblock_alloc_range_nid+0x1/0x2`,
    ];
  });
}

test.each([
  ['no requests for them', []],
  ['a request for each, as today', descriptors(192 * 2 ** 40)],
])('192 TiB of sections, %s: what-if has all it needs in 256 MiB', async (_name, more) => {
  const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
  const args = [cli, 'what-if', '--json', '--limit', '256M', '-'];
  const child = promisify(execFile)(process.execPath, args);
  child.child.stdin!.end(log(192 * 2 ** 40, [[16 * MIB, 32 * MIB]], ...more));
  const { stdout, stderr } = await child;
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'bootmem/what-if' });
});

test.each([
  [
    'something lies where the image would be moved to',
    [
      [16 * MIB, 64 * MIB],
      [128 * MIB, 900 * MIB],
    ],
    [],
  ],
  [
    'what was added to the image later reaches into the next reservation',
    [
      [16 * MIB, 64 * MIB],
      [65 * MIB, 300 * MIB],
      [620 * MIB, 900 * MIB],
    ],
    [`memblock_reserve: [${hex(64 * MIB)}-${hex(66 * MIB - 1)}] setup_arch+0x1/0x2`],
  ],
] as const)('%s: it is never put over that', (_name, reserved, more) => {
  const result = parseDescription(log(2 ** 30, reserved, ...more), { name: 'test' });
  if (!result.ok) throw new Error(result.problems[0]?.message);
  const { description } = result;
  const plan = planLayout(description);
  const image = imageOf(plan)!;
  const beside = besideImage(plan, image);
  for (const { start, end } of beside) expect(start >= image.end || end <= image.start).toBe(true);
  // The dump is refused where two of its regions meet, at whichever place.
  const report = whatIf({ description, source: 'test', notes: [] }, { add: ['crashkernel=64M'] });
  expect(report.rows.find(({ id }) => id === 'crashkernel')?.after).toMatch(/^0x/);
});
