/** Present memory less what is reserved: what memblock hands to the page allocator. */
import type { ExplainLevel } from '../../explain-result.js';
import { LevelDraft } from '../base/level.js';
import type { Amount } from '../base/level.js';
import { reservedByLines } from './by-lines.js';
import { reservedExactly } from './exactly.js';
import type { Subject } from '../base/subject.js';

/** Bytes of the pages that the kernel counts as present, with the line that says so. */
export function presentMemory({ plan, quote }: Subject): Amount {
  const { memory } = plan.description.printed;
  const label = 'memory of the kernel (present pages)';
  const derived =
    plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0) * plan.pageSize;
  if (memory === undefined) {
    const text = `${derived / plan.pageSize} whole pages of ${plan.pageSize} bytes in the map`;
    return { label, bytes: derived, evidence: [quote.formula(text)] };
  }
  const line = quote.at(memory.line, `Memory: …/${memory.totalKb}K available`);
  const isSpan =
    memory.partsKb['absent'] !== undefined || plan.kernel.printed.memoryTotal === 'last-page';
  if (!isSpan) return { label, bytes: memory.totalKb * 1024, evidence: [line] };
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
  const freedKb = freeing
    .filter(({ line }) => line < memory.line)
    .reduce((sum, { kb }) => sum + kb, 0);
  const present = presentMemory(subject).bytes;
  const bytes = present - (reservedKb + cmaKb + freedKb) * 1024;
  const freed = freedKb === 0 ? '' : ` − ${freedKb}K given back before that line`;
  const evidence = [
    quote.at(memory.line, `Memory: … ${reservedKb}K reserved, ${cmaKb}K cma-reserved`),
    quote.formula(`${present / 1024}K present − ${reservedKb}K reserved − ${cmaKb}K CMA${freed}`),
  ];
  return { label: 'handed to the page allocator', bytes: Math.max(0, bytes), evidence };
}

/** The level. */
export function reservedLevel(subject: Subject): ExplainLevel {
  const draft = new LevelDraft();
  if (!reservedExactly(subject, draft)) reservedByLines(subject, draft);
  const head = { id: 'reserved', title: 'Reserved by the kernel' } as const;
  return draft.finish(head, presentMemory(subject), handedOver(subject));
}
