/** Differences of sets of half-open ranges, for looking at what is missing. */

/** A half-open range, bytes. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Parts of `ranges` outside `others`, ascending; both in any order. */
export function without(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const left = joined(ranges);
  const cuts = joined(others);
  const result: Range[] = [];
  let at = 0;
  for (const { start, end } of left) {
    let from = start;
    while (at < cuts.length && cuts[at]!.end <= start) at++;
    for (let index = at; index < cuts.length && cuts[index]!.start < end; index++) {
      const cut = cuts[index]!;
      if (cut.start > from) result.push({ start: from, end: cut.start });
      from = Math.max(from, cut.end);
    }
    if (from < end) result.push({ start: from, end });
  }
  return result;
}

/** Sorted and disjoint. */
function joined(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((left, right) => left.start - right.start);
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else result.push({ start, end });
  }
  return result;
}

/** Sum of the lengths. */
export function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}
