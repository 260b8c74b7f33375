/**
 * How a node's deferred part becomes range jobs.
 *
 *     free ranges   [a,b) [c,e)            [f,g)          sections |----|----|----|----|----|
 *     range-groups  job 1 = [a, up(b))     job of [f,g)   up(): rounded up to a section
 *                   next job: first range that ends after up(b), clipped to start there
 *     zone          one job = [first deferred pfn, up(zone end))
 *
 * The clip is what matters: with b < c < d = up(b) < e the second job starts at d, inside [c,e); going on
 * with "the next range that starts after d" would lose [d,e). Sizes may include holes: harmless, since a
 * chunk finds its own ranges. Source: reference "Splitting work".
 */
import type { PfnRange } from '@bootmem/memmap';
import type { JobSplitting } from '../profiles.js';

/**
 * Jobs for a deferred part, in order.
 * @param splitting     the profile's way
 * @param ranges        free ranges, sorted, disjoint
 * @param left          from the first pfn that is not initialised yet to the end of the zone
 * @param sectionPages  pages per section
 * @kernel deferred_init_memmap
 */
export function splitJobs(
  splitting: JobSplitting,
  ranges: readonly PfnRange[],
  left: PfnRange,
  sectionPages: number,
): PfnRange[] {
  const up = (pfn: number): number => Math.ceil(pfn / sectionPages) * sectionPages;
  if (splitting === 'zone') return [{ startPfn: left.startPfn, endPfn: up(left.endPfn) }];
  const jobs: PfnRange[] = [];
  let at = left.startPfn;
  for (const range of ranges) {
    if (range.endPfn <= at) continue;
    const startPfn = Math.max(range.startPfn, at);
    at = up(range.endPfn);
    jobs.push({ startPfn, endPfn: at });
  }
  return jobs;
}
