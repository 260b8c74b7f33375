/** Lines of `Zone ranges:` that are missing: zones follow one another without a gap, from the first page of memory to the last. */
import type { LayoutPlan } from '../../plan/layout-plan.js';

/** What is missing, in words. */
export function zoneEvidence({ description, memory, pageSize }: LayoutPlan): string | undefined {
  const { printed, source } = description;
  if (source.format !== 'boot-log') return undefined;
  const ranges = printed.zoneRanges.flatMap(({ zone, range }) =>
    range === undefined || zone === 'Movable' || zone === 'Device' ? [] : [range],
  );
  if (printed.zoneRanges.length === 0) {
    // Pages are counted right after that; kernels before 2.6.21 count them by zones that they do not print.
    const isSized = printed.earlyRanges.length + printed.nodePages.length > 0;
    return isSized ? 'the log lacks the ranges of its zones' : undefined;
  }
  const isWhole = ranges.every(
    ({ start }, index) => index === 0 || start === ranges[index - 1]!.end,
  );
  const first = memory[0]!.startPfn * pageSize;
  const last = memory.at(-1)!.endPfn * pageSize;
  const reaches = ranges.length > 0 && ranges[0]!.start <= first && ranges.at(-1)!.end >= last;
  return isWhole && reaches ? undefined : 'the log lacks lines about the ranges of its zones';
}
