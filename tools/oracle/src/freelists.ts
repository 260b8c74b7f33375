/** `snap_*_freelists.txt`: every free list of the page allocator, in list order, head first. */
import { match, parseCount, linesOf } from './text.js';

/** `count` blocks at `pfn`, `pfn + step`, `pfn + 2 step`, …; `step` may be negative. */
export interface FreeRun {
  readonly pfn: number;
  readonly count: number;
  readonly step: number;
}

/** One list that is not empty. */
export interface FreeListSnapshot {
  readonly nid: number;
  readonly zone: string;
  readonly order: number;
  readonly migratetype: string;
  /** Blocks in the list. */
  readonly count: number;
  readonly runs: readonly FreeRun[];
}

/** All lists and the free pages of each zone, keyed `nid/zone`. */
export interface FreeListsSnapshot {
  readonly lists: readonly FreeListSnapshot[];
  readonly totalFreePages: ReadonlyMap<string, number>;
}

const LIST =
  /^node (?<nid>\d+) zone (?<zone>\w+) order (?<order>\d+) type (?<type>\w+) n (?<count>\d+): ?(?<runs>.*)$/;
const TOTAL = /^node (?<nid>\d+) zone (?<zone>\w+) total_free_pages (?<count>\d+)$/;

function readRun(text: string): FreeRun {
  const { pfn, count, sign, step } = match(
    text,
    /^(?<pfn>[0-9a-f]+)(?:\*(?<count>\d+)(?<sign>[+-])(?<step>[0-9a-f]+))?$/,
    'free run',
  );
  if (count === undefined) return { pfn: parseCount(pfn!, 16), count: 1, step: 0 };
  const size = parseCount(step!, 16);
  return { pfn: parseCount(pfn!, 16), count: Number(count), step: sign === '-' ? -size : size };
}

/** Reads the text of `snap_*_freelists.txt`. */
export function readFreeLists(text: string): FreeListsSnapshot {
  const lists: FreeListSnapshot[] = [];
  const totalFreePages = new Map<string, number>();
  for (const line of linesOf(text)) {
    if (line.includes(' total_free_pages ')) {
      const { nid, zone, count } = match(line, TOTAL, 'free total');
      totalFreePages.set(`${nid!}/${zone!}`, Number(count));
      continue;
    }
    const { nid, zone, order, type, count, runs } = match(line, LIST, 'free list');
    lists.push({
      nid: Number(nid),
      zone: zone!,
      order: Number(order),
      migratetype: type!,
      count: Number(count),
      runs: runs!.trim() === '' ? [] : runs!.trim().split(' ').map(readRun),
    });
  }
  return { lists, totalFreePages };
}

/** The pfns of a list in list order, one at a time. */
export function* listPfns(list: FreeListSnapshot): Generator<number, void, undefined> {
  for (const run of list.runs) {
    for (let i = 0; i < run.count; i += 1) yield run.pfn + i * run.step;
  }
}
