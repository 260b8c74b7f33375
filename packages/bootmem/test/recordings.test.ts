/**
 * Recorded boots of kernels on other architectures (QEMU, unmodified Debian kernels), cut to what is about memory. Each shows
 * something that no other recording does.
 */
import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { checkMachine } from '../dist/check.js';
import { replayMachine } from '../dist/check/replay-machine.js';
import { handover } from '../dist/accounts/handover.js';
import { bootMemory, loadMachine } from '../dist/index.js';
import { planLayout } from '../dist/plan/layout-plan.js';

const FOLDER = new URL('fixtures/recordings/', import.meta.url).pathname;

const BOARD = 'the DMA boundary depends on the board';
const NO_PLACE = 'a late free names no place';
const NO_STATE = 'the state at hand-over is only known with memblock=debug';

/** Facts that agree, and why the others do not follow. */
const RECORDINGS: Record<string, { shows: string; equal: number; open: string[] }> = {
  'm61-1n-512m': {
    shows: 'memory above lowmem that is in no zone; FLATMEM up to the zone’s end; a page of zeros',
    equal: 35,
    open: [],
  },
  'm61-64-1n-300m': { shows: 'DMA32 printed whole', equal: 39, open: [] },
  'i61p-hp': {
    shows: 'Movable taken from HighMem: its marks, Total pages; no DMA reserve on i386',
    equal: 55,
    open: [NO_STATE, NO_STATE, NO_STATE, NO_STATE],
  },
  'i61-highmem': {
    shows: 'memory above HighMem that is in no zone: holes to the end of a pageblock',
    equal: 49,
    open: [],
  },
  'h72l-1n-4g': {
    shows: 'HighMem does not count for huge pages',
    equal: 34,
    open: [BOARD],
  },
  'p72-2n': { shows: 'nodes of a device tree in a replay', equal: 48, open: [] },
  'p72-64k-hot': {
    shows: 'a border that only a mark makes',
    equal: 27,
    open: ['where memory begins that can be unplugged is in no list that is kept'],
  },
  'a61-mem-huge': {
    shows: 'a gigantic page across two zones, from the kept lists',
    equal: 52,
    open: [],
  },
  'a612-2n-huge': {
    shows: 'gigantic pages of two sizes by the marks of the kept lists',
    equal: 69,
    open: [],
  },
  'r72-2n-hugecma': {
    shows: 'an area of hugetlb whose line names no place, from the kept lists',
    equal: 54,
    open: [],
  },
  's61-mem': {
    shows: 'managed pages of a machine with one zone from the Memory: line',
    equal: 26,
    open: [],
  },
  'r72-1n-8g': {
    shows: 'a gigantic page beside an area of the contiguous allocator',
    equal: 39,
    open: [],
  },
  'x510-mix': {
    shows:
      'before 5.12 a pageblock in a hole counts where its section is there; no pages in the caches of a small zone',
    equal: 57,
    open: ['whether a driver claims persistent memory is not in the log'],
  },
  'a510-efi-2n': {
    shows:
      '5.10.y: DMA by devices; blocks that begin in memory that is never mapped; kept lists without marks; tables reserved for the next kernel; the board with ACPI',
    equal: 48,
    open: [],
  },
  'h61-mcore': {
    shows: 'movablecore= in blocks of the largest order that this build has',
    equal: 42,
    open: [BOARD, NO_PLACE, NO_PLACE, NO_PLACE],
  },
  'x61-ovmf-2n': {
    shows:
      'to 6.5 kernelcore=mirror moves what lies above 4 GiB though nothing is mirrored; boot services below 1 MiB are kept',
    equal: 98,
    open: [],
  },
  'x612-hugeg': { shows: 'gigantic pages in the reserves of 6.12', equal: 83, open: [] },
  'x618-hash': {
    shows: 'the minimum worked out twice where huge pages are off',
    equal: 45,
    open: [NO_STATE, NO_STATE],
  },
  'x510-sysctl': {
    shows: 'minimum and ratios of reserves from sysctl.vm on the command line, in either spelling',
    equal: 49,
    open: [NO_STATE, NO_STATE],
  },
  'x618-sysctl': {
    shows: 'minimum and distance of marks from sysctl.vm on the command line',
    equal: 45,
    open: [NO_STATE, NO_STATE],
  },
  'l72-efi-2n': { shows: 'LoongArch with two nodes', equal: 77, open: [] },
};

test('each recording has its row', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(RECORDINGS).sort());
});

test.each(Object.entries(RECORDINGS).map(([name, row]) => [name, row.shows, row] as const))(
  '%s: %s',
  async (name, _shows, { equal, open }) => {
    const report = checkMachine(await loadMachine(FOLDER + name));
    const differing = report.facts.filter(({ verdict }) => verdict === 'differs');
    expect(differing).toEqual([]);
    expect(report.equal).toBe(equal);
    const reasons = report.facts.flatMap((fact) =>
      fact.verdict === 'not derivable' ? [fact.reason] : [],
    );
    expect(reasons).toEqual(open);
  },
);

test('a replay gives nodes of a device tree to memory, and searches upwards for the boot processor of ppc64', async () => {
  const report = replayMachine(await loadMachine(`${FOLDER}p72-2n`));
  expect(report).toMatchObject({ dumps: 1, equalDumps: 1, allocations: 88, predicted: 88 });
});

test('a zone that ends behind the last memory boots, and what no zone has is nobody’s', async () => {
  const machine = await loadMachine(`${FOLDER}m61-1n-512m`);
  expect(handover(planLayout(machine.description)).notes).toEqual([]);
  const booted = await bootMemory(machine.description, { threads: 1 });
  const normal = booted.report().zones.find(({ name }) => name === 'Normal');
  await booted.close();
  // The kernel has 43 238 in the end: 516 given back late, less its page of zeros.
  expect(normal).toMatchObject({ spannedPages: 126976, presentPages: 61440, managedPages: 42723 });
});

test.each([
  ['flatmem', 2],
  ['sparsemem', 0x80000 - 0x5c3fe],
] as const)('what lies behind the zones, with %s', async (memoryModel, pages) => {
  const { description } = await loadMachine(`${FOLDER}i61-highmem`);
  const { unavailable } = description.printed;
  const last = { ...unavailable.at(-1)!, pages };
  const printed = { ...description.printed, unavailable: [...unavailable.slice(0, -1), last] };
  const plan = planLayout({ ...description, printed });
  expect(plan.memoryModel).toBe(memoryModel);
  expect(plan.holes.map(({ zone, pages: of }) => [zone, of])).toEqual([
    ['DMA', 1],
    ['DMA', 97],
    ['HighMem', pages],
  ]);
});

test.each([0, 1, 2])(
  'the model of the lines that are left stands when line %i is lost',
  async (lost) => {
    const machine = await loadMachine(`${FOLDER}i61-highmem`);
    const { printed } = machine.description;
    const unavailable = printed.unavailable.toSpliced(lost, 1);
    const description = { ...machine.description, printed: { ...printed, unavailable } };
    const { facts } = checkMachine({ ...machine, description });
    expect(facts.filter(({ verdict }) => verdict === 'differs')).toEqual([]);
    expect(facts.find(({ verdict }) => verdict === 'not derivable')?.fact).toBe(
      'unavailable pages',
    );
  },
);

test.each(['m61-1n-512m', 'm61-64-1n-300m', 'i61p-hp', 'i61-highmem'])(
  '%s: without lines of holes nobody knows the memory model, and no fact differs',
  async (name) => {
    const machine = await loadMachine(FOLDER + name);
    const { printed } = machine.description;
    for (const keep of [0, printed.unavailable.length - 1]) {
      const unavailable = printed.unavailable.slice(0, keep);
      const description = { ...machine.description, printed: { ...printed, unavailable } };
      const { facts } = checkMachine({ ...machine, description });
      expect(facts.filter(({ verdict }) => verdict === 'differs')).toEqual([]);
    }
  },
);
