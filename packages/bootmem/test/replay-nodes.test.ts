/** Replays of architectures whose memory alone gets nodes, and whose first dump stands before the banner. */
import { parseDescription } from '@bootmem/firmware-map';
import { expect, test } from '@jest/globals';
import { checkMachine, replayMachine } from '../dist/check.js';

const region = (list: string, index: number, range: string, rest: string): string =>
  ` ${list}[0x${index}]\t[${range}], ${rest}`;

const dump = (memory: string, reserved: readonly string[], sizes: string): string[] => [
  'MEMBLOCK configuration:',
  ` ${sizes}`,
  ' memory.cnt  = 0x1',
  region('memory', 0, '0x0000000000000000-0x000000007fffffff', memory),
  ` reserved.cnt  = 0x${reserved.length}`,
  ...reserved.map((text, index) => ` reserved[0x${index}]\t${text}`),
];

const IMAGE = '[0x0000000000000000-0x0000000002afdfff], 0x0000000002afe000 bytes';
const TABLE = '[0x000000007fffc000-0x000000007fffffff], 0x0000000000004000 bytes';

const BEFORE = [
  '__memblock_reserve: [0x0000000000000000-0x0000000002afdfff] nid=-1 flags=0 early_init_devtree+0x168/0x504',
  ...dump(
    '0x0000000080000000 bytes flags: 0x0',
    [`${IMAGE} flags: 0x0`],
    'memory size = 0x0000000080000000 reserved size = 0x0000000002afe000',
  ),
  'radix-mmu: Page sizes from device-tree:',
  'memblock_alloc_try_nid_raw: 16384 bytes align=0x80 nid=-1 from=0x0000000000000000 max_addr=0x0000000000000000 allocate_paca_ptrs+0x58/0x18c',
  '__memblock_reserve: [0x000000007fffc000-0x000000007fffffff] nid=-1 flags=20 memblock_alloc_range_nid+0x118/0x1f0',
];
const BANNER =
  'Linux version 7.3-powerpc64le (a@b) (powerpc64le-linux-gnu-gcc-16 16.2.0) #1 SMP PREEMPT';
/** @param reserved  what stands behind the two reservations in the second dump */
const after = (reserved: string): string[] => [
  'Hardware name: IBM pSeries (emulated by qemu) POWER9 (architected) 0x4e1200 0xf000005 pSeries',
  ...dump(
    '0x0000000080000000 bytes on node 0 flags: 0x0',
    [`${IMAGE}${reserved} flags: 0x0`, `${TABLE}${reserved} flags: 0x20`],
    'memory size = 0x0000000080000000 reserved size = 0x0000000002b02000',
  ),
  'Zone ranges:',
  '  Normal   [mem 0x0000000000000000-0x000000007fffffff]',
  'Early memory node ranges',
  '  node   0: [mem 0x0000000000000000-0x000000007fffffff]',
  'Kernel command line: memblock=debug',
];

function replayed(...lines: string[]): { dumps: number; equalDumps: number } {
  const prefixed = lines.map((text) => `<6>[    0.000000] ${text}\n`).join('');
  const result = parseDescription(prefixed, { name: 'test' });
  if (!result.ok) throw new Error(result.problems[0]?.message);
  const { dumps, equalDumps } = replayMachine({
    description: result.description,
    source: 'test',
    notes: [],
  });
  return { dumps, equalDumps };
}

test('ppc64: the dump before the banner begins the replay, and reservations get no nodes', () => {
  expect(replayed(...BEFORE, BANNER, ...after(''))).toEqual({ dumps: 1, equalDumps: 1 });
  expect(replayed(...BEFORE, BANNER, ...after(' on node 0'))).toEqual({ dumps: 1, equalDumps: 0 });
});

test('a boot that ends before the banner is not part of the next one', () => {
  const whole = [BANNER, ...after('')];
  // The tail of another boot tells of zones, so it is no beginning.
  expect(replayed(...BEFORE, ...whole.slice(1), ...whole)).toEqual({ dumps: 0, equalDumps: 0 });
});

test('a lost reservation may have parts that other lines reserve; a dump with a gap in it is no lost line', () => {
  const part =
    '__memblock_reserve: [0x0000000003400000-0x00000000034fffff] nid=-1 flags=0 a_part+0x1/0x2';
  const verdict = (...reserved: string[]): string => {
    const [banner, ...rest] = [BANNER, ...after('')];
    const image = rest.findIndex((line) => line.includes(IMAGE));
    const lines = rest.toSpliced(
      image + 1,
      0,
      ...reserved.map((text, index) => ` reserved[0x${index + 1}]\t${text}`),
    );
    const table = lines.findIndex((line) => line.includes(TABLE));
    lines[table] = ` reserved[0x${reserved.length + 1}]\t${TABLE} flags: 0x20`;
    const count = lines.findIndex((line) => line.includes('reserved.cnt'));
    lines[count] = ` reserved.cnt  = 0x${reserved.length + 2}`;
    const text = [...BEFORE, part, banner, ...lines]
      .filter((line) => !line.includes('memory size'))
      .map((line) => `[    0.000000] ${line}\n`);
    const read = parseDescription(text.join(''), { name: 'test' });
    if (!read.ok) throw new Error(read.problems[0]?.message);
    const { facts } = checkMachine({ description: read.description, source: 'test', notes: [] });
    return facts.find(({ fact }) => fact === 'memblock dump')!.verdict;
  };
  const range = (start: string, end: string, bytes: string): string =>
    `[0x000000000${start}-0x000000000${end}], 0x000000000${bytes} bytes flags: 0x0`;
  expect(verdict(range('3400000', '34fffff', '0100000'))).toBe('equal');
  // 3000000 … 3ffffff in one piece: what is missing on both sides of the part is one reservation.
  expect(verdict(range('3000000', '3ffffff', '1000000'))).toBe('not derivable');
  // Two pieces apart from each other are not.
  const two = [range('3200000', '32fffff', '0100000'), range('3400000', '35fffff', '0200000')];
  expect(verdict(...two)).toBe('differs');
});
