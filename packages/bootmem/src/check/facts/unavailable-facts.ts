/**
 * Pages of holes that have descriptors. The form of the line says what it counts, whatever the release: distributions and
 * stable series carry newer forms than their number's.
 *
 * | line                                                    | counts                                            |
 * |---------------------------------------------------------|---------------------------------------------------|
 * | `Reserved but unavailable: P pages`                     | reserved pages outside memory: not in the log     |
 * | `Zeroed struct page in unavailable ranges: P pages`     | all holes of the machine; to 5.5 without the tail |
 * | `  Z zone: P pages in unavailable ranges`               | the holes of a zone, to the end of its section    |
 * | `On node N, zone Z: P pages in unavailable ranges`      | one hole                                          |
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { wholeMemory } from '../../plan/layout-plan.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { pagesWithoutMemory, zoneSums } from '../../plan/zones/descriptor-map.js';
import type { FactList } from '../fact-list.js';
import { lacksHighmem, NO_HIGHMEM, NO_LINE } from './layout-facts.js';
import { NO_RELEASE } from '../lost/reasons.js';

type UnavailablePages = MachineDescription['printed']['unavailable'][number];

const FACT = 'unavailable pages';

const OF_RESERVED =
  'kernels before 4.20 counted reserved pages outside memory, which are not in the log';

const OF_BLOCKS =
  'kernels of this architecture looked, before 5.14, only at blocks whose first page is mapped memory';

/** One line or one hole. */
interface Counted {
  readonly nid?: number;
  readonly zone?: string;
  readonly pages: number;
}

const name = ({ nid, zone }: Counted): string => `node ${nid ?? '?'} ${zone ?? '?'}`;

/** Compares what the lines count. */
export function unavailableFacts(plan: LayoutPlan, facts: FactList): void {
  const printed = plan.description.printed.unavailable;
  const [first] = printed;
  if (first === undefined) return;
  const isWhole = first.nid === undefined && first.zone === undefined;
  const reason = whyOpen(plan, first);
  if (reason !== undefined) {
    for (const line of printed)
      facts.open(FACT, isWhole ? 'machine' : name(line), line.pages, reason);
  } else if (isWhole) machineFact(plan, first, facts);
  else if (first.counts === 'zone') {
    compareLines(
      inOrder(printed, plan),
      zoneSums(plan.descriptors, plan.layout, wholeMemory(plan)),
      facts,
    );
  } else compareLines(printed, plan.holes, facts);
}

function whyOpen(plan: LayoutPlan, first: UnavailablePages): string | undefined {
  const { kernel, description } = plan;
  if (lacksHighmem(plan)) return NO_HIGHMEM;
  if (kernel.release === undefined) return NO_RELEASE;
  if (first.counts === 'reserved') return OF_RESERVED;
  const asksBlocks = description.architecture === 'arm64' || description.architecture === 'arm';
  return asksBlocks && kernel.printed.mapsByBlock ? OF_BLOCKS : undefined;
}

/** Stable series before 5.6 may count the tail behind the last memory, too. */
function machineFact(plan: LayoutPlan, { pages }: UnavailablePages, facts: FactList): void {
  const { descriptors, kernel } = plan;
  const memory = wholeMemory(plan);
  const all = pagesWithoutMemory(descriptors, memory);
  const inside = pagesWithoutMemory({ ...descriptors, hasTail: false }, memory);
  const isInside = !kernel.printed.countsTail && pages === inside;
  facts.compare(FACT, 'machine', pages, isInside ? inside : all);
}

/** Lines of zones name no node, unless others around them do: those of one node follow one another, lowest zone first. */
function inOrder(printed: readonly UnavailablePages[], plan: LayoutPlan): readonly Counted[] {
  if (printed.every(({ nid }) => nid !== undefined)) return printed;
  const sums = zoneSums(plan.descriptors, plan.layout, wholeMemory(plan));
  let at = 0;
  return printed.map(({ zone, pages }) => {
    const next = sums.findIndex((sum, index) => index >= at && sum.zone === zone);
    const nid = sums[next]?.nid;
    if (next >= 0) at = next + 1;
    return {
      ...(nid === undefined ? {} : { nid }),
      ...(zone === undefined ? {} : { zone }),
      pages,
    };
  });
}

/** Lines and ours by name and amount; then those left by name, in order. O(lines). */
function compareLines(
  printed: readonly Counted[],
  ours: readonly Counted[],
  facts: FactList,
): void {
  const exact = (one: Counted): string => `${name(one)}: ${one.pages}`;
  const left = groupsOf(ours, exact);
  const unmatched: Counted[] = [];
  for (const line of printed) {
    const found = left.get(exact(line))?.pop();
    if (found === undefined) unmatched.push(line);
    else facts.compare(FACT, name(line), line.pages, line.pages);
  }
  const others = groupsOf([...left.values()].flat(), name);
  for (const line of unmatched) {
    facts.compare(FACT, name(line), line.pages, others.get(name(line))?.pop()?.pages ?? 'none');
  }
  // Nothing else counts these pages, so a line that is not there may be lost.
  for (const one of [...others.values()].flat())
    facts.open(FACT, name(one), 'not printed', NO_LINE);
}

/** Things by a key, the last of each group first in order. */
function groupsOf(all: readonly Counted[], key: (one: Counted) => string): Map<string, Counted[]> {
  const groups = new Map<string, Counted[]>();
  for (const one of all.toReversed()) {
    const group = groups.get(key(one));
    if (group === undefined) groups.set(key(one), [one]);
    else group.push(one);
  }
  return groups;
}
