/** Recorded kernels: traces of calls, and whole boots. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { fixtureOracle, listBoots } from '@bootmem-tools/oracle';
import { Memblock, MemFlags, profileForRelease, type MemblockState } from '@bootmem/memblock';
import {
  parseDebugLine,
  readDebugLog,
  replayBoot,
  type BootReplayResult,
} from '@bootmem/memblock/replay';
import { replayTrace, type TraceScenario } from '@bootmem/memblock/trace';
import { showEvent } from '../dist/replay/debug-log.js';
import { joinBlocks, NumaLines } from '../dist/replay/numa-blocks.js';
import { Translation, wordsOf } from '../dist/trace/translation.js';
import { codeOf, GIB, MIB } from './helpers.js';

const folder = fileURLToPath(new URL('fixtures/', import.meta.url));

function scenarios(file: string): TraceScenario[] {
  return gunzipSync(readFileSync(folder + file))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TraceScenario);
}

const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl.gz'));

test.each(files)('every call and state of %s is as recorded', (file) => {
  const all = scenarios(file);
  expect(all.length).toBeGreaterThan(0);
  for (const scenario of all) expect(replayTrace(scenario, { verify: true })).toBeUndefined();
});

function firstWith(op: string): { scenario: TraceScenario; index: number } {
  for (const file of files) {
    for (const scenario of scenarios(file)) {
      const index = scenario.ops.findIndex((operation) => operation.op === op);
      if (index >= 0) return { scenario, index };
    }
  }
  throw new Error(`no scenario with ${op}`);
}

test('a trace with one wrong word is told from a right one', () => {
  for (const [op, change, what] of [
    ['reserve', { ret: -12 }, 'answer'],
    ['phys_alloc', { ret: '0x123000' }, 'answer'],
    ['free_all', { ret: { pages: 1, freed_calls: 0, freed: [], reserved_init: [] } }, 'answer'],
    ['add', { log: 'memblock_add: nothing\n' }, 'text'],
    ['add', { warn: 1 }, 'warning'],
    ['remove', { crash: 'panic' }, 'end'],
    ['add_node', { n: [99, '0x0', 0, '0x0'], h: '00000000' }, 'counts'],
  ] as const) {
    const { scenario, index } = firstWith(op);
    const ops = scenario.ops.map((operation, k) =>
      k === index ? { ...operation, ...change } : operation,
    );
    expect(replayTrace({ ...scenario, ops })).toMatchObject({ index, what });
  }
  const { scenario, index } = firstWith('for_each_mem_range');
  const changed = (state: object): TraceScenario => ({
    ...scenario,
    ops: scenario.ops.slice(0, index),
    final: {
      memory: [],
      reserved: [],
      memory_total: '0x1',
      reserved_total: '0x0',
      memory_max: 128,
      reserved_max: 128,
      ...state,
    },
  });
  expect(replayTrace(changed({}))).toMatchObject({ index: -1, operation: 'final' });
});

const SETTING = {
  page_size: 4096,
  smp_cache_bytes: 64,
  max_numnodes: 16,
  memory_max: 128,
  reserved_max: 128,
  allow_resize: true,
  bottom_up: false,
  current_limit: '0xffffffffffffffff',
  movable_node: false,
  mirrored_kernelcore: true,
} as const;

test('the calls of the upstream suite: resets, named allocations', () => {
  const base = '0x100000000';
  const ops: TraceScenario['ops'] = [
    { op: 'reset_regions', args: {}, ret: null },
    { op: 'reset_attributes', args: {}, ret: null },
    { op: 'add', args: { base, size: '0x8000' }, ret: 0 },
    { op: 'mark_mirror', args: { base, size: '0x8000' }, ret: 0 },
    { op: 'has_mirror', args: {}, ret: true },
    { op: 'allow_resize', args: {}, ret: null },
    { op: 'alloc', args: { size: '0x100', align: '0x40' }, ret: '0x100007f00' },
    {
      op: 'alloc_from',
      args: { size: '0x100', align: '0x40', min_addr: '0x0' },
      ret: '0x100007e00',
    },
    { op: 'alloc_node', args: { size: '0x100', align: '0x40', nid: 1 }, ret: '0x100007d00' },
    { op: 'free', args: { base: '0x100007d00', size: '0x100' }, ret: null },
    { op: 'free', args: { base: '0x0', size: '0x100' }, ret: null },
    { op: 'clear_hotplug', args: { base, size: '0x8000' }, ret: 0 },
    { op: 'reset_regions', args: {}, ret: null },
    { op: 'has_mirror', args: {}, ret: true },
    { op: 'phys_mem_size', args: {}, ret: '0x0' },
  ];
  expect(replayTrace({ name: 'suite', config: SETTING, ops })).toBeUndefined();
  expect(
    codeOf(() => replayTrace({ name: 'x', config: SETTING, ops: [{ op: 'nonsense', args: {} }] })),
  ).toBe('ERR_MEMBLOCK_FORMAT');
  expect(
    codeOf(() => replayTrace({ name: 'x', config: SETTING, ops: [{ op: 'add', args: {} }] })),
  ).toBe('ERR_MEMBLOCK_FORMAT');
});

test('words are translated so that sums, order and the low bits stay', () => {
  const words = ['0x1000', '0x4000000000000000', '0xc000000000000010', '0xfffffffffffff000'];
  const translation = new Translation(words);
  expect(translation.usesAnchors).toBe(true);
  const [small, quarter, three, top] = words.map((word) => translation.toOurs(word)) as [
    number,
    number,
    number,
    number,
  ];
  expect(small).toBe(0x1000);
  expect(quarter * 4).toBe(2 ** 53);
  expect(three).toBe(quarter * 3 + 16);
  expect(top).toBe(2 ** 53 - 4096);
  expect(translation.toOurs('0x1000')).toBe(0x1000);
  expect(translation.pageToOurs('0xfffffffffffff', 4096)).toBe(2 ** 41 - 1);
  expect(translation.textToOurs('at 0x4000000000000000 of 3MB', String)).toBe(
    `at ${quarter} of 3MB`,
  );
  expect(new Translation(['0x10']).usesAnchors).toBe(false);
  expect([...wordsOf({ a: ['0x1', 2], name: '0x2', b: { c: '0x3' }, d: null })]).toEqual([
    '0x1',
    '0x3',
  ]);
  expect(() => new Translation([]).toOurs('0x4000000000000000')).toThrow(RangeError);
});

const boots = listBoots(fixtureOracle('boots')!);

function stateAt(boot: (typeof boots)[number], point: string): MemblockState {
  const { memory, reserved, bottomUp, currentLimit } = boot.memblock(point);
  return {
    memory: memory.regions,
    reserved: reserved.regions,
    memoryTotal: memory.totalSize,
    reservedTotal: reserved.totalSize,
    direction: bottomUp ? 'bottom-up' : 'top-down',
    currentLimit: Math.min(currentLimit, Number.MAX_SAFE_INTEGER),
  };
}

function replay(boot: (typeof boots)[number], text = boot.text('dmesg.txt')): BootReplayResult {
  return replayBoot(text, {
    initial: stateAt(boot, 'P1'),
    profile: profileForRelease(boot.meta().kernel),
  });
}

test.each(boots.map((boot) => [boot.name, boot] as const))(
  '%s: from the log and the state before it to all later states',
  (_name, boot) => {
    const result = replay(boot);
    expect(result.differences).toEqual([]);
    expect(result.dumps.map(({ differences }) => differences)).toEqual([[], []]);
    expect(result.allocations.length).toBeGreaterThan(40);
    for (const { predicted, printed } of result.allocations) expect(predicted).toBe(printed);
    for (const [checkpoint, point] of [
      ['nodes', 'P2'],
      ['zones', 'P3'],
      ['hand-over', 'P4'],
    ] as const) {
      expect(result.checkpoints.get(checkpoint)).toMatchObject(stateAt(boot, point));
    }
    expect(result.numaBlocks).toEqual(boot.numaMeminfo('P3'));
    result.memblock.verify();
  },
);

test('without a state the replay starts at the first printed configuration', () => {
  const boot = boots[1]!;
  const result = replayBoot(boot.text('dmesg.txt').split('\n'), { profile: '6.1' });
  expect(result.differences).toEqual([]);
  expect(result.dumps.map(({ differences }) => differences)).toEqual([[], []]);
  const want = stateAt(boot, 'P4');
  expect(result.checkpoints.get('hand-over')).toMatchObject({
    memory: want.memory,
    reservedTotal: want.reservedTotal,
  });
});

test('a log that was tampered with is told from a right one', () => {
  const boot = boots[0]!;
  const text = boot.text('dmesg.txt');
  const request = replay(boot).allocations[10]!;
  const lines = text.split('\n');
  const shown = lines[request.line]!;
  const moved = shown.replace(/0x0000000(\d)/g, '0x0000001$1');
  expect(moved).not.toBe(shown);
  const result = replay(boot, text.replace(shown, moved));
  expect(result.differences.length).toBeGreaterThan(0);
  expect(result.allocations[10]!.predicted).not.toBe(result.allocations[10]!.printed);
  const failed = replay(boot, lines.filter((_line, k) => k !== request.line).join('\n'));
  expect(failed.differences.length).toBeGreaterThan(0);
  expect(failed.allocations[10]!.printed).toBeUndefined();
  const dump = replay(
    boot,
    text
      .replace(/ memory\.cnt {2}= 0x2/, ' memory.cnt  = 0x3')
      .replace(
        / memory\[0x1\]/,
        ' memory[0x1]\t[0x0000000000000000-0x0000000000000fff], 0x0000000000001000 bytes flags: 0x1\n memory[0x2]',
      ),
  );
  expect(dump.dumps[0]!.differences.length).toBeGreaterThan(0);
});

const PREFIX = '[    0.000000] ';
const SETUP = 'e820__memblock_setup+0x1/0x2';

/** A small boot of our own making: what the recorded ones do not show. */
function story(...lines: string[]): string {
  return lines.map((line) => PREFIX + line).join('\n');
}

test('huge pages taken at boot are marked but for their first page', () => {
  const text = story(
    `memblock_add: [0x0000000000100000-0x00000000ffffffff] ${SETUP}`,
    'memblock_alloc_try_nid_raw: 1073741824 bytes align=0x40000000 nid=-1 from=0x0000000000000000 max_addr=0x0000000000000000 __alloc_bootmem_huge_page+0x1/0x2',
    'memblock_reserve: [0x00000000c0000000-0x00000000ffffffff] memblock_alloc_range_nid+0x1/0x2',
    'SLUB: HWalign=64',
    `memblock_add: [0x0000000200000000-0x00000002ffffffff] ${SETUP}`,
  );
  const initial = { memory: [], reserved: [] };
  const late = replayBoot(text, { initial, profile: '6.12' });
  expect(late.differences).toEqual([]);
  expect(
    late.checkpoints.get('hand-over')!.reserved.map(({ size, flags }) => [size, flags]),
  ).toEqual([
    [4096, 0],
    [GIB - 4096, MemFlags.RSRV_NOINIT],
  ]);
  // What is printed after the hand-over is no longer memblock's.
  expect(late.memblock.endOfDram).toBe(4 * GIB);
  const early = replayBoot(text, { initial, profile: '6.1' });
  expect(early.checkpoints.get('hand-over')!.reserved).toHaveLength(1);
});

test('a doubled array must be announced where it happens', () => {
  const grown = 'memblock: memory is doubled to 4 at [0x00000000001ff000-0x00000000001ff05f]';
  const kept =
    'memblock_reserve: [0x00000000001ff000-0x00000000001fffff] memblock_double_array+0x1/0x2';
  const lines = [
    `memblock_add: [0x0000000000100000-0x00000000001fffff] ${SETUP}`,
    `memblock_add: [0x0000000000400000-0x00000000004007ff] ${SETUP}`,
    `memblock_add: [0x0000000000600000-0x00000000006007ff] ${SETUP}`,
    grown,
    kept,
    `memblock_physmem_add: [0x0000000000600000-0x0000000000600fff] x+0x1/0x2`,
    `memblock_free_late: [0x0000000000600000-0x0000000000600fff] x+0x1/0x2`,
  ];
  const options = {
    initial: { memory: [], reserved: [], memoryMax: 2 },
    profile: '6.12' as const,
  };
  const right = replayBoot(story(...lines), options);
  expect(right.differences).toEqual([]);
  expect(right.memblock.regionCount('physmem')).toBe(1);
  const silent = replayBoot(story(...lines.filter((line) => line !== grown)), options);
  expect(silent.differences.length).toBeGreaterThan(0);
  const early = replayBoot(story(lines[0]!, grown, lines[1]!), options);
  expect(early.differences).toEqual([
    { line: 2, expected: 'memory grown to 4 at [0x1ff000, +0x60)', got: 'no growth' },
  ]);
  const ends = replayBoot(story(...lines.slice(0, 3)), options);
  expect(ends.differences.map(({ expected }) => expected)).toEqual(['nothing', 'nothing']);
});

test('memory below 1 MiB is marked until all of it is reserved, from 6.16 on', () => {
  const lines = [
    `memblock_add: [0x0000000000001000-0x000000000009efff] ${SETUP}`,
    `memblock_add: [0x0000000000100000-0x00000000001fffff] ${SETUP}`,
    'MEMBLOCK configuration:',
    ' memory size = 0x000000000019e000 reserved size = 0x0000000000000000',
    ' memory.cnt  = 0x2',
    ' memory[0x0]\t[0x0000000000001000-0x000000000009efff], 0x000000000009e000 bytes flags: 0x40',
    ' memory[0x1]\t[0x0000000000100000-0x00000000001fffff], 0x0000000000100000 bytes flags: 0x0',
    ' reserved.cnt  = 0x0',
    '__memblock_reserve: [0x0000000000000000-0x00000000000ffffe] nid=-1 flags=0 x+0x1/0x2',
    '__memblock_reserve: [0x0000000000000000-0x00000000000fffff] nid=-1 flags=0 reserve_real_mode+0x1/0x2',
  ];
  const initial = { memory: [], reserved: [] };
  const flagsOf = (
    count: number,
    options: { initial?: MemblockState; profile: string },
  ): number[] => {
    const result = replayBoot(story(...lines.slice(0, count)), {
      ...options,
      profile: profileForRelease(options.profile),
    });
    return result.memblock.regions('memory').map(({ flags }) => flags);
  };
  const marked = replayBoot(story(...lines), { initial, profile: profileForRelease('6.16') });
  expect(marked.dumps.flatMap(({ differences }) => differences)).toEqual([]);
  // A reservation that leaves a byte out is another one.
  expect(flagsOf(9, { initial, profile: '6.16' })).toEqual([MemFlags.KHO_SCRATCH, 0]);
  expect(flagsOf(10, { initial, profile: '6.16' })).toEqual([0, 0]);
  // From the first configuration on, the mark is what was printed.
  expect(flagsOf(9, { profile: '6.16' })).toEqual([MemFlags.KHO_SCRATCH, 0]);
  expect(flagsOf(10, { profile: '6.16' })).toEqual([0, 0]);
  expect(flagsOf(10, { initial, profile: '6.15' })).toEqual([0, 0]);
  expect(flagsOf(8, { initial, profile: '6.15' })).toEqual([0, 0]);
});

test('setting nodes may be what doubles an array', () => {
  const lines = [
    `memblock_add: [0x0000000000100000-0x00000000004fffff] ${SETUP}`,
    'memblock_reserve: [0x0000000000100000-0x0000000000100fff] x+0x1/0x2',
    'ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x001fffff]',
    'ACPI: SRAT: Node 1 PXM 1 [mem 0x00200000-0x002fffff]',
    'ACPI: SRAT: Node 0 PXM 0 [mem 0x00300000-0x003fffff]',
    'ACPI: SRAT: Node 1 PXM 1 [mem 0x00400000-0x004fffff]',
    'memblock: memory is doubled to 8 at [0x00000000004ff000-0x00000000004ff0bf]',
    'memblock_reserve: [0x00000000004ff000-0x00000000004fffff] memblock_double_array+0x1/0x2',
    'memblock_reserve: [0x00000000003ff000-0x00000000003fffff] memblock_alloc_range_nid+0x1/0x2',
    'Zone ranges:',
  ];
  const options = {
    initial: { memory: [], reserved: [], memoryMax: 4 },
    profile: profileForRelease('6.1'),
  };
  const right = replayBoot(story(...lines), options);
  expect(right.checkpoints.get('zones')!.memory.map(({ nid }) => nid)).toEqual([0, 1, 0, 1]);
  expect(right.differences).toEqual([]);
  const silent = replayBoot(story(...lines.filter((line) => !line.includes('doubled'))), options);
  expect(silent.differences.length).toBeGreaterThan(0);
});

test('an allocation that doubles the array is told from the array', () => {
  const text = story(
    `memblock_add: [0x0000000000100000-0x00000000001fffff] ${SETUP}`,
    'memblock_reserve: [0x0000000000100000-0x0000000000100fff] x+0x1/0x2',
    'memblock_alloc_try_nid: 4096 bytes align=0x1000 nid=-1 from=0x0000000000000000 max_addr=0x0000000000000000 x+0x1/0x2',
    'memblock_reserve: [0x00000000001ff000-0x00000000001fffff] memblock_alloc_range_nid+0x1/0x2',
    'memblock: reserved is doubled to 2 at [0x00000000001fe000-0x00000000001fe02f]',
    'memblock_reserve: [0x00000000001fe000-0x00000000001fefff] memblock_double_array+0x1/0x2',
  );
  const result = replayBoot(text, {
    initial: { memory: [], reserved: [], reservedMax: 1 },
    profile: profileForRelease('6.1'),
  });
  expect(result.allocations[0]).toMatchObject({ predicted: 0x1ff000, printed: 0x1ff000 });
});

test('a request that fails, and one that only the kernel could serve', () => {
  const lines = [
    `memblock_add: [0x0000000000100000-0x00000000001fffff] ${SETUP}`,
    'memblock_alloc_exact_nid_raw: 4096 bytes align=0x1000 nid=5 from=0x0000000000000000 max_addr=0x0000000000000000 x+0x1/0x2',
  ];
  const options = { initial: { memory: [], reserved: [] }, profile: '6.12' as const };
  const failed = replayBoot(story(...lines), options);
  expect(failed.differences).toEqual([]);
  expect(failed.allocations[0]).toMatchObject({ predicted: undefined, printed: undefined });
  const served = replayBoot(
    story(
      ...lines,
      'memblock_reserve: [0x0000000000180000-0x0000000000180fff] memblock_alloc_range_nid+0x1/0x2',
    ),
    options,
  );
  expect(served.allocations[0]).toMatchObject({ predicted: undefined, printed: 0x180000 });
  expect(served.differences).toHaveLength(1);
});

test('lines of later releases carry node and flags', () => {
  const text = story(
    `memblock_add_node: [0x0000000000100000-0x00000000001fffff] nid=0 flags=0 ${SETUP}`,
    'memblock_alloc_try_nid: 4096 bytes align=0x1000 nid=0 from=0x0000000000000000 max_addr=0x0000000000000000 x+0x1/0x2',
    '__memblock_reserve: [0x00000000001ff000-0x00000000001fffff] nid=0 flags=20 memblock_alloc_range_nid+0x1/0x2',
    '__memblock_reserve: [0x0000000000100000-0x0000000000100fff] nid=-1 flags=0 x+0x1/0x2',
    'memblock_phys_free: [0x0000000000100000-0x0000000000100fff] x+0x1/0x2',
    'memblock_remove: [0x0000000000100000-0x0000000000100fff] x+0x1/0x2',
  );
  const result = replayBoot(text, { initial: { memory: [], reserved: [] } });
  expect(result.differences).toEqual([]);
  expect(result.operations).toBe(6);
  expect(result.memblock.startOfDram).toBe(0x101000);
  expect(result.memblock.regions('reserved')).toEqual([
    { base: 0x1ff000, size: 4096, flags: MemFlags.RSRV_KERN, nid: 0 },
  ]);
});

test('nodes: removable memory keeps its mark only where nothing is taken', () => {
  const setup = [
    `memblock_add: [0x0000000000100000-0x000000003fffffff] ${SETUP}`,
    'memblock_reserve: [0x0000000000200000-0x0000000000200fff] x+0x1/0x2',
    'ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x0fffffff]',
    'ACPI: SRAT: Node 1 PXM 1 [mem 0x10000000-0x1fffffff] hotplug',
    'ACPI: SRAT: Node 0 PXM 0 [mem 0x20000000-0x2fffffff] hotplug',
    'ACPI: SRAT: Node 2 PXM 2 [mem 0x100000000-0x1ffffffff] hotplug',
  ];
  const first =
    'memblock_reserve: [0x000000000fffe000-0x000000000fffefff] memblock_alloc_range_nid+0x1/0x2';
  const initial = { memory: [], reserved: [], direction: 'bottom-up' as const };
  const options = { initial, profile: '6.1' as const };
  const result = replayBoot(story(...setup, first, 'Zone ranges:'), options);
  expect(result.numaBlocks).toEqual([
    { start: 0, end: 256 * MIB, nid: 0 },
    { start: 256 * MIB, end: 512 * MIB, nid: 1 },
    { start: 512 * MIB, end: 768 * MIB, nid: 0 },
  ]);
  expect(result.checkpoints.get('nodes')!.direction).toBe('bottom-up');
  const memory = result.checkpoints.get('zones')!.memory;
  expect(memory.map(({ nid, flags }) => [nid, flags])).toEqual([
    [0, 0],
    [1, MemFlags.HOTPLUG],
    [0, 0],
    [1024, 0],
  ]);
  expect(result.memblock.direction).toBe('top-down');
  const unused = replayBoot(
    story(...setup, 'NUMA: nodes only cover 1MB of your 2MB e820 RAM. Not used.', first),
    options,
  );
  expect(unused.numaBlocks).toEqual([{ start: 0, end: GIB, nid: 0 }]);
});

test('nodes: emulated pieces, joined blocks', () => {
  const lines = new NumaLines();
  expect(lines.feed('something else')).toBe(false);
  expect(lines.feed('Faking node 0 at [mem 0x0000000000001000-0x000000000fffffff] (255MB)')).toBe(
    true,
  );
  expect(lines.blocks(new Memblock())).toEqual([{ start: 4096, end: 256 * MIB, nid: 0 }]);
  expect(
    joinBlocks([
      { start: 5, end: 6, nid: 0 },
      { start: 0, end: 1, nid: 0 },
      { start: 2, end: 3, nid: 1 },
      { start: 7, end: 9, nid: 0 },
    ]),
  ).toEqual([
    { start: 0, end: 1, nid: 0 },
    { start: 2, end: 3, nid: 1 },
    { start: 5, end: 9, nid: 0 },
  ]);
});

test('every line that we print is read back as the same event', () => {
  const lines: string[] = [];
  for (const profile of ['6.12', '7.1'] as const) {
    const memblock = new Memblock({
      profile,
      debug: true,
      capacity: { reserved: 2, resizable: true },
      log: (text) => lines.push(...text.split(/\n|(?<=\])(?=__?mem)/)),
      caller: () => 'symbol+0x1/0x2',
    });
    memblock.add(MIB, MIB, { nid: 0, flags: 1 });
    for (let k = 0; k < 4; k++) memblock.reserve(k * 8192, 4096);
    memblock.alloc(64);
    memblock.allocRange(64, { start: MIB });
    memblock.allocExactNid(64, { nid: 0 });
    memblock.allocPreferNidRaw(64);
    memblock.addPhysmem(0, 1);
    memblock.remove(0, 0);
    memblock.free(8192, 4096);
    memblock.freeLate(0, 1, { freePages: () => undefined });
  }
  const printed = lines.filter((line) => line !== '');
  const events = printed.map((line) => parseDebugLine(line));
  expect(events).not.toContain(undefined);
  const kinds = new Set(events.map((event) => event!.kind));
  expect([...kinds].sort()).toEqual([
    'add',
    'free',
    'free-late',
    'grown',
    'physmem-add',
    'remove',
    'request',
    'reserve',
  ]);
  for (const event of events) expect(showEvent(event!)).toMatch(/0x/);
  expect(
    parseDebugLine('memblock_remove: [0x0000000000000000-0xffffffffffffffff] x'),
  ).toMatchObject({
    base: 0,
    size: 0,
  });
  expect(parseDebugLine('<6>[    0.000000][    T0] memblock_add: [0x1-0x2] x')).toMatchObject({
    base: 1,
    size: 2,
    caller: 'x',
  });
  expect(parseDebugLine('memblock_dance: [0x1-0x2] x')).toBeUndefined();
  expect(parseDebugLine('memblock is fine')).toBeUndefined();
  expect(parseDebugLine('other')).toBeUndefined();
  const entries = [
    ...readDebugLog(['a', 'MEMBLOCK configuration:', ' memory size = 0x0 reserved size = 0x0']),
  ];
  expect(entries.map(({ line, event }) => [line, event?.kind])).toEqual([
    [1, undefined],
    [2, 'dump'],
  ]);
});
