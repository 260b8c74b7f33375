/** What is explained: a planned machine, and where its lines can be quoted from. */
import type { LayoutPlan } from '../../plan/layout-plan.js';
import type { Quotes } from './quotes.js';

/** A machine whose memory is accounted for. */
export interface Subject {
  readonly plan: LayoutPlan;
  readonly quote: Quotes;
  /** Bytes of installed memory, where somebody says so. */
  readonly installed?: number;
}

/** Kernels for which the map is a PC's. */
export function isX86({ plan }: Subject): boolean {
  const { architecture } = plan.description;
  return architecture === 'x86_64' || architecture === 'i386';
}

/** The byte after the last that a kernel can use: one of 32 bits without high memory leaves what lies above its zones. */
export function reachOf({ plan }: Subject): number {
  const { architecture, printed } = plan.description;
  if (architecture !== 'i386' || printed.zoneRanges.length === 0) return Infinity;
  return printed.zoneRanges.reduce((high, { range }) => Math.max(high, range?.end ?? 0), 0);
}
