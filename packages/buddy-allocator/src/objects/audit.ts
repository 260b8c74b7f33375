/**
 * Consistency of slabs: S1 each has pages of its own, allocated in the pool; S2 the numbers handed over are those of the slabs;
 * and I13, what threads that have ended left. O(slabs).
 */
import { PageState } from '@bootmem/memmap';

import { Zone } from '../base/control-layout.js';
import { ORPHAN, type Violation } from '../zone/verify.js';
import type { BuddyZone } from '../zone/zone.js';
import { blocksAt, sizesOf, Table } from './slab-table.js';
import type { Slabs } from './slabs.js';

/** What is broken or left behind. */
export function auditSlabs(
  slabs: Slabs,
  words: Int32Array,
  pages: BuddyZone,
  ids: BuddyZone,
): Violation[] {
  const found: Violation[] = [];
  const sizes = sizesOf(words);
  const seen = new Set<number>();
  const allocated = PageState.ALLOCATED | sizes.slabOrder;
  slabs.locked(() => {
    slabs.forEach((slab, page) => {
      if (seen.has(page)) found.push({ invariant: 'S1', text: `page ${page} is in two slabs` });
      seen.add(page);
      if ((pages.columns.state[page]! & ~PageState.DIRTY) !== allocated) {
        found.push({ invariant: 'S1', text: `the pages of slab ${slab} are not allocated` });
      }
      if (words[blocksAt(sizes) + (page >>> sizes.slabOrder)] !== slab + 1) {
        found.push({ invariant: 'S1', text: `page ${page} does not lead to slab ${slab}` });
      }
    });
    const objects = seen.size * words[Table.PER_SLAB]!;
    const managed = ids.words[ids.at + Zone.MANAGED]!;
    if (managed !== objects) {
      found.push({ invariant: 'S2', text: `${managed} numbers for ${objects} objects` });
    }
  });
  for (const { tag, page } of slabs.recorded()) {
    if (ids.hasEnded(tag)) found.push({ invariant: ORPHAN, text: `pages at ${page} for no slab` });
  }
  return found;
}
