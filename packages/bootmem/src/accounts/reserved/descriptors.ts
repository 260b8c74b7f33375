/**
 * Page descriptors: one for each page of each section with memory; FLATMEM has them for the whole span.
 */
import type { RowInput } from '../base/level.js';
import { reachOf } from '../base/subject.js';
import type { Subject } from '../base/subject.js';
import { LINUX_DESCRIPTOR } from '../../plan/reservations.js';

const MIB = 2 ** 20;
/** Bytes of a descriptor on architectures of 32 bits. */
const SMALL_DESCRIPTOR = 32;
/** What a descriptor may have. */
const SIZES = [32, 40, 48, 56, 64, 72, 80] as const;

/** How far a printed count may be off: zones of old kernels begin at address 0. */
const TOLERANCE = 0.02;

/** The row. */
export function descriptors(subject: Subject): RowInput[] {
  const { plan, quote } = subject;
  const { pageSize, pagesPerSection } = plan;
  const each = descriptorBytes(subject);
  const reach = reachOf(subject) / pageSize;
  const memory = plan.memory.filter(({ startPfn }) => startPfn < reach);
  const last = Math.min(reach, memory.at(-1)?.endPfn ?? 0);
  const isFlat = plan.memoryModel === 'flatmem';
  const pages = isFlat
    ? last - (memory[0]?.startPfn ?? 0)
    : sectionCount(memory, { pagesPerSection, reach }) * pagesPerSection;
  const text = isFlat
    ? `FLATMEM: ${each} bytes × ${pages} pages from the first to the last`
    : `SPARSEMEM: ${each} bytes × ${pages} pages in ${pages / pagesPerSection} sections of ${(pagesPerSection * pageSize) / MIB} MiB with memory`;
  const bytes = Math.ceil((pages * each) / pageSize) * pageSize;
  const evidence = [quote.formula(text), ...usedForMemmap(subject)];
  return [{ kind: 'descriptors', bytes, how: 'computed', evidence }];
}

function sectionCount(
  memory: Subject['plan']['memory'],
  { pagesPerSection, reach }: { pagesPerSection: number; reach: number },
): number {
  let count = 0;
  let next = 0;
  for (const { startPfn, endPfn } of memory) {
    const from = Math.max(next, Math.floor(startPfn / pagesPerSection));
    next = Math.max(next, Math.ceil(Math.min(endPfn, reach) / pagesPerSection));
    count += Math.max(0, next - from);
  }
  return count;
}

/** Bytes of one: what old kernels print tells it (`N pages used for memmap`), else the architecture. */
function descriptorBytes({ plan }: Subject): number {
  const { architecture, printed } = plan.description;
  const zones = printed.nodePages.flatMap(({ nid, zones: own }) =>
    own.map((zone) => ({ nid, ...zone })),
  );
  const largest = zones
    .filter(({ memmapPages }) => memmapPages !== undefined)
    .toSorted((a, b) => b.memmapPages! - a.memmapPages!)[0];
  const zone = plan.layout.nodes
    .find(({ nid }) => nid === largest?.nid)
    ?.zones.find((one) => one.zone === largest?.zone);
  if (largest?.memmapPages !== undefined && zone !== undefined && zone.spannedPages > 0) {
    // Newer of these kernels count the pages that are present where much of the span is a hole.
    const memmap = largest.memmapPages * plan.pageSize;
    const sizes = [zone.spannedPages, zone.presentPages].map((pages) =>
      SIZES.find((size) => Math.abs(memmap / (pages * size) - 1) < TOLERANCE),
    );
    const size = sizes.find((one) => one !== undefined);
    if (size !== undefined) return size;
  }
  const isSmall = architecture === 'i386' || architecture === 'arm' || architecture === 'ppc32';
  return isSmall ? SMALL_DESCRIPTOR : LINUX_DESCRIPTOR;
}

function usedForMemmap({ plan, quote }: Subject): RowInput['evidence'] {
  const node = plan.description.printed.nodePages[0];
  const zone = node?.zones.find(({ memmapPages }) => memmapPages !== undefined);
  if (node === undefined || zone === undefined) return [];
  return [quote.at(node.line, `On node ${node.nid} totalpages: ${node.totalPages}`)];
}
