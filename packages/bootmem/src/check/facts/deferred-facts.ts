/**
 * `node N deferred pages initialised`: the nodes that print it are those where something was deferred. Times
 * are the machine's own and order is that of completion: neither is compared.
 *
 * Kernels before 4.2 and those of 32 bits defer nothing; to 4.16 a node's last zone got 2 GiB or more first.
 *
 * Kernels to 5.7 print the pages of a node's pass as well (`node N initialised, P pages in Xms`): its free pages from
 * where the pass began. Allocations before it may have taken whole sections from there on, how many no line tells:
 *
 *     |= early =|== grown, whole sections ==|============== the pass: P pages ==============|
 *               ^ where deferral begins     ^ a section border: the one from which P pages are free
 */
import { Memblock } from '@bootmem/memblock';
import type { NodeLayout } from '@bootmem/buddy-allocator/zones';
import type { PfnRange } from '@bootmem/memmap';
import { handover } from '../../accounts/handover.js';
import { planPages } from '../../plan/init-plan.js';
import { ARCHITECTURES_32 } from '../../plan/architectures.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import type { FactList } from '../fact-list.js';

/** Deferred lines. */
export function deferredFacts(plan: LayoutPlan, facts: FactList): void {
  const { deferred, memory, zonelists } = plan.description.printed;
  if (deferred.length === 0) {
    if (memory === undefined && zonelists === undefined) return;
    // No line: deferral may be off in this build, the node too small, or the log cut before the line.
    const ours = deferredNodes(plan);
    if (ours.length === 0) facts.compare('deferred nodes', 'machine', 'none', 'none');
    else {
      facts.open(
        'deferred nodes',
        'machine',
        'none',
        'a kernel built without deferred initialisation and a log that ends too early look the same',
      );
    }
    return;
  }
  const list = (nids: readonly number[]): string =>
    [...new Set(nids)].sort((left, right) => left - right).join(' ');
  pageFacts(plan, facts);
  const printed = deferred.map((line) => line.nid);
  const ours = deferredNodes(plan);
  // Each node has a line of its own, so those that are there say nothing of one that is not.
  if (ours.length > new Set(printed).size && printed.every((nid) => ours.includes(nid))) {
    const why = 'a node without its line: nothing was deferred there, or the line is lost';
    facts.open('deferred nodes', 'machine', list(printed), why);
  } else facts.compare('deferred nodes', 'machine', list(printed), list(ours));
}

/** Pages of each node's pass. */
function pageFacts(plan: LayoutPlan, facts: FactList): void {
  const lines = plan.description.printed.deferred.flatMap(({ nid, pages }) =>
    pages === undefined ? [] : [{ nid, pages }],
  );
  if (lines.length === 0) return;
  if (plan.kernel.printed.initialisesFirst !== 'section') {
    for (const { nid, pages } of lines)
      facts.open('deferred pages', `node ${nid}`, pages, BEFORE_GROWTH);
    return;
  }
  const { memblock, exact } = handover(plan);
  const { nodes } = planPages(plan, memblock, true);
  for (const { nid, pages } of lines) {
    const subject = `node ${nid}`;
    const ranges = nodes.find((node) => node.nid === nid)?.deferredRanges ?? [];
    const ours = exact ? passPages(plan, ranges, pages) : undefined;
    if (ours !== undefined) facts.compare('deferred pages', subject, pages, ours);
    else facts.open('deferred pages', subject, pages, exact ? GREW : UNKNOWN);
  }
}

const UNKNOWN =
  'which pages were free when memory was handed over follows from memblock=debug lines only';
const BEFORE_GROWTH =
  'before 4.17 how much a node initialised first depended on its size and on what is reserved';
const GREW = 'more than a section was initialised before the pass, and not up to a section border';

/**
 * Pages of a pass: those free from a section border on, if that is what was printed; all that were deferred, if more
 * was printed or less than a section is missing; else undefined.
 */
function passPages(
  plan: LayoutPlan,
  ranges: readonly PfnRange[],
  printed: number,
): number | undefined {
  const all = ranges.reduce((sum, { startPfn, endPfn }) => sum + endPfn - startPfn, 0);
  const size = plan.pagesPerSection;
  let skipped = all - printed;
  if (skipped < 0) return all;
  for (const [i, { startPfn, endPfn }] of ranges.entries()) {
    if (skipped < endPfn - startPfn) {
      const start = startPfn + skipped;
      // At the range's start the border may lie anywhere in the reserved pages before it.
      const before = skipped === 0 ? (ranges[i - 1]?.endPfn ?? startPfn) : start;
      const border = Math.ceil(before / size) * size;
      if (i === 0 && skipped === 0) return printed;
      if (border <= start) return printed;
      break;
    }
    skipped -= endPfn - startPfn;
  }
  return all - printed < size ? all : undefined;
}

/** What kernels of 4.2 … 4.16 initialise of a node's last zone before they defer, at least. */
const FIRST_BYTES = 2 ** 31;

/** Nodes of which something is deferred. Reservations do not matter for it, so none are needed. */
function deferredNodes(plan: LayoutPlan): number[] {
  const { initialisesFirst } = plan.kernel.printed;
  const { architecture } = plan.description;
  if (initialisesFirst === 'all' || ARCHITECTURES_32.has(architecture ?? '')) return [];
  const hasMore = ({ presentPages, zones }: NodeLayout): boolean =>
    presentPages > 0 &&
    (zones.findLast((zone) => zone.spannedPages > 0)?.spannedPages ?? 0) * plan.pageSize >
      FIRST_BYTES;
  const candidates = new Set(
    plan.layout.nodes
      .filter((node) => initialisesFirst === 'section' || hasMore(node))
      .map(({ nid }) => nid),
  );
  return planPages(plan, new Memblock(), true)
    .nodes.filter((node) => node.firstDeferredPfn !== undefined && candidates.has(node.nid))
    .map((node) => node.nid);
}
