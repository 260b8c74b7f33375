/**
 * The state of memblock when the buddy allocator takes over.
 *
 * ```
 * log with memblock=debug:  last dump + operations after it, replayed   exact
 * other logs:               memory of the plan + known reservations     what the log tells
 * ```
 */
import { Memblock, MemFlags } from '@bootmem/memblock';
import type { LayoutPlan } from './layout-plan.js';
import { knownReservations } from './reservations.js';
import { finalState } from './replay.js';

/** memblock at hand-over and how it was come by. */
export interface Handover {
  readonly memblock: Memblock;
  /** True when it is the kernel's own state, operation by operation. */
  readonly exact: boolean;
  readonly notes: readonly string[];
}

/**
 * Builds the state.
 * @param plan  a planned machine
 */
export function handover(plan: LayoutPlan): Handover {
  const exact = finalState(plan);
  if (exact !== undefined) return { memblock: exact, exact: true, notes: [] };
  const memblock = new Memblock({ profile: plan.kernel.memblock });
  for (const { start, end, nid, hotplug } of plan.derived.memory) {
    memblock.add(start, end - start, { nid, flags: hotplug ? MemFlags.HOTPLUG : MemFlags.NONE });
  }
  const reservations = knownReservations(plan);
  for (const { start, end } of reservations) memblock.reserve(start, end - start);
  const assumed = [...new Set(reservations.filter((one) => one.assumed).map((one) => one.why))];
  return {
    memblock,
    exact: false,
    notes:
      assumed.length === 0
        ? []
        : [
            `no memblock=debug lines: size or place of ${shorten(assumed)} is assumed, so free lists are close to but not equal to the kernel's`,
          ],
  };
}

function shorten(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}
