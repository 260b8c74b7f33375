/**
 * The state of memblock when the buddy allocator takes over.
 *
 * ```
 * log with memblock=debug:  last dump + operations after it, replayed   exact
 * other logs:               memory of the plan + known reservations     what the log tells
 * ```
 */
import { atOnce, isStep } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { Memblock, MemFlags } from '@bootmem/memblock';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { bootReservations, missing } from './boot-reservations.js';
import { finalStateSteps } from '../plan/replay.js';

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
  return atOnce(handoverSteps(plan));
}

/** The same, to be interrupted. */
export function* handoverSteps(plan: LayoutPlan): Steps<Handover> {
  const exact = yield* finalStateSteps(plan);
  yield;
  if (exact !== undefined) return completed(plan, exact);
  const memblock = new Memblock({ profile: plan.kernel.memblock });
  for (const [index, range] of plan.derived.memory.entries()) {
    if (isStep(index)) yield;
    const { start, end, nid, hotplug } = range;
    memblock.add(start, end - start, { nid, flags: hotplug ? MemFlags.HOTPLUG : MemFlags.NONE });
  }
  yield;
  const reservations = bootReservations(plan);
  for (const [index, { start, end }] of reservations.entries()) {
    if (isStep(index)) yield;
    memblock.reserve(start, end - start);
  }
  yield;
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

/** Less than this share of memory is what pages in use when the line was printed make. */
const LOST_SHARE = 0.005;

/** The replayed state; where the log lost operations, the kernel's figure shows it, and what is missing is added. */
function completed(plan: LayoutPlan, memblock: Memblock): Handover {
  const total = plan.derived.memory.reduce((sum, { start, end }) => sum + end - start, 0);
  const known = [
    ...memblock.regions('reserved'),
    // Present, counted as reserved, and in no list of reservations.
    ...memblock.regions('memory').filter(({ flags }) => (flags & MemFlags.NOMAP) !== 0),
  ].map(({ base, size }) => ({ start: base, end: base + size }));
  const printed = plan.description.printed.memory?.partsKb['reserved'];
  const lost = printed === undefined ? [] : missing(plan, known);
  const bytes = lost.reduce((sum, { start, end }) => sum + end - start, 0);
  if (bytes <= total * LOST_SHARE) return { memblock, exact: true, notes: [] };
  for (const { start, end } of lost) memblock.reserve(start, end - start);
  const note = `the log lost operations of memblock: ${bytes} bytes that the kernel calls reserved are put at the top of memory`;
  return { memblock, exact: false, notes: [note] };
}

function shorten(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}
