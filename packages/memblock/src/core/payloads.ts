/**
 * What callers attach to addresses of a list: a name, a device, anything. A second list beside the first, made when it is first used:
 *
 *     regions   |=========== A ===========|      |==== B ====|     flags, node; merged and split as in the kernel
 *     payloads     |-- uart --|-- rtc --|              |--x--|     touching ranges of one payload are one
 *
 * A payload belongs to the addresses, not to the region: whatever regions become, each address keeps it until it leaves the list.
 * So the lists, and all that is computed from them, are the same with payloads and without.
 *
 * Invariant: what has a payload lies in a region.
 */
import { PHYS_ADDR_MAX } from '../base/constants.js';
import type { PayloadRange } from '../base/types.js';
import { ListEditor } from '../list/list-edits.js';
import { RegionList } from '../list/region-list.js';
import type { Place } from '../list/unrolled-list.js';

/** `[base, end)` in bytes. */
type Visit = (base: number, end: number) => void;

/** Numbers of payloads that are not used any more are looked for from so many on. */
const SWEEP_FROM = 64;

/** Payloads of the addresses of one list. */
export class Payloads {
  readonly #regions: RegionList;
  readonly #runs: RegionList;
  readonly #editor = new ListEditor({ overlapped: () => undefined });
  /** Payload by number; the runs have the numbers. */
  #values: unknown[] = [];
  #numbers = new Map<unknown, number>();

  /** @param regions list that the payloads are of */
  constructor(regions: RegionList) {
    this.#regions = regions;
    this.#runs = new RegionList(regions.name, Infinity);
  }

  /** Gives what lies in a region of `[base, end)` this payload instead of any other; undefined: none. */
  set(base: number, end: number, payload: unknown): void {
    const parts: [number, number][] = [];
    eachRegion(this.#regions, base, end, (from, to) => parts.push([from, to]));
    for (const [from, to] of parts) {
      this.#editor.cut(this.#runs, from, to);
      if (payload !== undefined) this.#editor.fill(this.#runs, from, to, this.#numberOf(payload));
    }
  }

  /** `[base, end)` has left the list. */
  cut(base: number, end: number): void {
    if (base < end) this.#editor.cut(this.#runs, base, end);
  }

  /** Only what lies in a region stays, after an edit of all of the list. */
  cutOutside(): void {
    let last = 0;
    const gaps: [number, number][] = [];
    eachRegion(this.#regions, 0, PHYS_ADDR_MAX, (from, to) => {
      if (from > last) gaps.push([last, from]);
      last = to;
    });
    gaps.push([last, PHYS_ADDR_MAX]);
    for (const [from, to] of gaps) this.cut(from, to);
  }

  /** The range of one payload around an address; undefined where there is none. O(log n) */
  at(address: number): PayloadRange | undefined {
    const runs = this.#runs;
    const p = runs.locate(address);
    return p < 0 || runs.base[p]! > address ? undefined : this.#run(p);
  }

  /** All ranges, ascending. */
  all(): PayloadRange[] {
    const found: PayloadRange[] = [];
    for (let d = 0; d < this.#runs.chunks; d++) {
      for (let i = 0; i < this.#runs.chunkCount(d); i++) {
        found.push(this.#run(this.#runs.slotIndex(d, i)));
      }
    }
    return found;
  }

  #run(p: number): PayloadRange {
    const { base, end, attr } = this.#runs;
    return { base: base[p]!, size: end[p]! - base[p]!, payload: this.#values[attr[p]!] };
  }

  #numberOf(payload: unknown): number {
    const known = this.#numbers.get(payload);
    if (known !== undefined) return known;
    if (this.#values.length >= Math.max(SWEEP_FROM, 2 * this.#runs.count)) this.#sweep();
    this.#numbers.set(payload, this.#values.length);
    return this.#values.push(payload) - 1;
  }

  /** Forgets payloads that nothing has, and numbers the others anew. */
  #sweep(): void {
    const { attr } = this.#runs;
    const old = this.#values;
    this.#values = [];
    this.#numbers = new Map();
    for (let d = 0; d < this.#runs.chunks; d++) {
      for (let i = 0; i < this.#runs.chunkCount(d); i++) {
        const p = this.#runs.slotIndex(d, i);
        const payload = old[attr[p]!];
        const number = this.#numbers.get(payload) ?? this.#values.push(payload) - 1;
        this.#numbers.set(payload, number);
        attr[p] = number;
      }
    }
  }
}

/** The pieces of `[base, end)` that no region covers. */
export function eachGap(list: RegionList, base: number, end: number, visit: Visit): void {
  let last = base;
  eachRegion(list, base, end, (from, to) => {
    if (from > last) visit(last, from);
    last = to;
  });
  if (last < end) visit(last, end);
}

/** The parts of regions in `[base, end)`. */
function eachRegion(list: RegionList, base: number, end: number, visit: Visit): void {
  if (base >= end) return;
  let p = list.locate(base);
  const place: Place = { d: list.at.d, i: list.at.i };
  while (p >= 0 && list.base[p]! < end) {
    visit(Math.max(list.base[p]!, base), Math.min(list.end[p]!, end));
    place.i++;
    if (place.i === list.chunkCount(place.d)) {
      place.d++;
      place.i = 0;
    }
    p = place.d < list.chunks ? list.slotIndex(place.d, place.i) : -1;
  }
}
