/** Pages that join managed pages after the hand-over: how many, of which zone, and before or after marks are set. */
import { expect, test } from '@jest/globals';
import { Memblock } from '@bootmem/memblock';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { MemblockOperation } from '@bootmem/firmware-map/types';
import { lateFrees, sumOfFrees } from '../dist/check/late-frees.js';
import type { FreeStage } from '../dist/check/late-frees.js';
import { checkMachine } from '../dist/check.js';
import { loadMachine } from '../dist/index.js';
import { planPages } from '../dist/plan/init-plan.js';
import { planLayout } from '../dist/plan/layout-plan.js';
import { FIXTURES } from './helpers/run.js';

const PAGE = 4096;
const STAGES: readonly FreeStage[] = ['early', 'areas', 'devices', 'gigantic', 'late'];
const input = await loadMachine(`${FIXTURES}k612-4n-small`);
const { description } = input;

type Change = Partial<MachineDescription['printed']> & {
  readonly operations?: MemblockOperation[];
};

/** The recorded boot with other late events than its own. */
function withEvents({ operations = [], ...printed }: Change): MachineDescription {
  return {
    ...description,
    printed: { ...description.printed, freeing: [], ...printed },
    memblock: { ...description.memblock, operations },
  };
}

function pagesOf(change: Change): Record<string, Record<string, number>> | undefined {
  const frees = lateFrees(planLayout(withEvents(change)));
  if (frees === undefined) return undefined;
  return Object.fromEntries(STAGES.map((stage) => [stage, Object.fromEntries(frees[stage])]));
}

const freed = (startPfn: number, endPfn: number, line: number): MemblockOperation => ({
  op: 'free-late',
  start: startPfn * PAGE,
  end: endPfn * PAGE,
  caller: 'efi_free_boot_services+0x1/0x2',
  line,
});

test('a page that is freed before its deferred descriptor is there is lost for good', () => {
  const plan = planLayout(description);
  const node = planPages(plan, new Memblock(), true).nodes.find(
    (one) => one.firstDeferredPfn !== undefined,
  )!;
  const limit = node.firstDeferredPfn!;
  const at = description.printed.deferred.find((one) => one.nid === node.nid)!.line;
  const pages = (line: number, change: Change = {}): number => {
    const parts = pagesOf({ operations: [freed(limit - 3, limit + 5, line)], ...change })!;
    expect(parts['devices']).toEqual({});
    return Object.values(parts['early']!).reduce((sum, count) => sum + count, 0);
  };
  expect(pages(at - 1)).toBe(3);
  expect(pages(at + 1)).toBe(8);
  // Without the line nobody knows whether the node waits, or its pass was over.
  const unsaid = { operations: [freed(limit - 3, limit + 5, at - 1)], deferred: [] };
  expect(pagesOf(unsaid)).toBeUndefined();
  expect(pagesOf({ ...unsaid, operations: [freed(limit - 3, limit, at - 1)] })).toBeDefined();
  // Parts of pages stay where they are.
  const cut = {
    ...freed(limit - 3, limit, at - 1),
    start: (limit - 3) * PAGE + 1,
  } as MemblockOperation;
  expect(pagesOf({ operations: [cut] })!['early']).toEqual({ '0/DMA32': 2 });
});

test('areas of contiguous memory come before marks, wherever their place is told', () => {
  const start = 0x4000000;
  const area = { bytes: 2 ** 24, line: 50 };
  expect(pagesOf({ cma: [{ ...area, start }] })).toEqual({
    early: { '0/DMA32': 4096 },
    areas: {},
    devices: {},
    gigantic: {},
    late: {},
  });
  const reserve = (from: number, to: number, line: number): MemblockOperation => ({
    op: 'reserve',
    start: from,
    end: to,
    caller: 'memblock_alloc_range_nid+0x1/0x2',
    line,
  });
  const half = start + 2 ** 23;
  const operations = [
    reserve(0x1000000, 0x1001000, 9),
    reserve(half, start + 2 ** 24, 48),
    reserve(start, half, 49),
  ];
  expect(pagesOf({ cma: [area], operations })!['early']).toEqual({ '0/DMA32': 4096 });
  // What was reserved does not add up: no place is known.
  expect(pagesOf({ cma: [area], operations: operations.slice(0, 2) })).toBeUndefined();
  expect(
    pagesOf({
      cma: [
        { ...area, start, line: 48 },
        { ...area, line: 49 },
      ],
      operations,
    }),
  ).toBeUndefined();
});

test('huge pages from memblock come between the two times that marks are set, boot services too', () => {
  const size = 2 ** 26;
  const request = (caller: string): MemblockOperation => ({
    op: 'alloc',
    kernelName: 'memblock_alloc_try_nid_raw',
    size,
    align: size,
    from: 0,
    maxAddr: 0,
    caller,
    line: 20,
  });
  const page: MemblockOperation = {
    op: 'reserve',
    start: 0x4000000,
    end: 0x4000000 + size,
    caller: 'memblock_alloc_range_nid+0x1/0x2',
    line: 21,
  };
  const pages = size / PAGE;
  const gigantic = (caller: string): unknown =>
    pagesOf({ operations: [request(caller), page] })!['gigantic'];
  expect(gigantic('__alloc_bootmem_huge_page+0x1/0x2')).toEqual({ '0/DMA32': pages });
  expect(gigantic('vmemmap_populate_hugepages+0x1/0x2')).toEqual({});
  const kept = { ...page, caller: 'efi_reserve_boot_services+0x1/0x2' } as MemblockOperation;
  const services = (kb: number): unknown =>
    pagesOf({
      operations: [kept],
      freeing: [{ what: 'EFI boot services', kb, line: 90 }],
    })?.['devices'];
  expect(services(size / 1024)).toEqual({ '0/DMA32': pages });
  expect(services(size / 1024 - 4)).toBeUndefined();
});

test('areas of kexec hand-over come after all marks: as many as the list before them has room for', () => {
  const list: MemblockOperation = {
    op: 'alloc',
    kernelName: 'memblock_alloc_try_nid',
    size: 48,
    align: PAGE,
    from: 0,
    maxAddr: 0,
    caller: 'kho_memory_init+0x1/0x2',
    line: 30,
  };
  const reserve = (startPfn: number, pages: number, line: number): MemblockOperation => ({
    op: 'reserve',
    start: startPfn * PAGE,
    end: (startPfn + pages) * PAGE,
    caller: 'memblock_alloc_range_nid+0x1/0x2',
    line,
  });
  const areas = [reserve(0x2000, 512, 32), reserve(0x4000, 1024, 33), reserve(0x5000, 2048, 34)];
  const operations = [list, reserve(0x1f00, 1, 31), ...areas];
  const late = (...more: MemblockOperation[]): unknown =>
    pagesOf({ operations: [...operations, ...more] })?.['late'];
  expect(late()).toEqual({ '0/DMA32': 512 + 1024 + 2048 });
  expect(late(reserve(0x7000, 4, 35))).toEqual({ '0/DMA32': 512 + 1024 + 2048 });
  expect(pagesOf({ operations: operations.slice(0, -1) })).toBeUndefined();
});

test('marks that were set before a free do not count its pages, managed pages do', () => {
  // 64 MiB of contiguous memory more on node 0: every fact of managed pages moves by as much, marks by their share.
  const zone = description.proc.zoneinfo!.find((one) => one.nid === 0 && one.zone === 'DMA32')!;
  const cma = [{ start: 0x4000000, bytes: 2 ** 26, line: 50 }];
  const frees = lateFrees(
    planLayout({ ...description, printed: { ...description.printed, cma } }),
  )!;
  const before = lateFrees(planLayout(description))!;
  const of = (one: typeof frees, stages: readonly FreeStage[]): number =>
    sumOfFrees(one, stages).get('0/DMA32') ?? 0;
  expect(of(frees, STAGES) - of(before, STAGES)).toBe(2 ** 14);
  expect(of(frees, ['devices', 'late'])).toBe(of(before, ['devices', 'late']));
  const { memory: line } = description.printed;
  const partsKb = {
    ...line!.partsKb,
    reserved: line!.partsKb['reserved']! - 2 ** 16,
    'cma-reserved': 2 ** 16,
  };
  const memory = { ...line!, partsKb };
  const report = checkMachine({
    ...input,
    description: { ...description, printed: { ...description.printed, cma, memory } },
  });
  const managed = report.facts.find(
    (fact) => fact.fact === 'managed pages' && fact.subject === 'node 0 DMA32',
  );
  expect(managed).toMatchObject({
    kernel: String(zone.managed),
    ours: String(zone.managed! + 2 ** 14),
  });
  const marks = report.facts.filter((fact) => fact.fact === 'watermarks');
  expect(marks.map(({ verdict }) => verdict)).toEqual(marks.map(() => 'equal'));
});

/** The recorded boot as another release's, with words on its command line. */
function asOf(release: string, change: Change, words = ''): ReturnType<typeof lateFrees> {
  const machine = withEvents(change);
  const { commandLine } = machine;
  return lateFrees(
    planLayout({
      ...machine,
      kernel: { release, numbers: release.split('.').map(Number), line: 1 },
      commandLine: { ...commandLine!, text: `${commandLine!.text} ${words}` },
    }),
  );
}

test('an area that could not be activated is given back since 5.12, and lost before', () => {
  const cma = [
    { start: 0x4000000, bytes: 2 ** 24, line: 50 },
    { start: 0x6000000, bytes: 2 ** 23, line: 51 },
  ];
  const failed = (count: number) =>
    Array.from({ length: count }, (_, line) => ({
      text: 'cma: CMA area reserved could not be activated',
      line: 60 + line,
    }));
  const pages = (release: string, count: number): number | undefined => {
    const frees = asOf(release, { cma, failures: failed(count) });
    return frees && [...sumOfFrees(frees).values()].reduce((sum, one) => sum + one, 0);
  };
  // 16 MiB and 8 MiB are 4096 and 2048 pages.
  expect(pages('6.12', 0)).toBe(6144);
  expect(pages('6.12', 1)).toBe(6144);
  expect(pages('5.11', 0)).toBe(6144);
  expect(pages('5.11', 1)).toBeUndefined();
  expect(pages('5.11', 2)).toBe(0);
});

test('areas come after the first marks before 5.10', () => {
  const cma = [{ start: 0x4000000, bytes: 2 ** 24, line: 50 }];
  expect(asOf('5.9', { cma })!.areas).toEqual(new Map([['0/DMA32', 4096]]));
  expect(asOf('5.10', { cma })!.early).toEqual(new Map([['0/DMA32', 4096]]));
});

test('what hugetlb has and no request shows is not derivable', () => {
  const huge = (pageBytes: number, preallocated: number): Change => ({
    hugetlb: [{ pageBytes, preallocated, line: 70 }],
  });
  expect(asOf('6.12', huge(2 ** 30, 1))).toBeUndefined();
  expect(asOf('6.12', huge(2 ** 30, 0))).toBeDefined();
  // Pages of 2 MiB come from the page allocator.
  expect(asOf('6.12', huge(2 ** 21, 8))).toBeDefined();
  // Areas of others, which many kernels have without an option, do not hold them.
  const cma = [{ start: 0x4000000, bytes: 2 ** 24, line: 50 }];
  expect(asOf('6.12', { ...huge(2 ** 30, 1), cma })).toBeUndefined();
});

test('descriptors that huge pages gave back are in no line', () => {
  const small: Change = { hugetlb: [{ pageBytes: 2 ** 21, preallocated: 8, line: 70 }] };
  expect(asOf('6.12', small, 'hugetlb_free_vmemmap=on')).toBeUndefined();
  expect(asOf('6.16', small, 'hugetlb_free_vmemmap=1')).toBeUndefined();
  expect(asOf('6.12', small, 'hugetlb_free_vmemmap=off')).toBeDefined();
  // From 6.15 on those of gigantic pages are never allocated.
  const [start, size] = [0x4000000, 2 ** 30];
  const large: Change = {
    hugetlb: [{ pageBytes: size, preallocated: 1, line: 70 }],
    operations: [
      {
        ...{ op: 'alloc', kernelName: 'memblock_alloc_try_nid_raw', size, align: size, from: 0 },
        ...{ maxAddr: 0, caller: '__alloc_bootmem_huge_page+0x1/0x2', line: 20 },
      },
      { op: 'reserve', start, end: start + size, caller: 'memblock_alloc_range_nid', line: 21 },
    ],
  };
  expect(asOf('6.16', large, 'hugetlb_free_vmemmap=on')).toBeDefined();
  expect(asOf('6.14', large, 'hugetlb_free_vmemmap=on')).toBeUndefined();
});

test('scratch areas of a hand-over that is asked for need their lines', () => {
  expect(asOf('6.16', {}, 'kho=on')).toBeUndefined();
  expect(asOf('6.16', {}, 'kho=off')).toBeDefined();
  expect(asOf('6.12', {}, 'kho=on')).toBeDefined();
  const other: MemblockOperation = {
    ...{ op: 'reserve', start: 0x1000000, end: 0x1001000 },
    ...{ caller: 'setup_arch+0x1/0x2', line: 9 },
  };
  // Lines of memblock without a request of hand-over: it is not built in.
  expect(asOf('6.16', { operations: [other] }, 'kho=on')).toBeDefined();
});
