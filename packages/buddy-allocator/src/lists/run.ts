/**
 * The run in flight: pages in a row that are taken or freed as one, though it takes several blocks.
 *
 *     take    [free][free][fr|ee]     open ▶ block by block off the lists, pages allocated ▶ close
 *     free    [allocated pages  ]     open ▶ block by block to the lists                   ▶ close
 *
 * While it is open, what is allocated in it is nobody's: not yet the taker's, or no more its former owner's. So who
 * finds it open after a death makes all of it free, whichever it was. The count of pages opens and closes it; it is
 * written last and cleared first.
 *
 * Before `free`, an allocator that checks claims the pages one by one (claim.ts), and may find one that is not to be had:
 * meanwhile the count is below 0, minus the pages that are claimed, and what is found then goes back to its owner.
 */
import { Zone } from '../base/control-layout.js';

const TWO_32 = 2 ** 32;

/** Opens the run `[startPfn, startPfn + pages)`. Under the lock. */
export function openRun(words: Int32Array, at: number, startPfn: number, pages: number): void {
  words[at + Zone.RUN_LOW] = startPfn | 0;
  words[at + Zone.RUN_HIGH] = (startPfn / TWO_32) | 0;
  words[at + Zone.RUN_PAGES] = pages;
}

/** The run that is open; no pages when none is. */
export function openedRun(words: Int32Array, at: number): { startPfn: number; pages: number } {
  const low = words[at + Zone.RUN_LOW]! >>> 0;
  const startPfn = words[at + Zone.RUN_HIGH]! * TWO_32 + low;
  return { startPfn, pages: words[at + Zone.RUN_PAGES]! };
}

/** Closes the run. */
export function closeRun(words: Int32Array, at: number): void {
  words[at + Zone.RUN_PAGES] = 0;
}
