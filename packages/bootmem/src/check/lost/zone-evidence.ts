/** Lines of `Zone ranges:` that are missing: zones follow one another without a gap, from the first page of memory to the last. */
import { ARCHITECTURES_32, ARCHITECTURES_BOTH } from '../../plan/architectures.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';

/** What is missing, in words. */
export function zoneEvidence({ description, memory, pageSize }: LayoutPlan): string | undefined {
  const { printed, source } = description;
  if (source.format !== 'boot-log') return undefined;
  const ranges = printed.zoneRanges.flatMap(({ zone, range }) =>
    range === undefined || zone === 'Movable' || zone === 'Device' ? [] : [range],
  );
  if (printed.zoneRanges.length === 0) {
    return printed.earlyRanges.length > 0 ? 'the log lacks the ranges of its zones' : undefined;
  }
  const isWhole = ranges.every(
    ({ start }, index) => index === 0 || start === ranges[index - 1]!.end,
  );
  const first = memory[0]!.startPfn * pageSize;
  const last = memory.at(-1)!.endPfn * pageSize;
  const reaches = ranges.length > 0 && ranges[0]!.start <= first && ranges.at(-1)!.end >= last;
  return isWhole && reaches ? undefined : 'the log lacks lines about the ranges of its zones';
}

/**
 * Pages that are counted where no range is named, neither of zones nor of nodes: kernels before 2.6.21 size zones in ways of
 * their own, holes and all, and do not print them.
 */
export function sizeEvidence({ description }: LayoutPlan): string | undefined {
  const { printed, source } = description;
  const named = printed.zoneRanges.length + printed.earlyRanges.length;
  return source.format === 'boot-log' && named === 0 && printed.nodePages.length > 0
    ? 'the log counts pages of zones and names no range of them'
    : undefined;
}

type NodePages = LayoutPlan['description']['printed']['nodePages'][number];

/** Why pages of a node's zones are not compared. */
export const NO_SUM = 'the zones in the log do not add up to their node';

/**
 * What lines about pages of a node's zones count: `'all'`, or, before 3.9, `'less'` descriptors and the DMA reserve, which lines
 * of their own tell; `undefined` when they do not add up to the node: then one of them is lost.
 */
export function countedPages({ totalPages, zones }: NodePages): 'all' | 'less' | undefined {
  if (zones.some(({ zone, pages }) => zone !== 'Movable' && pages === undefined)) return undefined;
  const sum = zones.reduce((total, { pages = 0 }) => total + pages, 0);
  const apart = zones.reduce(
    (total, { memmapPages = 0, reservedPages = 0 }) => total + memmapPages + reservedPages,
    0,
  );
  return sum === totalPages ? 'all' : sum + apart === totalPages ? 'less' : undefined;
}

/** Lines about pages of zones that are missing: those of descriptors tell how many descriptors take. */
export function descriptorEvidence({ description }: LayoutPlan): string | undefined {
  const { nodePages } = description.printed;
  return nodePages.some((node) => node.zones.length > 0 && countedPages(node) === undefined)
    ? NO_SUM
    : undefined;
}

/**
 * Whether memory can lie above the end of the last zone, so that a lost line of the ranges decides how much is counted: so it
 * is for kernels of 32 bits without high memory.
 */
export function endsWithZones({ description }: LayoutPlan): boolean {
  const { architecture = 'unknown', printed } = description;
  const mayBe32 = ARCHITECTURES_32.has(architecture) || ARCHITECTURES_BOTH.has(architecture);
  return mayBe32 && !printed.zoneRanges.some(({ zone }) => zone === 'HighMem');
}
