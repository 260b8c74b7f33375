/**
 * Slabs coming and going: pages of the pool on the one side, numbers of objects on the other.
 *
 *     open    pages taken, recorded ▶ slab in transit, record clear ▶ its numbers handed over ▶ open
 *     close   slab in transit ▶ its numbers taken back, if all are free ▶ no slab, pages recorded ▶ pages freed, record clear
 *
 * The steps are done under different locks, so a thread may end between them: then the pages are recorded, or the slab is
 * in transit, of which there is one at most. Whoever has the lock of the table next brings it to "open", from where it can be
 * closed again; whoever reclaims frees the pages that are recorded. Within one step nothing
 * can come in between: plain statements without a call, the record of pages written or cleared where the pool's lock has the
 * block in its journal.
 *
 * Locks: the table's; inside it that of the pool's zone, or that of the numbers, never both.
 */
import { PageState } from '@bootmem/memmap';
import { HEAD_ORDER_MASK, SharedLock } from '@bootmem/memmap/shared';

import { Zone } from '../base/control-layout.js';
import { TakeFlag } from '../lists/fallback.js';
import { handBack, handOver } from '../zone/hand-over.js';
import type { BuddyZone } from '../zone/zone.js';
import { blocksAt, Record, recordAt, sizesOf, slabsAt, Table } from './slab-table.js';

const { ALLOCATED, DIRTY, FREE } = PageState;
const UNMOVABLE = 0;
const NONE = -1;

/** What slabs are made of, seen from one thread. */
interface SlabParts {
  readonly words: Int32Array;
  /** Zone of the pool's pages. */
  readonly pages: BuddyZone;
  /** Zone of the numbers. */
  readonly ids: BuddyZone;
  readonly thread: number;
  readonly lock: SharedLock;
}

/** The slabs of one cache. */
export class Slabs {
  readonly #words: Int32Array;
  readonly #pages: BuddyZone;
  readonly #ids: BuddyZone;
  readonly #lock: SharedLock;
  /** Word of the calling thread's record. */
  readonly #record: number;
  readonly #tag: number;
  readonly #slabs: number;
  readonly #blocks: number;
  readonly #order: number;
  readonly #perSlab: number;
  readonly #shift: number;

  constructor({ words, pages, ids, thread, lock }: SlabParts) {
    const sizes = sizesOf(words);
    this.#words = words;
    this.#pages = pages;
    this.#ids = ids;
    this.#lock = lock;
    this.#record = recordAt(thread);
    this.#tag = ids.tag;
    this.#slabs = slabsAt(sizes.threads);
    this.#blocks = blocksAt(sizes);
    this.#order = sizes.slabOrder;
    this.#perSlab = words[Table.PER_SLAB]!;
    this.#shift = words[Table.ID_SHIFT]!;
  }

  /** Makes the record the calling thread's; what one left there that had the id before is freed. */
  own(): void {
    this.locked(() => {
      this.#freeRecorded(this.#record);
      this.#words[this.#record + Record.TAG] = this.#tag;
    });
  }

  /** Frees what ended threads have recorded. */
  settleEnded(): void {
    const { threads } = sizesOf(this.#words);
    this.locked(() => {
      for (let thread = 1; thread <= threads; thread++) {
        const at = recordAt(thread);
        if (this.#ids.hasEnded(this.#words[at + Record.TAG]!)) this.#freeRecorded(at);
      }
    });
  }

  /** Takes pages for a slab from the lists; they are recorded, or were so already. @returns first page, -1 for none */
  take(): number {
    const { fallback, words, ownersAt } = this.#pages;
    const table = this.#words;
    const owner = table[Table.OWNER]!;
    const at = this.#record + Record.PAGE;
    // Left where an exception came before the slab: a full stack, no lock to be had.
    if (table[at] !== 0) return table[at]! - 1;
    return this.#pages.locked(() => {
      const page = fallback.rmqueue(this.#order, UNMOVABLE, TakeFlag.KSWAPD, ALLOCATED);
      // Nothing may come between taking the block and the record of it: no call, no loop.
      if (page !== NONE) {
        if (ownersAt !== 0) words[ownersAt + page] = owner;
        table[at] = page + 1;
      }
      return page;
    });
  }

  /** Frees the pages that the calling thread has recorded. */
  giveBack(): void {
    this.#freeRecorded(this.#record);
  }

  /** Makes a slab of the pages that are recorded. @returns false when there is no number for it: they stay recorded */
  open(): boolean {
    const w = this.#words;
    return this.locked(() => {
      const slab = this.#freeSlab();
      if (slab === NONE) return false;
      const at = this.#slabs + slab;
      const record = this.#record + Record.PAGE;
      const count = w[Table.COUNT]!;
      // From the record to the slab at once.
      w[at] = w[record]!;
      w[Table.TRANSIT] = slab + 1;
      w[record] = 0;
      if (slab >= count) w[Table.COUNT] = slab + 1;
      this.#finish(slab);
      return true;
    });
  }

  /** Closes the slabs of which no object is in use or in a magazine. @returns how many */
  close(): number {
    const w = this.#words;
    return this.locked(() => {
      // What an exception has left: the record has one place.
      this.giveBack();
      let closed = 0;
      for (let slab = 0; slab < w[Table.COUNT]!; slab++) {
        if (w[this.#slabs + slab] !== 0 && this.#closeOne(slab)) closed++;
      }
      return closed;
    });
  }

  /**
   * Runs `body` under the lock of the table; first brings to its end what somebody left in transit: who ended in it, or was
   * thrown out (a full stack, no lock to be had). No callback runs inside, so whoever seems to have the lock already was, too.
   */
  locked<T>(body: () => T): T {
    try {
      this.#lock.lock();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_LOCK_RECURSIVE') throw error;
    }
    try {
      const slab = this.#words[Table.TRANSIT]!;
      if (slab !== 0) this.#finish(slab - 1);
      return body();
    } finally {
      this.#lock.unlock();
    }
  }

  /** Calls back for each slab: its number and first page. */
  forEach(visit: (slab: number, page: number) => void): void {
    const w = this.#words;
    for (let slab = 0; slab < w[Table.COUNT]!; slab++) {
      const page = w[this.#slabs + slab]! - 1;
      if (page >= 0) visit(slab, page);
    }
  }

  /** Pages that threads have recorded, with the tags of these. */
  recorded(): { readonly tag: number; readonly page: number }[] {
    const { threads } = sizesOf(this.#words);
    return Array.from({ length: threads }, (_, i) => recordAt(i + 1))
      .map((at) => ({
        tag: this.#words[at + Record.TAG]!,
        page: this.#words[at + Record.PAGE]! - 1,
      }))
      .filter(({ page }) => page >= 0);
  }

  #freeRecorded(record: number): void {
    const table = this.#words;
    const at = record + Record.PAGE;
    const page = table[at]! - 1;
    if (page < 0) return;
    const order = this.#order;
    const { words: w, at: zone, area } = this.#pages;
    this.#pages.scrub(page, order);
    this.#pages.locked(() => {
      // In the journal, and no more recorded, at once.
      w[zone + Zone.JOURNAL_INDEX] = page;
      w[zone + Zone.JOURNAL_ORDER] = order + 1;
      table[at] = 0;
      area.free(page, order, false, DIRTY);
    });
  }

  /** A number that no slab has. */
  #freeSlab(): number {
    const w = this.#words;
    const max = w[Table.MAX_SLABS]!;
    let slab = w[Table.HINT]!;
    while (slab < max && w[this.#slabs + slab] !== 0) slab++;
    w[Table.HINT] = slab;
    return slab < max ? slab : NONE;
  }

  /** Hands over those numbers of a slab in transit that are not yet. */
  #finish(slab: number): void {
    const w = this.#words;
    const ids = this.#ids;
    const { state } = ids.columns;
    const first = slab << this.#shift;
    const end = first + this.#perSlab;
    // Under the lock of the numbers, which puts them in order when somebody ended there.
    const from = ids.locked(() => {
      let id = first;
      while (id < end && state[id]! >= FREE) id += 1 << (state[id]! & HEAD_ORDER_MASK);
      return id;
    });
    if (from === first) ids.memmap.initRange(first, end, ids.zoneId);
    if (from < end) handOver(ids, from, end);
    const page = w[this.#slabs + slab]! - 1;
    w[this.#blocks + (page >>> this.#order)] = slab + 1;
    w[Table.TRANSIT] = 0;
  }

  #closeOne(slab: number): boolean {
    const w = this.#words;
    const at = this.#slabs + slab;
    const record = this.#record + Record.PAGE;
    const page = w[at]! - 1;
    const first = slab << this.#shift;
    w[Table.TRANSIT] = slab + 1;
    if (!handBack(this.#ids, first, first + this.#perSlab)) {
      w[Table.TRANSIT] = 0;
      return false;
    }
    // From the slab to the record at once.
    w[this.#blocks + (page >>> this.#order)] = 0;
    w[record] = page + 1;
    w[at] = 0;
    w[Table.TRANSIT] = 0;
    if (w[Table.HINT]! > slab) w[Table.HINT] = slab;
    this.#freeRecorded(this.#record);
    return true;
  }
}
