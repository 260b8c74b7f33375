import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { checkLog, checkMachine, replayLog, replayMachine } from '../dist/check.js';
import { loadMachine } from '../dist/index.js';
import { parseMemoryBlocks } from '../dist/input/memory-blocks.js';
import { FactList } from '../dist/check/fact-list.js';
import { FIXTURES } from './helpers/run.js';

const boots = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

test.each(boots)('%s: every fact of the recorded boot is equal', async (name) => {
  const report = await checkLog(FIXTURES + name);
  expect(report.facts.filter((fact) => fact.verdict === 'differs')).toEqual([]);
  expect(report.equal).toBeGreaterThan(30);
});

test.each(boots)('%s: the replay equals every dump and predicts every address', async (name) => {
  const report = await replayLog(FIXTURES + name);
  expect(report.differences).toEqual([]);
  expect(report.equalDumps).toBe(report.dumps);
  expect(report.dumps).toBe(1);
  expect(report.predicted).toBe(report.allocations);
  expect(report.allocations).toBeGreaterThan(40);
});

test('the sample holds every kind of fact that a recorded boot has', async () => {
  const report = checkMachine(await loadMachine(undefined));
  const kinds = new Set(report.facts.map((fact) => fact.fact));
  for (const kind of [
    'early node range',
    'node extent',
    'zone range',
    'memmap_init span',
    'unavailable pages',
    'Memory: total',
    'zonelists',
    'policy zone',
    'fallback order',
    'zonelist',
    'deferred nodes',
    'spanned pages',
    'present pages',
    'managed pages',
    'lowmem reserve',
    'watermarks',
    'page set batch',
    'page set high',
    'pageblocks',
    'memblock dump',
    'Total pages',
  ]) {
    expect(kinds).toContain(kind);
  }
  expect(report.differs).toBe(0);
  expect(report.notDerivable).toBe(0);
});

test('printed outcomes are no inputs: forging them makes facts differ, nothing else', async () => {
  const input = await loadMachine(undefined);
  const { printed } = input.description;
  const forged = checkMachine({
    ...input,
    description: {
      ...input.description,
      printed: {
        ...printed,
        zoneRanges: printed.zoneRanges.map((line) =>
          line.zone === 'Normal'
            ? { ...line, range: { start: line.range!.start, end: line.range!.end + 4096 } }
            : line,
        ),
        unavailable: printed.unavailable.map((line, index) =>
          index === 1 ? { ...line, pages: 96 } : line,
        ),
        fallbackOrders: printed.fallbackOrders.map((line) => ({
          ...line,
          order: [...line.order].reverse(),
        })),
        memory: { ...printed.memory!, totalKb: printed.memory!.totalKb + 4 },
      },
    },
  });
  const differing = forged.facts
    .filter((fact) => fact.verdict === 'differs')
    .map((fact) => fact.fact);
  expect([...new Set(differing)].sort()).toEqual([
    'Memory: total',
    'fallback order',
    'unavailable pages',
    'zone range',
  ]);
});

test('forged zoneinfo makes exactly the forged facts differ', async () => {
  const input = await loadMachine(undefined);
  const zones = input.description.proc.zoneinfo!;
  const forged = checkMachine({
    ...input,
    description: {
      ...input.description,
      proc: {
        ...input.description.proc,
        zoneinfo: zones.map((zone, index) =>
          index === 1
            ? {
                ...zone,
                spanned: zone.spanned! + 1,
                present: zone.present! - 1,
                min: zone.min! + 1,
                protection: [9, 9, 9],
              }
            : zone,
        ),
      },
    },
  });
  const differing = forged.facts
    .filter((fact) => fact.verdict === 'differs')
    .map((fact) => fact.fact);
  expect(differing.sort()).toEqual([
    'lowmem reserve',
    'present pages',
    'spanned pages',
    'watermarks',
  ]);
});

test('a forged memblock operation is found by the replay and the managed pages', async () => {
  const input = await loadMachine(undefined);
  const { memblock } = input.description;
  const at = memblock.operations.findIndex(
    (operation) => operation.op === 'reserve' && operation.line > memblock.dumps[0]!.line,
  );
  const operation = memblock.operations[at]!;
  if (operation.op !== 'reserve') throw new Error('expected a reservation');
  const forged = {
    ...input,
    description: {
      ...input.description,
      memblock: {
        ...memblock,
        operations: memblock.operations.map((one, index) =>
          index === at ? { ...operation, end: operation.end + 4096 * 300 } : one,
        ),
      },
    },
  };
  expect(replayMachine(forged).differences[0]).toMatch(/reserved\[\d+\] is .* in the log/);
  // One range too much is what a lost line about a free would leave.
  const dump = checkMachine(forged).facts.find((fact) => fact.fact === 'memblock dump');
  expect(dump?.verdict).toBe('not derivable');
  expect(dump?.reason).toMatch(/lacks a line of memblock=debug: .*reserved\[\d+\]/);
});

test('hot-added memory: zones grow to the online blocks, descriptors on the block are not managed', async () => {
  const input = await loadMachine(`${FIXTURES}k61-1n-128m`);
  const blocks = parseMemoryBlocks(
    '--- block_size_bytes\n8000000\n--- auto_online_blocks\noffline\n--- name phys_index state removable valid_zones\n' +
      'memory0 00000000 online 1 [none] node0\n' +
      'memory32 00000020 online 1 [Normal] node0\n' +
      'memory34 00000022 online 1 [Normal] node0\n' +
      'memory36 00000024 offline 1 [Normal Movable] node0\n',
  )!;
  expect(blocks.blockBytes).toBe(2 ** 27);
  expect(blocks.blocks).toHaveLength(4);
  const base = input.description.proc.zoneinfo!;
  const normal = base.find((zone) => zone.zone === 'Normal')!;
  const step = (present: number, managed: number) => ({
    name: 'added',
    blocks,
    zoneinfo: base.map((zone) =>
      zone === normal ? { ...zone, spanned: 3 * 32768, present, managed } : zone,
    ),
  });
  const verdicts = (report: { facts: readonly { fact: string; verdict: string }[] }) =>
    report.facts
      .filter((fact) => fact.fact.startsWith('hot-plug') && fact.verdict === 'differs')
      .map((fact) => fact.fact);
  expect(verdicts(checkMachine({ ...input, steps: [step(2 * 32768, 2 * 32768)] }))).toEqual([]);
  expect(verdicts(checkMachine({ ...input, steps: [step(2 * 32768 - 1, 2 * 32768)] }))).toEqual([
    'hot-plug present',
  ]);
  const description = {
    ...input.description,
    options: { ...input.description.options, memmapOnMemory: '1' },
  };
  expect(
    verdicts(checkMachine({ ...input, description, steps: [step(2 * 32768, 2 * (32768 - 512))] })),
  ).toEqual([]);
});

test('a text without blocks is no list of memory blocks', () => {
  expect(parseMemoryBlocks('')).toBeUndefined();
  expect(parseMemoryBlocks('--- block_size_bytes\n8000000\n')).toBeUndefined();
  expect(parseMemoryBlocks('memory0 00000000 online 1 [none] node0\n')).toBeUndefined();
});

test('a log without a firmware map is not compared with what it was taken from', async () => {
  const input = await loadMachine(undefined);
  const { firmware, memblock } = input.description;
  const report = checkMachine({
    ...input,
    description: {
      ...input.description,
      firmware: { ...firmware, map: [], user: [], edits: [] },
      memblock: { ...memblock, dumps: [], operations: [] },
      proc: {},
    },
  });
  const ranges = report.facts.filter((fact) => fact.fact === 'early node range');
  expect(new Set(ranges.map((fact) => fact.verdict))).toEqual(new Set(['not derivable']));
  expect(report.notes.join()).toMatch(/no firmware map/);
});

test('what the kernel did not get is told, and no fact depends on it', async () => {
  const input = await loadMachine(undefined);
  const text = 'cannot allocate crashkernel (size:0x100000000)';
  const printed = { ...input.description.printed, failures: [{ text, line: 9 }] };
  const plain = checkMachine(input);
  const told = checkMachine({ ...input, description: { ...input.description, printed } });
  expect(told.findings.map(({ id, line }) => [id, line])).toEqual([['crashkernel-failed', 9]]);
  expect(plain.findings).toEqual([]);
  expect(told.facts).toEqual(plain.facts);
});

test('an unusable log is a report with a reason, not an error', async () => {
  const report = await checkLog('/dev/null');
  expect(report.rejected).toMatch(/\/dev\/null/);
  expect(report.facts).toEqual([]);
});

test('a fact list finds the verdict itself', () => {
  const facts = new FactList();
  facts.compare('a', 'b', 1, '1');
  facts.compare('a', 'b', 1, 2);
  facts.open('a', 'b', 1, 'why');
  expect(facts.facts.map((fact) => fact.verdict)).toEqual(['equal', 'differs', 'not derivable']);
  expect(facts.facts[2]!.reason).toBe('why');
});
