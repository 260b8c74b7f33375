// Lists of memblock that are none, and requests that it would refuse, are problems of the input: who rebuilds a state meets none.
import { describe as group, expect, test } from '@jest/globals';
import { fromJson, parseDescription, synthesize, toJson } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';

const HEAD = [
  'Linux version 6.1.0 (a@b) #1 SMP',
  'BIOS-e820: [mem 0x0000000000001000-0x000000003fffffff] usable',
];

function read(...lines: string[]): MachineDescription {
  const log = [...HEAD, ...lines].map((line) => `[    0.000000] ${line}\n`).join('');
  const result = parseDescription(log);
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return result.description;
}

const region = (list: string, index: number, start: number, end: number, flags = '0'): string =>
  ` ${list}[0x${index}]\t[0x${start.toString(16)}-0x${(end - 1).toString(16)}], 0x${(end - start).toString(16)} bytes flags: 0x${flags}`;

function dump(reserved: readonly string[]): string[] {
  return [
    'MEMBLOCK configuration:',
    ' memory size = 0x3ffff000 reserved size = 0x2000',
    ' memory.cnt  = 0x1',
    region('memory', 0, 0x1000, 0x40000000),
    ` reserved.cnt  = 0x${reserved.length}`,
    ...reserved,
  ];
}

const codes = ({ problems }: MachineDescription): string[] => problems.map(({ code }) => code);

group('a dump of memblock', () => {
  test('is complete when its regions follow one another', () => {
    const { memblock } = read(
      ...dump([region('reserved', 0, 0x1000, 0x2000), region('reserved', 1, 0x2000, 0x3000)]),
    );
    expect(memblock.dumps.map(({ complete }) => complete)).toEqual([true]);
  });

  test.each([
    ['overlap', 0x1000, 0x3000, 0x2000, 0x4000],
    ['are out of order', 0x8000, 0x9000, 0x1000, 0x2000],
  ])('is not complete when they %s', (_, a, b, c, d) => {
    const description = read(...dump([region('reserved', 0, a, b), region('reserved', 1, c, d)]));
    expect(description.memblock.dumps.map(({ complete }) => complete)).toEqual([false]);
    expect(codes(description)).toContain('INCOMPLETE_DUMP');
  });

  test('leaves out regions with marks of more than 16 bits', () => {
    const description = read(...dump([region('reserved', 0, 0x1000, 0x2000, '10000')]));
    expect(description.memblock.dumps[0]).toMatchObject({ reserved: [], complete: false });
    expect(codes(description)).toContain('BAD_NUMBER');
  });
});

test.each(['0x3', '0x1fffffffffffff', '0x18'])('a request aligned to %s is left out', (align) => {
  const ask = `memblock_alloc_try_nid: 4096 bytes align=${align} nid=-1 from=0x0 max_addr=0x0 f+0x1/0x2`;
  const description = read(ask);
  expect(description.memblock.operations).toEqual([]);
  expect(codes(description)).toEqual(['BAD_NUMBER']);
  for (const known of ['0x0', '0x1', '0x40', '0x10000000000000']) {
    const { operations } = read(ask.replace(align, known)).memblock;
    expect(operations).toHaveLength(1);
  }
});

test('lists that were kept and are none are left out', () => {
  const kept = (second: string): string[] => [
    '--- /sys/kernel/debug/memblock/memory',
    '   0: 0x0000000000001000..0x000000000009efff    0 NONE',
    `   1: ${second}    5000 NONE`,
  ];
  const good = parseDescription([...HEAD, ...kept('0x00100000..0x3fffffff'), ''].join('\n'));
  const bad = parseDescription([...HEAD, ...kept('0x00000000..0x3fffffff'), ''].join('\n'));
  expect(good).toMatchObject({ ok: true, description: { proc: { memblock: { reserved: [] } } } });
  expect(good.ok && good.description.proc.memblock?.memory[1]).not.toHaveProperty('nid');
  expect(bad.ok && bad.description.proc.memblock).toBe(undefined);
});

test('the same in JSON is refused, with its line', () => {
  const machine = synthesize({ memory: '1G' });
  const line = { line: 1 };
  const list = [
    { start: 4096, end: 8192, flags: 0, ...line },
    { start: 0, end: 4096, flags: 0, ...line },
  ];
  const one = { line: 1, complete: true, memory: list, reserved: [], physmem: [], counts: {} };
  const alloc = {
    ...{ op: 'alloc' as const, kernelName: 'memblock_alloc_try_nid', size: 1, align: 3, from: 0 },
    ...{ maxAddr: 0, caller: '', ...line },
  } as const;
  const { memblock, proc } = machine;
  const good = { ...one, memory: list.toReversed() };
  const bad: readonly [string, MachineDescription][] = [
    ['dumps/0/memory', { ...machine, memblock: { ...memblock, dumps: [one] } }],
    ['operations/0/align', { ...machine, memblock: { ...memblock, operations: [alloc] } }],
    [
      'proc/memblock/reserved',
      { ...machine, proc: { ...proc, memblock: { memory: [], reserved: list } } },
    ],
  ];
  for (const [where, description] of bad) {
    const result = fromJson(toJson(description));
    expect(result.ok ? [] : result.problems.map(({ code }) => code)).toEqual(['BAD_JSON']);
    expect(result.ok ? '' : result.problems[0]!.message).toContain(where);
    expect(result.ok ? 0 : result.problems[0]!.line).toBeGreaterThan(1);
  }
  for (const dumps of [[good], [{ ...one, complete: false }]]) {
    const description = { ...machine, memblock: { ...memblock, dumps } };
    expect(fromJson(toJson(description)).ok).toBe(true);
  }
});
