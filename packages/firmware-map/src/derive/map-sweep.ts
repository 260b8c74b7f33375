/**
 * Entries of a map and everything that was done to it, as one sweep over the addresses.
 *
 * ```
 * entries      |--usable--------------|    |--reserved--|      the highest rank of those that cover an address
 * step 0             |remove|                                  each step turns states into states, in this order
 * step 1                  |usable => reserved ------------|
 * result       |usable|none |reserved |    |reserved----|
 * ```
 *
 * A step is a table over the few states there are, so any number of steps is one table too. A tree over the steps
 * holds their products: entering or leaving a step's range changes one leaf and its ancestors. n entries and m steps
 * cost O((n + m) log (n + m)), however they overlap.
 */
import { sorted } from '../base/sort-steps.js';
import { isStep } from '../base/steps.js';
import type { Steps } from '../base/steps.js';
import type { ByteRange, RangeKind } from '../types/all.js';

/** What an address can be to the map: nothing, a kind, or usable memory that edits of usable memory pass by. */
export type MapState = 'none' | 'kept' | RangeKind;

/** Index is the state's number, and its rank: the higher wins where entries overlap. */
const STATES: readonly MapState[] = [
  'none',
  'usable',
  'kept',
  'unaccepted',
  'reserved',
  'acpi-data',
  'acpi-nvs',
  'unusable',
  'persistent',
  'other',
  'soft-reserved',
];
const COUNT = STATES.length;
const NUMBER = new Map<MapState, number>(STATES.map((state, index) => [state, index]));

/** Rank of a state: the higher wins. A gap is nothing. */
export function rankOf(state: MapState): number {
  return NUMBER.get(state) ?? 0;
}

/** Something done to all addresses of a range. */
export interface MapStep extends ByteRange {
  /** What a state becomes. */
  readonly change: (state: MapState) => MapState;
}

/** A stretch of one state, `none` left out. */
export interface StateRange extends ByteRange {
  readonly state: MapState;
}

/**
 * The map after all steps.
 * @param entries  in any order; may overlap
 * @param steps    in the order in which they were done
 * @returns sorted, disjoint; neighbours of one state joined
 */
export function* sweepMap(
  entries: readonly (ByteRange & { readonly kind: RangeKind })[],
  steps: readonly MapStep[],
): Steps<StateRange[]> {
  const product = new StepProduct(steps);
  const covered = new Uint32Array(COUNT);
  const result: { start: number; end: number; state: MapState }[] = [];
  let from = 0;
  const close = (to: number): void => {
    if (to === from) return;
    let state = COUNT - 1;
    while (state > 0 && covered[state] === 0) state--;
    const end = STATES[product.apply(state)]!;
    const last = result.at(-1);
    if (last?.end === from && last.state === end) last.end = to;
    else if (end !== 'none') result.push({ start: from, end: to, state: end });
    from = to;
  };
  const { places, order } = yield* borders(entries, steps);
  yield;
  for (const [index, border] of order.entries()) {
    if (isStep(index)) yield;
    close(places[border]!);
    const item = border >>> 1;
    const begins = (border & 1) === 0;
    if (item < steps.length) product.toggle(item, begins);
    else covered[rankOf(entries[item - steps.length]!.kind)]! += begins ? 1 : -1;
  }
  return result;
}

/** Where something begins and ends: border 2 k is the begin of item k, 2 k + 1 its end; steps first, then entries. */
interface Borders {
  readonly places: Float64Array;
  /** Borders by place; those of empty ranges are left out. */
  readonly order: readonly number[];
}

function* borders(entries: readonly ByteRange[], steps: readonly ByteRange[]): Steps<Borders> {
  const places = new Float64Array(2 * (entries.length + steps.length));
  const order: number[] = [];
  let item = 0;
  for (const list of [steps, entries]) {
    for (const { start, end } of list) {
      places[2 * item] = start;
      places[2 * item + 1] = end;
      if (start < end) {
        order.push(2 * item, 2 * item + 1);
      }
      item++;
    }
  }
  return { places, order: yield* sorted(order, (a, b) => places[a]! - places[b]!) };
}

/** The product of the steps that are on, in their order. */
class StepProduct {
  /** Node k's table is at k * COUNT; node 1 is the root, leaves begin at `leaves`. */
  private readonly tables: Uint8Array;
  private readonly leaves: number;
  private readonly steps: readonly MapStep[];

  constructor(steps: readonly MapStep[]) {
    this.steps = steps;
    this.leaves = 2 ** Math.ceil(Math.log2(Math.max(steps.length, 1)));
    this.tables = new Uint8Array(2 * this.leaves * COUNT);
    // Every table says at first that a state stays what it is.
    for (let place = 0; place < COUNT; place++) this.tables[place] = place;
    for (let done = COUNT; done < this.tables.length; done *= 2) {
      this.tables.copyWithin(done, 0, done);
    }
  }

  apply(state: number): number {
    return this.tables[COUNT + state]!;
  }

  toggle(index: number, on: boolean): void {
    const { tables } = this;
    const { change } = this.steps[index]!;
    let node = this.leaves + index;
    for (let state = 0; state < COUNT; state++) {
      tables[node * COUNT + state] = on ? rankOf(change(STATES[state]!)) : state;
    }
    for (node >>>= 1; node > 0; node >>>= 1) {
      const [first, second] = [2 * node * COUNT, (2 * node + 1) * COUNT];
      for (let state = 0; state < COUNT; state++) {
        tables[node * COUNT + state] = tables[second + tables[first + state]!]!;
      }
    }
  }
}
