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
 * @param ranges  free ranges, sorted, disjoint
 * @param from    first pfn not initialised yet
 * @param endPfn  end of the zone
 * @kernel deferred_init_memmap
 */
export function splitJobs(
  splitting: JobSplitting,
  ranges: readonly PfnRange[],
  from: number,
  endPfn: number,
  sectionPages: number,
): PfnRange[] {
  const up = (pfn: number): number => Math.ceil(pfn / sectionPages) * sectionPages;
  if (splitting === 'zone') return [{ startPfn: from, endPfn: up(endPfn) }];
  const jobs: PfnRange[] = [];
  let at = from;
  for (const range of ranges) {
    if (range.endPfn <= at) continue;
    const startPfn = Math.max(range.startPfn, at);
    at = up(range.endPfn);
    jobs.push({ startPfn, endPfn: at });
  }
  return jobs;
}
