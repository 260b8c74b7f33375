/** What the `Memory:` line says of a machine, as amounts that mean the same for all releases. */
import { countsHoles } from '../../plan/memory-line.js';
import type { Amount } from '../base/level.js';
import { reachOf } from '../base/subject.js';
import type { Subject } from '../base/subject.js';

/** Bytes of the pages that the kernel counts as present, with the line that says so. */
export function presentMemory(subject: Subject): Amount {
  const { plan, quote } = subject;
  const { memory } = plan.description.printed;
  const label = 'memory of the kernel (present pages)';
  const reach = reachOf(subject) / plan.pageSize;
  const derived =
    plan.memory.reduce(
      (sum, { startPfn, endPfn }) => sum + Math.max(0, Math.min(endPfn, reach) - startPfn),
      0,
    ) * plan.pageSize;
  if (memory === undefined) {
    const text = `${derived / plan.pageSize} whole pages of ${plan.pageSize} bytes in the map`;
    return { label, bytes: derived, evidence: [quote.formula(text)] };
  }
  const line = quote.at(memory.line, `Memory: …/${memory.totalKb}K available`);
  if (!countsHoles(plan)) return { label, bytes: memory.totalKb * 1024, evidence: [line] };
  const absent = memory.partsKb['absent'];
  if (absent !== undefined) {
    return { label, bytes: (memory.totalKb - absent) * 1024, evidence: [line] };
  }
  const text = 'the line counts holes too: present pages are those of the map';
  return { label, bytes: derived, evidence: [line, quote.formula(text)] };
}

/** What memblock handed over, from the `Memory:` line; `undefined` where that names no `reserved`. */
export function handedOver(subject: Subject): Amount | undefined {
  const { plan, quote } = subject;
  const { memory, freeing } = plan.description.printed;
  const reservedKb = memory?.partsKb['reserved'];
  if (memory === undefined || reservedKb === undefined) return undefined;
  const cmaKb = memory.partsKb['cma-reserved'] ?? 0;
  const freedKb =
    freeing.filter(({ line }) => line < memory.line).reduce((sum, { kb }) => sum + kb, 0) +
    (lateBytes(plan, memory.line) + giganticBytes(plan, memory)) / 1024;
  const present = presentMemory(subject).bytes;
  const bytes = present - (reservedKb + cmaKb + freedKb) * 1024;
  const freed = freedKb === 0 ? '' : ` − ${freedKb}K given back before that line`;
  const evidence = [
    quote.at(memory.line, `Memory: … ${reservedKb}K reserved, ${cmaKb}K cma-reserved`),
    quote.formula(`${present / 1024}K present − ${reservedKb}K reserved − ${cmaKb}K CMA${freed}`),
  ];
  return { label: 'handed to the page allocator', bytes: Math.max(0, bytes), evidence };
}

type Plan = Subject['plan'];

/**
 * Bytes that memblock gave back before a line. The kernel counts them all, even those that are lost because their
 * descriptors were still to come.
 */
export function lateBytes(plan: Plan, before: number): number {
  return plan.description.memblock.operations.reduce(
    (sum, one) => (one.op === 'free-late' && one.line < before ? sum + one.end - one.start : sum),
    0,
  );
}

/** Bytes of huge pages taken from memblock; larger than the page allocator's blocks. */
export function giganticPages(plan: Plan): readonly HugetlbLine[] {
  return plan.description.printed.hugetlb.filter(
    ({ pageBytes, preallocated }) => pageBytes > 2 ** 10 * plan.pageSize && preallocated > 0,
  );
}

type HugetlbLine = Plan['description']['printed']['hugetlb'][number];
type MemoryLine = NonNullable<Plan['description']['printed']['memory']>;

/** Newer kernels count gigantic pages before they print the line: then what it names leaves them out. */
function giganticBytes(plan: Plan, memory: MemoryLine): number {
  const bytes = giganticPages(plan).reduce((sum, one) => sum + one.pageBytes * one.preallocated, 0);
  if (memory.beforeDeferred === true) return 0;
  const { availableKb, totalKb, partsKb } = memory;
  const taken = availableKb + (partsKb['reserved'] ?? 0) + (partsKb['cma-reserved'] ?? 0);
  return (totalKb - taken) * 1024 >= bytes ? bytes : 0;
}
