/**
 * What was in use when the allocator took over, for logs without `memblock=debug`: the same facts that `explain` adds up,
 * as addresses. What has none is put where a kernel takes memory from: the top of each node.
 *
 * ```
 * node   [   image |  initrd   |   crash kernel  | . . . . . free . . . . . . |== amounts without an address ==]
 * ```
 * How much that is, the kernel's own figure says (present less handed over); without the `Memory:` line it is what lines
 * and rules name.
 */
import { intersect, normalise, subtract, totalLength } from '@bootmem/firmware-map/derive';
import type { ByteSpan } from '../explain-result.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { byNode } from '../plan/by-node.js';
import { KERNEL_BASE } from '../plan/reservations.js';
import { LevelDraft } from './base/level.js';
import { Quotes } from './base/quotes.js';
import { ROWS } from './base/row-kinds.js';
import { amountRows } from './reserved/by-lines.js';
import { imageBytes, placedRows } from './reserved/placed-rows.js';
import { handedOver } from './reserved/totals.js';

/** A reserved stretch, bytes, and why. */
export interface Reservation extends ByteSpan {
  readonly why: string;
  /** True when size or place is our assumption. */
  readonly assumed: boolean;
}

/** Bytes of an image where the log does not say how large it is. */
const USUAL_IMAGE = 32 * 2 ** 20;

/**
 * Reservations of a machine.
 * @param plan  a planned machine
 * @returns in no order; may overlap
 * @remarks O(n log n) in the records of the log
 */
export function bootReservations(plan: LayoutPlan): Reservation[] {
  const subject = { plan, quote: new Quotes() };
  const placed: Reservation[] = placedRows(subject).flatMap(({ kind, ranges = [], how }) =>
    ranges.map(({ start, end }) => ({
      start,
      end,
      why: ROWS[kind].label,
      assumed: how === 'computed' && kind !== 'low-memory',
    })),
  );
  const hasImage = placedRows(subject).some(({ kind }) => kind === 'image');
  if (!hasImage) {
    const image = imageRange(plan, imageBytes(subject) || USUAL_IMAGE);
    if (image !== undefined) placed.push({ ...image, why: ROWS.image.label, assumed: true });
  }
  return [...placed, ...missing(plan, placed)];
}

/**
 * What the kernel's figure says beyond known reservations, at the tops of nodes.
 * @param plan   a planned machine
 * @param known  reservations that have a place
 */
export function missing(plan: LayoutPlan, known: readonly ByteSpan[]): Reservation[] {
  const memory = normalise(memoryOf(plan));
  const free = subtract(memory, pagesOf(known, plan.pageSize));
  const taken = totalLength(memory) - totalLength(free);
  const handed = handedOver({ plan, quote: new Quotes() });
  const wanted =
    handed === undefined ? amountsWithoutPlace(plan) : totalLength(memory) - handed.bytes - taken;
  return onTop(plan, free, wanted);
}

/** Memory that zones have, in bytes. */
function memoryOf({ memory, pageSize }: LayoutPlan): (ByteSpan & { readonly nid: number })[] {
  return memory.map(({ nid, startPfn, endPfn }) => ({
    ...{ nid, start: startPfn * pageSize, end: endPfn * pageSize },
  }));
}

/** What lines and rules name and nobody places. */
function amountsWithoutPlace(plan: LayoutPlan): number {
  const draft = new LevelDraft();
  for (const row of amountRows({ plan, quote: new Quotes() })) {
    if (row.kind !== 'image' && row.kind !== 'image-gaps') draft.add(row);
  }
  return draft.named;
}

function pagesOf(ranges: readonly ByteSpan[], pageSize: number): ByteSpan[] {
  return normalise(
    ranges.map(({ start, end }) => ({
      start: Math.floor(start / pageSize) * pageSize,
      end: Math.ceil(end / pageSize) * pageSize,
    })),
  );
}

/** The image where the log does not place it: where it is linked, else at the first room for it. */
function imageRange({ derived }: LayoutPlan, bytes: number): ByteSpan | undefined {
  const fits = derived.memory.some(
    ({ start, end }) => start <= KERNEL_BASE && end >= KERNEL_BASE + bytes,
  );
  if (fits) return { start: KERNEL_BASE, end: KERNEL_BASE + bytes };
  const first = derived.memory.find(({ start, end }) => end - start > 2 * bytes);
  return first === undefined ? undefined : { start: first.start, end: first.start + bytes };
}

/** Takes an amount from the tops of all nodes, by their size; what one lacks room for comes from the next. */
export function onTop(plan: LayoutPlan, free: readonly ByteSpan[], amount: number): Reservation[] {
  const { pageSize } = plan;
  const memory = memoryOf(plan);
  const memoryOfNode = byNode(memory);
  const nids = [...memoryOfNode.keys()];
  const total = totalLength(memory);
  const result: Reservation[] = [];
  let left = Math.floor(amount / pageSize) * pageSize;
  let owed = 0;
  for (const nid of nids) {
    const own = memoryOfNode.get(nid)!;
    owed += (Math.max(0, amount) * totalLength(own)) / total;
    // The last node takes what rounding has left.
    let share = nid === nids.at(-1) ? left : Math.min(left, Math.floor(owed / pageSize) * pageSize);
    const room = intersect(own, free);
    for (const { start, end } of room.reverse()) {
      if (share <= 0) break;
      const from = Math.max(start, end - share);
      result.push({ start: from, end, why: 'descriptors and early allocations', assumed: true });
      share -= end - from;
      left -= end - from;
      owed -= end - from;
    }
  }
  return result;
}
